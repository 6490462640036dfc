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

/// The statuses that a controller wrote last: it plans on them until its informer shows as much, and what it did itself
/// is no reason to look again.
///
/// Resource versions are numbers that grow (D1), as the engine's are.
struct OwnStatuses: Sendable {
    private struct Written {
        var answer: Object
        var version: UInt64
        var isFinal: Bool
    }

    private var written: [ObjectKey: Written] = [:]

    /// - Parameters:
    ///   - answer: the object as the cluster answered the write of its status.
    ///   - isFinal: whether nothing is left to do after it.
    mutating func note(_ answer: Object, isFinal: Bool) {
        guard let version = Self.version(of: answer) else { return }
        written[answer.key] = Written(answer: answer, version: version, isFinal: isFinal)
    }

    /// An object as it is known: as the informer shows it, or as a later write of its status was answered.
    mutating func latest(_ shown: Object) -> Object {
        let key = shown.key
        guard let known = written[key] else { return shown }
        if let version = Self.version(of: shown), version < known.version { return known.answer }
        written[key] = nil
        return shown
    }

    /// Whether a change is no reason to look: it is what was noted as final, or what that was written over.
    mutating func isOwn(_ change: ObjectChange) -> Bool {
        guard !written.isEmpty, let known = written[change.key] else { return false }
        guard let version = change.new.flatMap(Self.version), version <= known.version else {
            written[change.key] = nil
            return false
        }
        if version == known.version { written[change.key] = nil }
        return known.isFinal
    }

    mutating func forget(_ key: ObjectKey) { written[key] = nil }

    private static func version(of object: Object) -> UInt64? { UInt64(object.metadata.resourceVersion) }
}
