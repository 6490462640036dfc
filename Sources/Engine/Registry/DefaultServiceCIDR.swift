package import Cluster
import Kinds
import Model
import Synchronization

extension Registry {
    /// Makes the ServiceCIDR `kubernetes`, which says where Services' addresses come from, where it is not there yet.
    package func ensureDefaultServiceCIDR() async throws(APIError) {
        let options = WriteOptions(fieldManager: "kube-apiserver")
        let addresses = allocation.withLock { "\($0.addresses)" }
        let wanted = Object(
            viewing: [
                "apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": ["name": "kubernetes"],
                "spec": ["cidrs": [.string(addresses)]],
            ])
        var present: Object
        do throws(APIError) {
            present = try await create(wanted, options: options)
        } catch  where error.reason == .alreadyExists {
            present = try await get(wanted.key, version: nil)
        }
        guard present.json[path: ["status", "conditions"]] == nil else { return }
        let ready: JSON = [
            "type": "Ready", "status": "True", "reason": "", "message": "Kubernetes Service CIDR is ready",
            "lastTransitionTime": clock.now.json,
        ]
        present.json[path: ["status", "conditions"]] = [ready]
        _ = try await update(present, subresource: .status, options: options)
    }
}
