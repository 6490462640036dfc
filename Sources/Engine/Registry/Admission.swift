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

    static func admitting(_ object: JSON, kind: GroupKind) -> JSON {
        kind == Pod.kind.groupKind ? tolerating(object) : object
    }
}
