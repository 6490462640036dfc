import AsyncHTTPClient
import Cluster
import Glibc
import Logging
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Sends requests to one server: credentials, TLS, retries, and errors out of what it answers.
final class Transport: Sendable {
    let server: String
    /// Where requests go: `server`, under the name that its certificate must have.
    private let url: String
    /// What `server` calls itself, where `url` has another name.
    private let hostHeader: String?
    private let credentials: ClusterAccess.Credentials
    private let client: HTTPClient
    private let clock: any WallClock
    private let limits: KubernetesClient.Limits
    private let logger: Logger
    private let userAgent: String

    init(
        _ access: ClusterAccess, clock: any WallClock, limits: KubernetesClient.Limits, logger: Logger,
        userAgent: String
    ) throws(APIError) {
        server = access.server
        credentials = access.credentials
        self.clock = clock
        self.limits = limits
        self.logger = logger
        self.userAgent = userAgent
        var configuration = HTTPClient.Configuration()
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: .nanoseconds(limits.connect.wholeNanoseconds))
        configuration.redirectConfiguration = .disallow
        // A server on this machine that is not there is told at once, not after seconds of trying.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Watches keep their connections; other requests must still find room.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.httpVersion = .http1Only
        if access.server.hasPrefix("https://") {
            configuration.tlsConfiguration = try Self.tlsConfiguration(access)
        }
        if access.server.hasPrefix("https://"), let name = access.serverName {
            let authority = access.server.dropFirst("https://".count).prefix { $0 != "/" }
            let (host, port) = Self.hostAndPort(authority)
            // The client verifies the name in the URL, and connects to what stands for that name here.
            configuration.dnsOverride = [name: host]
            url = "https://" + name + port + access.server.dropFirst("https://".count + authority.count)
            hostHeader = String(authority)
        } else {
            url = access.server
            hostHeader = nil
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async throws { try await client.shutdown() }

    deinit {
        // Nobody holds the client any more: its connections are closed; after `shutdown()` this finds nothing to do.
        client.shutdown { _ in }
    }

    /// `127.0.0.1` and `:6443`; of `[::1]:6443` the address without its brackets.
    private static func hostAndPort(_ authority: Substring) -> (host: String, port: String) {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return (
                String(authority[authority.index(after: authority.startIndex)..<end]),
                String(authority[end...].dropFirst())
            )
        }
        let host = authority.prefix { $0 != ":" }
        return (String(host), String(authority[host.endIndex...]))
    }

    private static func tlsConfiguration(_ access: ClusterAccess) throws(APIError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if access.skipsCertificateVerification { configuration.certificateVerification = .none }
        do {
            if let authority = access.certificateAuthority {
                configuration.trustRoots = .certificates(
                    try NIOSSLCertificate.fromPEMBytes(try bytes(of: authority)))
            }
            if case .certificate(let certificate, let key) = access.credentials {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(try bytes(of: certificate))
                    .map { .certificate($0) }
                configuration.privateKey = .privateKey(
                    try NIOSSLPrivateKey(bytes: try bytes(of: key), format: .pem))
            }
        } catch let error as APIError {
            throw error
        } catch {
            throw APIError(
                .serviceUnavailable, "the certificates for \(access.server) cannot be used: \(error)")
        }
        return configuration
    }

    private static func bytes(of source: ClusterAccess.Source) throws(APIError) -> [UInt8] {
        switch source {
        case .data(let bytes): bytes
        case .file(let path): try TextFile.read(path)
        }
    }

    // MARK: Requests

    /// - Throws: what the server says in a Status; `.serviceUnavailable` when it cannot be reached.
    func send(
        _ method: HTTPMethod, _ path: String, body: [UInt8]? = nil, contentType: String = "application/json"
    ) async throws(APIError) -> JSON {
        let request = try request(method, path, body: body, contentType: contentType)
        let (status, bytes) = try await attempt(method) { () throws(APIError) in
            do {
                let response = try await self.client.execute(
                    request, timeout: .nanoseconds(self.limits.request.wholeNanoseconds))
                let buffer = try await response.body.collect(upTo: self.limits.body)
                let bytes = Array(buffer: buffer)
                try Self.check(response.status, response.headers, bytes, self.server)
                return (response.status, bytes)
            } catch {
                throw self.explain(error)
            }
        }
        do {
            return try JSON(decoding: bytes)
        } catch {
            throw APIError(.internalError, "\(server) answered \(status.code) with a body that is no JSON: \(error)")
        }
    }

    /// A body that comes piece by piece, for as long as it is read.
    func stream(_ path: String) async throws(APIError) -> HTTPClientResponse.Body {
        let request = try request(.GET, path, body: nil, contentType: "")
        return try await attempt(.GET) { () throws(APIError) in
            do {
                // The deadline would end the stream, too.
                let response = try await self.client.execute(request, deadline: .distantFuture)
                guard response.status != .ok else { return response.body }
                let bytes = Array(buffer: try await response.body.collect(upTo: 1 << 20))
                try Self.check(response.status, response.headers, bytes, self.server)
                return response.body
            } catch {
                throw self.explain(error)
            }
        }
    }

