import Cluster
import Kinds
import Model

/// What a DELETE request does to an object, decided without touching anything (C15–C19, F1–F3).
enum Deletion: Hashable {
    /// The object goes.
    case remove
    /// The object stays, marked; this is how.
    case mark(JSON)
    /// It is marked already, and this request changes nothing.
    case pending

    static let orphanFinalizer = "orphan"
    static let foregroundFinalizer = "foregroundDeletion"

    static func of(_ object: JSON, kind: GroupKind, options: DeleteOptions, now: Timestamp) -> Deletion {
        switch kind {
        case Namespace.kind.groupKind: namespaceDeletion(object, now: now)
        case Pod.kind.groupKind: gracefulDeletion(object, options: options, now: now)
        case CustomResourceDefinition.kind.groupKind: definitionDeletion(object, options: options, now: now)
        default: plainDeletion(object, options: options.propagating(object, kind: kind), now: now)
        }
    }

    /// A namespace goes once its finalizers have; before that it is Terminating (C19, F7).
    private static func namespaceDeletion(_ object: JSON, now: Timestamp) -> Deletion {
        let namespace = Namespace(viewing: object)
        let finalizers = object[path: ["spec", "finalizers"]]?.array ?? []
        if finalizers.isEmpty, namespace.metadata.finalizers.isEmpty { return .remove }
        if namespace.metadata.isBeingDeleted { return .pending }
        var marked = object
        marked[path: ["metadata", "deletionTimestamp"]] = now.json
        marked[path: ["status", "phase"]] = "Terminating"
        return .mark(marked)
    }

    /// A definition stays until its objects are gone (I7).
    private static func definitionDeletion(_ object: JSON, options: DeleteOptions, now: Timestamp) -> Deletion {
        guard !CustomResourceDefinition(viewing: object).isBeingDeleted else {
            return plainDeletion(object, options: options, now: now)
        }
        var held = object
        let finalizers = object[path: ["metadata", "finalizers"]]?.array ?? []
        held[path: ["metadata", "finalizers"]] = .array(finalizers + [.string(CustomResourceDefinition.finalizer)])
        return plainDeletion(held, options: options, now: now)
    }

    /// A pod gets time to end (C17, F1).
    private static func gracefulDeletion(_ object: JSON, options: DeleteOptions, now: Timestamp) -> Deletion {
        let metadata = ObjectMeta(viewing: object["metadata"] ?? [:])
        // A negative grace period means one second.
        let asked = options.gracePeriodSeconds.map { $0 < 0 ? 1 : $0 }
        var marked = object
        let grace: Int
        if let deletion = metadata.deletionTimestamp {
            let current = metadata.deletionGracePeriodSeconds ?? 0
            guard let asked, asked < current else {
                return current == 0 && metadata.finalizers.isEmpty ? .remove : .pending
            }
            // Only shorter, and counted from the original start.
            grace = asked
            let start = deletion - .seconds(current)
            marked[path: ["metadata", "deletionTimestamp"]] = (start + .seconds(grace)).json
        } else {
            grace = asked ?? defaultGrace(of: Pod(viewing: object))
            marked[path: ["metadata", "deletionTimestamp"]] = (now + .seconds(grace)).json
            raiseGeneration(&marked)
        }
        marked[path: ["metadata", "deletionGracePeriodSeconds"]] = .int(Int64(grace))
        let finalizers = finalizers(of: metadata, policy: options.propagation)
        setFinalizers(finalizers, &marked)
        return grace == 0 && finalizers.isEmpty ? .remove : .mark(marked)
    }

    /// None for a pod that runs nowhere or nothing any more.
    private static func defaultGrace(of pod: Pod) -> Int {
        let phase = pod.json[path: ["status", "phase"]]?.string
        let node = pod.json[path: ["spec", "nodeName"]]?.string ?? ""
        if node.isEmpty || phase == "Succeeded" || phase == "Failed" { return 0 }
        let grace = pod.json[path: ["spec", "terminationGracePeriodSeconds"]]?.int ?? 30
        return grace < 0 ? 1 : Int(grace)
    }

