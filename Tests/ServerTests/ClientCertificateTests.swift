import Cluster
import FoundationEssentials
import Kinds
import KubernetesClient
import Logging
import Model
import Testing

@testable import Server

/// semantics-api J1, J8.
@Suite("Clients with certificates")
struct ClientCertificateTests {
    /// A client that shows a certificate, and no token.
    private static func with(
        _ pair: KeyPair, on server: TestServer, _ body: (KubernetesClient) async throws -> Void
    ) async throws {
        let client = try KubernetesClient(
            ClusterAccess(
                server: server.url,
                credentials: .certificate(
                    .data(Array(pair.certificateText.utf8)), key: .data(Array(pair.keyText.utf8))),
                certificateAuthority: .data(Array(server.identity.authority.utf8))),
            clock: SystemClock(), logger: Logger(label: "test"))
        do {
            try await body(client)
        } catch {
            try await client.shutdown()
            throw error
        }
        try await client.shutdown()
    }

    private static func issue(
        _ folder: String, user: String = "ann", groups: [String] = [], for lifetime: Duration = .seconds(3600)
    ) throws -> KeyPair {
        let folder = CertificateFolder(path: folder, logger: Logger(label: "test"))
        return try folder.clientCertificate(user: user, groups: groups, for: lifetime, at: SystemClock().now).client
    }

    @Test("J1: the common name is the user, organizations are groups; administrators may do everything")
    func administrator() async throws {
        try await TestServer.runWithAuthority { server, folder in
            try await Self.with(try Self.issue(folder, groups: ["dev", "system:masters"]), on: server) { client in
                let namespace = try await client.get(Namespace.key("default"))
                #expect(namespace.metadata.name == "default")
            }
        }
    }

