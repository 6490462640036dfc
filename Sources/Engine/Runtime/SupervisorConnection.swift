internal import Model
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The service's end of a pod's supervisor: a copy of what it knows, kept current, and requests with their answers.
final class SupervisorConnection: Sendable {
    private struct State {
        var records: [ContainerID: ContainerRecord] = [:]
        var isOpen = true
        var sequence = 0
        var waiting: [Int: EventLoopPromise<SupervisorMessage>] = [:]
    }

    private let state = Mutex(State())
    private let channel: Mutex<(any Channel)?> = Mutex(nil)
    private let onChange: @Sendable () -> Void

    private init(onChange: @escaping @Sendable () -> Void) {
        self.onChange = onChange
    }

    /// Connects to the socket and asks for the state of all containers.
    static func connect(
        to path: String, onChange: @escaping @Sendable () -> Void
    ) async throws -> SupervisorConnection {
        let connection = SupervisorConnection(onChange: onChange)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        ByteToMessageHandler(SupervisorFrameDecoder()), SupervisorHandler(connection: connection),
                    ])
                }
            }
            .connect(unixDomainSocketPath: path).get()
        connection.channel.withLock { $0 = channel }
        _ = try await connection.request(SupervisorMessage("status"))
        return connection
    }

    /// All that is known of the pod's containers; `nil` when the supervisor is gone.
    var records: [ContainerRecord]? {
        state.withLock { $0.isOpen ? $0.records.values.sorted { $0.id < $1.id } : nil }
    }

    /// Sends a request and waits for its answer.
    func request(_ message: SupervisorMessage) async throws(RuntimeError) -> SupervisorMessage {
        guard let channel = channel.withLock({ $0 }) else { throw Self.gone }
        let promise = channel.eventLoop.makePromise(of: SupervisorMessage.self)
        let sequence: Int? = state.withLock { state in
            guard state.isOpen else { return nil }
            state.sequence += 1
            state.waiting[state.sequence] = promise
            return state.sequence
        }
        guard let sequence else {
            promise.fail(Self.gone)
            throw Self.gone
        }
        let payload = message.encoded(sequence: sequence)
        var buffer = channel.allocator.buffer(capacity: payload.count + 4)
        buffer.writeInteger(UInt32(payload.count), endianness: .little)
        buffer.writeBytes(payload)
        if payload.count > SupervisorMessage.limit {
            let error = RuntimeError(.start, "command, arguments and environment are longer than 4 MiB together")
            take(sequence)?.fail(error)
        } else {
            channel.writeAndFlush(buffer, promise: nil)
        }
        do {
            return try await promise.futureResult.get()
        } catch let error as RuntimeError {
            throw error
        } catch {
            throw Self.gone
        }
    }

    func close() async {
        guard let channel = channel.withLock({ $0 }) else { return }
        // It may be closed already, which is what is wanted.
        try? await channel.close().get()
    }

    static let gone = RuntimeError(.noSandbox, "the pod's supervisor is gone")

    private func take(_ sequence: Int) -> EventLoopPromise<SupervisorMessage>? {
        state.withLock { $0.waiting.removeValue(forKey: sequence) }
    }

    func received(_ message: SupervisorMessage) {
        if let record = message.record {
            state.withLock { state in
                state.records[record.id] = record
                // The supervisor remembers two attempts of each container, and so is enough here.
                let outdated = state.records.keys.filter {
                    $0.name == record.id.name && $0.attempt < record.id.attempt - 1
                }
                for id in outdated { state.records[id] = nil }
            }
            onChange()
        } else if let sequence = message["seq"].flatMap({ Int($0) }) {
            take(sequence)?.succeed(message)
        }
    }

    func closed() {
        let waiting = state.withLock { state in
            state.isOpen = false
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for promise in waiting { promise.fail(Self.gone) }
        onChange()
    }
}

private final class SupervisorHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: SupervisorConnection

    init(connection: SupervisorConnection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.received(SupervisorMessage(decoding: unwrapInboundIn(data).readableBytesView))
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.closed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