    /// Everything else goes at once, unless finalizers hold it (C16, F2).
    private static func plainDeletion(_ object: JSON, options: DeleteOptions, now: Timestamp) -> Deletion {
        let metadata = ObjectMeta(viewing: object["metadata"] ?? [:])
        let finalizers = finalizers(of: metadata, policy: options.propagation)
        guard !finalizers.isEmpty else { return .remove }
        var marked = object
        setFinalizers(finalizers, &marked)
        if !metadata.isBeingDeleted {
            marked[path: ["metadata", "deletionTimestamp"]] = now.json
            marked[path: ["metadata", "deletionGracePeriodSeconds"]] = 0
            raiseGeneration(&marked)
        }
        return marked == object ? .pending : .mark(marked)
    }

    /// The finalizers that carry out a propagation policy: the request's, else the object's own, else Background, which
    /// needs none (F3).
    private static func finalizers(of metadata: ObjectMeta, policy: PropagationPolicy?) -> [String] {
        guard let policy else { return metadata.finalizers }
        let others = metadata.finalizers.filter { $0 != orphanFinalizer && $0 != foregroundFinalizer }
        return switch policy {
        case .background: others
        case .foreground: others + [foregroundFinalizer]
        case .orphan: others + [orphanFinalizer]
        }
    }

    private static func setFinalizers(_ finalizers: [String], _ object: inout JSON) {
        object[path: ["metadata", "finalizers"]] = finalizers.isEmpty ? nil : .array(finalizers.map { .string($0) })
    }

    /// Setting the mark counts as a change of what is wanted, where that is counted (C14).
    private static func raiseGeneration(_ object: inout JSON) {
        if let generation = object[path: ["metadata", "generation"]]?.int, generation > 0 {
            object[path: ["metadata", "generation"]] = .int(generation + 1)
        }
    }

    /// Whether an update that leaves the object like this ends a deletion that only waited for finalizers (C12).
    static func isCompleted(by object: JSON, from old: JSON) -> Bool {
        let before = ObjectMeta(viewing: old["metadata"] ?? [:])
        guard before.isBeingDeleted, (before.deletionGracePeriodSeconds ?? 0) == 0 else { return false }
        guard ObjectMeta(viewing: object["metadata"] ?? [:]).finalizers.isEmpty else { return false }
        // A namespace also waits for the finalizers in its spec.
        return object["kind"]?.string != "Namespace" || object["apiVersion"]?.string != "v1"
            || (object[path: ["spec", "finalizers"]]?.array ?? []).isEmpty
    }

    /// The preconditions of a DELETE request (C16); `nil` when they hold.
    static func refusal(_ object: JSON, options: DeleteOptions) -> String? {
        let metadata = ObjectMeta(viewing: object["metadata"] ?? [:])
        if let uid = options.uid, uid != metadata.uid {
            return "the UID in the precondition (\(uid)) does not match the UID in record (\(metadata.uid)). "
                + "The object might have been deleted and then recreated"
        }
        if let version = options.resourceVersion, version != metadata.resourceVersion {
            return "the ResourceVersion in the precondition (\(version)) does not match the ResourceVersion in record "
                + "(\(metadata.resourceVersion)). The object might have been modified"
        }
        return nil
    }
}

extension DeleteOptions {
    /// Whose dependents stay unless the request or a finalizer says otherwise, as they always did (C16).
    private static let orphaningKinds: Set<GroupKind> = [
        GroupKind(group: "batch", kind: "Job"), ReplicationController.kind.groupKind,
    ]

    fileprivate func propagating(_ object: JSON, kind: GroupKind) -> DeleteOptions {
        let isSaid = ObjectMeta(viewing: object["metadata"] ?? [:]).finalizers.contains {
            $0 == Deletion.orphanFinalizer || $0 == Deletion.foregroundFinalizer
        }
        guard propagation == nil, !isSaid, Self.orphaningKinds.contains(kind) else { return self }
        var options = self
        options.propagation = .orphan
        return options
    }
}