    @Test("who is no administrator is refused with Kubernetes' words (C1), and may still ask what there is")
    func others() async throws {
        try await TestServer.runWithAuthority { server, folder in
            try await Self.with(try Self.issue(folder, groups: ["dev"]), on: server) { client in
                let types = try await client.resourceTypes()
                #expect(types.contains { $0.plural == "pods" })
                let get = await #expect(throws: APIError.self) { try await client.get(Pod.key("p", in: "default")) }
                #expect(get?.reason == .forbidden)
                #expect(
                    get?.message
                        == "pods \"p\" is forbidden: User \"ann\" cannot get resource \"pods\" in API group \"\" "
                        + "in the namespace \"default\"")
                let list = await #expect(throws: APIError.self) {
                    try await client.list(ListQuery(Deployment.kind.groupKind))
                }
                #expect(
                    list?.message
                        == "deployments.apps is forbidden: User \"ann\" cannot list resource \"deployments\" in API "
                        + "group \"apps\" at the cluster scope")
            }
        }
    }

    @Test("a certificate of another authority, one that has ended and one that is for servers let nobody in")
    func unbelievable() async throws {
        try await TestServer.runWithAuthority { server, folder in
            let foreign = try KeyPair.authority(at: SystemClock().now).clientCertificate(
                user: "ann", groups: ["system:masters"], for: .seconds(3600), at: SystemClock().now)
            let ended = try Self.issue(folder, groups: ["system:masters"], for: .seconds(-60))
            let authority = try KeyPair(
                certificateText: try Self.text("\(folder)/ca.crt"), keyText: try Self.text("\(folder)/ca.key"))
            let servers = try authority.serverCertificate(names: ["localhost"], at: SystemClock().now)
            for pair in [foreign, ended, servers] {
                try await Self.with(pair, on: server) { client in
                    let error = await #expect(throws: APIError.self) { try await client.get(Namespace.key("default")) }
                    #expect(error?.reason == .unauthorized, "\(error?.message ?? "")")
                }
            }
        }
    }

    @Test("administrators may ask as somebody else, with that one's rights; others may not")
    func impersonation() async throws {
        try await TestServer.run { server in
            let path = "/api/v1/namespaces/default"
            let refused = try await RawHTTP.send("GET", path, to: server, headers: ["Impersonate-User": "bob"])
            #expect(refused.status == 403)
            #expect(
                try refused.json["message"]?.string
                    == "namespaces \"default\" is forbidden: User \"bob\" cannot get resource \"namespaces\" in API "
                    + "group \"\" in the namespace \"default\"")
            let administrator = ["Impersonate-User": "bob", "Impersonate-Group": "system:masters"]
            #expect(try await RawHTTP.send("GET", path, to: server, headers: administrator).status == 200)
            for headers in [
                ["Impersonate-Group": "dev"], ["Impersonate-Uid": "1"], ["Impersonate-Extra-scopes": "view"],
            ] {
                #expect(try await RawHTTP.send("GET", path, to: server, headers: headers).status == 400)
            }
        }
    }

    @Test("who is impersonated has the uid and all else that is said of it (J9)")
    func impersonatedIdentity() async throws {
        try await TestServer.run { server in
            let answer = try await RawHTTP.send(
                "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", to: server,
                headers: [
                    "Impersonate-User": "bob", "Impersonate-Uid": "u-1", "Impersonate-Extra-Scopes": "view",
                    "Impersonate-Extra-example.com%2Fteam": "a",
                ], body: "{}")
            #expect(answer.status == 201)
            #expect(
                try answer.json[path: ["status", "userInfo"]] == [
                    "username": "bob", "uid": "u-1", "groups": ["system:authenticated"],
                    "extra": ["example.com/team": ["a"], "scopes": ["view"]],
                ])
        }
    }

    struct Identity: CustomTestStringConvertible, Sendable {
        var headers: [(String, String)]
        var asked: [String]
        var groups: [String]
        var testDescription: String { headers.map { "\($0.0): \($0.1)" }.joined(separator: ", ") }
    }

    static let identities = [
        Identity(
            headers: [("Impersonate-User", "system:serviceaccount:team:robot")],
            asked: ["serviceaccounts \"robot\" … resource \"serviceaccounts\" … \"\" in the namespace \"team\""],
            groups: ["system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated"]),
        Identity(
            headers: [
                ("Impersonate-User", "bob"), ("Impersonate-Group", "dev"), ("Impersonate-Extra-a", "1"),
                ("Impersonate-Extra-a", "2"), ("Impersonate-Uid", "u"),
            ],
            asked: [
                "users \"bob\" … resource \"users\" … \"\" at the cluster scope",
                "groups \"dev\" … resource \"groups\" … \"\" at the cluster scope",
                "userextras.authentication.k8s.io \"1\" … resource \"userextras/a\" … \"authentication.k8s.io\" at the "
                    + "cluster scope",
                "userextras.authentication.k8s.io \"2\" … resource \"userextras/a\" … \"authentication.k8s.io\" at the "
                    + "cluster scope",
                "uids.authentication.k8s.io \"u\" … resource \"uids\" … \"authentication.k8s.io\" at the cluster scope",
            ], groups: ["dev", "system:authenticated"]),
        Identity(
            headers: [("Impersonate-User", "bob"), ("Impersonate-Group", "system:unauthenticated")],
            asked: [
                "users \"bob\" … resource \"users\" … \"\" at the cluster scope",
                "groups \"system:unauthenticated\" … resource \"groups\" … \"\" at the cluster scope",
            ], groups: ["system:unauthenticated"]),
    ]

    @Test("J9: each part of an identity is asked for, and groups that follow from it are added", arguments: identities)
    func parts(_ identity: Identity) throws {
        let headers = RequestHeaders(identity.headers.map { (name: $0.0, value: $0.1) })
        let wanted = try #require(try Impersonation(headers))
        let refusals = wanted.attributes.map { attributes in
            attributes.refusal(for: User(name: "ann", groups: [])).message
                .replacing("is forbidden: User \"ann\" cannot impersonate", with: "…").replacing(
                    "in API group", with: "…")
        }
        #expect(refusals == identity.asked)
        #expect(wanted.user.groups == identity.groups)
    }

    @Test("J7: impersonation is a verb of its own")
    func forbiddenImpersonation() throws {
        let headers = RequestHeaders([(name: "Impersonate-User", value: "bob")])
        let ann = User(name: "ann", groups: ["dev"])
        let error = #expect(throws: APIError.self) { try Self.access.impersonated(by: ann, headers) }
        #expect(error?.reason == .forbidden)
        #expect(
            error?.message
                == "users \"bob\" is forbidden: User \"ann\" cannot impersonate resource \"users\" in API group "
                + "\"\" at the cluster scope")
        let anonymous = #expect(throws: APIError.self) { try Self.access.impersonated(by: .anonymous, headers) }
        #expect(anonymous?.reason == .unauthorized)
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
    }

    @Test("a kubeconfig for somebody else leads to the server under that name")
    func kubeconfig() async throws {
        try await TestServer.runWithAuthority { server, folder in
            // As a data directory: the service's own kubeconfig beside the folder of keys.
            let data = "\(folder)-data"
            try PrivateFile.makeFolder(data)
            defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: data) } }
            try FileManager.default.createSymbolicLink(atPath: "\(data)/pki", withDestinationPath: folder)
            try KubeconfigFile.write(
                server: server.url, authority: server.identity.authority, token: server.identity.token,
                to: "\(data)/kubeconfig")
            let document = try KubeconfigFile.document(
                for: "ann", groups: ["system:masters"], lifetime: .seconds(3600), directory: data,
                at: SystemClock().now)
            let access = try ClusterAccess(kubeconfig: Array(YAML.text(document).utf8), path: "config")
            let client = try KubernetesClient(access, clock: SystemClock(), logger: Logger(label: "test"))
            #expect(try await client.get(Namespace.key("default")).metadata.name == "default")
            try await client.shutdown()
        }
    }

    @Test("a folder without an authority says what to do")
    func missingAuthority() {
        let error = #expect(throws: CertificateFault.self) { try Self.issue("/nowhere") }
        #expect(error?.description.contains("start 'martlet serve' once first") == true)
    }

    static let users: [(user: User, namespace: String?, allowed: Bool)] = [
        (.administrator, "default", true), (User(name: "ann", groups: ["dev"]), "default", false),
    ]

    @Test("J8: a user may ask what it may do", arguments: users)
    func accessReview(user: User, namespace: String?, allowed: Bool) async throws {
        let reviews = try Self.reviews
        let review: JSON = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": ["resourceAttributes": ["verb": "get", "resource": "pods", "namespace": "default"]],
        ]
        let answer = try await reviews.answer(review, from: user, namespace: "")
        #expect(answer[path: ["status", "allowed"]] == .bool(allowed))
        let rules: JSON = [
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview",
            "spec": ["namespace": "default"],
        ]
        let status = try await reviews.answer(rules, from: user, namespace: "")["status"]
        #expect((status?[path: ["resourceRules"]]?[0]?["verbs"] == ["*"]) == allowed)
        #expect(status?["incomplete"] == false)
    }

    @Test("J8: a question that does not say what it must is refused")
    func badReviews() async throws {
        let reviews = try Self.reviews
        for spec in [[:], ["resourceAttributes": [:], "nonResourceAttributes": [:]]] as [JSON] {
            let error = await #expect(throws: APIError.self) {
                try await reviews.answer(
                    ["kind": "SelfSubjectAccessReview", "spec": spec], from: .administrator, namespace: "")
            }
            #expect(error?.reason == .invalid)
        }
        let error = await #expect(throws: APIError.self) {
            try await reviews.answer(
                ["kind": "SelfSubjectRulesReview", "spec": [:]], from: .administrator, namespace: "")
        }
        #expect(error?.message == "no namespace on request")
    }

    private static var access: Access {
        get throws {
            Access(
                token: AccessToken(secret: "secret"),
                certificates: ClientCertificates(
                    authority: { preconditionFailure("nobody shows a certificate here") }, clock: SystemClock()),
                serviceAccounts: ServiceAccountTokens(
                    TokenKey(), cluster: try TestServer.registry(), clock: SystemClock()))
        }
    }

    private static var reviews: Reviews {
        get throws { Reviews(access: try access) }
    }

    @Test("J8: who am I, over the wire, and a token that is looked up")
    func whoAmI() async throws {
        try await TestServer.run { server in
            let path = "/apis/authentication.k8s.io/v1/"
            let answer = try await RawHTTP.send(
                "POST", path + "selfsubjectreviews", to: server,
                body: #"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#)
            #expect(answer.status == 201)
            #expect(try answer.json[path: ["status", "userInfo", "username"]] == "martlet-admin")
            for (token, isGood) in [(server.identity.token.secret, true), ("wrong", false)] {
                let review = try await RawHTTP.send(
                    "POST", path + "tokenreviews", to: server, body: #"{"spec":{"token":"\#(token)"}}"#)
                #expect(try review.json[path: ["status", "authenticated"]] == .bool(isGood))
            }
            let list = try await RawHTTP.send("GET", path + "tokenreviews", to: server)
            #expect(list.status == 405)
        }
    }
}
