import HeapModule
package import Model

/// Which pod is placed next (semantics-workloads H1). A value, without time of its own.
package struct SchedulingQueue: Sendable {
    struct Entry: Comparable, Sendable {
        var key: ObjectKey
        var uid: String
        var priority: Int
        var added: Timestamp
        /// Attempts that failed.
        var attempts = 0
        var sequence: Int
        var isError = false

        static func == (left: Entry, right: Entry) -> Bool { left.sequence == right.sequence }

        /// Higher priority first, then older.
        static func < (left: Entry, right: Entry) -> Bool {
            if left.priority != right.priority { return left.priority > right.priority }
            return (left.added, left.sequence) < (right.added, right.sequence)
        }
    }

    static let firstBackoff = Duration.seconds(1)
    static let longestBackoff = Duration.seconds(10)
    static let longestWait = Duration.seconds(300)

    private var active = Heap<Entry>()
    /// The sequence of every entry that is active; entries of the heap without theirs here were removed.
    private var activeSequences: [ObjectKey: Int] = [:]
    private var backingOff: [ObjectKey: (entry: Entry, until: Timestamp)] = [:]
    private var unschedulable: [ObjectKey: (entry: Entry, since: Timestamp)] = [:]
    private var inFlight: [ObjectKey: (entry: Entry, isStale: Bool)] = [:]
    private var sequence = 0

    package init() {}

    package var activeCount: Int { activeSequences.count }
    package var unschedulableCount: Int { unschedulable.count }

    /// Puts a new pod in the queue; one that is in it already stays where it is.
    package mutating func add(_ key: ObjectKey, uid: String, priority: Int, now: Timestamp) {
        let known =
            activeSequences[key] != nil || backingOff[key] != nil || unschedulable[key] != nil
            || inFlight[key] != nil
        if known { return }
        sequence += 1
        push(Entry(key: key, uid: uid, priority: priority, added: now, sequence: sequence))
    }

    package mutating func remove(_ key: ObjectKey) {
        activeSequences[key] = nil
        backingOff[key] = nil
        unschedulable[key] = nil
        inFlight[key] = nil
    }

    /// The next pod to place; it is in flight until `placed` or `failed`.
    package mutating func next(now: Timestamp) -> ObjectKey? {
        release(now: now)
        if activeSequences.isEmpty {
            // With nothing better to do, a back-off is cut short, unless it follows an error.
            let candidates = backingOff.values.filter { !$0.entry.isError }.map(\.entry)
            guard let first = candidates.min() else { return nil }
            backingOff[first.key] = nil
            push(first)
        }
        while let entry = active.popMin() {
            guard activeSequences[entry.key] == entry.sequence else { continue }
            activeSequences[entry.key] = nil
            inFlight[entry.key] = (entry, false)
            return entry.key
        }
        return nil
    }

    package mutating func placed(_ key: ObjectKey) { inFlight[key] = nil }

    /// The attempt failed: for want of a node, which waits for a change, or by an error, which waits for a while.
    package mutating func failed(_ key: ObjectKey, isError: Bool, now: Timestamp) {
        guard let (known, isStale) = inFlight.removeValue(forKey: key) else { return }
        var entry = known
        entry.attempts += 1
        entry.isError = isError
        if isError || isStale {
            backingOff[key] = (entry, Self.backoffEnd(entry, from: now))
        } else {
            unschedulable[key] = (entry, now)
        }
    }

    /// Something changed that may let unschedulable pods run.
    package mutating func somethingChanged(now: Timestamp) {
        for (key, waiting) in unschedulable {
            let until = Self.backoffEnd(waiting.entry, from: waiting.since)
            if until <= now { push(waiting.entry) } else { backingOff[key] = (waiting.entry, until) }
        }
        unschedulable = [:]
        for key in inFlight.keys { inFlight[key]?.isStale = true }
    }

    /// When `next` may answer something that it does not answer now.
    package var nextDue: Timestamp? {
        let backoffs = backingOff.values.map(\.until)
        let waits = unschedulable.values.map { $0.since + Self.longestWait }
        return (backoffs + waits).min()
    }

    private mutating func release(now: Timestamp) {
        for (key, waiting) in backingOff where waiting.until <= now {
            backingOff[key] = nil
            push(waiting.entry)
        }
        for (key, waiting) in unschedulable where waiting.since + Self.longestWait <= now {
            unschedulable[key] = nil
            push(waiting.entry)
        }
    }

    private mutating func push(_ entry: Entry) {
        active.insert(entry)
        activeSequences[entry.key] = entry.sequence
    }

    /// 1 s doubling to 10 s, its end on a whole second.
    private static func backoffEnd(_ entry: Entry, from start: Timestamp) -> Timestamp {
        let delay = min(longestBackoff, firstBackoff * (1 << min(10, max(0, entry.attempts - 1))))
        let end = start + delay
        return end.nanoseconds % 1_000_000_000 == 0 ? end : Timestamp(seconds: end.seconds + 1)
    }
}
