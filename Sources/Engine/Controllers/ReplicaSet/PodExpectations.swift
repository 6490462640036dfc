import Kinds
import Model

/// What a controller has done to its pods and not yet seen come back (B3): until it has, its view of them is behind.
///
/// Kubernetes counts creations; here each is known by the UID that the cluster answered, so that the view can be completed
/// with what is known to be true.
struct PodExpectations {
    /// How long to wait for what may never come, e.g. because somebody else was faster.
    static let timeout = Duration.seconds(300)

    private(set) var created: [String: Pod] = [:]
    private(set) var deleted: Set<String> = []
    private var since: Timestamp?

    var isEmpty: Bool { created.isEmpty && deleted.isEmpty }

    mutating func expect(created pod: Pod, at now: Timestamp) {
        created[pod.metadata.uid] = pod
        since = now
    }

    mutating func expect(deletionOf uid: String, at now: Timestamp) {
        deleted.insert(uid)
        since = now
    }

    /// A deletion that was refused is not coming.
    mutating func abandon(deletionOf uid: String) { deleted.remove(uid) }

    /// Takes note of a change; a deletion timestamp counts as the deletion (B3).
    mutating func observe(uid: String, isLeaving: Bool) {
        created[uid] = nil
        if isLeaving { deleted.remove(uid) }
    }

    /// Whether everything expected was seen, or has been waited for long enough.
    func areMet(at now: Timestamp) -> Bool {
        if isEmpty { return true }
        guard let since else { return true }
        return since + Self.timeout < now
    }

    /// When `areMet` turns true even if nothing is seen.
    var expiry: Timestamp? { isEmpty ? nil : since.map { $0 + Self.timeout + .milliseconds(1) } }

    /// The pods as they must be by now: with those created, without those deleted.
    func completing(_ pods: [Pod]) -> [Pod] {
        if isEmpty { return pods }
        let known = Set(pods.map(\.metadata.uid))
        let missing = created.values.filter { !known.contains($0.metadata.uid) && !deleted.contains($0.metadata.uid) }
        return pods.filter { !deleted.contains($0.metadata.uid) || $0.metadata.isBeingDeleted }
            + missing.sorted { $0.metadata.name < $1.metadata.name }
    }
}
