import TestServers
import Testing

@testable import GitSource

@Suite(.blocking) struct HTTPTests {
    @Test("a repository is fetched over HTTP, and an unchanged branch costs one request")
    func fetch() async throws {
        let repository = TestRepository()
        let server = HTTPBackend(root: repository.directory.path)
        let mirror = try repository.mirror(server.url("origin.git"))
        #expect(try await mirror.snapshot(.head).files(under: "", recursive: true).files.count == 2)
        let before = server.requests.count
        _ = try await mirror.resolve(.name("main"))
        #expect(server.requests.count == before + 1)
        let sha = repository.commit(["a.yaml": "a"])
        #expect(try await mirror.resolve(.head).sha.description == sha)
    }

    @Test("a commit that no branch points to is found by its full and its short SHA")
    func commits() async throws {
        let repository = TestRepository()
        let first = repository.git(["rev-parse", "HEAD"])
        repository.commit(["a.yaml": "a"])
        let server = HTTPBackend(root: repository.directory.path)
        let full = try repository.mirror(server.url("origin.git"))
        #expect(try await full.resolve(try RevisionRequest(first)).sha.description == first)
        let other = TestRepository()
        let short = try other.mirror(server.url("origin.git"))
        #expect(try await short.resolve(try RevisionRequest(String(first.prefix(10)))).sha.description == first)
    }

    @Test("an annotated tag over HTTP leads to its commit")
    func annotatedTag() async throws {
        let repository = TestRepository()
        repository.git(["tag", "--annotate", "v1", "--message", "one"])
        repository.git(["push", "--quiet", "--tags", "origin"])
        let server = HTTPBackend(root: repository.directory.path)
        let commit = try await repository.mirror(server.url("origin.git")).resolve(.name("v1"))
        #expect(commit.subject == "first commit")
    }

    @Test("user and password let in; wrong or missing ones are refused, and no error shows them")
    func authentication() async throws {
        let repository = TestRepository()
        // bob:s3cret
        let server = HTTPBackend(root: repository.directory.path, authorization: "Basic Ym9iOnMzY3JldA==")
        let mirror = try repository.mirror(server.url("origin.git"))
        let right = Credentials(username: "bob", password: "s3cret")
        #expect(try await mirror.resolve(.head, credentials: right).subject == "first commit")
        let wrong = Credentials(username: "bob", password: "wr0ng-pass")
        let refused = await gitError { _ = try await mirror.resolve(.head, credentials: wrong) }
        #expect(refused?.kind == .authenticationFailed && refused?.message.contains("refuses") == true)
        #expect(refused?.message.contains("wr0ng-pass") == false)
        let missing = await gitError { _ = try await mirror.resolve(.head) }
        #expect(missing?.kind == .authenticationFailed && missing?.message.contains("MARTLET_GIT_USERNAME") == true)
        let inURL = try repository.mirror("http://bob:s3cret@127.0.0.1:\(server.port)/origin.git")
        #expect(try await inURL.resolve(.head).subject == "first commit")
        #expect(!inURL.url.description.contains("s3cret"))
    }

    @Test("a missing repository, an empty one and a server error are told apart")
    func absent() async throws {
        let repository = TestRepository([:])
        let server = HTTPBackend(root: repository.directory.path)
        let missing = await gitError { _ = try await repository.mirror(server.url("nope.git")).resolve(.head) }
        #expect(missing?.kind == .repositoryNotFound, "\(String(describing: missing))")
        let empty = await gitError { _ = try await repository.mirror(server.url("origin.git")).resolve(.head) }
        #expect(empty?.kind == .emptyRepository, "\(String(describing: empty))")
        server.fault = .status(503)
        let down = await gitError { _ = try await repository.mirror(server.url("origin.git")).resolve(.head) }
        #expect(down?.kind == .unreachable && down?.isTransient == true, "\(String(describing: down))")
    }

    @Test("a host that refuses connections, or has no address, is unreachable")
    func unreachable() async throws {
        let repository = TestRepository()
        for url in ["http://127.0.0.1:1/a.git", "http://nowhere.invalid/a.git"] {
            let error = await gitError { _ = try await repository.mirror(url).resolve(.head) }
            #expect(error?.kind == .unreachable, "\(String(describing: error))")
        }
    }

    @Test("a connection cut in the middle of a pack is transient, leaves nothing, and the next fetch succeeds")
    func cut() async throws {
        let repository = TestRepository(["a.txt": String((0..<20_000).map { "\($0 &* 2_654_435_761) " }.joined())])
        let server = HTTPBackend(root: repository.directory.path)
        server.fault = .cut(after: 20_000)
        let mirror = try repository.mirror(server.url("origin.git"))
        let error = await gitError { _ = try await mirror.resolve(.head) }
        #expect(error?.kind == .interrupted && error?.isTransient == true, "\(String(describing: error))")
        server.fault = .none
        #expect(try await mirror.resolve(.head).subject == "first commit")
        #expect(!FileSystem.exists("\(mirror.directory).damaged-1"))
    }

