package import Cluster
package import Kinds
import Logging
package import Model
package import Store
import Synchronization

/// The engine's `Cluster`: the one entry point for every write, over the store.
///
/// A write is decoded, defaulted, admitted, validated (`WritePipeline`) and committed under the condition that what it
/// was decided upon still holds. Reads come from a snapshot of the store.
package final class Registry: Cluster {
    /// What composition decides.
    package struct Configuration: Sendable {
        /// Where Services' addresses come from: a part of 127.0.0.0/8.
        package var serviceAddresses: AddressRange
        package var nodePorts: ClosedRange<Int>
        /// Snapshots kept for lists that are read in pages.
        package var pagedLists = 64

        package init(serviceAddresses: AddressRange, nodePorts: ClosedRange<Int> = 30000...32767) {
            self.serviceAddresses = serviceAddresses
            self.nodePorts = nodePorts
        }
    }

    let store: Store
    let builtIn: Catalog
    let served: Mutex<ServedKinds>
    let clock: any WallClock
    let random: Mutex<any RandomNumberGenerator & Sendable>
    let allocation: Mutex<ServiceAllocation>
    let pages: Mutex<PagedLists>
    let policies: AdmissionPolicies
    let quotaIndex: Mutex<QuotaIndex>
    private let logSource = Mutex<(any LogSource)?>(nil)
    let accessDecider = Mutex<(any AccessDecider)?>(nil)

    /// - Parameter random: where uids, generated names and addresses come from.
    package init(
        store: Store, catalog: Catalog = .builtIn, clock: any WallClock,
        random: sending any RandomNumberGenerator & Sendable, configuration: Configuration
    ) {
        self.store = store
        builtIn = catalog
        var served = ServedKinds(builtIn: catalog)
        _ = served.follow(store)
        self.served = Mutex(served)
        self.clock = clock
        self.random = Mutex(random)
        var allocation = ServiceAllocation(
            addresses: configuration.serviceAddresses, nodePorts: configuration.nodePorts)
        for service in store.snapshot.list(kind: Self.storeKind(Service.kind.groupKind)) {
            allocation.adopt(service.json)
        }
        self.allocation = Mutex(allocation)
        quotaIndex = Mutex(QuotaIndex(store.snapshot.list(kind: Self.quotas).map(\.key)))
        pages = Mutex(PagedLists(limit: configuration.pagedLists))
        policies = AdmissionPolicies(of: store)
    }

    /// Says who has the logs; until then nobody has.
    package func attach(logs source: any LogSource) {
        logSource.withLock { $0 = source }
    }

    /// From now on admission gives pods a volume with a token of their account (K12); the node must have where to get
    /// them. Without that, as in a simulation, pods are left as they are.
    package func giveTokens() { policies.giveTokens() }

    package func resourceTypes() async throws(APIError) -> [ResourceType] { catalog.types }

    package func get(_ key: ObjectKey, version: String?) async throws(APIError) -> Object {
        let strategy = try strategy(of: key.kind, version: version)
        guard let stored = store.get(Self.storeKey(key, strategy)) else {
            throw .notFound(strategy.type.plural, group: strategy.type.kind.group, name: key.name)
        }
        return Object(stored, as: strategy)
    }

    package func logs(_ query: LogQuery) async throws(APIError) -> LogStream {
        guard let source = logSource.withLock({ $0 }) else {
            throw APIError(.serviceUnavailable, "no node serves logs yet; try again in a moment")
        }
        return try await source.logs(query)
    }

    // MARK: Names

    /// - Parameter version: `nil` means the preferred one.
    /// - Throws: `.notFound` for a kind, or a version of it, that is not served.
    func strategy(of kind: GroupKind, version: String?) throws(APIError) -> KindStrategy {
        if let strategy = builtIn.strategy(for: kind, version: version) { return strategy }
        let catalog = catalog
        if let strategy = catalog.strategy(for: kind, version: version) { return strategy }
        let versions = catalog.versions(of: kind)
        let why =
            versions.isEmpty
            ? "no kind is named \(kind)"
            : "\(kind) is not served in version \(version ?? ""), but in \(versions.joined(separator: ", "))"
        throw APIError(
            .notFound, "the server could not find the requested resource: \(why)",
            details: APIError.Details(group: kind.group, kind: kind.kind))
    }

    /// - Throws: `.notFound` for a kind that is not served, `.badRequest` for another version of one that is (C4).
    func strategy(of kind: GroupVersionKind) throws(APIError) -> KindStrategy {
        if let strategy = builtIn.strategy(for: kind) ?? catalog.strategy(for: kind) { return strategy }
        let preferred = try strategy(of: kind.groupKind, version: nil).type.kind
        throw APIError(
            .badRequest,
            "the API version in the data (\(kind.apiVersion)) does not match the expected API version "
                + "(\(preferred.apiVersion))")
    }

    /// - Throws: `.notFound` when the kind has no such subresource.
    func check(_ subresource: Subresource?, of type: ResourceType) throws(APIError) {
        guard let name = subresource?.rawValue, !type.subresources.contains(where: { $0.name == name }) else { return }
        throw APIError(
            .notFound,
            "the server could not find the requested resource: \(type.qualifiedPlural) have no subresource \(name)",
            details: APIError.Details(group: type.kind.group, kind: type.plural))
    }

    static func storeKind(_ kind: GroupKind) -> String { KindStrategy.storeKind(kind) }

    /// Where Namespaces and CustomResourceDefinitions are stored, which most requests ask for.
    static let namespaces = storeKind(Namespace.kind.groupKind)
    static let definitions = storeKind(CustomResourceDefinition.kind.groupKind)

    /// Where an object is stored: under the kind in which its kind is stored.
    static func storeKey(_ key: ObjectKey, _ strategy: KindStrategy) -> StoreKey {
        StoreKey(kind: strategy.storeKind, namespace: key.namespace, name: key.name)
    }

    static func version(_ revision: Revision) -> String { revision.description }

    func pipeline(_ strategy: KindStrategy, _ options: WriteOptions) -> WritePipeline {
        // Times in objects are whole seconds (C5).
        WritePipeline(
            strategy: strategy, options: options, now: Timestamp(seconds: clock.now.seconds),
            versions: ObjectVersions(schemasChange: strategy.type.custom != nil) {
                self.catalog.converted($0, to: $1)
            }, policies: policies)
    }
}

