import Cluster
import Model
import NIOCore
import NIOPosix
import Synchronization

/// The connections a proxy has open: bounded, counted, and closed together when it stops.
final class ProxyConnections: Sendable {
    private let limit: Int
    private let state = Mutex(State())

    private struct State {
        var open: [ObjectIdentifier: any Channel] = [:]
        var statistics = ServiceProxy.Statistics()
        var isStopped = false
    }

    init(limit: Int) {
        self.limit = limit
    }

    var statistics: ServiceProxy.Statistics {
        state.withLock {
            $0.statistics.active = $0.open.count
            return $0.statistics
        }
    }

    /// Whether one more connection may be served; it then counts until it is closed.
    func admit(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let admitted = state.withLock { state in
            guard !state.isStopped, state.open.count < limit else {
                state.statistics.overLimit += 1
                return false
            }
            state.open[id] = channel
            state.statistics.accepted += 1
            return true
        }
        if admitted {
            channel.closeFuture.whenComplete { [self] _ in state.withLock { _ = $0.open.removeValue(forKey: id) } }
        }
        return admitted
    }

    func noteRefused() { state.withLock { $0.statistics.refused += 1 } }
    func noteFailedConnect() { state.withLock { $0.statistics.failedConnects += 1 } }

    func closeAll() -> [any Channel] {
        state.withLock {
            $0.isStopped = true
            return Array($0.open.values)
        }
    }
}

/// One listening socket of the proxy.
final class ProxyListener: Sendable {
    let frontend: ProxyPlan.Endpoint
    private let balancer: Mutex<ProxyBalancer>
    private let connections: ProxyConnections
    private let limits: ServiceProxy.Limits
    private let clock: any WallClock
    private let socket = Mutex<(any Channel)?>(nil)

    init(
        _ plan: ProxyPlan.Listener, connections: ProxyConnections, limits: ServiceProxy.Limits, clock: any WallClock
    ) {
        frontend = plan.frontend
        balancer = Mutex(ProxyBalancer(plan))
        self.connections = connections
        self.limits = limits
        self.clock = clock
    }

    func update(_ plan: ProxyPlan.Listener) {
        balancer.withLock { $0.update(plan) }
    }

    /// Starts to accept connections.
    ///
    /// - Throws: `IOError` when the address or port cannot be had.
    func open(on group: any EventLoopGroup) async throws {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Nothing is read before a backend is connected, so that its bytes can still go to another one.
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [self] channel in
                guard connections.admit(channel) else {
                    channel.closeWithReset()
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ProxyConnector(listener: self))
                }
            }
        let channel = try await bootstrap.bind(host: frontend.address, port: frontend.port).get()
        socket.withLock { $0 = channel }
    }

    /// Stops accepting; connections that stand live on.
    func close() async {
        let channel = socket.withLock { $0.take() }
        do {
            try await channel?.close()
        } catch {
            // Closed already is what was asked for.
        }
    }

    fileprivate func candidates(for channel: any Channel) -> [ProxyPlan.Endpoint] {
        let client = channel.remoteAddress?.ipAddress ?? ""
        let now = clock.now
        return balancer.withLock { Array($0.candidates(for: client, at: now).prefix(limits.connectAttempts)) }
    }

    fileprivate func connected(_ channel: any Channel, to backend: ProxyPlan.Endpoint) {
        let client = channel.remoteAddress?.ipAddress ?? ""
        let now = clock.now
        balancer.withLock { $0.connected(client, to: backend, at: now) }
    }

    /// Finds a backend for an accepted connection and then makes way for the relay.
    private final class ProxyConnector: ChannelInboundHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer

        private let listener: ProxyListener
        /// What the client said before a backend was there: NIO reads a socket dry, also unasked, when its client has
        /// ended its side. At most what the kernel held for the socket.
        private var early: [ByteBuffer] = []
        private var hasClientEnded = false

        init(listener: ProxyListener) {
            self.listener = listener
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            early.append(unwrapInboundIn(data))
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed = event {
                hasClientEnded = true
            } else {
                context.fireUserInboundEventTriggered(event)
            }
        }

        /// Tells the relay what was said before it was there.
        private func handOver(_ context: ChannelHandlerContext) {
            for buffer in early { context.fireChannelRead(wrapInboundOut(buffer)) }
            if !early.isEmpty { context.fireChannelReadComplete() }
            if hasClientEnded { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        }

        func channelActive(context: ChannelHandlerContext) {
            connect(context, to: listener.candidates(for: context.channel)[...])
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        /// Nothing was sent yet, so a backend that does not answer costs no request: the next one is tried.
        private func connect(_ context: ChannelHandlerContext, to candidates: ArraySlice<ProxyPlan.Endpoint>) {
            guard let backend = candidates.first else {
                listener.connections.noteRefused()
                context.channel.closeWithReset()
                return
            }
            let address: SocketAddress
            do {
                address = try SocketAddress(ipAddress: backend.address, port: backend.port)
            } catch {
                connect(context, to: candidates.dropFirst())
                return
            }
            ClientBootstrap(group: context.eventLoop)
                .connectTimeout(listener.limits.connectTimeout)
                .channelOption(.autoRead, value: false)
                .channelOption(.allowRemoteHalfClosure, value: true)
                .connect(to: address)
                .assumeIsolated()
                .whenComplete { result in
                    switch result {
                    case .success(let channel):
                        self.listener.connected(context.channel, to: backend)
                        self.join(context, channel)
                    case .failure:
                        self.listener.connections.noteFailedConnect()
                        guard context.channel.isActive else { return }
                        self.connect(context, to: candidates.dropFirst())
                    }
                }
        }

        private func join(_ context: ChannelHandlerContext, _ backend: any Channel) {
            let client = context.channel
            guard client.isActive, backend.isActive else {
                backend.close(promise: nil)
                client.closeWithReset()
                return
            }
            let (clientEnd, backendEnd) = ProxyRelay.pair(halfClosedLimit: listener.limits.halfClosedSilence)
            do {
                try backend.pipeline.syncOperations.addHandler(backendEnd)
                try client.pipeline.syncOperations.addHandler(clientEnd)
                handOver(context)
                context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
                try backend.syncOptions?.setOption(.autoRead, value: true)
                try client.syncOptions?.setOption(.autoRead, value: true)
            } catch {
                backend.close(promise: nil)
                client.close(promise: nil)
            }
        }
    }
}
