import Kinds
import Model

/// Which objects belong to a controller, which it takes in, and which it lets go (B1).
struct Ownership<Owner: KubernetesObject> {
    var owner: Owner
    var selector: Selector

    enum Claim {
        case ours
        case adopt
        case release
        case foreign
    }

    func claim(_ metadata: ObjectMeta) -> Claim {
        let matches = selector.matches(metadata.json["labels"])
        if let controller = metadata.controller {
            guard controller.uid == owner.metadata.uid else { return .foreign }
            if matches { return .ours }
            return owner.metadata.isBeingDeleted ? .ours : .release
        }
        guard matches, !selector.isEmpty, metadata.namespace == owner.metadata.namespace,
            !owner.metadata.isBeingDeleted, !metadata.isBeingDeleted
        else { return .foreign }
        return .adopt
    }

    /// The reference that marks an object as controlled by the owner.
    var reference: OwnerReference { owner.controllerReference }

    /// A merge patch that adds our reference; it fails when the object has changed since it was read.
    func adoptionPatch(_ metadata: ObjectMeta) -> JSON {
        patch(metadata, references: metadata.ownerReferences.filter { $0.uid != owner.metadata.uid } + [reference])
    }

    func releasePatch(_ metadata: ObjectMeta) -> JSON {
        patch(metadata, references: metadata.ownerReferences.filter { $0.uid != owner.metadata.uid })
    }

    private func patch(_ metadata: ObjectMeta, references: [OwnerReference]) -> JSON {
        [
            "metadata": [
                "uid": .string(metadata.uid), "resourceVersion": .string(metadata.resourceVersion),
                "ownerReferences": references.isEmpty ? .null : .array(references.map(\.json)),
            ]
        ]
    }
}

extension KubernetesObject {
    /// The owner reference that a controller of this object puts on what it creates for it.
    var controllerReference: OwnerReference {
        var reference = OwnerReference()
        reference.apiVersion = Self.kind.apiVersion
        reference.kind = Self.kind.kind
        reference.name = metadata.name
        reference.uid = metadata.uid
        reference.controller = true
        reference.blockOwnerDeletion = true
        return reference
    }
}