extension Object {
    /// In the version that a request speaks; with its text, where that is how it is stored.
    init(_ stored: StoredObject, as strategy: KindStrategy) {
        if !strategy.isServedAsStored, let json = strategy.served(stored.json) {
            self.init(viewing: json)
        } else {
            self.init(encoded: stored)
        }
    }
}

extension APIError {
    /// What a failed commit means for an object of `type` (C1).
    init(_ error: StoreError, type: ResourceType, name: String) {
        let plural = type.plural
        let group = type.kind.group
        switch error {
        case .conflict: self = .conflict(plural, group: group, name: name, because: Self.modified)
        case .alreadyExists: self = .alreadyExists(plural, group: group, name: name)
        case .notFound: self = .notFound(plural, group: group, name: name)
        default: self.init(error)
        }
    }

    /// What it means that the store as a whole could not do something.
    init(_ error: StoreError) {
        switch error {
        case .tooOld: self.init(.expired, error.description)
        case .watcherTooSlow: self.init(.expired, error.description)
        case .tooNew:
            let message = error.description
            self.init(
                .timeout, "Timeout: \(message)",
                details: Details(
                    causes: [
                        Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version", field: "")
                    ],
                    retryAfterSeconds: 1))
        case .overloaded: self.init(.tooManyRequests, error.description, details: Details(retryAfterSeconds: 1))
        case .closed, .locked: self.init(.serviceUnavailable, error.description)
        case .conflict, .alreadyExists, .notFound, .diskFull, .readOnly, .io, .damaged, .newerFormat:
            self.init(.internalError, "Internal error occurred: \(error)")
        }
    }
}
