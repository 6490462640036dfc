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
        fileprivate typealias Version = NIONegotiatedHTTPVersion<HTTP1Channel.Value, HTTP2Channel.Value>

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
    private let http1: HTTP1Channel
    private let http2: HTTP2Channel

    init(_ identity: ServerIdentity, responder: @escaping HTTPChannelHandler.Responder) throws {
        context = try NIOSSLContext(configuration: identity.tlsConfiguration)
        let requests = HTTP1Channel.Configuration(idleTimeout: TimeAmount(Self.idleLimit))
        http1 = HTTP1Channel(responder: Self.lettingContinue(responder), configuration: requests)
        http2 = HTTP2Channel(
            responder: responder,
            configuration: HTTP2ChannelConfiguration(
                idleTimeout: Self.idleLimit, gracefulCloseTimeout: .seconds(2), streamConfiguration: requests))
    }

    /// Tells a client over HTTP/1.1 that asks first (`Expect: 100-continue`, RFC 9110, 10.1.1) to send its body, when
    /// its turn has come: `curl` waits a second otherwise.
    private static func lettingContinue(
        _ responder: @escaping HTTPChannelHandler.Responder
    ) -> HTTPChannelHandler.Responder {
        { request, writer, channel in
            if request.headers[.expect]?.lowercased() == "100-continue" {
                try await writer.writeInformationalHead(HTTPResponse(status: .continue))
            }
            try await responder(request, writer, channel)
        }
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
                http1.setup(channel: channel, logger: logger)
            } http2ConnectionInitializer: { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FlushBeforeClose())
                }.flatMap { http2.setup(channel: channel, logger: logger) }
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
                    await Connection.$current.withValue(Connection(certificates: value.certificates, isHTTP2: false)) {
                        await http1.handle(value: channel, logger: logger)
                    }
                case .http2(let channel):
                    await Connection.$current.withValue(Connection(certificates: value.certificates, isHTTP2: true)) {
                        await http2.handle(value: channel, logger: logger)
                    }
                }
            } catch {
                logger.debug("no connection came about: \(error)")
            }
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }
}

/// What is known of the connection on which a request came.
struct Connection: Sendable {
    /// That of the request which is being answered.
    @TaskLocal static var current: Connection?

    let certificates: PeerCertificates
    let isHTTP2: Bool
}
