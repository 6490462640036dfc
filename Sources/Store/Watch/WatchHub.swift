import DequeModule
import OrderedCollections
import Synchronization

/// Recent history, and everyone who wants to hear of changes.
///
/// It has a lock of its own: telling a hundred watchers does not hold up readers and writers.
final class WatchHub: Sendable {
    private struct State {
        var history: Deque<Change> = []
        /// Everything up to here has left the history.
        var compacted: Revision
        /// Everything up to here has been told.
        var published: Revision
        /// By kind; under `nil` those who want all kinds. Each in the order of their arrival, so that who is told first
        /// does not depend on hashing.
        var watchers: [String?: OrderedDictionary<UInt64, WatchBuffer>] = [:]
        var nextID: UInt64 = 0
        var isClosed = false
        /// Changes since watchers were last told how far the store is.
        var sinceProgress = 0

        /// All of them, in the order of their arrival.
        var buffers: [WatchBuffer] {
            watchers.values.flatMap(\.elements).sorted { $0.key < $1.key }.map(\.value)
        }
    }

    /// After so many changes every watcher learns how far the store is, so that one of a quiet kind can resume.
    static let progressInterval = 1000

    private let state: Mutex<State>
    private let limits: Store.Limits

    init(at revision: Revision, limits: Store.Limits) {
        state = Mutex(State(compacted: revision, published: revision))
        self.limits = limits
    }

    /// - Throws: `.tooOld`, `.closed`.
    func watch(
        from revision: Revision, kind: String?, namespace: String?, name: String?
    ) throws(StoreError) -> StoreWatch {
        let buffer = WatchBuffer(from: revision, namespace: namespace, name: name, limit: limits.watchBuffer)
        let id = try state.withLock { (state) throws(StoreError) in
            guard !state.isClosed else { throw .closed }
            guard revision >= state.compacted else { throw .tooOld(requested: revision, oldest: state.compacted) }
            let missed = state.history[Self.position(after: revision, in: state.history)...]
            let backlog = missed.filter { (change: Change) -> Bool in kind == nil || change.key.kind == kind }
            buffer.fill(Array(backlog), upTo: max(state.published, revision))
            state.nextID += 1
            state.watchers[kind, default: [:]][state.nextID] = buffer
            return state.nextID
        }
        return StoreWatch(buffer: buffer) { [weak self] in self?.remove(id, kind: kind) }
    }

    /// What happened between two revisions, in order; `nil` while the later one has not been published.
    ///
    /// - Throws: `.tooOld`.
    func changes(after revision: Revision, upTo last: Revision) throws(StoreError) -> [Change]? {
        try state.withLock { (state) throws(StoreError) -> [Change]? in
            guard revision >= state.compacted else { throw .tooOld(requested: revision, oldest: state.compacted) }
            guard state.published >= last else { return nil }
            let start = Self.position(after: revision, in: state.history)
            let end = Self.position(after: last, in: state.history)
            return Array(state.history[start..<end])
        }
    }

    /// Tells everyone, in the order of revisions: callers take turns.
    func publish(_ changes: [Change]) {
        guard let last = changes.last?.revision else { return }
        state.withLock { state in
            precondition(last > state.published, "changes must be published in order")
            state.published = last
            state.history.append(contentsOf: changes)
            while state.history.count > limits.history {
                state.compacted = state.history.removeFirst().revision
            }
            offer(changes, to: nil, upTo: last, &state)
            if changes.allSatisfy({ $0.key.kind == changes[0].key.kind }) {
                offer(changes, to: changes[0].key.kind, upTo: last, &state)
            } else {
                for (kind, changes) in OrderedDictionary(grouping: changes, by: \.key.kind) {
                    offer(changes, to: kind, upTo: last, &state)
                }
            }
            state.sinceProgress += changes.count
            if state.sinceProgress >= Self.progressInterval {
                state.sinceProgress = 0
                for buffer in state.buffers { buffer.advance(to: last) }
            }
        }
    }

    /// Tells everyone how far the store is, as after many changes.
    func tellProgress() {
        state.withLock { state in
            state.sinceProgress = 0
            for buffer in state.buffers { buffer.advance(to: state.published) }
        }
    }

    private func offer(_ changes: [Change], to kind: String?, upTo revision: Revision, _ state: inout State) {
        guard let watchers = state.watchers[kind] else { return }
        for (id, buffer) in watchers where !buffer.offer(changes, upTo: revision) {
            state.watchers[kind]?[id] = nil
        }
    }

    private func remove(_ id: UInt64, kind: String?) {
        state.withLock { state in
            state.watchers[kind]?[id] = nil
            if state.watchers[kind]?.isEmpty == true { state.watchers[kind] = nil }
        }
    }

    /// How many watches are open, for metrics and tests.
    var watcherCount: Int { state.withLock { $0.watchers.values.reduce(0) { $0 + $1.count } } }

    /// Ends all watches.
    func close() {
        let buffers = state.withLock { state in
            state.isClosed = true
            defer { state.watchers = [:] }
            return state.buffers
        }
        for buffer in buffers { buffer.end(nil) }
    }

    private static func position(after revision: Revision, in history: Deque<Change>) -> Int {
        var low = 0
        var high = history.count
        while low < high {
            let middle = (low + high) / 2
            if history[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
