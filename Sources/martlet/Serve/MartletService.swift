import Cluster
import Engine
import FoundationEssentials
import GitSource
import Glibc
import Kinds
import Logging
import Model
import NIOCore
import NIOPosix
import Reconciler
import Rendering
import Server
import ServiceLifecycle
import Store
import Synchronization
import UnixSignals

/// What `serve` runs: store, engine, API server and reconciler, from start to graceful stop.
struct MartletService {
    private let options: Serve
    private let directory: String
    private let address: ListenAddress
    private let images: [ImageMap.Entry]
    private let logger: Logger
    private let clock = SystemClock()

    init(_ options: Serve) throws {
        guard let address = ListenAddress(options.listen) else { throw CommandError("--listen \(options.listen)") }
        self.options = options
        self.address = address
        directory = URL(filePath: Connection.dataDirectory(options.dataDir)).standardizedFileURL.path
        images = try options.imageEntries()
        let level = Logger.Level(rawValue: options.logLevel) ?? .info
        let isJSON = options.logFormat == .json
        logger = Logger(label: "martlet") { LineLogHandler(label: $0, level: level, isJSON: isJSON) }
    }

    func run() async throws {
        let store = try openStore()
        do {
            try await run(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
        logger.info("stopped")
    }

    private func openStore() throws -> Store {
        try DataDirectory.make(directory)
        return try Store(persistence: SQLitePersistence(directory: directory), logger: logger)
    }

    private func run(_ store: Store) async throws {
        let addresses = try await claimAddresses(store)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let runtime = try makeRuntime()
        let engine = Engine(
            Engine.Configuration(
                nodes: options.nodes, nodeName: LogicalNode.hostName, version: Version.text,
                // Simulated pods end with the service in any case.
                stopsPods: options.stopPods && options.runtime == .process, addresses: addresses,
                seed: .random(in: 0 ... .max)),
            store: store, runtime: runtime.runtime, clock: clock, group: group, logger: logger)
        try await engine.prepare()
        try await createApplications(engine.cluster)
        let isIdle = try await engine.cluster.list(ListQuery(Application.kind.groupKind)).items.isEmpty
        do {
            try await serve(engine, runtime.simulated, isIdle: isIdle)
        } catch is CancellationError {
            // The group was cancelled because a signal asked for it.
        }
        await Self.close(engine, runtime.simulated)
        try await group.shutdownGracefully()
    }

    private static func close(_ engine: Engine, _ simulated: SimulatedRuntime?) async {
        await withThrowingTaskGroup(of: Void.self) { group in
            // Pods that are asked to end do so only while their runtime goes on.
            if let simulated { group.addTask { try await simulated.run() } }
            await engine.close()
            group.cancelAll()
        }
    }

    /// - Parameter isIdle: there is no Application, so that somebody must be told how to make one.
    private func serve(_ engine: Engine, _ simulated: SimulatedRuntime?, isIdle: Bool) async throws {
        let identity = try ServerIdentity(
            folder: "\(directory)/pki", hosts: [address.host, LogicalNode.hostName], clock: clock, logger: logger)
        engine.publish(authority: identity.authority)
        engine.attach(tokens: ServiceAccountTokens(identity, cluster: engine.cluster, clock: clock))
        let place = BoundAddress()
        let server = APIServer(
            cluster: engine.cluster, clock: clock, identity: identity,
            address: APIServer.Address(host: address.host, port: address.port), logger: logger,
            readiness: { engine.readiness.map { ReadinessCheck($0.check, failure: $0.failure) } },
            onListening: { [self] address in
                place.value.withLock { $0 = address }
                await publish(address, engine)
                announce(address, identity, isIdle: isIdle)
            })
        engine.attach(access: server.access)
        let requests = gracefully(server)
        let reconciler = makeReconciler(engine)
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask {
                do {
                    try await requests.run()
                } catch let error as IOError {
                    throw cannotListen(error)
                }
                return .requests
            }
            group.addTask {
                try await engine.run()
                return .other
            }
            group.addTask {
                try await reconciler.run()
                return .other
            }
            group.addTask {
                try await identity.keepRenewed {
                    engine.publish(authority: identity.authority)
                    if let address = place.value.withLock({ $0 }) { self.writeKubeconfig(address, identity) }
                }
                return .other
            }
            if let simulated {
                group.addTask {
                    try await simulated.run()
                    return .other
                }
            }
            group.addTask { try await self.watchDirectory() }
            group.addTask { await self.followSignals(reconciler) }
            // The first to end ends all: a signal, or a failure.
            var ended = try await group.next()
            SystemdNotification.send("STOPPING=1")
            // Requests that are being answered need the other parts: these end afterwards.
            await requests.triggerGracefulShutdown()
            while ended != nil, ended != .requests { ended = try await group.next() }
            group.cancelAll()
            while true {
                do {
                    guard try await group.next() != nil else { break }
                } catch is CancellationError {
                    continue
                }
            }
        }
    }

    /// Where the server listens, once it does.
    private final class BoundAddress: Sendable {
        let value = Mutex<APIServer.Address?>(nil)
    }

    /// What runs side by side while the service does.
    private enum Part {
        case requests, other
    }

    /// Runs a server so that it can be asked to finish: streams end, requests get a moment for their answers.
    private func gracefully(_ server: APIServer) -> ServiceGroup {
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        var configuration = ServiceGroupConfiguration(services: [server], logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(2)
        return ServiceGroup(configuration: configuration)
    }

    private func cannotListen(_ error: IOError) -> CommandError {
        let reason = String(cString: strerror(error.errnoCode))
        let advice = "stop what uses it, or choose another address with --listen"
        return CommandError("cannot listen on \(address.host):\(address.port): \(reason); \(advice)")
    }

    /// Without its directory the service would acknowledge what is lost: it has its files open, but nobody finds them.
    ///
    /// - Throws: when the directory was removed.
    private func watchDirectory() async throws -> Part {
        while true {
            try await clock.sleep(for: .seconds(2))
            guard access("\(directory)/store.db", F_OK) != 0, errno == ENOENT else { continue }
            throw CommandError(
                "the data directory \(directory) was removed while it was in use; its pods end by themselves")
        }
    }

    /// Answers when the service is to stop.
    private func followSignals(_ reconciler: Reconciler) async -> Part {
        for await signal in await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup) {
            if signal == .sighup {
                logger.info("asking Git about every application")
                await reconciler.refreshAll()
                continue
            }
            logger.info("stopping\(options.stopPods ? " with all pods" : "; pods keep running"); again to end at once")
            Self.endAtNextSignal()
            break
        }
        return .other
    }

    /// Whoever asks a second time does not want to wait. Nothing is lost: what was acknowledged is on the disk.
    private static func endAtNextSignal() {
        for number in [SIGTERM, SIGINT] {
            // In the place of the first signal's handler, which only passed it on.
            signal(number) { _exit(128 + $0) }
        }
    }

    /// - Parameter address: where the server listens; one that has a name is on this machine.
    private func publish(_ address: APIServer.Address, _ engine: Engine) async {
        let host = address.reachable.host
        let isAddress = host.contains(":") || host.allSatisfy { $0 == "." || $0.isNumber }
        do throws(APIError) {
            try await engine.publish(server: isAddress ? host : "127.0.0.1", port: address.port)
        } catch {
            logger.warning("the Service kubernetes does not say where the API is: \(error)")
        }
    }

    private func announce(_ address: APIServer.Address, _ identity: ServerIdentity, isIdle: Bool) {
        writeKubeconfig(address, identity)
        logger.notice("ready on https://\(address); kubectl --kubeconfig \(directory)/kubeconfig get pods")
        if isIdle {
            logger.notice(
                """
                there is no Application yet: stop and follow a repository with \
                'martlet serve --repo URL --path FOLDER', or add one with \
                'kubectl --kubeconfig \(directory)/kubeconfig apply -f FILE', for example examples-repo/apps/web.yaml
                """)
        }
        SystemdNotification.send("READY=1")
    }

    private func writeKubeconfig(_ address: APIServer.Address, _ identity: ServerIdentity) {
        do {
            try KubeconfigFile.write(
                server: "https://\(address.reachable)", authority: identity.authority, token: identity.token,
                to: "\(directory)/kubeconfig")
        } catch {
            logger.error("\(error)")
        }
    }

    // MARK: - Parts

    private static let blockKey = "address-block"

    /// The same addresses as last time, since pods that run on have them.
    private func claimAddresses(_ store: Store) async throws -> AddressBlock {
        let kept = store.metadata(Self.blockKey)?.first
        if let block = AddressBlock(preferred: kept, path: directory) {
            if kept != block.number { try await store.setMetadata(Self.blockKey, [block.number]) }
            return block
        }
        guard let kept, try podsRun() else {
            guard let block = AddressBlock(preferred: nil, path: directory) else {
                throw CommandError("every block of loopback addresses (127.16.0.0 to 127.239.0.0) is in use")
            }
            try await store.setMetadata(Self.blockKey, [block.number])
            return block
        }
        throw CommandError(
            "the addresses 127.\(kept).0.0/16 of this data directory are used by another service; stop that one first")
    }

    private func podsRun() throws -> Bool {
        let pods = "\(directory)/pods"
        guard FileManager.default.fileExists(atPath: pods) else { return false }
        return try !FileManager.default.contentsOfDirectory(atPath: pods).isEmpty
    }

    private func makeRuntime() throws -> (runtime: any PodRuntime, simulated: SimulatedRuntime?) {
        switch options.runtime {
        case .process:
            let executable = "/proc/self/exe"
            let configuration = ProcessRuntime.Configuration(
                directory: "\(directory)/pods", executable: executable,
                images: ImageMap(images, executable: executable))
            return (try ProcessRuntime(configuration), nil)
        case .simulated:
            let runtime = SimulatedRuntime(clock: clock)
            return (runtime, runtime)
        }
    }

    private func makeReconciler(_ engine: Engine) -> Reconciler {
        let cluster = engine.cluster
        let source = GitRevisionSource(
            mirrors: Mirrors(
                dataDirectory: directory, settings: TransferSettings(environment: Connection.currentEnvironment),
                logger: logger), logger: logger,
            kinds: { KnownKinds(served: try await cluster.resourceTypes()) },
            credentials: RepositoryCredentials(cluster: cluster).credentials)
        return Reconciler(
            cluster: cluster, clock: clock, source: source, logger: logger,
            interval: DurationText.parse(options.interval) ?? .seconds(60), inertKinds: Catalog.builtIn.inertKinds,
            seed: .random(in: 0 ... .max), sharing: engine.informers)
    }

    private func createApplications(_ cluster: any Cluster) async throws {
        let namespace = Object(viewing: Namespace(named: "martlet").json)
        let writer = WriteOptions(fieldManager: "martlet-serve")
        do {
            _ = try await cluster.create(namespace, options: writer)
        } catch {
            guard error.reason == .alreadyExists else { throw error }
        }
        for application in options.applications() {
            _ = try await cluster.patch(
                application.key, .apply(application.json, force: true), subresource: nil, options: writer)
        }
    }
}
