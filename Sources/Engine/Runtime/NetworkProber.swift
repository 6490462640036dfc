internal import AsyncHTTPClient
internal import Model
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Probes and hooks that go over the network, as the kubelet does them (I7).
struct NetworkProber: Sendable {
    static let redirects = 10
    static let bodyBytes = 10 << 10

    /// Probes verify no certificate, reuse no connection and follow redirects by their own rule. The client lives as
    /// long as the program, as the shared one does.
    private static let client: HTTPClient = {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    }()

    func perform(_ action: ProbeAction, timeout: Duration) async -> ProbeOutcome {
        switch action {
        case .http(let probe): await http(probe, timeout: timeout)
        case .tcp(let host, let port): await tcp(host, port, timeout: timeout)
        case .exec: .error("a command does not run over the network")
        case .sleep: .success
        }
    }

    private func tcp(_ host: String, _ port: Int, timeout: Duration) async -> ProbeOutcome {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.nanoseconds(timeout.wholeNanoseconds)).connect(host: host, port: port).get()
            // The probe has its answer; how the connection ends tells nothing.
            try? await channel.close().get()
            return .success
        } catch {
            return .failure("dial tcp \(host):\(port): \(Self.reason(error, timeout))")
        }
    }

    private func http(_ probe: HTTPProbe, timeout: Duration) async -> ProbeOutcome {
        var path = probe.path
        let deadline = NIODeadline.now() + .nanoseconds(timeout.wholeNanoseconds)
        for _ in 0...Self.redirects {
            do {
                let response = try await Self.client.execute(request(probe, path), deadline: deadline)
                var body = ByteBuffer()
                for try await part in response.body {
                    body.writeImmutableBuffer(part)
                    if body.readableBytes >= Self.bodyBytes { break }
                }
                let status = Int(response.status.code)
                if let location = response.headers.first(name: "Location"), (300..<400).contains(status) {
                    guard let next = Self.path(of: location, from: probe) else {
                        return .warning("Probe terminated redirects, Response body: \(String(buffer: body))")
                    }
                    path = next
                    continue
                }
                return (200..<400).contains(status)
                    ? .success : .failure("HTTP probe failed with statuscode: \(status)")
            } catch {
                let url = "\(probe.scheme)://\(probe.host):\(probe.port)\(path)"
                return .failure("Get \"\(url)\": \(Self.reason(error, timeout))")
            }
        }
        return .failure("stopped after \(Self.redirects) redirects")
    }

    private func request(_ probe: HTTPProbe, _ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: "\(probe.scheme)://\(probe.host):\(probe.port)\(path)")
        request.headers.add(name: "User-Agent", value: "kube-probe/1.36")
        request.headers.add(name: "Accept", value: "*/*")
        for header in probe.headers {
            // A header given replaces the default one; an empty User-Agent or Accept removes it (I7).
            let isDefault = ["user-agent", "accept"].contains(header[0].lowercased())
            if isDefault { request.headers.remove(name: header[0]) }
            if !isDefault || !header[1].isEmpty { request.headers.add(name: header[0], value: header[1]) }
        }
        request.headers.replaceOrAdd(name: "Connection", value: "close")
        return request
    }

    /// Where a redirect leads on the same host, or `nil` when it leads to another.
    static func path(of location: String, from probe: HTTPProbe) -> String? {
        if location.hasPrefix("/"), !location.hasPrefix("//") { return location }
        for prefix in ["http://", "https://"] where location.hasPrefix(prefix) {
            let rest = location.dropFirst(prefix.count)
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            let host = rest[..<slash].split(separator: ":").first.map(String.init) ?? ""
            guard host == probe.host, rest[..<slash] == "\(probe.host):\(probe.port)" else { return nil }
            return slash == rest.endIndex ? "/" : String(rest[slash...])
        }
        return location.contains("://") || location.hasPrefix("//") ? nil : "/" + location
    }

    private static func reason(_ error: any Error, _ timeout: Duration) -> String {
        switch error {
        case let error as HTTPClientError where error == .deadlineExceeded || error == .connectTimeout:
            "context deadline exceeded (Client.Timeout of \(timeout.text) exceeded while awaiting headers)"
        case is ChannelError: "i/o timeout after \(timeout.text)"
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { reason($0.error, timeout) } ?? "connection failed"
        case let error as IOError: error.errnoCode == 111 ? "connect: connection refused" : "\(error)"
        default: "\(error)"
        }
    }
}
