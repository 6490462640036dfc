import CEL
import Model

/// ValidatingAdmissionPolicies (Kubernetes' `admissionregistration` validation and strategies).
struct ValidatingPolicyRules: KindRules {
    private static let annotationLimit = 20
    private static let annotationLength = 5 * 1024

    var generation: GenerationRule { .spec }
    var allowsUnconditionalUpdate: Bool { false }
    var keepsMetadataOnStatusUpdate: Bool { true }

    func resetFields(of subresource: String?) -> FieldSet? {
        subresource == "status" ? FieldSet(fields: ["metadata"], ["spec"]) : nil
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        errors.checkFailurePolicy(spec, path)
        errors.checkPolicyTarget(spec, path)
        let variables = spec.listMember("variables")
        var environment = PolicyEnvironment(
            params: spec["paramKind"] == nil ? .none : .dynamic, hasVariables: !variables.isEmpty)
        errors.checkVariables(variables, &environment, path["variables"])
        let validations = spec.listMember("validations")
        let annotations = spec.listMember("auditAnnotations")
        if validations.isEmpty, annotations.isEmpty {
            let rule = "validations or auditAnnotations must contain at least one item"
            errors.required(path["validations"], rule)
            errors.required(path["auditAnnotations"], rule)
        }
        for (index, validation) in validations.enumerated() {
            check(validation, environment, path["validations"][index], &errors)
        }
        let name = object["metadata"]?.textMember("name") ?? ""
        check(annotations, ofPolicy: name, environment, path["auditAnnotations"], &errors)
    }

    private static let reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"]

    private func check(
        _ validation: JSON, _ environment: PolicyEnvironment, _ path: FieldPath, _ errors: inout FieldErrors
    ) {
        let expression = validation.textMember("expression")
        if expression.trimmed.isEmpty {
            errors.required(path["expression"], "expression is not specified")
        } else {
            errors.check(expression, as: [.bool], in: environment, path["expression"])
        }
        let messageExpression = validation.textMember("messageExpression")
        if !messageExpression.isEmpty {
            let place = path["messageExpression"]
            if messageExpression.trimmed.isEmpty {
                errors.invalid(place, .string(messageExpression), "must be non-empty if specified")
            } else {
                errors.check(messageExpression, as: [.string], knowsAuthorizer: false, in: environment, place)
            }
        }
        let message = validation.textMember("message")
        if !message.isEmpty, message.trimmed.isEmpty {
            errors.invalid(path["message"], .string(message), "message must be non-empty if specified")
        } else if message.trimmed.unicodeScalars.contains(where: { $0 == "\n" || $0 == "\r" }) {
            errors.invalid(path["message"], .string(message), "message must not contain line breaks")
        }
        if let reason = validation["reason"], !Self.reasons.contains(reason.string ?? "") {
            errors.notSupported(path["reason"], reason, Self.reasons)
        }
    }

    private func check(
        _ annotations: [JSON], ofPolicy name: String, _ environment: PolicyEnvironment, _ path: FieldPath,
        _ errors: inout FieldErrors
    ) {
        if annotations.count > Self.annotationLimit {
            let rule = "must not have more than \(Self.annotationLimit) auditAnnotations"
            errors.invalid(path, .array(annotations), rule)
        }
        var seen: Set<String> = []
        for (index, annotation) in annotations.enumerated() {
            let path = path[index]
            let key = annotation.textMember("key")
            if name.isEmpty {
                errors.invalid(path["key"], .string(key), "requires metadata.name be non-empty")
            } else {
                errors.invalid(path["key"], "\(name)/\(key)", NameSyntax.qualifiedName("\(name)/\(key)"))
            }
            let written = annotation.textMember("valueExpression")
            let expression = written.trimmed
            let place = path["valueExpression"]
            if expression.isEmpty {
                errors.required(place, "valueExpression is not specified")
            } else if expression.utf8.count > Self.annotationLength {
                errors.required(place, "must not exceed \(Self.annotationLength) bytes in length")
            } else {
                errors.check(expression, as: [.string, .null], in: environment, place, shown: written)
            }
            if !seen.insert(key).inserted { errors.duplicate(path["key"], .string(key)) }
        }
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("status")
        let status = object["status"] ?? [:]
        let warnings = status["typeChecking"]?.listMember("expressionWarnings") ?? []
        for (index, warning) in warnings.enumerated() {
            let path = path["typeChecking"]["expressionWarnings"][index]
            if warning.textMember("warning").isEmpty { errors.required(path["warning"]) }
            if warning.textMember("fieldRef").trimmed.isEmpty { errors.required(path["fieldRef"]) }
        }
        errors.checkConditions(status.listMember("conditions"), path["conditions"])
    }
}

/// What puts a policy into force.
struct PolicyBindingRules: KindRules {
    /// Of a MutatingAdmissionPolicy; that of a ValidatingAdmissionPolicy also says what becomes of a request.
    let isMutating: Bool

    var generation: GenerationRule { .spec }
    var allowsUnconditionalUpdate: Bool { false }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        let path = FieldPath("spec")
        let spec = object["spec"] ?? [:]
        let policy = spec.textMember("policyName")
        if policy.isEmpty {
            errors.required(path["policyName"])
        } else {
            errors.invalid(path["policyName"], policy, NameSyntax.subdomain(policy))
        }
        if let reference = spec["paramRef"] { errors.checkParamRef(reference, path["paramRef"]) }
        // Kubernetes misspells this path.
        if let resources = spec["matchResources"] { errors.checkMatchResources(resources, path["matchResouces"]) }
        guard isMutating else { return check(actions: spec, path["validationActions"], &errors) }
        errors.checkMutatingOperations(spec["matchResources"], path["matchResouces"])
    }

    private static let actions = ["Audit", "Deny", "Warn"]

    private func check(actions spec: JSON, _ path: FieldPath, _ errors: inout FieldErrors) {
        let actions = spec.textMembers("validationActions")
        var seen: Set<String> = []
        for (index, action) in actions.enumerated() {
            if !Self.actions.contains(action) { errors.notSupported(path[index], .string(action), Self.actions) }
            if !seen.insert(action).inserted { errors.duplicate(path[index], .string(action)) }
        }
        if seen.isSuperset(of: ["Deny", "Warn"]) {
            let rule =
                "must not contain both Deny and Warn (repeating the same validation failure information in the API "
                + "response and headers serves no purpose)"
            errors.invalid(path, spec["validationActions"], rule)
        }
        if seen.isEmpty { errors.required(path, "at least one validation action is required") }
    }
}

extension FieldErrors {
    /// Which requests a policy is about: its parameters, constraints and conditions.
    mutating func checkPolicyTarget(_ spec: JSON, _ path: FieldPath) {
        if let kind = spec["paramKind"] { checkParamKind(kind, path["paramKind"]) }
        if let constraints = spec["matchConstraints"] {
            checkMatchResources(constraints, path["matchConstraints"])
            if constraints.listMember("resourceRules").isEmpty {
                required(path["matchConstraints"]["resourceRules"])
            }
        } else {
            required(path["matchConstraints"])
        }
        checkMatchConditions(
            spec.listMember("matchConditions"), hasParams: spec["paramKind"] != nil, path["matchConditions"])
    }
}
