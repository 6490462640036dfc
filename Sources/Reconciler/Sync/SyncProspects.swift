import Cluster
import Kinds
import Model

/// What a plan brings into being that other steps of it need: namespaces, and kinds.
struct SyncProspects {
    private var namespaces: Set<String> = []
    /// In the versions that are not served yet.
    private var kinds: Set<GroupVersionKind> = []
    /// Knows these kinds.
    private let validation: OfflineValidation

    init(_ plan: SyncPlan) {
        validation = OfflineValidation(plan.steps.compactMap(\.desired?.object))
        for step in plan.steps {
            switch step {
            case .create(let desired):
                if desired.key.kind == Namespace.kind.groupKind { namespaces.insert(desired.key.name) }
                kinds.formUnion(Self.kinds(definedBy: desired.object))
            case .apply(let desired, let live):
                let served = CustomResourceDefinition(viewing: live.json).types.map(\.kind)
                kinds.formUnion(Self.kinds(definedBy: desired.object).subtracting(served))
            case .delete: break
            }
        }
    }

    private static func kinds(definedBy object: Object) -> Set<GroupVersionKind> {
        guard object.kind.groupKind == CustomResourceDefinition.kind.groupKind else { return [] }
        let definition = CustomResourceDefinition(viewing: object.json)
        let kind = definition.groupKind
        return Set(
            definition.versions.map {
                GroupVersionKind(group: kind.group, version: $0["name"]?.string ?? "", kind: kind.kind)
            })
    }

    /// Whether an object can only be tried after an earlier step was carried out.
    func precede(_ desired: DesiredObject) -> Bool {
        namespaces.contains(desired.key.namespace) || kinds.contains(desired.object.kind)
    }

    /// What the definition that comes with a new object has against it. Objects of other kinds are not judged here: the
    /// cluster's version of Kubernetes may be another.
    func faults(_ step: SyncPlan.Step) -> [String] {
        guard case .create(let desired) = step, kinds.contains(desired.object.kind),
            validation.defines(desired.object.kind)
        else { return [] }
        return validation.faults(desired.object).map {
            "\(desired.locate($0.field)): \(desired.key): \($0.message)"
        }
    }
}

extension Syncer {
    /// How long a definition may take until its kind is served.
    private static let servingLimit = Duration.seconds(10)

    /// Waits until the kind that an applied definition defines is served, since objects of it may come next. One that
    /// is not in time shows by what is refused then, and by its health.
    func waitUntilServed(_ object: Object) async {
        guard object.kind.groupKind == CustomResourceDefinition.kind.groupKind, !Self.isSettled(object) else { return }
        let named = FieldSelector([FieldSelector.Requirement(path: "metadata.name", value: object.metadata.name)])
        let query = ListQuery(object.kind.groupKind, fields: named)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    let changes = try await cluster.watch(query, from: object.metadata.resourceVersion)
                    for try await change in changes {
                        if case .modified(let changed) = change, Self.isSettled(changed) { return }
                    }
                } catch {
                    // Whatever is wrong with the cluster shows at the next step.
                    return
                }
            }
            group.addTask {
                // Thrown only when cancelled, which is how the group ends the sleep.
                try? await clock.sleep(until: clock.now + Self.servingLimit)
            }
            await group.next()
            group.cancelAll()
        }
    }

    /// Whether it is served, or will not be as it is.
    private static func isSettled(_ object: Object) -> Bool {
        let definition = CustomResourceDefinition(viewing: object.json)
        return definition.isServed || definition.needsWebhook
            || definition.condition("NamesAccepted")?["status"] == "False"
    }
}
