package import Cluster
import HummingbirdCore
package import Logging
import Model
import NIOCore
import NIOPosix
import ServiceLifecycle

/// One of the things that `/readyz` looks at.
package struct ReadinessCheck: Hashable, Sendable {
    package var name: String
    /// `nil` when it is well; told to the log, not to the client.
    package var failure: String?

    package init(_ name: String, failure: String? = nil) {
        self.name = name
        self.failure = failure
    }
}

/// The Kubernetes HTTP API over any `Cluster`, for `kubectl` and Martlet's own verbs.
///
/// It speaks TLS alone, with the certificate of its identity, and lets in whoever has the identity's token or a
/// certificate that its authority signed. A graceful shutdown ends the watches and the logs that are followed, and lets
/// requests that are being answered finish.
package struct APIServer: ServiceLifecycle.Service {
    /// Where to listen. Port 0 takes a free one.
    package struct Address: Hashable, Sendable, CustomStringConvertible {
        package var host: String
        package var port: Int

        package init(host: String = "127.0.0.1", port: Int) {
            self.host = host
            self.port = port
        }

        /// Where a client on this machine finds a server that listens on every address.
        package var reachable: Address {
            switch host {
            case "0.0.0.0": Address(host: "127.0.0.1", port: port)
            case "::": Address(host: "::1", port: port)
            default: self
            }
        }

        package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    private let address: Address
    private let identity: ServerIdentity
    private let logger: Logger
    private let responder: APIResponder
    private let onListening: @Sendable (Address) async -> Void
    /// Who decides who may do what.
    package let access: any AccessDecider

    /// - Parameters:
    ///   - identity: its certificate, and the token that clients must show for all but health and version.
    ///   - readiness: what `/readyz` answers; asked at each request.
    ///   - onListening: told once connections are accepted, with the port that was taken.
    package init(
        cluster: any Cluster, clock: any WallClock, identity: ServerIdentity, address: Address, logger: Logger,
        readiness: @escaping @Sendable () async -> [ReadinessCheck] = { [] },
        onListening: @escaping @Sendable (Address) async -> Void = { _ in }
    ) {
        self.address = address
        self.identity = identity
        self.logger = logger
        self.onListening = onListening
        let access = Access(
            token: identity.token,
            certificates: ClientCertificates(authority: { identity.authorityCertificate }, clock: clock),
            serviceAccounts: ServiceAccountTokens(identity, cluster: cluster, clock: clock))
        self.access = access
        responder = APIResponder(
            cluster: cluster,
            handler: ResourceHandler(cluster: cluster, clock: clock, reviews: Reviews(access: access)),
            access: access, readiness: readiness, address: address, logger: logger)
    }

    package func run() async throws {
        let host = address.host
        let onListening = self.onListening
        // A request names no secrets, but its log lines would drown the others.
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        let server = Server(
            childChannelSetup: try SecureChannel(identity, responder),
            configuration: ServerConfiguration(address: .hostname(host, port: address.port), backlog: 1024),
            onServerRunning: { channel in
                await onListening(Address(host: host, port: channel.localAddress?.port ?? 0))
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        try await server.run()
    }
}

/// Answers each request: who is it, what does it name, who handles that.
struct APIResponder: Sendable {
    let cluster: any Cluster
    let handler: ResourceHandler
    let access: Access
    let readiness: @Sendable () async -> [ReadinessCheck]
    let address: APIServer.Address
    let logger: Logger
    let documents = DocumentCache()
    let metrics = RequestMetrics()
    private let date = DateHeader()

    init(
        cluster: any Cluster, handler: ResourceHandler, access: Access,
        readiness: @escaping @Sendable () async -> [ReadinessCheck], address: APIServer.Address, logger: Logger
    ) {
        self.cluster = cluster
        self.handler = handler
        self.access = access
        self.readiness = readiness
        self.address = address
        self.logger = logger
    }

    /// What is sent back; counted.
    func answer(to request: IncomingRequest) async -> Answer {
        let target = RequestTarget(method: request.method, target: request.target)
        let measurement = RequestMeasurement(of: target, request.headers, metrics, handler.clock)
        var answer = measurement.counted(await answer(to: request, target))
        answer.headers.append(("Date", date.text(at: handler.clock.now)))
        return answer
    }

    private func answer(to request: IncomingRequest, _ target: RequestTarget) async -> Answer {
        let (path, query, headers) = (target.path, target.query, request.headers)
        do throws(APIError) {
            let sender = try await access.authenticate(
                authorization: headers.authorization, peer: request.certificates)
            let user = try access.impersonated(by: sender, headers)
            logger.trace("\(request.method) \(request.target)", metadata: ["user": "\(user.name)"])
            try access.authorize(user, target.attributes)
            try query.checkReadable()
            var call = APIRequest(
                method: request.method, path: target.text, query: query, user: user,
                accept: headers.accept, contentType: headers.contentType, userAgent: headers.userAgent ?? "",
                ifNoneMatch: headers.ifNoneMatch,
                content: request.content)
            // A GET keeps its body unread: streams watch it to notice that the client went away.
            if call.method != "GET" { call.body = try await Self.body(of: request.content) }
            let encodings = headers.acceptEncoding
            guard path.mayTakeLong(call.method) else { return await answerOrStatus(call, path, encodings) }
            // Off the connection's thread, on which others wait.
            return await withTaskExecutorPreference(globalConcurrentExecutor) {
                await answerOrStatus(call, path, encodings)
            }
        } catch {
            return refusal(error, request.method, target.text, headers.accept)
        }
    }

    /// The answer as it is sent, or the `Status` that says why there is none, with what there is to warn of (C22).
    ///
    /// - Parameter encodings: the header `Accept-Encoding`.
    private func answerOrStatus(_ request: APIRequest, _ path: APIPath, _ encodings: String?) async -> Answer {
        var answer: Answer
        do throws(APIError) {
            answer = try await self.answer(request, path)
        } catch {
            answer = refusal(error, request.method, request.path, request.accept)
        }
        answer.warn(request.warnings.all)
        if request.wantsPrettyPrint { answer = answer.prettyPrinted() }
        return answer.compressed(for: encodings)
    }

    private func refusal(_ error: APIError, _ method: String, _ path: String, _ accept: String?) -> Answer {
        if error.reason == .internalError, !error.isCallersFault {
            logger.error("\(method) \(path): \(error)")
        } else {
            // The client is told; its message may quote what was sent, and that may be a secret.
            logger.debug("\(method) \(path): \(error.reason.code) \(error.reason.rawValue)")
        }
        return Answer(error, accept: accept)
    }

    private static func body(of content: any RequestContent) async throws(APIError) -> [UInt8] {
        do {
            return try await content.collect(upTo: APIRequest.bodyLimit)
        } catch is BodyTooLong {
            throw APIError(.tooLarge, "Request entity too large: limit is \(APIRequest.bodyLimit)")
        } catch {
            throw APIError(.badRequest, "the body of the request could not be read: \(error)")
        }
    }

    private func answer(_ request: APIRequest, _ path: APIPath) async throws(APIError) -> Answer {
        if !path.lastsLong(request.query) { try request.query.checkTimeout() }
        if case .resource(let resource) = path {
            return try await handler.answer(request, resource, types: try await cluster.resourceTypes())
        }
        guard request.method == "GET" || path.answersAnyMethod else {
            throw APIError(.methodNotAllowed, "\(request.method) is not supported on \(request.path)")
        }
        switch path {
        case .health(let endpoint, let check): return await health(endpoint, check, request)
        case .version: return .json(Self.version)
        case .metrics: return metricsAnswer()
        case .issuerConfiguration: return issuer.configurationAnswer()
        case .issuerKeys: return issuer.keysAnswer()
        case .root:
            return .json(documents.discovery(for: try await cluster.resourceTypes()).rootPaths)
        case .resource, .unknown: return .pageNotFound
        default: return try await discovery(request, path)
        }
    }

    private var issuer: IssuerDocuments {
        IssuerDocuments(key: access.serviceAccounts.key, serverAddress: address.reachable.description)
    }

    private func metricsAnswer() -> Answer {
        var text = MetricsText()
        text.add(metrics)
        if let process = ProcessMetrics() { text.add(process) }
        return Answer(code: 200, contentType: MetricsText.contentType, body: .bytes(Array(text.text.utf8)))
    }

    /// A14: the version of Kubernetes whose API this is.
    private static let version: JSON = [
        "major": "1", "minor": "36", "gitVersion": "v1.36.0+martlet", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "swift", "platform": .string(platform),
    ]

    private static var platform: String {
        #if arch(arm64)
            "linux/arm64"
        #else
            "linux/amd64"
        #endif
    }

    /// A15. `exclude` passes over checks by their names.
    private func health(_ endpoint: String, _ check: String?, _ request: APIRequest) async -> Answer {
        var checks = [ReadinessCheck("ping")]
        if endpoint == "readyz" { checks += await readiness() }
        if let check {
            guard let found = checks.first(where: { $0.name == check }) else { return .pageNotFound }
            checks = [found]
        }
        let excluded = Set(check == nil ? request.query.all("exclude") : [])
        var isWell = true
        var lines: [String] = []
        for check in checks {
            if excluded.contains(check.name) {
                lines.append("[+]\(check.name) excluded: ok")
            } else if let failure = check.failure {
                logger.debug("\(endpoint): \(check.name): \(failure)")
                lines.append("[-]\(check.name) failed: reason withheld")
                isWell = false
            } else {
                lines.append("[+]\(check.name) ok")
            }
        }
        guard !isWell || (!request.query.all("verbose").isEmpty && check == nil) else { return .text("ok") }
        let unknown = excluded.subtracting(checks.map(\.name)).sortedByBytes().map { JSON.string($0).text() }
        if !unknown.isEmpty {
            lines.append(
                "warn: some health checks cannot be excluded: no matches for \(unknown.joined(separator: ", "))")
        }
        lines.append("\(endpoint) check \(isWell ? "passed" : "failed")")
        return .text(lines.joined(separator: "\n") + "\n", code: isWell ? 200 : 500)
    }
}
