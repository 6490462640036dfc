internal import HeapModule
package import Model

/// Which keys are to be worked on, now or later: the decisions of a work queue, without tasks or time of its own.
///
/// A key that is added while it is being worked on is handed out again afterwards, never twice at once; adding a
/// waiting key changes nothing (level-triggered: what counts is that something changed, not how often). Source:
/// client-go's `util/workqueue`.
package struct WorkQueueState<Key: Hashable & Sendable>: Sendable {
    /// The first retry's delay; each further one doubles it.
    package static var firstDelay: Duration { .milliseconds(5) }
    package static var longestDelay: Duration { .seconds(1000) }

    private struct Delayed: Comparable, Sendable {
        var due: Timestamp
        /// Orders keys that are due together, so that the order does not depend on hashing.
        var sequence: Int
        var key: Key

        static func == (left: Self, right: Self) -> Bool { left.sequence == right.sequence }
        static func < (left: Self, right: Self) -> Bool { (left.due, left.sequence) < (right.due, right.sequence) }
    }

    private var ready: [Key] = []
    private var head = 0
    private var dirty: Set<Key> = []
    private var processing: Set<Key> = []
    private var delayed: [Key: Delayed] = [:]
    /// Also holds entries that `delayed` has dropped or replaced since; they are skipped when they come up.
    private var agenda = Heap<Delayed>()
    private var failures: [Key: Int] = [:]
    private var sequence = 0

    package init() {}

    /// The number of keys that can be handed out now.
    package var readyCount: Int { ready.count - head }
    package var isIdle: Bool { readyCount == 0 && processing.isEmpty && dirty.isEmpty }

    package mutating func add(_ key: Key) {
        delayed[key] = nil
        guard dirty.insert(key).inserted, !processing.contains(key) else { return }
        ready.append(key)
    }

    /// Adds the key when `due` has come; the earliest of several dates holds.
    package mutating func add(_ key: Key, at due: Timestamp) {
        if dirty.contains(key), !processing.contains(key) { return }
        if let known = delayed[key], known.due <= due { return }
        sequence += 1
        let entry = Delayed(due: due, sequence: sequence, key: key)
        delayed[key] = entry
        agenda.insert(entry)
    }

    /// When `promote(at:)` next has something to do.
    package mutating func nextDue() -> Timestamp? {
        while let first = agenda.min {
            if delayed[first.key] == first { return first.due }
            agenda.removeMin()
        }
        return nil
    }

    /// Adds every delayed key whose time has come.
    package mutating func promote(at now: Timestamp) {
        while let due = nextDue(), due <= now { add(agenda.removeMin().key) }
    }

    /// The next key to work on; it stays with the caller until `finish`.
    package mutating func next() -> Key? {
        guard head < ready.count else { return nil }
        let key = ready[head]
        head += 1
        if head > 64, head * 2 > ready.count {
            ready.removeFirst(head)
            head = 0
        }
        dirty.remove(key)
        processing.insert(key)
        return key
    }

    package mutating func finish(_ key: Key) {
        processing.remove(key)
        if dirty.contains(key) { ready.append(key) }
    }

    /// The work on `key` succeeded: its next failure counts as the first.
    package mutating func forget(_ key: Key) { failures[key] = nil }

    package enum Retry: Hashable, Sendable {
        case later(Timestamp)
        case gaveUp
    }

    /// The work on `key` failed: it is added again after a delay that doubles with every failure in a row, up to
    /// `limit` times (`nil`: without end).
    package mutating func fail(_ key: Key, at now: Timestamp, limit: Int?) -> Retry {
        let count = failures[key, default: 0]
        if let limit, count >= limit {
            failures[key] = nil
            return .gaveUp
        }
        failures[key] = count + 1
        let delay = min(Self.longestDelay, Self.firstDelay * (1 << min(count, 20)))
        add(key, at: now + delay)
        return .later(now + delay)
    }
}
