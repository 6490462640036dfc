import Cluster
import Kinds
import Model

/// The indexes by which controllers find objects in an informer.
enum ControllerIndex {
    /// By the UID of the controller.
    static let controller = "controller"
    /// Objects without a controller, by namespace: those a controller could adopt.
    static let orphan = "orphan"
    static let namespace = "namespace"
    /// Pods by the name of their node.
    static let node = "node"
    /// EndpointSlices by `namespace/service`.
    static let service = "service"

    static let owned: [String: Informer.IndexFunction] = [
        controller: { $0.metadata.controller.map { [$0.uid] } ?? [] },
        orphan: { $0.metadata.controller == nil ? [$0.metadata.namespace] : [] },
        namespace: { [$0.metadata.namespace] },
    ]

    static let pods: [String: Informer.IndexFunction] = owned.merging([
        node: { $0.json[path: ["spec", "nodeName"]]?.string.map { [$0] } ?? [] }
    ]) { first, _ in first }

    static let namespaced: [String: Informer.IndexFunction] = [namespace: { [$0.metadata.namespace] }]

    static let slices: [String: Informer.IndexFunction] = [
        service: { slice in
            guard let name = slice.metadata.labels[EndpointSlicePlan.serviceLabel] else { return [] }
            return ["\(slice.metadata.namespace)/\(name)"]
        }
    ]
}

extension Informer {
    /// What the controller with this UID owns, and what it could adopt.
    func candidates<Kind: KubernetesObject>(
        of uid: String, in namespace: String, as _: Kind.Type = Kind.self
    ) -> [Kind] {
        objects(in: ControllerIndex.controller, under: uid) + objects(in: ControllerIndex.orphan, under: namespace)
    }
}

extension ObjectChange {
    /// The controllers of that kind before and after the change.
    func controllers(_ kind: GroupVersionKind) -> Set<ObjectKey> {
        var keys: Set<ObjectKey> = []
        for object in statesByOwners {
            guard let owner = object.metadata.controller, owner.kind == kind.kind,
                GroupVersionKind(apiVersion: owner.apiVersion, kind: owner.kind).group == kind.group
            else { continue }
            keys.insert(ObjectKey(kind: kind.groupKind, namespace: object.metadata.namespace, name: owner.name))
        }
        return keys
    }
}

/// The work is not finished: the queue gives it back after a delay.
struct Unfinished: Error, CustomStringConvertible {
    var description: String
}

extension APIError {
    /// Whether the namespace is going away: nothing is created in it, and nobody needs to hear of it (B7).
    var isNamespaceTerminating: Bool { details.causes.contains { $0.reason == "NamespaceTerminating" } }
}