    private func request(
        _ method: HTTPMethod, _ path: String, body: [UInt8]?, contentType: String
    ) throws(APIError) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url + path)
        request.method = method
        if let hostHeader { request.headers.add(name: "host", value: hostHeader) }
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: userAgent)
        switch credentials {
        case .none, .certificate: break
        case .token(let token): request.headers.add(name: "authorization", value: "Bearer \(token)")
        case .tokenFile(let path):
            let token = String(decoding: try TextFile.read(path), as: UTF8.self).filter { !$0.isWhitespace }
            request.headers.add(name: "authorization", value: "Bearer \(token)")
        case .basic(let user, let password):
            let pair = Base64.encode("\(user):\(password)".utf8)
            request.headers.add(name: "authorization", value: "Basic \(pair)")
        }
        if let body {
            request.headers.add(name: "content-type", value: contentType)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        return request
    }

    /// Runs a request; again after a pause where that is safe and may help.
    private func attempt<Value: Sendable>(
        _ method: HTTPMethod, _ work: () async throws(APIError) -> Value
    ) async throws(APIError) -> Value {
        var backoff = limits.firstBackoff
        for attempt in 1... {
            let failure: APIError
            do throws(APIError) {
                return try await work()
            } catch {
                failure = error
            }
            // The server has not begun with what it answers 429 or 503; a broken connection says nothing, so only what
            // changes nothing is sent again.
            let asksForPatience =
                failure.details.retryAfterSeconds != nil
                && [.tooManyRequests, .serviceUnavailable].contains(failure.reason)
            let isBroken = failure.details.causes.contains { $0.reason == Self.brokenConnection }
            guard attempt < limits.attempts, asksForPatience || (isBroken && method == .GET) else { throw failure }
            let pause = failure.details.retryAfterSeconds.map { min(.seconds($0), limits.longestPause) } ?? backoff
            backoff = backoff * 2
            logger.debug("\(method) is tried again in \(pause): \(failure)")
            do {
                try await clock.sleep(for: pause)
            } catch {
                throw failure
            }
        }
        preconditionFailure("the loop ends by returning or throwing")
    }

    /// The cause by which a broken connection is known.
    static let brokenConnection = "ConnectionBroken"

    private static func check(
        _ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ body: [UInt8], _ server: String
    ) throws(APIError) {
        guard !(200..<300).contains(status.code) else { return }
        var error: APIError
        do {
            let json = try JSON(decoding: body)
            guard json["kind"] == "Status" else { throw NoStatus() }
            error = APIError(status: json)
        } catch {
            // Not every error comes as a Status: unknown paths (A16), overload, proxies in between.
            let text = String(decoding: body.prefix(512), as: UTF8.self).split(separator: "\n").first ?? ""
            throw APIError(status: [
                "code": .int(Int64(status.code)),
                "message": .string("\(server) answered \(status.code) \(status.reasonPhrase): \(text)"),
            ]).retrying(after: headers.first(name: "retry-after"))
        }
        error = error.retrying(after: headers.first(name: "retry-after"))
        throw error
    }

    private struct NoStatus: Error {}

    private func explain(_ error: any Error) -> APIError {
        switch error {
        case let error as APIError: error
        case let error as NIOTooManyBytesError:
            APIError(.internalError, "\(server) answered with more than \(error.maxBytes ?? limits.body) bytes")
        default: TLSFailure.explain(error, server: server) ?? unreachable(error)
        }
    }

    /// What a failed connection means to the user.
    private func unreachable(_ error: any Error) -> APIError {
        if error is CancellationError { return APIError(.timeout, "the request to \(server) was cancelled") }
        var cause = "\(error)"
        var isBroken = false
        switch error {
        case let error as HTTPClientError:
            switch error {
            case .remoteConnectionClosed: (cause, isBroken) = ("the connection was closed", true)
            case .connectTimeout, .deadlineExceeded, .readTimeout: cause = "no answer in time"
            case .cancelled: return APIError(.timeout, "the request to \(server) was cancelled")
            default: cause = error.shortDescription
            }
        case let error as NIOConnectionError:
            cause = error.connectionErrors.first.map { Self.reason($0.error) } ?? "no address could be reached"
        case let error as IOError:
            isBroken = [ECONNRESET, EPIPE].contains(error.errnoCode)
            cause = Self.reason(error)
        // A kept connection that the server had closed just before it was used.
        case ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed, ChannelError.eof:
            (cause, isBroken) = ("the connection was closed", true)
        default: break
        }
        var failure = APIError(
            .serviceUnavailable,
            "cannot reach the cluster at \(server): \(cause). Is it running? Start one with `martlet serve`, or name another "
                + "with --data-dir or --kubeconfig")
        if isBroken {
            failure.details.causes = [APIError.Cause(reason: Self.brokenConnection, message: cause, field: "")]
        }
        return failure
    }

    /// What the system says, without the calls that led to it.
    private static func reason(_ error: any Error) -> String {
        guard let error = error as? IOError else { return "\(error)" }
        return String(cString: strerror(error.errnoCode))
    }
}

extension APIError {
    fileprivate func retrying(after header: String?) -> APIError {
        guard details.retryAfterSeconds == nil, let seconds = header.flatMap({ Int($0) }), seconds >= 0 else {
            return self
        }
        var error = self
        error.details.retryAfterSeconds = seconds
        return error
    }
}
