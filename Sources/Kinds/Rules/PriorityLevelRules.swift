import Model

/// PriorityLevelConfigurations (Kubernetes' `flowcontrol` validation and strategies).
struct PriorityLevelRules: KindRules {
    var generation: GenerationRule { .spec }
    var keepsMetadataOnStatusUpdate: Bool { true }

    func resetFields(of subresource: String?) -> FieldSet? {
        subresource == "status" ? FieldSet(fields: ["metadata"], ["spec"]) : nil
    }

    private static let queueDefaults: [(String, JSON)] = [("queues", 64), ("handSize", 8), ("queueLengthLimit", 50)]

    func fillDefaults(_ object: inout JSON) {
        guard object[path: ["spec", "limited", "limitResponse", "queuing"]] != nil else { return }
        for (name, value) in Self.queueDefaults {
            let path = ["spec", "limited", "limitResponse", "queuing", name]
            if object[path: path] == 0 { object[path: path] = value }
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        let name = object["metadata"]?.textMember("name") ?? ""
        let type = spec.textMember("type")
        if (name == "exempt") != (type == "Exempt") {
            errors.invalid(
                path["type"], .string(type), "type must be 'Exempt' if and only if name is 'exempt'")
        }
        switch type {
        case "Exempt":
            if spec["limited"] != nil {
                errors.forbidden(path["limited"], "must be nil if the type is not Limited")
            }
            if let exempt = spec["exempt"] { checkShares(exempt, path["exempt"], &errors) }
        case "Limited":
            if spec["exempt"] != nil { errors.forbidden(path["exempt"], "must be nil if the type is Limited") }
            if let limited = spec["limited"] {
                check(limited: limited, path["limited"], &errors)
            } else {
                errors.required(path["limited"], "must not be empty when type is Limited")
            }
        default: errors.notSupported(path["type"], .string(type), ["Exempt", "Limited"])
        }
        checkIsFixed(spec, path, name, &errors)
    }

    private func checkIsFixed(_ spec: JSON, _ path: FieldPath, _ name: String, _ errors: inout FieldErrors) {
        guard let fixed = MandatoryFlowControl.spec(ofLevel: name) else { return }
        guard name == "exempt" else {
            if spec != fixed { errors.invalid(path, spec, "spec of '\(name)' must equal the fixed value") }
            return
        }
        var rest = spec
        rest["exempt"] = fixed["exempt"]
        if rest != fixed {
            let rule = "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value"
            errors.invalid(path, spec, rule)
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        errors.checkFlowControlConditions(object)
    }

    // MARK: Parts of a level

    private func checkShares(_ level: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        if let shares = level["nominalConcurrencyShares"]?.int, shares < 0 {
            errors.invalid(path["nominalConcurrencyShares"], .int(shares), "must be a non-negative integer")
        }
        if let percent = level["lendablePercent"]?.int, !(0...100).contains(percent) {
            errors.invalid(path["lendablePercent"], .int(percent), "must be between 0 and 100, inclusive")
        }
    }

    private func check(limited: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        checkShares(limited, path, &errors)
        if let percent = limited["borrowingLimitPercent"]?.int, percent < 0 {
            let rule = "if specified, must be a non-negative integer"
            errors.invalid(path["borrowingLimitPercent"], .int(percent), rule)
        }
        let response = limited["limitResponse"] ?? [:]
        let path = path["limitResponse"]
        switch (response.textMember("type"), response["queuing"]) {
        case ("Reject", nil): break
        case ("Reject", _):
            errors.forbidden(path["queuing"], "must be nil if limited.limitResponse.type is not Limited")
        case ("Queue", nil):
            errors.required(path["queuing"], "must not be empty if limited.limitResponse.type is Limited")
        case ("Queue", let queuing?): check(queuing: queuing, path["queuing"], &errors)
        case (let type, _): errors.notSupported(path["type"], .string(type), ["Queue", "Reject"])
        }
    }

    private static let mostQueues: Int64 = 10_000_000

    private func check(queuing: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let number = { (name: String) in queuing[name]?.int ?? 0 }
        let (limit, queues, hand) = (number("queueLengthLimit"), number("queues"), number("handSize"))
        if limit <= 0 { errors.invalid(path["queueLengthLimit"], .int(limit), "must be positive") }
        if queues <= 0 {
            errors.invalid(path["queues"], .int(queues), "must be positive")
        } else if queues > Self.mostQueues {
            errors.invalid(path["queues"], .int(queues), "must not be greater than \(Self.mostQueues)")
        }
        if hand <= 0 {
            errors.invalid(path["handSize"], .int(hand), "must be positive")
        } else if hand > queues {
            errors.invalid(path["handSize"], .int(hand), "should not be greater than queues (\(queues))")
        } else if Self.exceedsHash(queues: queues, hand: hand) {
            let rule =
                "required entropy bits of deckSize \(queues) and handSize \(hand) should not be greater than 60"
            errors.invalid(path["handSize"], .int(hand), rule)
        }
    }

    /// Whether dealing hands takes more than the 60 bits of a hash: `queues` to the power of `hand` exceeds 2^60.
    private static func exceedsHash(queues: Int64, hand: Int64) -> Bool {
        guard queues > 1 else { return false }
        var hands: Int64 = 1
        for _ in 0..<hand {
            let (product, overflows) = hands.multipliedReportingOverflow(by: queues)
            if overflows || product > 1 << 60 { return true }
            hands = product
        }
        return false
    }
}
