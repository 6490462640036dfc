import KubernetesClient
import Model
import Testing

@Suite("Kubeconfigs")
struct KubeconfigTests {
    /// A kubeconfig whose user, cluster and context have these members.
    static func text(user: String = "{}", cluster: String = "", context: String = "") -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: here
        contexts:
        - name: there
          context: {cluster: nowhere}
        - name: here
          context: {cluster: c, user: u\(context)}
        clusters:
        - name: c
          cluster: {server: "https://127.0.0.1:6443/"\(cluster)}
        users:
        - name: u
          user: \(user)
        """
    }

    static func read(_ text: String, context: String? = nil) throws(KubeconfigError) -> ClusterAccess {
        try ClusterAccess(kubeconfig: Array(text.utf8), path: "/home/ada/.kube/config", context: context)
    }

    struct Credential: Sendable, CustomTestStringConvertible {
        var user: String
        var credentials: ClusterAccess.Credentials
        var testDescription: String { user }
    }

    static let credentials: [Credential] = [
        Credential(user: "{}", credentials: .none),
        Credential(user: "{token: abc}", credentials: .token("abc")),
        Credential(user: "{tokenFile: /run/token}", credentials: .tokenFile("/run/token")),
        Credential(user: "{tokenFile: ../token}", credentials: .tokenFile("/home/ada/.kube/../token")),
        // The file is read again and again, the token may be old (client-go).
        Credential(user: "{token: abc, tokenFile: /run/token}", credentials: .tokenFile("/run/token")),
        Credential(
            user: "{client-certificate: a.crt, client-key: /etc/a.key}",
            credentials: .certificate(.file("/home/ada/.kube/a.crt"), key: .file("/etc/a.key"))),
        Credential(
            user: "{client-certificate-data: Y2VydA==, client-key-data: a2V5}",
            credentials: .certificate(.data(Array("cert".utf8)), key: .data(Array("key".utf8)))),
        // The data wins over the file.
        Credential(
            user: "{client-certificate-data: Y2VydA==, client-certificate: a.crt, client-key: k}",
            credentials: .certificate(.data(Array("cert".utf8)), key: .file("/home/ada/.kube/k"))),
        Credential(user: "{username: ada, password: \"\"}", credentials: .basic(user: "ada", password: "")),
        Credential(user: "{username: ada}", credentials: .basic(user: "ada", password: "")),
        Credential(user: "{username: ada, password: x, token: abc}", credentials: .token("abc")),
        Credential(user: "{token: abc, exec: {command: login}}", credentials: .token("abc")),
    ]

    @Test("every form of credentials is read", arguments: credentials)
    func forms(_ item: Credential) throws {
        #expect(try Self.read(Self.text(user: item.user)).credentials == item.credentials)
    }

    @Test("the cluster's address, authority, name and the context's namespace are read")
    func clusters() throws {
        var access = try Self.read(Self.text())
        #expect(access == ClusterAccess(server: "https://127.0.0.1:6443"))
        access = try Self.read(
            Self.text(
                cluster:
                    ", certificate-authority: ca.crt, tls-server-name: gate.example, insecure-skip-tls-verify: true",
                context: ", namespace: shop"))
        #expect(access.certificateAuthority == .file("/home/ada/.kube/ca.crt"))
        #expect(access.serverName == "gate.example")
        #expect(access.skipsCertificateVerification)
        #expect(access.namespace == "shop")
        #expect(
            try Self.read(Self.text(cluster: ", certificate-authority-data: Y2E=")).certificateAuthority
                == .data(Array("ca".utf8)))
        // An empty one is none.
        #expect(try Self.read(Self.text(context: ", namespace: \"\"")).namespace == "default")
        #expect(try Self.read(Self.text(cluster: ", tls-server-name: \"\"")).serverName == nil)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var text: String
        var context: String?
        var message: String
        var testDescription: String { message }
    }

    static let faults: [Fault] = [
        Fault(text: "", message: "/home/ada/.kube/config is empty: expected a kubeconfig"),
        Fault(text: "a: [", message: "/home/ada/.kube/config:1:4: "),
        Fault(text: "kind: Config", message: "/home/ada/.kube/config has no current-context: name one with --context"),
        Fault(
            text: text(), context: "elsewhere",
            message: "/home/ada/.kube/config: contexts has no \"elsewhere\"; there are: there, here"),
        Fault(
            text: text(), context: "there", message: "/home/ada/.kube/config: clusters has no \"nowhere\"; there are: c"
        ),
        Fault(
            text: text().replacing("user: u", with: "user: v"),
            message: "/home/ada/.kube/config: users has no \"v\"; there are: u"),
        Fault(
            text: text().replacing("cluster: c,", with: ""),
            message: "/home/ada/.kube/config: context here has no cluster"),
        Fault(
            text: text().replacing("https://127.0.0.1:6443/", with: ""),
            message: "/home/ada/.kube/config: its cluster has no server"),
        Fault(
            text: text().replacing("https://", with: "ftp://"),
            message: "/home/ada/.kube/config: the server ftp://127.0.0.1:6443 is no http or https URL"),
        Fault(
            text: text(cluster: ", proxy-url: \"http://proxy\""),
            message: "/home/ada/.kube/config: proxy-url is not supported"),
        Fault(
            text: text(cluster: ", certificate-authority-data: \"%%\""),
            message: "/home/ada/.kube/config: certificate-authority-data is not base64"),
        Fault(
            text: text(user: "{client-certificate: a.crt}"),
            message: "/home/ada/.kube/config: the user has a client-certificate but no client-key"),
        Fault(
            text: text(user: "{exec: {command: login}}"),
            message: "/home/ada/.kube/config: the user gets credentials from \"exec\", which is not supported: "
                + "use a token, e.g. of `kubectl create token`"),
        Fault(
            text: text(user: "{auth-provider: {name: gcp}}"),
            message:
                "/home/ada/.kube/config: the user gets credentials from \"auth-provider\", which is not supported: "
                + "use a token, e.g. of `kubectl create token`"),
        Fault(
            text: text(user: "{token: 1234}"),
            message: "/home/ada/.kube/config: token is a number, list or map: a text is expected; put it in quotes"),
        Fault(
            text: text(cluster: ", insecure-skip-tls-verify: \"true\""),
            message: "/home/ada/.kube/config: insecure-skip-tls-verify must be true or false, without quotes"),
    ]

    @Test("what is wrong is told with the file, and what there would be", arguments: faults)
    func faultsAreTold(_ fault: Fault) {
        let error = #expect(throws: KubeconfigError.self) { try Self.read(fault.text, context: fault.context) }
        #expect(error?.message.hasPrefix(fault.message) == true, "\(error?.message ?? "")")
    }
}
