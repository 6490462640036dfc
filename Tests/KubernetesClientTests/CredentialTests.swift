import Cluster
import Glibc
import Kinds
import KubernetesClient
import Model
import Testing

@Suite("Credentials and files of the Kubernetes client", .timeLimit(.minutes(1)))
struct CredentialTests {
    static func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "w"))
        fputs(text, file)
        fclose(file)
    }

    static func withPath(_ body: (String) async throws -> Void) async throws {
        let path = "/tmp/martlet-client-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        defer { unlink(path) }
        try await body(path)
    }

    /// The Authorization header that each of two requests had; `between` happens between them.
    static func headers(
        _ credentials: ClusterAccess.Credentials, between: @escaping @Sendable () throws -> Void = {}
    ) async throws -> [String?] {
        try await ScriptedServer.run({ _, _ in .json(RetryTests.map) }) { server in
            try await KubernetesClient.with(ClusterAccess(server: server.url, credentials: credentials)) { client in
                _ = try await client.get(ConfigMap.key("a", in: "default"))
                try between()
                _ = try await client.get(ConfigMap.key("a", in: "default"))
            }
            #expect(server.requests.allSatisfy { $0.headers["user-agent"] == "test/1" })
            #expect(server.requests.allSatisfy { $0.headers["accept"] == "application/json" })
            return server.requests.map { $0.headers["authorization"] }
        }
    }

    @Test("tokens and passwords go in the Authorization header (RFC 6750, RFC 7617)")
    func authorization() async throws {
        #expect(try await Self.headers(.none) == [nil, nil])
        #expect(try await Self.headers(.token("abc")) == ["Bearer abc", "Bearer abc"])
        let basic = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
        #expect(try await Self.headers(.basic(user: "Aladdin", password: "open sesame")) == [basic, basic])
    }

    @Test("a token's file is read anew for each request, and its last line break is no part of the token")
    func tokenFile() async throws {
        try await Self.withPath { path in
            try Self.write("one\n", to: path)
            let headers = try await Self.headers(.tokenFile(path)) { try Self.write("two", to: path) }
            #expect(headers == ["Bearer one", "Bearer two"])
        }
    }

    @Test("a token's file that is not there is named, and nothing is sent")
    func noTokenFile() async throws {
        try await ScriptedServer.run({ _, _ in .json(RetryTests.map) }) { server in
            let access = ClusterAccess(server: server.url, credentials: .tokenFile("/nonexistent/token"))
            try await KubernetesClient.with(access) { client in
                let error = await #expect(throws: APIError.self) {
                    try await client.get(ConfigMap.key("a", in: "default"))
                }
                #expect(error?.message == "cannot read /nonexistent/token: No such file or directory")
            }
            #expect(server.requests.isEmpty)
        }
    }

    @Test("no error tells a secret", arguments: [ScriptedServer.Reply.close, .answer("403 Forbidden", "no"), .silence])
    func secrets(reply: ScriptedServer.Reply) async throws {
        var limits = KubernetesClient.Limits()
        limits.attempts = 1
        limits.request = .milliseconds(100)
        let settings = limits
        try await ScriptedServer.run({ _, _ in reply }) { server in
            for credentials in [ClusterAccess.Credentials.token("s3cret"), .basic(user: "u", password: "s3cret")] {
                let access = ClusterAccess(server: server.url, credentials: credentials)
                try await KubernetesClient.with(access, limits: settings) { client in
                    let error = await #expect(throws: APIError.self) {
                        try await client.get(ConfigMap.key("a", in: "default"))
                    }
                    #expect(error?.status.text().contains("s3cret") == false)
                }
            }
        }
    }

    @Test("a file that is no small text is refused by its name")
    func largeFile() async throws {
        try await Self.withPath { path in
            try Self.write("", to: path)
            truncate(path, 9 << 20)
            let error = #expect(throws: APIError.self) { try TextFile.read(path) }
            #expect(error?.message == "cannot read \(path): it is larger than 8388608 bytes")
        }
        let folder = #expect(throws: APIError.self) { try TextFile.read("/tmp") }
        #expect(folder?.message == "cannot read /tmp: Is a directory")
    }

    @Test("a kubeconfig that is not there, or is none, is told with its path")
    func kubeconfigFile() async throws {
        let absent = #expect(throws: APIError.self) { _ = try KubernetesClient(kubeconfig: "/nonexistent/config") }
        #expect(absent?.message == "cannot read /nonexistent/config: No such file or directory")
        try await Self.withPath { path in
            try Self.write("kind: Pod\n", to: path)
            let error = #expect(throws: KubeconfigError.self) { _ = try KubernetesClient(kubeconfig: path) }
            #expect(error?.message.hasPrefix(path) == true, "\(error?.message ?? "")")
        }
    }
}
