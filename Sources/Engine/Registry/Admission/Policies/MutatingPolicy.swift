import CEL
import Kinds
import Model

/// A MutatingAdmissionPolicy with its expressions made ready.
struct MutatingPolicy: Sendable {
    enum Mutation: Sendable {
        case configuration(PolicyExpression)
        case patch(PolicyExpression)
    }

    let target: PolicyTarget
    let mutations: [Mutation]
    /// Whether it looks again at what others have changed after it.
    let isReinvoked: Bool

    init(_ json: JSON) {
        let spec = json["spec"] ?? [:]
        let (target, environment) = PolicyTarget.made(json)
        self.target = target
        isReinvoked = spec["reinvocationPolicy"] == "IfNeeded"
        mutations = (spec["mutations"]?.array ?? []).map { mutation in
            func expression(_ field: String, _ type: CELType) -> PolicyExpression {
                PolicyExpression(
                    mutation[field]?["expression"]?.string ?? "", as: [type], buildsPatches: true, environment)
            }
            return mutation["patchType"] == "JSONPatch"
                ? .patch(expression("jsonPatch", .patchList))
                : .configuration(expression("applyConfiguration", .builtObject))
        }
    }

    /// The object as the policy changes it, which is the same where its conditions do not hold.
    ///
    /// - Parameters:
    ///   - activation: made anew for each mutation, since each sees what those before it did.
    ///   - strategy: that of the object's version.
    /// - Throws: why a change cannot be made; those before it are lost with it.
    func applied(
        to object: JSON, strategy: KindStrategy, _ activation: (JSON) -> PolicyActivation
    ) throws(PolicyFault) -> JSON {
        switch target.verdict(activation(object)) {
        case .passes: return object
        case .fails(let message): throw PolicyFault(message: message)
        case .applies: break
        }
        var changed = object
        for mutation in mutations {
            let phase = activation(changed).phase()
            let patched: JSON
            switch mutation {
            case .configuration(let expression):
                patched = try Self.merged(try Self.value(of: expression, phase), into: changed, strategy.schema)
            case .patch(let expression):
                patched = try Self.patched(changed, by: try Self.value(of: expression, phase))
                try Self.check(patched, strategy)
            }
            changed = strategy.defaulted(patched)
        }
        return changed
    }

    private static func value(
        of expression: PolicyExpression, _ phase: PolicyActivation.Phase
    ) throws(PolicyFault) -> CELValue {
        var cost = CELCost()
        do throws(PolicyExpression.Failure) {
            return try phase.evaluate(expression, cost: &cost)
        } catch {
            throw PolicyFault(message: error.described(of: expression))
        }
    }

    private static func merged(_ value: CELValue, into object: JSON, _ schema: Schema) throws(PolicyFault) -> JSON {
        guard case .built(let built) = value, var config = value.json else {
            throw PolicyFault(message: "unsupported return type from ApplyConfiguration expression: \(value.typeName)")
        }
        let misplaced = built.misplaced
        guard misplaced.isEmpty else {
            throw PolicyFault(message: "type mismatch: \(misplaced.joined(separator: "\n"))")
        }
        for member in ["apiVersion", "kind"] { config[member] = object[member] }
        do throws(ApplyError) {
            return try ServerSideApply.merging(config, into: object, schema: schema)
        } catch {
            throw PolicyFault(message: "error applying patch: \(error)")
        }
    }

    /// A patch can write anything anywhere: what comes of it must be an object of its kind.
    private static func check(_ object: JSON, _ strategy: KindStrategy) throws(PolicyFault) {
        let kind = strategy.type.kind
        guard object["apiVersion"]?.string == kind.apiVersion, object["kind"]?.string == kind.kind else {
            throw PolicyFault(message: "JSONPath: the patched object is no \(kind.kind) of \(kind.apiVersion)")
        }
        // Unknown fields of custom resources are dropped, as in a request.
        let isCustom = strategy.type.custom != nil
        let faults = strategy.decodingFaults(object).filter { !(isCustom && $0.isStrictOnly) }
        guard faults.isEmpty else {
            let list = faults.map(\.description).joined(separator: ", ")
            throw PolicyFault(message: "strict decoding error: \(list)")
        }
    }

    private static func patched(_ object: JSON, by value: CELValue) throws(PolicyFault) -> JSON {
        guard case .list(let list) = value else {
            throw PolicyFault(message: "type mismatch: JSONPatchType.expression should evaluate to array")
        }
        var operations: [JSON] = []
        for element in list.values {
            guard case .built(let operation) = element, let json = element.json else {
                throw PolicyFault(
                    message: "JSONPath valueExpression evaluated to a type that could not marshal to JSON")
            }
            for field in operation.fields {
                guard case .built(let inner) = field.value, !inner.misplaced.isEmpty else { continue }
                throw PolicyFault(message: "type mismatch: \(inner.misplaced.joined(separator: "\n"))")
            }
            operations.append(json)
        }
        do throws(PatchError) {
            return try JSONPatch.apply(.array(operations), to: object)
        } catch {
            // A test that does not hold leaves everything as it is.
            if error.kind == .untrue { return object }
            throw PolicyFault(message: "JSONPath: \(error)")
        }
    }
}

/// All MutatingAdmissionPolicies, by name.
struct MutatingPolicies: StoredPolicy {
    static let kind = GroupKind(group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicy")
    let byName: [String: MutatingPolicy]

    init(_ objects: [JSON]) {
        byName = Dictionary(objects.map(MutatingPolicy.init).map { ($0.target.name, $0) }) { $1 }
    }
}

/// The bindings of MutatingAdmissionPolicies, by policy.
struct MutatingBindings: StoredPolicy {
    static let kind = GroupKind(group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicyBinding")
    let byPolicy: [String: [PolicyBinding]]

    init(_ objects: [JSON]) {
        byPolicy = Dictionary(grouping: objects.map(PolicyBinding.init), by: \.policy)
    }
}
