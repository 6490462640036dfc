import HTTPTypes
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP2
import NIOSSL
import ServiceLifecycle
import Synchronization

/// HTTP/2 and HTTP/1.1 over TLS, and nothing else: who speaks plain HTTP is told so.
struct SecureChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        fileprivate typealias Version = NIONegotiatedHTTPVersion<HTTP1Connection.Value, HTTP2Connection>

        fileprivate struct HTTP2Connection {
            let channel: HTTP2Channel
            let value: HTTP2Channel.Value
        }

        fileprivate let version: EventLoopFuture<Version>
        fileprivate let certificates: PeerCertificates
        let channel: any Channel
    }

    /// How long a client may take until TLS stands.
    private static let handshakeLimit = TimeAmount.seconds(10)
    /// How long a connection is kept on which nothing is asked, and a request may stand still while it is read.
    private static let idleLimit = Duration.seconds(90)

    private let stopping = Stopping()
    private let context: NIOSSLContext
    private let responder: APIResponder
    private let http1: HTTP1Connection

    init(_ identity: ServerIdentity, _ responder: APIResponder) throws {
        context = try NIOSSLContext(configuration: identity.tlsConfiguration)
        self.responder = responder
        http1 = HTTP1Connection(responder: responder, idleLimit: TimeAmount(Self.idleLimit))
    }

    /// The HTTP/2 layer of one connection, whose requests come with what the client showed for itself.
    private func http2(_ certificates: PeerCertificates) -> HTTP2Channel {
        HTTP2Channel(
            responder: { [responder] request, writer, _ in
                try await responder.respond(to: request, certificates, writer)
            },
            configuration: HTTP2ChannelConfiguration(
                idleTimeout: Self.idleLimit, gracefulCloseTimeout: .seconds(2),
                streamConfiguration: HTTP1Channel.Configuration(idleTimeout: TimeAmount(Self.idleLimit))))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let certificates = PeerCertificates()
        return channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(PlainTextRefusal())
            // Whom a certificate stands for is judged with the request (J1), which can be answered; a handshake cannot.
            try pipeline.addHandler(
                NIOSSLServerHandler(
                    context: context,
                    customVerificationCallback: { shown, promise in
                        certificates.keep(shown)
                        promise.succeed(.certificateVerified)
                    }, configuration: .init()), name: PromptEnd.tls)
            try pipeline.addHandler(PromptEnd(stopping))
            try pipeline.addHandler(HandshakeDeadline(Self.handshakeLimit))
        }.flatMap {
            channel.configureHTTP2AsyncSecureUpgrade { channel in
                http1.setup(channel: channel)
            } http2ConnectionInitializer: { channel in
                let http2 = http2(certificates)
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FlushBeforeClose())
                }.flatMap { http2.setup(channel: channel, logger: logger) }
                    .map { Value.HTTP2Connection(channel: http2, value: $0) }
            }
        }.map { Value(version: $0, certificates: certificates, channel: channel) }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await withGracefulShutdownHandler {
                await answer(value, logger: logger)
            } onGracefulShutdown: { [stopping] in
                stopping.isTrue.store(true, ordering: .relaxed)
            }
        }
    }

    private func answer(_ value: Value, logger: Logger) async {
        // TLS cannot close one direction alone, which is how the HTTP layer ends a cancelled connection.
        await withTaskCancellationHandler {
            do {
                switch try await value.version.get() {
                case .http1_1(let channel):
                    await http1.answerRequests(of: channel, value.certificates, logger: logger)
                case .http2(let connection):
                    await connection.channel.handle(value: connection.value, logger: logger)
                }
            } catch {
                logger.debug("no connection came about: \(error)")
            }
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }
}
