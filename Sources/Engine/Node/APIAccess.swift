import Kinds
import Model

/// The volume by which a pod finds the API: its account's token, the authority's certificate and its namespace
/// (semantics-api J4). Admission adds it, the node makes it.
///
/// Here a container is a process on the machine, and the place where programs look for these files is one that the
/// machine mostly does not have. To mount there costs the container a mount namespace and a `/run` of its own, in which
/// it no longer sees what others make in the machine's. So the node makes the files, and mounts them, only for pods
/// that ask for access (docs/decisions/016).
enum APIAccess {
    static let mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
    static let volumePrefix = "kube-api-access-"
    static let variable = "MARTLET_SERVICE_ACCOUNT"
    /// Of the token: an hour and a little, by which the issuer knows it.
    static let expirationSeconds = 3607

    /// What admission adds to a pod's volumes.
    static func volume(named name: String) -> JSON {
        let field: JSON = ["apiVersion": "v1", "fieldPath": "metadata.namespace"]
        return [
            "name": .string(name),
            "projected": [
                "sources": [
                    [
                        "serviceAccountToken": [
                            "expirationSeconds": .int(Int64(expirationSeconds)), "path": "token",
                        ]
                    ],
                    [
                        "configMap": [
                            "items": [["key": "ca.crt", "path": "ca.crt"]],
                            "name": .string(NamespaceDefaultsPlan.authority),
                        ]
                    ], ["downwardAPI": ["items": [["fieldRef": field, "path": "namespace"]]]],
                ], "defaultMode": 0o644,
            ],
        ]
    }

    /// What admission adds to a container's mounts.
    static func mount(of volume: String) -> JSON {
        ["mountPath": .string(mountPath), "name": .string(volume), "readOnly": true]
    }

    /// Whether a mount is one that admission adds, or was copied from where it did.
    static func isAdded(_ mount: VolumeMount) -> Bool {
        mount.name.hasPrefix(volumePrefix) && mount.mountPath == mountPath
    }

    /// Whether a pod asks for access to the API: by an account of its own, or in so many words.
    static func isAskedFor(_ pod: Pod) -> Bool {
        let account = pod.json[path: ["spec", "serviceAccountName"]]?.string ?? ""
        let isOwn = !account.isEmpty && account != NamespaceDefaultsPlan.serviceAccount
        return isOwn || pod.json[path: ["spec", "automountServiceAccountToken"]]?.bool == true
    }

    /// The volumes that the node makes: all but the one for access of a pod that does not ask for it.
    static func volumes(of pod: Pod) -> [Volume] {
        let volumes = pod.spec.volumes
        guard volumes.contains(where: { $0.name.hasPrefix(volumePrefix) }), !isAskedFor(pod) else { return volumes }
        let mounts = (pod.spec.initContainers + pod.spec.containers).flatMap(\.volumeMounts)
        // What is mounted elsewhere as well is wanted.
        let wanted = Set(mounts.filter { !isAdded($0) }.map(\.name))
        return volumes.filter { !$0.name.hasPrefix(volumePrefix) || wanted.contains($0.name) }
    }
}
