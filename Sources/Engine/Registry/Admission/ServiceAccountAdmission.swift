import Cluster
import Kinds
import Model
import Store

extension Admission {
    /// ServiceAccount: a pod runs as the account that it names, or as `default`, and pulls its images with that
    /// account's secrets where it names none (semantics-workloads K12). It gets a volume with that account's token.
    ///
    /// - Parameters:
    ///   - uid: that the pod will have.
    ///   - account: the stored one of that name in the pod's namespace.
    /// - Throws: `.forbidden` when there is none. The default one may still be on its way to a new namespace.
    static func accounted(
        _ pod: JSON, uid: String, givesTokens: Bool, _ account: (_ name: String) -> JSON?
    ) throws(APIError) -> JSON {
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
        // The pod's own word before its account's.
        let wish = pod[path: ["spec", "automountServiceAccountToken"]]?.bool
        if givesTokens, wish ?? found?["automountServiceAccountToken"]?.bool ?? true {
            pod = withAccess(pod, suffix: suffix(of: uid))
        }
        let secrets = found?["imagePullSecrets"]?.array ?? []
        if !secrets.isEmpty, (pod[path: ["spec", "imagePullSecrets"]]?.array ?? []).isEmpty {
            pod[path: ["spec", "imagePullSecrets"]] = .array(secrets.map { ["name": $0["name"] ?? ""] })
        }
        return pod
    }

    /// J4: every container that has nothing at that place gets the volume, which is added unless the pod has one.
    private static func withAccess(_ pod: JSON, suffix: String) -> JSON {
        let volumes = pod[path: ["spec", "volumes"]]?.array ?? []
        let known = volumes.lazy.compactMap { $0["name"]?.string }.first { $0.hasPrefix(APIAccess.volumePrefix) }
        let name = known ?? APIAccess.volumePrefix + suffix
        var isNeeded = false
        var pod = pod
        for list in ["initContainers", "containers"] {
            guard var containers = pod[path: ["spec", list]]?.array else { continue }
            for index in containers.indices {
                let mounts = containers[index]["volumeMounts"]?.array ?? []
                if mounts.contains(where: { $0["mountPath"]?.string == APIAccess.mountPath }) { continue }
                containers[index]["volumeMounts"] = .array(mounts + [APIAccess.mount(of: name)])
                isNeeded = true
            }
            pod[path: ["spec", list]] = .array(containers)
        }
        if isNeeded, known == nil {
            pod[path: ["spec", "volumes"]] = .array(volumes + [APIAccess.volume(named: name)])
        }
        return pod
    }

    /// Five characters that differ from pod to pod, as a generated name has them.
    private static func suffix(of uid: String) -> String {
        var seed: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in uid.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var random: any RandomNumberGenerator & Sendable = SplitMix64(seed: seed)
        return Identifiers.name(from: "", random: &random)
    }
}

extension AdmissionPolicies {
    /// - Complexity: O(1).
    func serviceAccount(_ name: String, in namespace: String) -> JSON? {
        store.get(
            StoreKey(kind: Registry.storeKind(ServiceAccount.kind.groupKind), namespace: namespace, name: name))?.json
    }
}
