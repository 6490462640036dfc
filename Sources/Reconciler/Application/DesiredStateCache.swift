import Kinds
import Model

/// The desired states of the few revisions that an Application moves between, marked as its own.
///
/// Objects that two revisions share are marked once: an unchanged object costs a lookup (DESIGN: *Cost follows
/// change*).
package struct DesiredStateCache {
    private static let limit = 4

    private let application: String
    private var states: [(identity: String, state: DesiredState)] = []

    package init(application: String) {
        self.application = application
    }

    package func state(_ identity: String) -> DesiredState? {
        states.first { $0.identity == identity }?.state
    }

    /// Takes a rendered revision in and answers it with every object marked.
    package mutating func insert(_ rendered: DesiredState, as identity: String) -> DesiredState {
        var state = rendered
        // Both are in sync order, so that one walk finds what the two share.
        let known = states.last?.state.objects ?? []
        var position = 0
        for index in state.objects.indices {
            let object = state.objects[index]
            while position < known.count, known[position].key != object.key,
                SyncOrder.precedes(known[position].key, object.key)
            {
                position += 1
            }
            if position < known.count, known[position].key == object.key,
                known[position].fingerprint == object.fingerprint, known[position].origin == object.origin
            {
                state.objects[index] = known[position]
            } else {
                state.objects[index] = object.with(Tracking.mark(object.object, for: application))
            }
        }
        states.removeAll { $0.identity == identity }
        states.append((identity, state))
        if states.count > Self.limit { states.removeFirst() }
        return state
    }

    /// A failed revision in which some Deployments have the pod template of another one (rollback policy `workload`).
    static func combined(_ failed: DesiredState, templatesFrom healthy: DesiredState, of workloads: [String])
        -> DesiredState
    {
        var state = failed
        state.revision = healthy.revision
        let templates = Dictionary(
            healthy.objects.compactMap { object -> (ObjectKey, JSON)? in
                guard workloads.contains(object.key.description) else { return nil }
                return object.object.json[path: ["spec", "template"]].map { (object.key, $0) }
            }, uniquingKeysWith: { first, _ in first })
        state.objects = failed.objects.map { object in
            guard let template = templates[object.key] else { return object }
            var changed = object.object
            changed.json[path: ["spec", "template"]] = template
            return object.with(changed, fingerprint: "\(object.fingerprint)+\(healthy.revision)")
        }
        return state
    }
}
