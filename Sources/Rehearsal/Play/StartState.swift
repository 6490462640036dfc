import Cluster
import Engine
import Kinds
import Model
import Reconciler
import Store

/// The state to begin with, as it is put into the store: exactly the objects that there are, statuses and all.
struct StartState {
    private(set) var writes: [Write] = []
    private(set) var pods: [Pod] = []
    /// Just after the last thing that happened in it.
    private(set) var now = Timestamp(seconds: 1_700_000_000)

    /// What a machine of its own makes anew, or what would only be in the way.
    private static let left: Set<GroupKind> = [
        Event.kind.groupKind, GroupKind(group: "events.k8s.io", kind: "Event"), Lease.kind.groupKind,
        Application.kind.groupKind,
    ]

    init(_ scenario: Scenario) {
        let nodes = Set(scenario.nodes.map(\.name))
        let defined = Set(
            scenario.start.filter { $0.key.kind == CustomResourceDefinition.kind.groupKind }.map { definition in
                GroupKind(
                    group: definition.json[path: ["spec", "group"]]?.string ?? "",
                    kind: definition.json[path: ["spec", "names", "kind"]]?.string ?? "")
            })
        var latest: Timestamp?
        for object in scenario.start where !Self.left.contains(object.key.kind) {
            let kind = object.key.kind
            guard Catalog.builtIn.strategy(for: kind) != nil || defined.contains(kind) else { continue }
            put(object)
            if kind == Pod.kind.groupKind {
                let pod: Pod = object.view()
                if nodes.contains(pod.spec.nodeName), pod.status.startTime != nil { pods.append(pod) }
            }
            if let time = Self.lastTime(in: object.json, depth: 0) { latest = max(latest ?? time, time) }
        }
        for object in AssumedObjects(scenario).objects { put(object) }
        if let latest { now = latest + .seconds(1) }
        put(Object(viewing: Self.released(scenario.application, for: scenario.target.revision).json))
        // The Application's own namespace need not be there.
        let namespace = Namespace(named: scenario.application.metadata.namespace)
        if !scenario.start.contains(where: { $0.key == namespace.key }) { put(Object(viewing: namespace.json)) }
    }

    private mutating func put(_ object: Object) {
        var json = object.json
        json[path: ["metadata", "resourceVersion"]] = nil
        if json[path: ["metadata", "uid"]] == nil {
            json[path: ["metadata", "uid"]] = .string("rehearsal-\(object.key)")
        }
        let kind = Catalog.builtIn.strategy(for: object.key.kind)?.storage.groupKind ?? object.key.kind
        let key = StoreKey(
            kind: "\(kind.group)/\(kind.kind)", namespace: object.key.namespace, name: object.key.name)
        writes.append(Write(key, .put(json)))
    }

    /// The Application as it is when somebody wants the target: nothing keeps it from syncing.
    private static func released(_ application: Application, for target: String) -> Application {
        var application = application
        application.metadata.annotations[ApplicationSettings.suspendAnnotation] = nil
        application.json["operation"] = nil
        var automated = application.json[path: ["spec", "syncPolicy", "automated"]] ?? .emptyObject
        automated["enabled"] = nil
        application.json[path: ["spec", "syncPolicy", "automated"]] = automated
        guard var rollout = application.status.rollout else { return application }
        rollout.held.removeAll { $0.revision == target }
        if rollout.revision == target {
            // It is tried anew, with the memory of what was healthy before.
            rollout.phase = nil
            rollout.revision = nil
        }
        application.status.rollout = rollout
        return application
    }

    private static let timeFields: Set<String> = [
        "creationTimestamp", "lastTransitionTime", "lastUpdateTime", "startedAt", "startTime", "finishedAt",
        "progressedAt", "reconciledAt",
    ]

    /// The last time that something says it happened. Fields of other names may tell of the future.
    private static func lastTime(in json: JSON, depth: Int) -> Timestamp? {
        guard depth < 12 else { return nil }
        switch json {
        case .object(let members):
            var latest: Timestamp?
            for member in members where member.key != "managedFields" && member.key != "data" {
                // Few members are texts, and a name is looked up for those alone.
                let time =
                    if let text = member.value.string {
                        timeFields.contains(member.key) ? Timestamp(text) : nil
                    } else {
                        lastTime(in: member.value, depth: depth + 1)
                    }
                if let time { latest = max(latest ?? time, time) }
            }
            return latest
        case .array(let elements): return elements.compactMap { lastTime(in: $0, depth: depth + 1) }.max()
        default: return nil
        }
    }
}
