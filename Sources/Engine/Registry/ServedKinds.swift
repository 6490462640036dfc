import Cluster
import Kinds
import Model
import Store
import Synchronization

/// What is served: the built-in kinds, and those that established CustomResourceDefinitions define.
///
/// It follows the definitions in the store: whoever sees one established there finds its kind served.
struct ServedKinds {
    private struct Defined {
        /// What the strategies follow from.
        var source: [JSON?]
        var kind: GroupKind
        var strategies: [KindStrategy]
        /// Of the versions that are not served.
        var unserved: [KindStrategy]
    }

    private let builtIn: Catalog
    private var defined: [String: Defined] = [:]
    /// The last change of a definition that was looked at.
    private var followed: Revision?
    private var watches: [GroupKind: [WeakWatch]] = [:]
    private(set) var catalog: Catalog
    /// Grows with every change.
    private(set) var generation = 0

    private struct WeakWatch {
        weak var watch: StoreWatch?
    }

    init(builtIn: Catalog) {
        self.builtIn = builtIn
        catalog = builtIn
    }

    /// Takes the definitions of the store for what is served.
    ///
    /// - Returns: the watches of kinds that are served in another way now, or no more: they end, so that whoever
    ///   watches looks again.
    /// - Complexity: O(1) while no definition has changed, otherwise linear in their number.
    mutating func follow(_ store: Store) -> [StoreWatch] {
        let kind = Registry.definitions
        let change = store.lastChange(ofKind: kind)
        if change == followed { return [] }
        followed = change
        var now: [String: Defined] = [:]
        for stored in store.snapshot.list(kind: kind) {
            let definition = CustomResourceDefinition(viewing: stored.json)
            guard definition.isServed else { continue }
            let source = [stored.json["spec"], definition.acceptedNames]
            if let known = defined[definition.name], known.source == source {
                now[definition.name] = known
                continue
            }
            // A schema that cannot be read, also of a version that is not served, was not admitted; its kind is not
            // served.
            guard let strategies = try? definition.strategies(), let first = strategies.first,
                let unserved = try? definition.unservedStrategies()
            else { continue }
            now[definition.name] = Defined(
                source: source, kind: first.type.kind.groupKind, strategies: strategies, unserved: unserved)
        }
        let changed = Set(
            defined.filter { now[$0.key]?.source != $0.value.source }.values.map(\.kind)
                + now.filter { defined[$0.key]?.source != $0.value.source }.values.map(\.kind))
        guard !changed.isEmpty else { return [] }
        defined = now
        catalog = builtIn.adding(now.values.flatMap(\.strategies), unserved: now.values.flatMap(\.unserved))
        generation += 1
        return changed.flatMap { kind in (watches.removeValue(forKey: kind) ?? []).compactMap(\.watch) }
    }

    /// Remembers a watch of a custom kind, so that it can be ended.
    ///
    /// - Parameter generation: when its strategy was looked up.
    /// - Returns: whether it is still so.
    mutating func remember(_ watch: StoreWatch, of kind: GroupKind, since generation: Int) -> Bool {
        guard generation == self.generation else { return false }
        var known = (watches[kind] ?? []).filter { $0.watch != nil }
        known.append(WeakWatch(watch: watch))
        watches[kind] = known
        return true
    }
}

extension Registry {
    /// What is served now.
    var catalog: Catalog {
        followDefinitions()
        return served.withLock { $0.catalog }
    }

    /// To be called after every commit, so that watches of what is served no more end, and quotas count.
    func follow(_ key: StoreKey) {
        if key.kind == Self.definitions { followDefinitions() }
        if key.kind == Self.quotas { followQuota(key) }
    }

    /// How often what is served has changed.
    var servedGeneration: Int {
        followDefinitions()
        return served.withLock { $0.generation }
    }

    private func followDefinitions() {
        let ended = served.withLock { $0.follow(store) }
        for watch in ended { watch.cancel() }
    }

    /// Nothing is created of a kind that is going (I7).
    ///
    /// - Returns: the definition of a custom kind as it must still be when the object is stored; `nil` for other kinds.
    /// - Throws: `.methodNotAllowed` while the definition is being deleted, `.notFound` when it is gone.
    func definitionCondition(_ type: ResourceType) throws(APIError) -> Write? {
        guard type.custom != nil else { return nil }
        let key = StoreKey(
            kind: Self.definitions, namespace: "",
            name: "\(type.plural).\(type.kind.group)")
        guard let found = store.get(key) else {
            throw APIError(
                .notFound, "the server could not find the requested resource: \(type.kind) is not defined any more")
        }
        if CustomResourceDefinition(viewing: found.json).isBeingDeleted {
            throw APIError(
                .methodNotAllowed, "create not allowed while custom resource definition is terminating",
                details: APIError.Details(group: type.kind.group, kind: type.plural))
        }
        return Write(key, .require, if: .revision(found.revision))
    }
}
