import Kinds
import Model

/// The desired states of the few revisions that an Application moves between, marked as its own.
///
/// Objects that two revisions share are marked once: an unchanged object costs a lookup (DESIGN: *Cost follows
/// change*).
struct DesiredStateCache {
    private static let limit = 4

    let application: String
    private var states: [(identity: String, state: DesiredState)] = []
    private var marked: [ObjectKey: DesiredObject] = [:]

    init(application: String) {
        self.application = application
    }

    func state(_ identity: String) -> DesiredState? {
        states.first { $0.identity == identity }?.state
    }

    /// Takes a rendered revision in and answers it with every object marked.
    mutating func insert(_ rendered: DesiredState, as identity: String) -> DesiredState {
        var state = rendered
        state.objects = rendered.objects.map { object in
            if let known = marked[object.key], known.fingerprint == object.fingerprint, known.origin == object.origin {
                return known
            }
            var object = object
            object.object = Tracking.mark(object.object, for: application)
            marked[object.key] = object
            return object
        }
        states.removeAll { $0.identity == identity }
        states.append((identity, state))
        if states.count > Self.limit { states.removeFirst() }
        if marked.count > 2 * state.objects.count + 1024 {
            marked = Dictionary(state.objects.map { ($0.key, $0) }) { first, _ in first }
        }
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
            var object = object
            object.object.json[path: ["spec", "template"]] = template
            object.fingerprint += "+\(healthy.revision)"
            return object
        }
        return state
    }
}
