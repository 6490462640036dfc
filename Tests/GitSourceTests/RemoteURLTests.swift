import TestServers
import Testing

@testable import GitSource

@Suite struct RemoteURLTests {
    @Test(
        "every form of URL that Git users write is understood, and its secrets are not shown",
        arguments: [
            ("/srv/git/app.git", "/srv/git/app.git"),
            ("file:///srv/git/app", "/srv/git/app"),
            ("https://example.com/a/b.git", "https://example.com/a/b.git"),
            ("https://user:s3cret@example.com/a/b.git", "https://example.com/a/b.git"),
            ("https://t0ken@example.com/a?x=s3cret#y", "https://example.com/a"),
            ("ssh://git@example.com:2222/a/b.git", "ssh://git@example.com:2222/a/b.git"),
            ("ssh://git:s3cret@example.com/a", "ssh://git@example.com/a"),
            ("git@example.com:a/b.git", "git@example.com:a/b.git"),
            ("http://[::1]:8080/a", "http://[::1]:8080/a"),
        ])
    func forms(text: String, shown: String) throws {
        #expect(try RemoteURL(text).description == shown)
    }

    @Test(
        "what is no repository URL is refused with what would be right",
        arguments: [
            ("", GitError.Kind.invalidURL, "empty"), ("app.git", .invalidURL, "absolute path"),
            ("./app", .invalidURL, "absolute path"), ("ftp://example.com/a", .unsupported, "https://"),
            ("https://example.com", .invalidURL, "names no repository"), ("https:///a", .invalidURL, "host"),
            ("ssh://-oProxyCommand=x/a", .invalidURL, "host name"),
            ("git@-oProxyCommand=x:a", .invalidURL, "user@host"),
            ("https://example.com:99999/a", .invalidURL, "port"), ("file://server/a", .invalidURL, "file:///"),
        ])
    func refused(text: String, kind: GitError.Kind, words: String) {
        #expect {
            try RemoteURL(text)
        } throws: { error in
            (error as? GitError)?.kind == kind && "\(error)".contains(words)
        }
    }

    @Test(
        "a revision is read as HEAD, a full SHA, a reference or a name",
        arguments: [
            ("", RevisionRequest.head), ("HEAD", .head), ("main", .name("main")), ("v1.2.0", .name("v1.2.0")),
            ("feature/x", .name("feature/x")), ("refs/heads/main", .reference("refs/heads/main")),
            (
                "0123456789abcdef0123456789abcdef01234567",
                .commit(ObjectID("0123456789abcdef0123456789abcdef01234567")!)
            ),
        ])
    func revisions(text: String, request: RevisionRequest) throws {
        #expect(try RevisionRequest(text) == request)
    }

    @Test(
        "what no reference may be called is refused",
        arguments: ["-x", "a..b", "a b", "main~1", "main^", "a:b", "*", "x.lock", "/x", "x/", "@{u}", "a\nb"])
    func refusedRevision(text: String) {
        #expect(throws: GitError.self) { try RevisionRequest(text) }
    }

    @Test("credentials never show what they hold")
    func credentialsAreHidden() {
        let credentials = Credentials(username: "bob", password: "s3cret", privateKey: .text("PRIVATE"))
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), dumped] {
            #expect(!text.contains("s3cret") && !text.contains("PRIVATE"))
        }
        #expect(credentials.redact("fatal: s3cret refused") == "fatal: <redacted> refused")
    }

    @Test("credentials come from the environment, and from files that it names")
    func credentialsFromEnvironment() throws {
        let folder = TemporaryDirectory()
        writeFile("\(folder.path)/password", "s3cret\n")
        let credentials = try Credentials(environment: [
            "MARTLET_GIT_USERNAME": "bob", "MARTLET_GIT_PASSWORD_FILE": "\(folder.path)/password",
            "MARTLET_GIT_SSH_KEY_FILE": "/keys/id",
        ])
        #expect(credentials == Credentials(username: "bob", password: "s3cret", privateKey: .file("/keys/id")))
        #expect(throws: GitError.self) {
            try Credentials(environment: ["MARTLET_GIT_PASSWORD_FILE": "\(folder.path)/missing"])
        }
    }
}

@Suite struct TransferSettingsTests {
    @Test("known hosts, authorities and the opt-outs come from the environment; only `true` opts out")
    func environment() {
        #expect(TransferSettings(environment: [:]) == TransferSettings())
        #expect(TransferSettings(environment: ["MARTLET_GIT_KNOWN_HOSTS_FILE": ""]) == TransferSettings())
        let files = TransferSettings(environment: [
            "MARTLET_GIT_KNOWN_HOSTS_FILE": "/etc/hosts.known", "MARTLET_GIT_CA_FILE": "/etc/ca.pem",
            "MARTLET_GIT_INSECURE_IGNORE_HOST_KEY": "1", "MARTLET_GIT_INSECURE_SKIP_TLS_VERIFY": "false",
        ])
        #expect(files.knownHostsFile == "/etc/hosts.known" && files.certificateAuthorityFile == "/etc/ca.pem")
        #expect(!files.insecureIgnoreHostKey && !files.insecureSkipTLSVerify)
        let lax = TransferSettings(environment: [
            "MARTLET_GIT_INSECURE_IGNORE_HOST_KEY": "true", "MARTLET_GIT_INSECURE_SKIP_TLS_VERIFY": "true",
        ])
        #expect(lax.insecureIgnoreHostKey && lax.insecureSkipTLSVerify)
    }
}
