package import Cluster
import Glibc
package import Kinds
package import Logging
import Model
package import NIOCore
import NIOPosix
import Synchronization

/// Forwards TCP connections from Services' addresses to their ready endpoints, in user space.
///
/// It executes `ProxyPlan`: listeners come and go without disturbing others; a connection, once made, lives until one
/// of its sides ends it, also while its pod terminates, so that pods that drain properly lose no request.
package final class ServiceProxy: Sendable {
    package struct Limits: Sendable {
        /// Connections open at once; more are reset.
        package var connections = 16_384
        /// Backends tried for one connection.
        package var connectAttempts = 8
        package var connectTimeout = TimeAmount.seconds(2)
        /// Silence after which a half-closed connection is given up.
        package var halfClosedSilence = TimeAmount.minutes(5)
        /// The first and the longest wait before a failed bind is tried again.
        package var bindRetry: (first: Duration, longest: Duration) = (.seconds(1), .seconds(30))

        package init() {}
    }

    package struct Statistics: Hashable, Sendable {
        package var active = 0
        package var accepted = 0
        /// Connections reset since there was no endpoint, or none could be reached.
        package var refused = 0
        /// Connections reset since too many were open.
        package var overLimit = 0
        package var failedConnects = 0
    }

    /// The objects a plan is made from.
    package struct Snapshot: Sendable {
        package var services: [Service]
        package var slices: [EndpointSlice]

        package init(services: [Service], slices: [EndpointSlice]) {
            self.services = services
            self.slices = slices
        }
    }

    private let cluster: any Cluster
    private let events: EventRecorder
    private let clock: any WallClock
    private let options: ProxyPlan.Options
    private let limits: Limits
    private let group: any EventLoopGroup
    private let logger: Logger
    private let connections: ProxyConnections
    private let latest = Mutex<Snapshot?>(nil)
    private let listening = Mutex<Set<ProxyPlan.Endpoint>>([])

    /// - Parameter group: where connections live; two event loops carry more than one machine's pods can answer.
    package init(
        cluster: any Cluster, clock: any WallClock, options: ProxyPlan.Options = ProxyPlan.Options(),
        limits: Limits = Limits(), group: any EventLoopGroup, logger: Logger
    ) {
        self.cluster = cluster
        events = EventRecorder(component: "service-proxy", cluster: cluster, clock: clock)
        self.clock = clock
        self.options = options
        self.limits = limits
        self.group = group
        self.logger = logger
        connections = ProxyConnections(limit: limits.connections)
    }

    package var statistics: Statistics { connections.statistics }

    /// The addresses that accept connections now.
    package var frontends: Set<ProxyPlan.Endpoint> { listening.withLock { $0 } }

    /// Follows the cluster's Services and EndpointSlices until the task is cancelled; then closes every socket.
    package func run() async throws {
        let services = Informer(ListQuery(Service.kind.groupKind), of: cluster, clock: clock)
        let slices = Informer(ListQuery(EndpointSlice.kind.groupKind), of: cluster, clock: clock)
        let changed = Signal()
        services.onChange { _ in changed.raise() }
        slices.onChange { _ in changed.raise() }
        changed.raise()
        let (snapshots, continuation) = AsyncStream.makeStream(of: Snapshot.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await services.run() }
            tasks.addTask { try await slices.run() }
            tasks.addTask { [self] in await run(snapshots) }
            tasks.addTask {
                // Before both are known, Services would seem to have no endpoints.
                try await services.waitForSync()
                try await slices.waitForSync()
                while true {
                    await changed.wait()
                    try Task.checkCancellation()
                    continuation.yield(Snapshot(services: services.all(), slices: slices.all()))
                }
            }
            try await tasks.waitForAll()
        }
    }

    /// Follows `snapshots` until they end or the task is cancelled; then closes every socket.
    package func run(_ snapshots: AsyncStream<Snapshot>) async {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { [events] in
                do {
                    try await events.run()
                } catch {
                    // Cancelled: the proxy stops.
                }
            }
            tasks.addTask { [self] in
                for await snapshot in snapshots {
                    latest.withLock { $0 = snapshot }
                    wake.yield()
                }
                wake.finish()
            }
            var executor = Executor(proxy: self)
            var alarm: Timestamp?
            for await _ in wakes {
                guard let snapshot = latest.withLock({ $0 }) else { continue }
                await executor.execute(
                    ProxyPlan(services: snapshot.services, slices: snapshot.slices, options: options))
                if let due = alarm, due <= clock.now { alarm = nil }
                guard let retry = executor.nextRetry, alarm.map({ retry < $0 }) ?? true else { continue }
                alarm = retry
                tasks.addTask { [clock] in
                    do {
                        // Nobody tells when a port becomes free: it is tried again then.
                        try await clock.sleep(until: retry)
                        wake.yield()
                    } catch {
                        // Cancelled: the proxy stops.
                    }
                }
            }
            await executor.stop()
            tasks.cancelAll()
        }
    }
}

extension ServiceProxy {
    /// The listeners that stand, and the binds that wait for another try.
    private struct Executor {
        let proxy: ServiceProxy
        var active: [ProxyPlan.Endpoint: ProxyListener] = [:]
        var waiting: [ProxyPlan.Endpoint: Wait] = [:]
        var reported: Set<ProxyPlan.Fault> = []
        /// When a status that could not be written is written again.
        var publishAgainAt: Timestamp?

