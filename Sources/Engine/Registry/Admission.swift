import Cluster
import Kinds
import Model

/// The admission rules that are built in (J10), as functions of the object and what they ask of the store.
enum Admission {
    static let undeletableNamespaces: Set<String> = ["default", "kube-system", "kube-public"]

    /// NamespaceLifecycle: nothing is created in a namespace that is not there, or going.
    static func checkNamespace(
        _ namespace: JSON?, named name: String, for type: ResourceType, object: String
    ) throws(APIError) {
        guard let namespace else { throw .notFound("namespaces", name: name) }
        guard namespace[path: ["metadata", "deletionTimestamp"]] != nil else { return }
        throw APIError(
            .forbidden,
            "\(type.qualifiedPlural) \"\(object)\" is forbidden: unable to create new content in namespace \(name) "
                + "because it is being terminated",
            details: APIError.Details(
                name: object, group: type.kind.group, kind: type.plural,
                causes: [
                    APIError.Cause(
                        reason: "NamespaceTerminating", message: "namespace \(name) is being terminated",
                        field: "metadata.namespace")
                ]))
    }

    private static let evictingTaints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]

    /// DefaultTolerationSeconds: a pod outlasts five minutes of its node's absence (G6).
    static func tolerating(_ pod: JSON) -> JSON {
        var tolerations = pod[path: ["spec", "tolerations"]]?.array ?? []
        for taint in evictingTaints where !tolerations.contains(where: { tolerates($0, taint) }) {
            tolerations.append(
                ["key": .string(taint), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300])
        }
        var pod = pod
        pod[path: ["spec", "tolerations"]] = .array(tolerations)
        return pod
    }

    private static func tolerates(_ toleration: JSON, _ taint: String) -> Bool {
        let key = toleration["key"]?.string ?? ""
        let effect = toleration["effect"]?.string ?? ""
        return (key == taint || key.isEmpty) && (effect == "NoExecute" || effect.isEmpty)
    }

    // MARK: Priority

    /// The classes that every cluster has, and what they are worth (K13). There are no others.
    private static let priorityClasses = [
        "system-cluster-critical": Int64(2_000_000_000), "system-node-critical": 2_000_001_000,
    ]
    private static let highestOwnPriority: Int64 = 1_000_000_000

    /// Priority: a pod is worth what its class is worth; one without a class what its own `spec.priority` says, since
    /// nobody can define a class here (K13).
    static func prioritized(_ pod: JSON) throws(APIError) -> JSON {
        var pod = pod
        let asked = pod[path: ["spec", "priority"]]?.int
        let name = pod[path: ["spec", "priorityClassName"]]?.string ?? ""
        let policy = "PreemptLowerPriority"
        if name.isEmpty {
            if let asked, asked > highestOwnPriority {
                throw forbidden(
                    pod, "spec.priority: maximum allowed value of a user defined priority is \(highestOwnPriority)")
            }
            pod[path: ["spec", "priority"]] = .int(asked ?? 0)
            if pod[path: ["spec", "preemptionPolicy"]] == nil {
                pod[path: ["spec", "preemptionPolicy"]] = .string(policy)
            }
            return pod
        }
        guard let value = priorityClasses[name] else {
            throw forbidden(pod, "no PriorityClass with name \(name) was found")
        }
        if let asked, asked != value {
            throw forbidden(
                pod,
                "the integer value of priority (\(asked)) must not be provided in pod spec; priority admission "
                    + "controller computed \(value) from the given PriorityClass name")
        }
        if let asked = pod[path: ["spec", "preemptionPolicy"]]?.string, asked != policy {
            throw forbidden(
                pod,
                "the string value of PreemptionPolicy (\(asked)) must not be provided in pod spec; priority admission "
                    + "controller computed \(policy) from the given PriorityClass name")
        }
        pod[path: ["spec", "priority"]] = .int(value)
        pod[path: ["spec", "preemptionPolicy"]] = .string(policy)
        return pod
    }

    private static func forbidden(_ pod: JSON, _ why: String) -> APIError {
        let name = pod[path: ["metadata", "name"]]?.string ?? ""
        return APIError(
            .forbidden, "pods \"\(name)\" is forbidden: \(why)", details: APIError.Details(name: name, kind: "pods"))
    }

    static func admitting(_ object: JSON, kind: GroupKind) throws(APIError) -> JSON {
        kind == Pod.kind.groupKind ? tolerating(try prioritized(object)) : object
    }
}
