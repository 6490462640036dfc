package import Kinds
package import Model

/// What exists in the cluster, as far as an Application is concerned.
package protocol LiveState: Sendable {
    func object(_ key: ObjectKey) -> Object?
    func objects(of kind: GroupKind) -> [Object]
    /// Those that the object with this uid controls: pods by their ReplicaSet, ReplicaSets by their Deployment.
    func objects(of kind: GroupKind, controlledBy uid: String) -> [Object]
    /// Since when changes are seen without a gap.
    var observedSince: Timestamp { get }
    /// The version in which the objects of a kind are seen; `nil` where that is not known.
    func version(of kind: GroupKind) -> String?
}

extension LiveState {
    package var observedSince: Timestamp { Timestamp(seconds: 0) }
    package func version(of kind: GroupKind) -> String? { nil }

    package func objects(of kind: GroupKind, controlledBy uid: String) -> [Object] {
        objects(of: kind).filter { $0.metadata.controller?.uid == uid }
    }
}

/// What it takes to make the cluster equal to a revision: pure data, in the order in which it is carried out.
package struct SyncPlan: Sendable {
    package enum Step: Sendable {
        case create(DesiredObject)
        /// The live object may differ: only applying (or a dry run of it) tells.
        case apply(DesiredObject, live: Object)
        case delete(Object)

        package var key: ObjectKey {
            switch self {
            case .create(let desired), .apply(let desired, _): desired.key
            case .delete(let object): object.key
            }
        }

        /// What the repository says; `nil` where it no longer says anything.
        var desired: DesiredObject? {
            switch self {
            case .create(let desired), .apply(let desired, _): desired
            case .delete: nil
            }
        }
    }

    /// Creations and changes in sync order, then deletions in the reverse order.
    package var steps: [Step] = []
    /// How many objects are known to be in sync.
    package var unchanged = 0
    /// Objects that no longer belong to the revision but stay, and why.
    package var kept: [(key: ObjectKey, why: String)] = []
    /// Reasons not to carry the plan out at all.
    package var objections: [String] = []

    package init() {}

    /// - Parameters:
    ///   - desired: marked for the application already.
    ///   - inventory: what the application has created before; only that is ever deleted, and only while the live
    ///     object says the same (`Tracking.owner`).
    ///   - synced: what is known to be in sync, in the version that `live` shows.
    /// - Complexity: linear in desired objects and inventory; what is known to be in sync costs a lookup.
    package init(
        application: String, desired: DesiredState, live: any LiveState, inventory: Set<ObjectKey>,
        settings: ApplicationSettings, synced: SyncedObjects = SyncedObjects()
    ) {
        var ours = 0
        for object in desired.objects {
            if inventory.contains(object.key) { ours += 1 }
            if synced.contains(object) {
                unchanged += 1
                continue
            }
            guard let found = live.object(object.key) else {
                steps.append(.create(object))
                continue
            }
            if let owner = Tracking.owner(of: found), owner != application {
                objections.append("\(object.key) (\(object.origin)) already belongs to the application \"\(owner)\"")
            } else if found.metadata.isBeingDeleted {
                objections.append("\(object.key) is still being deleted")
            } else {
                steps.append(.apply(object, live: found))
            }
        }
        if ours < inventory.count {
            planDeletions(application, inventory.subtracting(desired.objects.map(\.key)), live, settings)
        }
        let isEmptied = desired.objects.isEmpty && !inventory.isEmpty
        if isEmptied, !settings.allowsEmpty {
            objections.append(
                "the revision holds no manifests, and syncing it would delete everything; "
                    + "set spec.syncPolicy.automated.allowEmpty to true if that is meant")
        }
    }

    private mutating func planDeletions(
        _ application: String, _ leftover: Set<ObjectKey>, _ live: any LiveState, _ settings: ApplicationSettings
    ) {
        for key in leftover.sorted(by: { SyncOrder.precedes($1, $0) }) {
            guard let found = live.object(key), !found.metadata.isBeingDeleted,
                Tracking.owner(of: found) == application
            else { continue }
            if Tracking.hasSyncOption("Prune=false", found) {
                kept.append((key, "it is annotated with Prune=false"))
            } else if !settings.prunes {
                kept.append((key, "spec.syncPolicy.automated.prune is not set"))
            } else {
                steps.append(.delete(found))
            }
        }
    }
}