        struct Wait {
            var until: Timestamp
            var delay: Duration
        }

        var nextRetry: Timestamp? { (waiting.values.map(\.until) + [publishAgainAt].compactMap(\.self)).min() }

        mutating func execute(_ plan: ProxyPlan) async {
            let desired = Set(plan.listeners.map(\.frontend))
            for (frontend, listener) in active where !desired.contains(frontend) {
                await listener.close()
                active[frontend] = nil
            }
            waiting = waiting.filter { desired.contains($0.key) }
            var faults = plan.faults
            for listener in plan.listeners {
                if let standing = active[listener.frontend] {
                    standing.update(listener)
                } else if let fault = await open(listener) {
                    faults.append(fault)
                }
            }
            proxy.listening.withLock { $0 = Set(active.keys) }
            await publish(plan.loadBalancers)
            // A fault that is gone may be told again when it returns.
            let known = reported
            let waitingFaults = reported.filter { fault in
                fault.reason == "FailedToListen" && waiting.keys.contains { fault.message.contains("\($0):") }
            }
            reported = waitingFaults.union(faults)
            for fault in faults where !known.contains(fault) { proxy.report(fault) }
        }

        /// Tells in the Services' status which load balancers are up. A Service is told at most once for each change.
        private mutating func publish(_ loadBalancers: [ProxyPlan.LoadBalancer]) async {
            publishAgainAt = nil
            let listening = Set(active.keys)
            for balancer in loadBalancers {
                let addresses = balancer.addresses(listening: listening)
                if addresses == balancer.published { continue }
                if await !proxy.publish(addresses, of: balancer.service) {
                    publishAgainAt = proxy.clock.now + proxy.limits.bindRetry.longest
                }
            }
        }

        private mutating func open(_ listener: ProxyPlan.Listener) async -> ProxyPlan.Fault? {
            let frontend = listener.frontend
            let now = proxy.clock.now
            if let wait = waiting[frontend], wait.until > now { return nil }
            let socket = ProxyListener(
                listener, connections: proxy.connections, limits: proxy.limits, clock: proxy.clock)
            do {
                try await socket.open(on: proxy.group)
                active[frontend] = socket
                waiting[frontend] = nil
                return nil
            } catch {
                let delay = waiting[frontend].map { min($0.delay * 2, proxy.limits.bindRetry.longest) }
                let wait = delay ?? proxy.limits.bindRetry.first
                waiting[frontend] = Wait(until: now + wait, delay: wait)
                return ProxyPlan.Fault(
                    service: listener.service, reason: "FailedToListen",
                    message: ServiceProxy.explain(error, listeningOn: frontend))
            }
        }

        mutating func stop() async {
            for listener in active.values { await listener.close() }
            active = [:]
            proxy.listening.withLock { $0 = [] }
            for channel in proxy.connections.closeAll() {
                do {
                    try await channel.close()
                } catch {
                    // Closed by its client meanwhile.
                }
            }
        }
    }

    /// What is wrong, and what would help.
    package static func explain(_ error: any Error, listeningOn frontend: ProxyPlan.Endpoint) -> String {
        let prefix = "cannot listen on \(frontend): "
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            return prefix + "the port is taken by another process; end that or choose another port; it is tried again"
        case EACCES, EPERM:
            return prefix + "permission denied: ports below net.ipv4.ip_unprivileged_port_start need root or "
                + "CAP_NET_BIND_SERVICE; choose a port from 1024 up, or run "
                + "sysctl net.ipv4.ip_unprivileged_port_start=\(frontend.port); it is tried again"
        case EADDRNOTAVAIL: return prefix + "this machine has no such address; it is tried again"
        default: return prefix + "\(error); it is tried again"
        }
    }

    /// Writes the addresses of a Service's load balancer into its status; none takes them away.
    ///
    /// - Returns: whether there is nothing more to do.
    private func publish(_ addresses: [String], of service: ProxyPlan.ServiceReference) async -> Bool {
        let ingress = addresses.map { address -> JSON in ["ip": .string(address), "ipMode": "VIP"] }
        let patch: JSON = [
            "metadata": ["uid": .string(service.uid)],
            "status": ["loadBalancer": ["ingress": ingress.isEmpty ? .null : .array(ingress)]],
        ]
        do throws(APIError) {
            _ = try await cluster.patch(
                Service.key(service.name, in: service.namespace), .merge(patch), subresource: .status,
                options: WriteOptions(fieldManager: "service-proxy"))
            return true
        } catch {
            // Gone, or another one of its name: the next snapshot knows it.
            if error.reason == .notFound || error.reason == .conflict { return true }
            logger.warning(
                "cannot publish the address of a load balancer: \(error)",
                metadata: ["service": "\(service.namespace)/\(service.name)"])
            return false
        }
    }

    /// Says on the Service what it does not get.
    private func report(_ fault: ProxyPlan.Fault) {
        logger.warning(
            "\(fault.message)",
            metadata: ["service": "\(fault.service.namespace)/\(fault.service.name)", "reason": "\(fault.reason)"])
        var service = Service(named: fault.service.name, in: fault.service.namespace)
        service.metadata.uid = fault.service.uid
        events.record(.warning, reason: fault.reason, message: fault.message, about: service)
    }
}
