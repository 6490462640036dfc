import Cluster
import FoundationEssentials
import Glibc
import Logging
import Model
import NIOCore
import NIOPosix
import NIOSSL
import Server
import Synchronization
import Testing

/// A clock that stands where it was set, and is where a sleeper wants to be as soon as it sleeps.
private final class JumpingClock: WallClock {
    private let time: Mutex<Timestamp>

    init(_ time: Timestamp) {
        self.time = Mutex(time)
    }

    var now: Timestamp { time.withLock { $0 } }

    func sleep(until deadline: Timestamp) async throws {
        try Task.checkCancellation()
        time.withLock { $0 = max($0, deadline) }
        await Task.yield()
    }
}

@Suite("The server's certificate, authority and token")
struct IdentityTests {
    private static let day = Duration.seconds(86400)

    /// A folder that is removed afterwards.
    private static func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = "/tmp/martlet-pki-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        try await body(folder)
    }

    private static func load(_ folder: String, _ now: Timestamp, hosts: [String] = []) throws -> ServerIdentity {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try ServerIdentity(folder: folder, hosts: hosts, clock: JumpingClock(now), logger: logger)
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
    }

    private static func mode(_ path: String) throws -> Int {
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        return Int("\(mode ?? 0)") ?? 0
    }

    @Test("the first start makes them, for their owner's eyes alone; the next ones use them")
    func kept() async throws {
        try await Self.withFolder { folder in
            let now = SystemClock().now
            let first = try Self.load(folder, now)
            #expect(try Self.mode(folder) == 0o700)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(files == ["admin.token", "apiserver.crt", "apiserver.key", "ca.crt", "ca.key", "sa.key"])
            for file in files { #expect(try Self.mode("\(folder)/\(file)") == 0o600, "\(file)") }
            let certificate = try Self.text("\(folder)/apiserver.crt")
            let second = try Self.load(folder, now + Self.day)
            #expect(second.authority == first.authority)
            #expect(second.token == first.token)
            #expect(try Self.text("\(folder)/apiserver.crt") == certificate)
        }
    }

    @Test("another host, and the end that comes near, make another certificate of the same authority")
    func renewed() async throws {
        try await Self.withFolder { folder in
            let now = SystemClock().now
            let authority = try Self.load(folder, now).authority
            let first = try Self.text("\(folder)/apiserver.crt")
            #expect(try Self.load(folder, now, hosts: ["192.0.2.7", "gate.example"]).authority == authority)
            let second = try Self.text("\(folder)/apiserver.crt")
            #expect(second != first)
            let names = try NIOSSLCertificate(bytes: Array(second.utf8), format: .pem)._subjectAlternativeNames()
            #expect(names.count == 5)
            _ = try Self.load(folder, now + .seconds(244 * 86400), hosts: ["192.0.2.7", "gate.example"])
            #expect(try Self.text("\(folder)/apiserver.crt") == second)
            let last = try Self.load(folder, now + .seconds(246 * 86400), hosts: ["192.0.2.7", "gate.example"])
            #expect(last.authority == authority)
            #expect(try Self.text("\(folder)/apiserver.crt") != second)
        }
    }

    @Test("an authority that cannot outlive a new certificate is set aside and made anew; the token stays")
    func authorityEnds() async throws {
        try await Self.withFolder { folder in
            let now = SystemClock().now
            let first = try Self.load(folder, now)
            let later = try Self.load(folder, now + .seconds(Int64(9.5 * 365 * 86400)))
            #expect(later.authority != first.authority)
            #expect(later.token == first.token)
            let files = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(files.count { $0.hasPrefix("ca.") && $0.contains(".unusable-") } == 2)
        }
    }

    @Test(
        "what cannot be read is set aside, not lost", arguments: ["ca.key", "ca.crt", "apiserver.key", "apiserver.crt"])
    func unreadable(file: String) async throws {
        try await Self.withFolder { folder in
            let now = SystemClock().now
            let first = try Self.load(folder, now)
            try Data("spoilt".utf8).write(to: URL(filePath: "\(folder)/\(file)"))
            let second = try Self.load(folder, now)
            #expect((second.authority == first.authority) == file.hasPrefix("apiserver"))
            let kept = try FileManager.default.contentsOfDirectory(atPath: folder)
                .filter { $0.hasPrefix(file) && $0.contains(".unusable-") }
            #expect(try Self.text("\(folder)/\(try #require(kept.first))") == "spoilt")
            // A key alone, as a crash between the two writes leaves it.
            unlink("\(folder)/ca.crt")
            _ = try Self.load(folder, now)
        }
    }

    @Test("half a token, or none, is no token", arguments: ["", "abc", String(repeating: "g", count: 64)])
    func token(text: String) async throws {
        try await Self.withFolder { folder in
            _ = try Self.load(folder, SystemClock().now)
            try Data(text.utf8).write(to: URL(filePath: "\(folder)/admin.token"))
            let token = try Self.load(folder, SystemClock().now).token
            #expect(token.secret.utf8.count == 64)
            #expect(token.secret != text)
        }
    }

    @Test("a folder that cannot be made says where")
    func unwritable() {
        let error = #expect(throws: CertificateFault.self) { try Self.load("/nowhere/pki", SystemClock().now) }
        #expect(error?.description == "cannot make the folder /nowhere/pki: No such file or directory")
    }

    @Test("a running server shows the renewed certificate to the next client")
    func renewsWhileRunning() async throws {
        // Made so long ago that it is due five days before now, when the next one begins.
        let clock = JumpingClock(SystemClock().now - .seconds(250 * 86400))
        try await TestServer.withIdentity(clock: clock) { identity, folder in
            try await TestServer.run(identity) { server in
                let before = try await server.shownCertificate()
                let (renewals, renewed) = AsyncStream.makeStream(of: Void.self)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await identity.keepRenewed { renewed.yield() } }
                    for await _ in renewals { break }
                    group.cancelAll()
                    do {
                        try await group.waitForAll()
                    } catch is CancellationError {
                        // How it ends.
                    }
                }
                let after = try await server.shownCertificate()
                #expect(before != after)
                let file = try Self.text("\(folder)/apiserver.crt")
                #expect(try NIOSSLCertificate(bytes: Array(file.utf8), format: .pem) == after)
                #expect(try await RawHTTP.send("GET", "/api", to: server).status == 200)
            }
        }
    }
}
