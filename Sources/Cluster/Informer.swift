package import HashTreeCollections
package import Kinds
package import Model
import Synchronization

/// One object's step from one state to the next, as an informer saw it.
package struct ObjectChange: Sendable {
    /// Of the object; read once, since everybody who is told asks for it.
    package let key: ObjectKey
    /// `nil` when the object is new.
    package let old: Object?
    /// `nil` when the object is gone.
    package let new: Object?

    /// The latest known state.
    package var object: Object {
        guard let object = new ?? old else { preconditionFailure("a change has at least one state") }
        return object
    }

    /// Both states, or the latest alone where it has the owners that the one before had.
    package var statesByOwners: [Object] {
        guard let old, let new, old.metadata.json["ownerReferences"] != new.metadata.json["ownerReferences"] else {
            return [object]
        }
        return [old, new]
    }

    /// At least one of them.
    package init(old: Object?, new: Object?) {
        guard let key = (new ?? old)?.key else { preconditionFailure("a change has at least one state") }
        self.init(key, old: old, new: new)
    }

    /// - Parameter key: that of both.
    init(_ key: ObjectKey, old: Object?, new: Object?) {
        self.key = key
        self.old = old
        self.new = new
    }
}

/// A local copy of a collection, kept current by list and watch.
///
/// `run()` lists, then watches from the list's version; it watches on when a stream ends, and lists again when the
/// version has expired or the watch fails, with a jittered back-off that starts anew once a watch has proved good.
/// Readers take snapshots in O(1).
package final class Informer: Sendable {
    package typealias Snapshot = TreeDictionary<ObjectKey, Object>
    package typealias Handler = @Sendable (ObjectChange) -> Void
    /// The values under which an object is found again, e.g. its controller's UID.
    package typealias IndexFunction = @Sendable (Object) -> [String]

    static let firstBackoff = Duration.milliseconds(200)
    static let longestBackoff = Duration.seconds(30)
    static let pageSize = 500
    /// A watch of that length was a good one, even if nothing happened meanwhile.
    static let shortestWatch = Duration.seconds(1)

    struct State {
        var objects = Snapshot()
        var indexes: [String: TreeDictionary<String, TreeSet<ObjectKey>>] = [:]
        var handlers: [Handler] = []
        var hasSynced = false
        var waiters: [Signal] = []
        var lastError: String?
        var listedAt: Timestamp?
    }

    private let query: ListQuery
    private let cluster: any Cluster
    private let clock: any WallClock
    private let seed: UInt64
    private let indexFunctions: [String: IndexFunction]
    private let state: Mutex<State>
    /// Held while handlers are told of something, so that each hears of everything in its order.
    private let telling = Mutex(())

    /// - Parameters:
    ///   - seed: of the jitter between attempts.
    ///   - indexes: by name; see `objects(in:under:)`.
    package init(
        _ query: ListQuery, of cluster: any Cluster, clock: any WallClock, seed: UInt64 = 1,
        indexes: [String: IndexFunction] = [:]
    ) {
        self.query = query
        self.cluster = cluster
        self.clock = clock
        self.seed = seed
        indexFunctions = indexes
        state = Mutex(State(indexes: indexes.mapValues { _ in [:] }))
    }

    /// Registers a handler: it is told of what there is, here, as of objects that are new, and of every later change,
    /// in order, on the informer's task. It must not block, nor register another.
    package func onChange(_ handler: @escaping Handler) {
        telling.withLock { _ in
            let present = state.withLock { state in
                state.handlers.append(handler)
                return state.objects
            }
            for (key, object) in present.sorted(by: { $0.key < $1.key }) {
                handler(ObjectChange(key, old: nil, new: object))
            }
        }
    }

    package var snapshot: Snapshot { state.withLock { $0.objects } }

    /// Whether the first list has arrived: before that, an absent object may exist.
    package var hasSynced: Bool { state.withLock { $0.hasSynced } }

    /// When the last list arrived; changes are followed without a gap since then.
    package var listedAt: Timestamp? { state.withLock { $0.listedAt } }

    /// Why the last attempt to list or watch failed; `nil` while all is well.
    package var lastError: String? { state.withLock { $0.lastError } }

    package subscript(key: ObjectKey) -> Object? { state.withLock { $0.objects[key] } }

    package func get<Kind: KubernetesObject>(_ key: ObjectKey, as _: Kind.Type = Kind.self) -> Kind? {
        self[key]?.view()
    }

    /// All objects, in the order of their keys.
    package func all<Kind: KubernetesObject>(as _: Kind.Type = Kind.self) -> [Kind] {
        snapshot.sorted { $0.key < $1.key }.map { $0.value.view() }
    }

    /// The objects that an index lists under `value`, in the order of their keys.
    package func objects<Kind: KubernetesObject>(
        in index: String, under value: String, as _: Kind.Type = Kind.self
    ) -> [Kind] {
        objects(in: index, under: value).map { $0.view() }
    }

    /// The objects that an index lists under `value`, in the order of their keys.
    package func objects(in index: String, under value: String) -> [Object] {
        let found = state.withLock { state in
            guard let entries = state.indexes[index] else {
                preconditionFailure("the informer of \(query.kind) has no index \(index)")
            }
            return (entries[value] ?? []).compactMap { key in state.objects[key].map { (key, $0) } }
        }
        return found.count < 2 ? found.map(\.1) : found.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// Returns when the first list has arrived.
    package func waitForSync() async throws {
        let signal = Signal()
        let synced = state.withLock { state in
            if !state.hasSynced { state.waiters.append(signal) }
            return state.hasSynced
        }
        if !synced { await signal.wait() }
        try Task.checkCancellation()
    }

    /// Lists and watches until the task is cancelled.
    package func run() async throws {
        var random = SplitMix64(seed: seed)
        var backoff = Self.firstBackoff
        while true {
            try Task.checkCancellation()
            // A list alone proves nothing: where every watch is refused, ever more lists would be of no use.
            var hasFollowed = false
            do {
                var version = try await list()
                while try await watch(from: &version, &hasFollowed) {}
            } catch let error as APIError where error.reason == .expired {
                state.withLock { $0.lastError = nil }
                if hasFollowed {
                    backoff = Self.firstBackoff
                    continue
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                state.withLock { $0.lastError = "\(error)" }
            }
            if hasFollowed { backoff = Self.firstBackoff }
            // Whoever refused gets time to recover, of every informer another, so that not all ask again at once.
            try await clock.sleep(for: backoff * Double.random(in: 1...2, using: &random))
            backoff = min(Self.longestBackoff, backoff * 2)
        }
    }

    private func list() async throws -> String {
        var query = query
        query.limit = Self.pageSize
        var objects: [Object] = []
        var version = ""
        repeat {
            let page = try await cluster.list(query)
            objects += page.items
            version = page.resourceVersion
            query.continueToken = page.continueToken
        } while query.continueToken?.isEmpty == false
        replace(with: objects)
        return version
    }

    /// Follows one stream to its end; answers whether another may follow from the version reached.
    private func watch(from version: inout String, _ hasFollowed: inout Bool) async throws -> Bool {
        let stream = try await cluster.watch(query, from: version)
        let start = clock.now
        var sawSomething = false
        defer { if sawSomething || clock.now - start >= Self.shortestWatch { hasFollowed = true } }
        for try await event in stream {
            sawSomething = true
            switch event {
            case .added(let object), .modified(let object):
                apply(object, removed: false)
                version = object.metadata.resourceVersion
            case .deleted(let object):
                apply(object, removed: true)
                version = object.metadata.resourceVersion
            case .bookmark(let reached):
                version = reached
            }
        }
        try Task.checkCancellation()
        state.withLock { $0.lastError = nil }
        // A stream that ends at once and says nothing is watched again only after a pause, by listing.
        return sawSomething || clock.now - start >= Self.shortestWatch
    }

    private func replace(with objects: [Object]) { telling.withLock { _ in replaceAndTell(objects) } }

    private func replaceAndTell(_ objects: [Object]) {
        let (changes, handlers) = state.withLock { state in
            var gone = state.objects
            var changes: [ObjectChange] = []
            for object in objects {
                let key = object.key
                let old = state.objects[key]
                gone[key] = nil
                if let old, old.metadata.resourceVersion == object.metadata.resourceVersion, old == object { continue }
                changes.append(ObjectChange(key, old: old, new: object))
            }
            changes += gone.sorted { $0.key < $1.key }.map { ObjectChange(old: $0.value, new: nil) }
            for change in changes { state.store(change, indexFunctions) }
            state.lastError = nil
            state.listedAt = clock.now
            return (changes, state.handlers)
        }
        for change in changes { for handler in handlers { handler(change) } }
        // Only now: who waits for everything to be known may ask what a handler keeps.
        let waiters = state.withLock { state in
            state.hasSynced = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.raise() }
    }

    /// Takes all objects for gone, since their kind is.
    func forgetAll() { replace(with: []) }

    private func apply(_ object: Object, removed: Bool) {
        telling.withLock { _ in applyAndTell(object, removed: removed) }
    }

    private func applyAndTell(_ object: Object, removed: Bool) {
        let (change, handlers) = state.withLock { state in
            let key = object.key
            let old = state.objects[key]
            let change = ObjectChange(key, old: removed ? object : old, new: removed ? nil : object)
            state.store(ObjectChange(key, old: old, new: change.new), indexFunctions)
            return (change, state.handlers)
        }
        for handler in handlers { handler(change) }
    }
}

extension Informer.State {
    fileprivate mutating func store(_ change: ObjectChange, _ functions: [String: Informer.IndexFunction]) {
        let key = change.key
        objects[key] = change.new
        for (name, function) in functions {
            let (before, after) = (change.old.map(function) ?? [], change.new.map(function) ?? [])
            // Most changes leave an object where it is found.
            if before == after { continue }
            for value in before {
                indexes[name]?[value]?.remove(key)
                if indexes[name]?[value]?.isEmpty == true { indexes[name]?[value] = nil }
            }
            for value in after { indexes[name]?[value, default: []].insert(key) }
        }
    }
}

/// Sebastiano Vigna's SplitMix64: a small generator whose whole state is its seed, for reproducible choices.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
