import Model
import Synchronization

/// What one watcher has not taken yet; bounded.
final class WatchBuffer: Sendable {
    private struct State {
        var changes: [Change] = []
        var progress: Revision
        /// Whether the consumer knows `progress`.
        var isProgressTaken = true
        var limit: Int
        var waiter: CheckedContinuation<Void, Never>?
        /// Set once the watch has ended; `.some(nil)` without an error.
        var end: StoreError??
    }

    private let namespace: String?
    private let name: String?
    private let start: Revision
    private let state: Mutex<State>

    init(from revision: Revision, namespace: String?, name: String?, limit: Int) {
        self.namespace = namespace
        self.name = name
        start = revision
        state = Mutex(State(progress: revision, limit: limit))
    }

    /// Puts in what happened before the watch began; it does not count against the limit.
    func fill(_ backlog: [Change], upTo revision: Revision) {
        let wanted = wanted(backlog)
        state.withLock { state in
            state.changes = wanted
            state.limit += wanted.count
            state.progress = revision
            state.isProgressTaken = wanted.isEmpty
        }
    }

    /// Adds changes of the watcher's kind; `false` when the watch is over, be it by this very overflow.
    func offer(_ changes: [Change], upTo revision: Revision) -> Bool {
        let wanted = wanted(changes)
        if wanted.isEmpty { return !isOver }
        let (goesOn, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard state.end == nil else { return (false, nil) }
            defer { state.waiter = nil }
            if state.changes.count + wanted.count > state.limit {
                state.changes = []
                state.isProgressTaken = true
                state.end = .some(.watcherTooSlow(limit: state.limit))
                return (false, state.waiter)
            }
            if state.changes.isEmpty { state.changes = wanted } else { state.changes += wanted }
            state.progress = revision
            state.isProgressTaken = false
            return (true, state.waiter)
        }
        waiter?.resume()
        return goesOn
    }

    /// Tells a watcher for whom nothing happened how far the store is.
    func advance(to revision: Revision) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.end == nil, state.progress < revision else { return nil }
            state.progress = revision
            state.isProgressTaken = false
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func end(_ error: StoreError?) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.end == nil { state.end = .some(error) }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    private var isOver: Bool { state.withLock { $0.end != nil } }

    private func wanted(_ changes: [Change]) -> [Change] {
        // A watch that starts from a snapshot may be told of changes which the snapshot already has.
        let isFresh = changes.first.map { $0.revision > start } ?? true
        if isFresh, namespace == nil, name == nil { return changes }
        return changes.filter { change in
            change.revision > start && (name.map { change.key.name.hasSameBytes(as: $0) } ?? true)
                && (namespace == nil || change.key.namespace == namespace)
        }
    }

    /// What there is now, `nil` at the end; `.none` outside means: wait.
    private func take() throws(StoreError) -> StoreWatch.Batch?? {
        try state.withLock { (state) throws(StoreError) -> StoreWatch.Batch?? in
            if !state.isProgressTaken {
                state.isProgressTaken = true
                defer { state.changes = [] }
                return .some(StoreWatch.Batch(changes: state.changes, revision: state.progress))
            }
            switch state.end {
            case nil: return .none
            case .some(let error?): throw error
            case .some(nil): return .some(nil)
            }
        }
    }

    func next() async throws(StoreError) -> StoreWatch.Batch? {
        while true {
            if let batch = try take() { return batch }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        if !state.isProgressTaken || state.end != nil { return true }
                        precondition(state.waiter == nil, "a watch has one consumer")
                        state.waiter = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                end(nil)
            }
        }
    }
}
