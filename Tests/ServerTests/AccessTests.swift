import Glibc
import KubernetesClient
import Model
import Server
import Testing

@Suite("Access")
struct AccessTests {
    @Test("a written kubeconfig is for its owner alone and leads back to the server")
    func roundTrip() throws {
        let path = "/tmp/martlet-kubeconfig-\(getpid())"
        defer { unlink(path) }
        let token = AccessToken(secret: "abc")
        try KubeconfigFile.write(server: "https://127.0.0.1:7443", authority: "trust me", token: token, to: path)
        var information = stat()
        #expect(stat(path, &information) == 0)
        #expect(information.st_mode & 0o777 == 0o600)
        let access = try ClusterAccess(kubeconfig: try TextFile.read(path), path: path)
        #expect(access.server == "https://127.0.0.1:7443")
        #expect(access.certificateAuthority == .data(Array("trust me".utf8)))
        #expect(access.credentials == .token("abc"))
        #expect(access.namespace == "default")
    }

    @Test("a kubeconfig that cannot be written says why")
    func unwritable() {
        #expect(throws: PrivateFile.Failure(path: "/nowhere/at/all.\(getpid()).new", operation: "create", code: ENOENT))
        {
            try KubeconfigFile.write(
                server: "https://x", authority: "", token: AccessToken(secret: "a"), to: "/nowhere/at/all")
        }
    }

    @Test("a token is 256 random bits and does not print itself")
    func tokens() {
        var generator = SystemRandomNumberGenerator()
        let token = AccessToken.create(using: &generator)
        #expect(token.secret.utf8.count == 64)
        #expect(token != AccessToken.create(using: &generator))
        #expect(!"\(token)".contains(token.secret))
    }

    static let unusable = [
        ("", "is empty"),
        ("a: [", "config:"),
        ("kind: Config", "has no current-context"),
        ("current-context: a\ncontexts: [{name: b, context: {cluster: c}}]", "contexts has no \"a\"; there are: b"),
        (
            "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: {}}]",
            "its cluster has no server"
        ),
        (
            "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
                + "clusters: [{name: c, cluster: {server: 'https://h'}}]\nusers: [{name: u, user: {exec: {}}}]",
            "\"exec\", which is not supported"
        ),
    ]

    @Test("a kubeconfig that cannot be used says what is missing", arguments: unusable)
    func faults(text: String, message: String) {
        let error = #expect(throws: KubeconfigError.self) {
            try ClusterAccess(kubeconfig: Array(text.utf8), path: "config")
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test("certificates come from data or from files beside the kubeconfig")
    func certificates() throws {
        let text = """
            current-context: a
            contexts: [{name: a, context: {cluster: c, user: u, namespace: space}}]
            clusters: [{name: c, cluster: {server: 'https://h:6443/', certificate-authority-data: aGVsbG8=}}]
            users: [{name: u, user: {client-certificate: cert.pem, client-key: /etc/key.pem}}]
            """
        let access = try ClusterAccess(kubeconfig: Array(text.utf8), path: "/home/me/config")
        #expect(access.server == "https://h:6443")
        #expect(access.certificateAuthority == .data(Array("hello".utf8)))
        #expect(access.credentials == .certificate(.file("/home/me/cert.pem"), key: .file("/etc/key.pem")))
        #expect(access.namespace == "space")
    }
}
