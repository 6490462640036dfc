import Cluster
import Kinds
import Model
import Store

extension Admission {
    /// ServiceAccount: a pod runs as the account that it names, or as `default`, and pulls its images with that
    /// account's secrets where it names none (semantics-workloads K12). It is given no token.
    ///
    /// - Parameter account: the stored one of that name in the pod's namespace.
    /// - Throws: `.forbidden` when there is none. The default one may still be on its way to a new namespace.
    static func accounted(_ pod: JSON, _ account: (_ name: String) -> JSON?) throws(APIError) -> JSON {
        let asked = pod[path: ["spec", "serviceAccountName"]]?.string ?? ""
        let name = asked.isEmpty ? NamespaceDefaultsPlan.serviceAccount : asked
        let found = account(name)
        if found == nil, name != NamespaceDefaultsPlan.serviceAccount {
            let namespace = pod[path: ["metadata", "namespace"]]?.string ?? ""
            throw forbidden(
                pod, "error looking up service account \(namespace)/\(name): serviceaccount \"\(name)\" not found")
        }
        var pod = pod
        if asked.isEmpty {
            pod[path: ["spec", "serviceAccountName"]] = .string(name)
            // The older name of the same field.
            pod[path: ["spec", "serviceAccount"]] = .string(name)
        }
        let secrets = found?["imagePullSecrets"]?.array ?? []
        if !secrets.isEmpty, (pod[path: ["spec", "imagePullSecrets"]]?.array ?? []).isEmpty {
            pod[path: ["spec", "imagePullSecrets"]] = .array(secrets.map { ["name": $0["name"] ?? ""] })
        }
        return pod
    }
}

extension AdmissionPolicies {
    /// - Complexity: O(1).
    func serviceAccount(_ name: String, in namespace: String) -> JSON? {
        store.get(
            StoreKey(kind: Registry.storeKind(ServiceAccount.kind.groupKind), namespace: namespace, name: name))?.json
    }
}