    @Test("a silent server is given up after the bound on silence")
    func silence() async throws {
        let repository = TestRepository()
        let server = HTTPBackend(root: repository.directory.path)
        server.fault = .silence
        let mirror = try repository.mirror(server.url("origin.git")) { $0.silence = .milliseconds(200) }
        let error = await gitError { _ = try await mirror.resolve(.head) }
        #expect(error?.kind == .timedOut && error?.message.contains("sent nothing") == true)
    }

    @Test("waiting for a silent server ends at once when the task is cancelled")
    func cancelled() async throws {
        let repository = TestRepository()
        let server = HTTPBackend(root: repository.directory.path)
        server.fault = .silence
        let mirror = try repository.mirror(server.url("origin.git"))
        // Without cancellation this would be a GitError after the mirror's 20 seconds.
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup { group in
                group.addTask { _ = try await mirror.resolve(.head) }
                #expect(try await comesTrue { server.silentConnections == 1 })
                group.cancelAll()
                try await group.next()
            }
        }
    }

    @Test("a commit that is here is read while a silent server is waited for")
    func readsMeanwhile() async throws {
        let repository = TestRepository()
        let server = HTTPBackend(root: repository.directory.path)
        let mirror = try repository.mirror(server.url("origin.git"))
        let known = try await mirror.resolve(.head).sha
        server.fault = .silence
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await mirror.resolve(.head) }
            #expect(try await comesTrue { server.silentConnections == 1 })
            let snapshot = try #require(try mirror.snapshot(of: known))
            #expect(try snapshot.files(under: "", recursive: true).files.count == 2)
            #expect(server.silentConnections == 1)
            group.cancelAll()
        }
    }

    @Test(
        "a certificate that no authority signed is refused, and let in only by the ugly name",
        .enabled(if: TLSServer.isInstalled, "needs openssl"))
    func certificates() async throws {
        let repository = TestRepository()
        let server = TLSServer(in: repository.directory.path)
        let url = "https://127.0.0.1:\(server.port)/origin.git"
        let error = await gitError { _ = try await repository.mirror(url).resolve(.head) }
        #expect(error?.kind == .certificateUntrusted, "\(String(describing: error))")
        let lax = await gitError {
            _ = try await repository.mirror(url) { $0.insecureSkipTLSVerify = true }.resolve(.head)
        }
        #expect(lax?.kind != .certificateUntrusted && lax != nil, "the server speaks no Git, but was trusted")
    }
}

@Suite(.enabled(if: SSHServer.isInstalled, "needs sshd and ssh-keygen (apt install openssh-server)"))
struct SSHTests {
    private func mirror(
        _ repository: TestRepository, _ server: SSHServer, _ path: String? = nil,
        _ change: (inout TransferSettings) -> Void = { _ in }
    ) throws -> GitSource.Mirror {
        try repository.mirror(server.url(path ?? repository.bare)) { settings in
            settings.knownHostsFile = server.knownHosts
            change(&settings)
        }
    }

    @Test("a key from a file or from memory lets in, and the host key is checked")
    func keys() async throws {
        let repository = TestRepository()
        let server = SSHServer(in: repository.directory.path)
        let mirror = try mirror(repository, server)
        let file = Credentials(privateKey: .file(server.userKey))
        #expect(try await mirror.resolve(.head, credentials: file).subject == "first commit")
        let sha = repository.commit(["a.yaml": "a"])
        let text = Credentials(privateKey: .text(run(["cat", server.userKey]).text))
        #expect(try await mirror.resolve(.head, credentials: text).sha.description == sha)

        let stranger = Credentials(privateKey: .file(server.key("stranger")))
        let refused = await gitError { _ = try await mirror.resolve(.head, credentials: stranger) }
        #expect(refused?.kind == .authenticationFailed, "\(String(describing: refused))")

        let missing = try self.mirror(repository, server, "/nonexistent.git")
        let absent = await gitError { _ = try await missing.resolve(.head, credentials: file) }
        #expect(absent?.kind == .repositoryNotFound, "\(String(describing: absent))")

        server.trust("other")
        let mismatch = await gitError { _ = try await mirror.resolve(.head, credentials: file) }
        #expect(mismatch?.kind == .hostKeyMismatch, "\(String(describing: mismatch))")
        server.trust(nil)
        let unknown = await gitError { _ = try await mirror.resolve(.head, credentials: file) }
        #expect(unknown?.kind == .hostKeyUnknown, "\(String(describing: unknown))")
        #expect(unknown?.message.contains("ssh-keyscan -p \(server.port) 127.0.0.1") == true)
        let lax = try self.mirror(repository, server) { $0.insecureIgnoreHostKey = true }
        #expect(try await lax.resolve(.head, credentials: file).sha.description == sha)
    }

    @Test("without the OpenSSH client the error names the package")
    func noClient() async throws {
        let repository = TestRepository()
        let mirror = try repository.mirror("git@localhost:a.git") { $0.secureShell = "/nonexistent/ssh" }
        let error = await gitError { _ = try await mirror.resolve(.head) }
        #expect(error?.kind == .unsupported && error?.message.contains("openssh-client") == true)
    }

    @Test("a path cannot leave its quotes in the remote shell")
    func quoting() {
        #expect(SecureShell.quoted("/a'; rm -rf /'") == #"'/a'\''; rm -rf /'\'''"#)
    }
}
