package import Cluster
import Kinds
package import Logging
package import Model
package import NIOCore
package import Store

/// The embedded, Kubernetes-compatible control plane and node: everything that a cluster is, in one process.
///
/// It composes and decides nothing: `Registry` takes writes, `ControlLoops` react, `NodeAgent` runs pods,
/// `ServiceProxy` sends traffic to them.
package final class Engine: Sendable {
    package struct Configuration: Sendable {
        /// The number of logical nodes that share this machine, and what they are called.
        package var nodes: Int
        package var nodeName: String
        package var version: String
        /// End all pods when the engine stops.
        package var stopsPods: Bool
        /// The part of 127.0.0.0/8 that pods and Services have their addresses from.
        package var addresses: AddressBlock
        /// Of the jitter, generated names and uids.
        package var seed: UInt64

        package init(
            nodes: Int = 1, nodeName: String, version: String, stopsPods: Bool = false, addresses: AddressBlock,
            seed: UInt64
        ) {
            self.nodes = nodes
            self.nodeName = nodeName
            self.version = version
            self.stopsPods = stopsPods
            self.addresses = addresses
            self.seed = seed
        }
    }

    private let configuration: Configuration
    private let store: Store
    private let registry: Registry
    private let runtime: any PodRuntime
    private let clock: any WallClock
    private let logger: Logger
    private let loops: ControlLoops
    private let node: NodeAgent
    private let proxy: ServiceProxy
    private let namespaces: NamespaceController
    private let namespaceDefaults: NamespaceDefaultsController
    private let apiServices: APIServiceController
    private let garbage: GarbageCollector

    /// The engine as everybody else sees it.
    package var cluster: any Cluster { registry }

    /// Informers of whole kinds, which run while the engine does, for others to share.
    package let informers: [GroupKind: Informer]

    /// - Parameter group: the event loops of the service proxy.
    package init(
        _ configuration: Configuration, store: Store, runtime: any PodRuntime, clock: any WallClock,
        group: any EventLoopGroup, logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.runtime = runtime
        self.clock = clock
        self.logger = logger
        let seed = configuration.seed
        registry = Registry(
            store: store, clock: clock, random: SplitMix64(seed: seed),
            configuration: Registry.Configuration(serviceAddresses: configuration.addresses.services))
        loops = ControlLoops(cluster: registry, clock: clock, logger: logger, seed: seed)
        node = NodeAgent(
            cluster: registry, runtime: runtime, clock: clock,
            nodes: LogicalNode.nodes(configuration.nodes, named: configuration.nodeName),
            addresses: configuration.addresses.pods, seed: seed, version: configuration.version,
            sharing: loops.informers)
        informers = loops.informers.merging(node.informers) { known, _ in known }
        proxy = ServiceProxy(cluster: registry, clock: clock, group: group, logger: logger)
        namespaces = NamespaceController(cluster: registry, clock: clock, seed: seed)
        namespaceDefaults = NamespaceDefaultsController(cluster: registry, clock: clock, seed: seed)
        apiServices = APIServiceController(
            cluster: registry, clock: clock, seed: seed,
            sharing: informers[CustomResourceDefinition.kind.groupKind])
        garbage = GarbageCollector(cluster: registry, clock: clock, seed: seed, sharing: informers)
        registry.attach(logs: node.logs)
    }

    /// Makes what every cluster has. To be called once before `run()`, so that what is ready is complete.
    package func prepare() async throws(APIError) {
        try await namespaces.ensureSystemNamespaces()
        try await registry.ensureSystemObjects()
        try await registry.ensureDefaultServiceCIDR()
    }

    /// Tells clients in the cluster where the API is served: by the Service `kubernetes` in the namespace `default`.
    ///
    /// - Parameter address: an IP address.
    package func publish(server address: String, port: Int) async throws(APIError) {
        let options = WriteOptions(fieldManager: "kube-apiserver")
        for object in APIServerService.objects(address: address, port: port) {
            _ = try await registry.patch(
                Object(viewing: object).key, .apply(object, force: true), subresource: nil, options: options)
        }
    }

    /// Tells every namespace whose certificate vouches for the API server, in PEM.
    package func publish(authority certificate: String) { namespaceDefaults.publish(authority: certificate) }

    /// Whether writes are kept and whoever acts on objects knows them all: by the names of the checks, with what keeps
    /// them from passing.
    package var readiness: [(check: String, failure: String?)] {
        let unknown = informers.filter { !$0.value.hasSynced }.keys.map(\.description).sorted()
        return [
            ("store", store.failure.map(\.description)),
            (
                "informer-sync",
                unknown.isEmpty ? nil : "not all objects are known yet of: \(unknown.joined(separator: ", "))"
            ),
        ]
    }

    /// Says who decides who may do what, which admission policies can ask.
    package func attach(access decider: any AccessDecider) { registry.attach(access: decider) }

    /// Says who issues tokens of ServiceAccounts. From then on pods get them, where they or their accounts do not say
    /// otherwise.
    package func attach(tokens source: any TokenSource) {
        node.attach(tokens: source)
        registry.giveTokens()
    }

    /// Runs until the task is cancelled.
    package func run() async throws {
        let (snapshots, continuation) = AsyncStream.makeStream(
            of: ServiceProxy.Snapshot.self, bufferingPolicy: .bufferingNewest(1))
        for informer in [loops.services, loops.endpointSlices] {
            informer.onChange { [self] _ in continuation.yield(proxySnapshot()) }
        }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.registry.keepWatchersCurrent() }
            group.addTask { try await self.loops.run() }
            group.addTask { try await self.node.run() }
            group.addTask { await self.proxy.run(snapshots) }
            group.addTask { try await self.namespaces.run() }
            group.addTask { try await self.namespaceDefaults.run() }
            group.addTask { try await self.apiServices.run() }
            group.addTask { try await self.garbage.run() }
        }
    }

    /// Ends what `run()` leaves running by design: the pods, if that was asked for. To be called after `run()` ended.
    package func close() async {
        guard configuration.stopsPods else { return }
        await stopPods()
    }

    private func proxySnapshot() -> ServiceProxy.Snapshot {
        ServiceProxy.Snapshot(services: loops.services.all(), slices: loops.endpointSlices.all())
    }

    /// All at once, each as its deletion would end it; what nobody knows any more has no grace.
    private func stopPods() async {
        do {
            let pods = try await registry.list(ListQuery(Pod.kind.groupKind)).items.map { $0.view(as: Pod.self) }
            let known = Dictionary(pods.map { ($0.metadata.uid, $0) }) { first, _ in first }
            let sandboxes = try await runtime.existingSandboxes()
            let (runtime, clock, logger) = (runtime, clock, logger)
            await withDiscardingTaskGroup { group in
                for sandbox in sandboxes {
                    group.addTask {
                        do throws(RuntimeError) {
                            if let pod = known[sandbox.uid] {
                                try await PodStop(pod, runtime: runtime, clock: clock).run()
                            } else {
                                try await runtime.remove(sandbox.uid)
                            }
                        } catch {
                            logger.error("could not stop pod \(sandbox.namespace)/\(sandbox.name): \(error)")
                        }
                    }
                }
            }
        } catch {
            logger.error("could not stop all pods: \(error)")
        }
    }
}
