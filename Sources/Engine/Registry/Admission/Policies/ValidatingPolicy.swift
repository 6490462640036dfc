import CEL
import Kinds
import Model

/// A ValidatingAdmissionPolicy with its expressions made ready.
struct ValidatingPolicy: Sendable {
    struct Validation: Sendable {
        let expression: PolicyExpression
        let message: String
        let messageExpression: PolicyExpression?
        let reason: String
    }

    let target: PolicyTarget
    let validations: [Validation]
    let annotations: [PolicyExpression]

    init(_ json: JSON) {
        let spec = json["spec"] ?? [:]
        let (target, environment) = PolicyTarget.made(json)
        self.target = target
        validations = (spec["validations"]?.array ?? []).map { validation in
            let message = validation["messageExpression"]?.string ?? ""
            return Validation(
                expression: PolicyExpression(validation["expression"]?.string ?? "", as: [.bool], environment),
                message: validation["message"]?.string ?? "",
                messageExpression: message.isEmpty
                    ? nil : PolicyExpression(message, as: [.string], knowsAuthorizer: false, environment),
                reason: validation["reason"]?.string ?? "Invalid")
        }
        annotations = (spec["auditAnnotations"]?.array ?? []).map {
            PolicyExpression($0["valueExpression"]?.string ?? "", as: [.string, .null], environment)
        }
    }
}

/// What all policies say of the requests that they are about.
struct PolicyTarget: Sendable {
    let name: String
    let criteria: MatchCriteria
    /// Whether requests are refused that cannot be judged; otherwise they pass.
    let failsClosed: Bool
    let paramKind: GroupVersionKind?
    let conditions: [PolicyExpression]
    /// In the order in which they were declared.
    let variables: [(name: String, expression: PolicyExpression)]

    /// - Returns: also the environment of the policy's other expressions, which know its variables.
    static func made(_ json: JSON) -> (PolicyTarget, PolicyEnvironment) {
        let spec = json["spec"] ?? [:]
        let kind = spec["paramKind"].map {
            GroupVersionKind(apiVersion: $0["apiVersion"]?.string ?? "", kind: $0["kind"]?.string ?? "")
        }
        let written = spec["variables"]?.array ?? []
        var environment = PolicyEnvironment(params: kind == nil ? .none : .dynamic, hasVariables: !written.isEmpty)
        var variables: [(name: String, expression: PolicyExpression)] = []
        for variable in written {
            let name = variable["name"]?.string ?? ""
            let expression = PolicyExpression(variable["expression"]?.string ?? "", as: [], environment)
            environment.declare(name, as: expression.type)
            variables.append((name, expression))
        }
        let target = PolicyTarget(
            name: json[path: ["metadata", "name"]]?.string ?? "",
            criteria: MatchCriteria(spec["matchConstraints"] ?? [:]), failsClosed: spec["failurePolicy"] != "Ignore",
            paramKind: kind,
            conditions: (spec["matchConditions"]?.array ?? []).map {
                PolicyExpression($0["expression"]?.string ?? "", as: [.bool], environment)
            }, variables: variables)
        return (target, environment)
    }
}

/// An expression, and what it was compiled to.
struct PolicyExpression: Sendable {
    let text: String
    private let program: Program?
    /// Why there is no program: what is stored was judged, but perhaps by another version of this server.
    private let fault: String

    init(
        _ text: String, as types: [CELType], knowsAuthorizer: Bool = true, buildsPatches: Bool = false,
        _ environment: PolicyEnvironment
    ) {
        self.text = text
        do throws(PolicyExpressionFault) {
            program = try environment.compile(
                text, as: types, knowsAuthorizer: knowsAuthorizer, buildsPatches: buildsPatches)
            fault = ""
        } catch {
            program = nil
            fault = error.description
        }
    }

    /// `nil` where it does not compile.
    var type: CELType? { program?.type }

    /// - Throws: why it has no value, in Kubernetes' words.
    func evaluate(_ bindings: [String: CELValue], cost: inout CELCost) throws(Failure) -> CELValue {
        guard let program else { throw Failure(message: "compilation error: \(fault)") }
        do throws(CELError) {
            return try program.evaluate(bindings, cost: &cost)
        } catch {
            if error.isOutOfBudget { throw Failure(message: error.description, isOutOfBudget: true) }
            throw Failure(message: error.description, isOfEvaluation: true)
        }
    }

    struct Failure: Error {
        var message: String
        /// Nothing more is evaluated.
        var isOutOfBudget = false
        /// Whether the expression itself is at fault, and is to be named.
        var isOfEvaluation = false

        /// What is told of it.
        func described(of expression: PolicyExpression) -> String {
            isOfEvaluation ? "expression '\(expression.text)' resulted in error: \(message)" : message
        }
    }
}

/// All ValidatingAdmissionPolicies, by name.
struct ValidatingPolicies: StoredPolicy {
    static let kind = GroupKind(group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicy")
    let byName: [String: ValidatingPolicy]

    init(_ objects: [JSON]) {
        byName = Dictionary(objects.map(ValidatingPolicy.init).map { ($0.target.name, $0) }) { $1 }
    }
}
