import CEL
import Cluster
import Kinds
import Model
import Synchronization

/// What policies ask of the cluster beside the one request that they are about.
struct PolicyWorld: Sendable {
    /// A Namespace; `nil` when it is not there.
    var namespace: @Sendable (String) -> JSON?
    /// The same objects in other groups and versions.
    var equivalents: @Sendable (AdmissionRequest) -> [PolicyMatch]
    /// An object in another version; `nil` when there is none.
    var converted: @Sendable (JSON, GroupVersionKind) -> JSON?
    /// How a kind of parameters is served; `nil` when it is not.
    var paramType: @Sendable (GroupVersionKind) -> ResourceType?
    /// The objects of a kind in a namespace, which is empty for kinds without one: one by name, or all.
    var params: @Sendable (ResourceType, _ namespace: String, _ name: String?) -> [JSON]
    /// Whether somebody may do something.
    var decide: @Sendable (Requester, AccessQuestion) -> AccessDecision

    func presentNamespace(_ name: String) throws(PolicyFault) -> JSON {
        guard let found = namespace(name) else { throw PolicyFault(message: "namespaces \"\(name)\" not found") }
        return found
    }
}

/// A value that is found when it is first asked for, and kept.
final class Remembered<Value: Sendable>: Sendable {
    private let known = Mutex<Value?>(nil)

    func value(_ find: () -> Value) -> Value {
        if let value = known.withLock({ $0 }) { return value }
        let value = find()
        known.withLock { $0 = value }
        return value
    }
}

/// What puts a policy into force, and where.
struct PolicyBinding: Sendable {
    let name: String
    let policy: String
    /// `nil` for all that the policy is about.
    let criteria: MatchCriteria?
    let paramRef: JSON?
    /// Deny, Warn and Audit; empty for policies that change objects.
    let actions: [String]

    init(_ json: JSON) {
        let spec = json["spec"] ?? [:]
        name = json[path: ["metadata", "name"]]?.string ?? ""
        policy = spec["policyName"]?.string ?? ""
        criteria = spec["matchResources"].map(MatchCriteria.init)
        paramRef = spec["paramRef"]
        actions = (spec["validationActions"]?.array ?? []).compactMap(\.string)
    }

    /// The parameters with which the policy judges a request, each by itself; one `nil` where it has none, and nothing
    /// where none are there and that is allowed.
    ///
    /// - Parameter kind: the policy's kind of parameters.
    func params(
        of kind: GroupVersionKind?, for request: AdmissionRequest, in world: PolicyWorld
    ) throws(PolicyFault) -> [JSON?] {
        guard let kind, let reference = paramRef else { return [nil] }
        guard let type = world.paramType(kind) else {
            throw PolicyFault(message: "paramKind kind `\(kind.apiVersion), Kind=\(kind.kind)` not known")
        }
        let namespace = try Self.namespace(of: reference, type, request)
        let name = reference["name"]?.string ?? ""
        var found = world.params(type, namespace, name.isEmpty ? nil : name)
        if name.isEmpty {
            let selector = Selector(matching: LabelSelector(viewing: reference["selector"] ?? [:]))
            found = found.filter { selector.matches($0[path: ["metadata", "labels"]]) }
        }
        if found.isEmpty, reference["parameterNotFoundAction"] == "Deny" {
            throw PolicyFault(message: "no params found for policy binding with `Deny` parameterNotFoundAction")
        }
        return found
    }

    private static func namespace(
        of reference: JSON, _ type: ResourceType, _ request: AdmissionRequest
    ) throws(PolicyFault) -> String {
        let named = reference["namespace"]?.string ?? ""
        guard type.isNamespaced else {
            if named.isEmpty { return "" }
            throw PolicyFault(
                message: "paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
        }
        let namespace = named.isEmpty ? request.namespace : named
        if namespace.isEmpty {
            throw PolicyFault(
                message: "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources")
        }
        return namespace
    }
}

/// The bindings of ValidatingAdmissionPolicies, by policy.
struct ValidatingBindings: StoredPolicy {
    static let kind = GroupKind(group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicyBinding")
    let byPolicy: [String: [PolicyBinding]]

    init(_ objects: [JSON]) {
        byPolicy = Dictionary(grouping: objects.map(PolicyBinding.init), by: \.policy)
    }
}
