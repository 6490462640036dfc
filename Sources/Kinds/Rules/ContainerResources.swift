import Model

/// What containers request and may use: semantics-api F, F1.
extension FieldErrors {
    /// - Parameter path: of what has the lists `limits` and `requests`.
    mutating func checkResources(_ resources: ResourceRequirements, _ path: FieldPath) {
        let requests = resources.json.mapMember("requests")
        let limits = resources.json.mapMember("limits")
        for limit in limits { checkContainerAmount(limit.value, of: limit.key, path["limits"].key(limit.key)) }
        for request in requests {
            checkContainerAmount(request.value, of: request.key, path["requests"].key(request.key))
            checkRequest(request.value, of: request.key, limit: limits[request.key], path)
        }
        let names = Set(limits.keys).union(requests.keys)
        if names.contains(where: ResourceName.isHugePages), !names.contains("cpu"), !names.contains("memory") {
            forbidden(path, "HugePages require cpu or memory")
        }
    }

    private mutating func checkContainerAmount(_ value: JSON, of name: String, _ path: FieldPath) {
        checkContainerResourceName(name, path)
        guard let amount = Quantity(json: value) else { return }
        checkAmount(amount, of: name, path)
        if ResourceName.isHugePages(name), !ResourceName.isWholePages(amount, of: name) {
            let rule = "\(amount) is not positive integer multiple of \(name)"
            invalid(path, .string(amount.description), rule)
        }
    }

    /// What cannot be shared out twice is requested just as it is limited.
    private mutating func checkRequest(_ value: JSON, of name: String, limit: JSON?, _ path: FieldPath) {
        let isShared = ResourceName.allowsOvercommitment(name)
        guard let limit else {
            if !isShared { required(path["limits"], "Limit must be set for non overcommitable resources") }
            return
        }
        guard let amount = Quantity(json: value), let most = Quantity(json: limit), amount != most else { return }
        if !isShared {
            let rule = "must be equal to \(name) limit of \(most)"
            invalid(path["requests"], .string(amount.description), rule)
        } else if amount > most {
            let rule = "must be less than or equal to \(name) limit of \(most)"
            invalid(path["requests"], .string(amount.description), rule)
        }
    }
}

extension ResourceName {
    /// Whether an amount of `hugepages-2Mi` is one of whole pages.
    static func isWholePages(_ amount: Quantity, of name: String) -> Bool {
        guard let page = Quantity(String(name.dropFirst("hugepages-".count))), page > .zero,
            page.milliValue % 1000 == 0
        else { return false }
        return amount.value % page.value == 0
    }
}

extension JSON {
    /// Rounds the amounts of a list of resources up to thousandths (semantics-api F1).
    ///
    /// They are in canonical form already.
    mutating func roundUpAmounts() {
        guard let amounts = object else { return }
        for amount in amounts {
            if let rounded = Self.roundedUp(amount.value) { self[amount.key] = rounded }
        }
    }

    /// The same for `limits` and `requests`.
    mutating func roundUpRequirements() {
        for list in ["limits", "requests"] { change(list) { $0.roundUpAmounts() } }
    }

    /// `nil` for an amount that is no finer.
    private static func roundedUp(_ value: JSON) -> JSON? {
        // Only these suffixes and exponents can be: most amounts are not read.
        guard let text = value.string,
            text.utf8.last == UInt8(ascii: "n") || text.utf8.last == UInt8(ascii: "u") || text.contains("e-"),
            let amount = Quantity(text)
        else { return nil }
        let rounded = amount.roundedUpToThousandths
        return rounded == amount ? nil : .string(rounded.description)
    }
}
