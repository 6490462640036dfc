import Cluster
import HashTreeCollections
import Kinds
import Model

/// What a controller wrote last to each of its dependents: until its informer shows at least that, a plan would rest on
/// a past that is no more.
///
/// Resource versions are numbers that grow (D1), as the engine's are.
struct OwnWrites: Sendable {
    private var versions: [ObjectKey: [ObjectKey: UInt64]] = [:]

    /// - Parameter answer: the dependent as the cluster answered the write.
    mutating func note(_ answer: Object, of owner: ObjectKey) {
        guard let version = UInt64(answer.metadata.resourceVersion) else { return }
        versions[owner, default: [:]][answer.key] = version
    }

    /// The dependents of an owner whose writes are not shown yet. What is shown is forgotten.
    mutating func unseen(of owner: ObjectKey, in shown: Informer.Snapshot) -> [ObjectKey] {
        let waiting = (versions[owner] ?? [:]).filter { key, version in
            guard let object = shown[key], let seen = UInt64(object.metadata.resourceVersion) else { return true }
            return seen < version
        }
        versions[owner] = waiting.isEmpty ? nil : waiting
        return waiting.keys.sorted()
    }

    mutating func forget(_ owner: ObjectKey) { versions[owner] = nil }

    mutating func forget(_ dependent: ObjectKey, of owner: ObjectKey) {
        versions[owner]?[dependent] = nil
    }
}

/// The versions in which a controller wrote the statuses of its objects, so that what it did itself is no reason to
/// look again.
struct OwnStatuses: Sendable {
    private var versions: [ObjectKey: String] = [:]

    /// - Parameter answer: the object as the cluster answered the write of its status, after which nothing is to do.
    mutating func note(_ answer: Object) { versions[answer.key] = answer.metadata.resourceVersion }

    /// Whether a change is the one that was noted; that is then forgotten.
    mutating func isOwn(_ change: ObjectChange) -> Bool {
        if versions.isEmpty { return false }
        let key = change.object.key
        guard let version = versions.removeValue(forKey: key) else { return false }
        return change.new?.metadata.resourceVersion == version
    }
}
