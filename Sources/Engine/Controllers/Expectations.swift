import Kinds
import Model

/// What a controller has done to its objects and not yet seen come back (B3): until it has, its view of them is behind.
///
/// Kubernetes counts creations; here each is known by the UID that the cluster answered, so that the view can be
/// completed with what is known to be true.
struct Expectations<Dependent: KubernetesObject>: Sendable {
    /// How long to wait for what may never come, e.g. because somebody else was faster.
    static var timeout: Duration { .seconds(300) }

    private var created: [String: Dependent] = [:]
    private var deleted: Set<String> = []
    private var since: Timestamp?
    /// Objects that came back before the answer to their creation did.
    private var early: Set<String> = []
    private var creating = 0

    private var isEmpty: Bool { created.isEmpty && deleted.isEmpty }

    /// Must precede every creation, and be followed by `created` or `creationFailed`.
    mutating func willCreate() { creating += 1 }

    mutating func created(_ object: Dependent, at now: Timestamp) {
        if !early.contains(object.metadata.uid) {
            created[object.metadata.uid] = object
            since = now
        }
        creationFailed()
    }

    mutating func creationFailed() {
        creating -= 1
        if creating == 0 { early = [] }
    }

    mutating func willDelete(_ uid: String, at now: Timestamp) {
        deleted.insert(uid)
        since = now
    }

    /// A deletion that was refused is not coming.
    mutating func deletionFailed(_ uid: String) { deleted.remove(uid) }

    /// Takes note of a change; a deletion timestamp counts as the deletion (B3).
    mutating func observe(_ uid: String, isLeaving: Bool) {
        created[uid] = nil
        if isLeaving { deleted.remove(uid) }
        if creating > 0 { early.insert(uid) }
    }

    /// Whether everything expected was seen, or has been waited for long enough.
    func areMet(at now: Timestamp) -> Bool {
        guard !isEmpty, let since else { return true }
        return since + Self.timeout < now
    }

    /// When `areMet` turns true even if nothing is seen.
    var expiry: Timestamp? { isEmpty ? nil : since.map { $0 + Self.timeout + .milliseconds(1) } }

    /// The objects as they must be by now: with those created, without those deleted.
    func completing(_ objects: [Dependent]) -> [Dependent] {
        if isEmpty { return objects }
        let known = Set(objects.map(\.metadata.uid))
        let missing = created.values.filter { !known.contains($0.metadata.uid) && !deleted.contains($0.metadata.uid) }
        return objects.filter { !deleted.contains($0.metadata.uid) || $0.metadata.isBeingDeleted }
            + missing.sorted { $0.metadata.name < $1.metadata.name }
    }
}
