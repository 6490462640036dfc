import Cluster
import Engine
import Kinds
import KubernetesClient
import Model
import Testing

@testable import Server

@Suite("Tokens of ServiceAccounts over HTTP")
struct TokenRequestTests {
    private static let path = "/api/v1/namespaces/default/serviceaccounts/robot/token"
    private static let reviews = "/apis/authentication.k8s.io/v1/tokenreviews"

    private static func run(_ body: @escaping @Sendable (TestServer) async throws -> Void) async throws {
        try await TestServer.run { server in
            _ = try await server.registry.create(
                Object(viewing: ServiceAccount(named: "robot", in: "default").json),
                options: WriteOptions(fieldManager: "test"))
            try await body(server)
        }
    }

    private static func token(_ server: TestServer, audiences: [String] = []) async throws -> String {
        let body: JSON = ["spec": ["audiences": .array(audiences.map(JSON.string))]]
        let answer = try await RawHTTP.send("POST", path, to: server, body: body.text())
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(try answer.json[path: ["status", "token"]]?.string)
    }

    @Test("a request is answered with what was left out filled in, the token and its end")
    func request() async throws {
        try await Self.run { server in
            // As Go's client writes it.
            let body = """
                {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
                 "metadata": {"creationTimestamp": null},
                 "spec": {"audiences": null, "expirationSeconds": null, "boundObjectRef": null},
                 "status": {"token": "", "expirationTimestamp": null}}
                """
            let before = SystemClock().now.seconds
            let answer = try await RawHTTP.send("POST", Self.path, to: server, body: body)
            #expect(answer.status == 201)
            let json = try answer.json
            #expect(json["kind"] == "TokenRequest" && json["apiVersion"] == "authentication.k8s.io/v1")
            #expect(json["metadata"] == ["name": "robot", "namespace": "default"])
            #expect(json[path: ["spec", "audiences"]] == [.string(ServiceAccountTokens.issuer)])
            #expect(json[path: ["spec", "expirationSeconds"]] == 3600)
            let end = try #require(json[path: ["status", "expirationTimestamp"]]?.string.flatMap { Timestamp($0) })
            #expect((before + 3600...before + 3660).contains(end.seconds))
            #expect(json[path: ["status", "token"]]?.string?.split(separator: ".").count == 3)
        }
    }

    @Test("as client-go writes and reads them, in protobuf")
    func protobuf() async throws {
        try await Self.run { server in
            let request: JSON = [
                "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
                "spec": ["audiences": ["vault"], "expirationSeconds": 700],
            ]
            let type = "application/vnd.kubernetes.protobuf"
            let answer = try await RawHTTP.send(
                "POST", Self.path, to: server, headers: ["Content-Type": type, "Accept": type],
                bytes: try ProtobufEncoding.encoded(request))
            #expect(answer.status == 201 && answer.header("content-type") == type)
            let json = try ProtobufObject(decoding: answer.body).json
            #expect(json[path: ["spec", "audiences"]] == ["vault"])
            #expect(json[path: ["status", "token"]]?.string?.isEmpty == false)
        }
    }

    struct Refusal: CustomTestStringConvertible, Sendable {
        var body: String
        var status: Int
        var message: String
        var testDescription: String { body }
    }

    static let refusals = [
        Refusal(
            body: #"{"metadata": {"name": "other"}}"#, status: 422,
            message:
                "TokenRequest.authentication.k8s.io \"robot\" is invalid: metadata.name: Invalid value: \"other\": "
                + "must match the service account name if specified"),
        Refusal(
            body: #"{"metadata": {"namespace": "other"}}"#, status: 400,
            message: "the namespace of the provided object does not match the namespace sent on the request"),
        Refusal(
            body: #"{"spec": {"expirationSeconds": 1}}"#, status: 422,
            message:
                "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 1: may "
                + "not specify a duration less than 10 minutes"),
        Refusal(
            body: #"{"spec": {"expirationSeconds": "1"}}"#, status: 400,
            message: "TokenRequest in version \"v1\" cannot"),
        Refusal(body: #"{"kind": "Pod"}"#, status: 400, message: "does not match the expected kind (TokenRequest)"),
    ]

    @Test("a request that says what it may not is refused", arguments: refusals)
    func refused(_ refusal: Refusal) async throws {
        try await Self.run { server in
            let answer = try await RawHTTP.send("POST", Self.path, to: server, body: refusal.body)
            #expect(answer.status == refusal.status)
            #expect(try answer.json["message"]?.string?.contains(refusal.message) == true, "\(answer.text)")
        }
    }

    @Test("tokens are created alone, by administrators, of accounts that are there")
    func verbs() async throws {
        try await Self.run { server in
            #expect(try await RawHTTP.send("GET", Self.path, to: server).status == 405)
            let absent = Self.path.replacing("robot", with: "nobody")
            #expect(try await RawHTTP.send("POST", absent, to: server, body: "{}").status == 404)
            let answer = try await RawHTTP.send(
                "POST", Self.path, to: server, headers: ["Impersonate-User": "bob"], body: "{}")
            #expect(answer.status == 403)
            #expect(
                try answer.json["message"]?.string
                    == "serviceaccounts \"robot\" is forbidden: User \"bob\" cannot create resource "
                    + "\"serviceaccounts/token\" in API group \"\" in the namespace \"default\"")
            let dry = try await RawHTTP.send("POST", Self.path + "?dryRun=All", to: server, body: "{}")
            #expect(dry.status == 201)
            let wrong = try await RawHTTP.send("POST", Self.path + "?dryRun=Some", to: server, body: "{}")
            #expect(wrong.status == 422)
        }
    }

    @Test("who shows a token is known by it, sees what there is, and may do no more")
    func access() async throws {
        try await Self.run { server in
            let token = try await Self.token(server)
            let identity = try await RawHTTP.send(
                "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", to: server, token: token, body: "{}")
            #expect(identity.status == 201)
            let user = try identity.json[path: ["status", "userInfo"]]
            #expect(user?["username"] == "system:serviceaccount:default:robot")
            #expect(
                user?["groups"] == [
                    "system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated",
                ])
            #expect(user?["extra"]?["authentication.kubernetes.io/credential-id"] != nil)
            #expect(try await RawHTTP.send("GET", "/apis", to: server, token: token).status == 200)
            let pods = try await RawHTTP.send("GET", "/api/v1/namespaces/default/pods", to: server, token: token)
            #expect(pods.status == 403)
            #expect(
                try pods.json["message"]?.string
                    == "pods is forbidden: User \"system:serviceaccount:default:robot\" cannot list resource \"pods\" "
                    + "in API group \"\" in the namespace \"default\"")
            let foreign = try await Self.token(server, audiences: ["vault"])
            #expect(try await RawHTTP.send("GET", "/apis", to: server, token: foreign).status == 401)
            #expect(try await RawHTTP.send("GET", "/apis", to: server, token: token + "x").status == 401)
            let rules = try await RawHTTP.send(
                "POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", to: server, token: token,
                body: #"{"spec": {"namespace": "default"}}"#)
            let paths = try rules.json[path: ["status", "nonResourceRules"]]?[0]?["nonResourceURLs"]?.array
            #expect(paths?.contains("/openid/v1/jwks") == true)
        }
    }

    @Test("a review says whose a token is, for which audiences, or why it is nobody's")
    func review() async throws {
        try await Self.run { server in
            func status(_ spec: JSON) async throws -> JSON {
                let answer = try await RawHTTP.send(
                    "POST", Self.reviews, to: server, body: (["spec": spec] as JSON).text())
                #expect(answer.status == 201)
                return try answer.json["status"] ?? [:]
            }
            let token = try await Self.token(server, audiences: ["vault", ServiceAccountTokens.issuer])
            let good = try await status(["token": .string(token)])
            #expect(good["authenticated"] == true && good["error"] == nil)
            #expect(good["audiences"] == [.string(ServiceAccountTokens.issuer)])
            #expect(good["user"]?["username"] == "system:serviceaccount:default:robot")
            let vault = try await status(["token": .string(token), "audiences": ["mail", "vault"]])
            #expect(vault["authenticated"] == true && vault["audiences"] == ["vault"])
            let mail = try await status(["token": .string(token), "audiences": ["mail"]])
            #expect(mail["authenticated"] == false && mail["user"] == [:])
            #expect(mail["error"]?.string?.hasPrefix("[invalid bearer token, token audiences ") == true)
            #expect(try await status(["token": "a"])["error"] == "invalid bearer token")
            let own = server.identity.token.secret
            #expect(try await status(["token": .string(own)])["authenticated"] == true)
            #expect(try await status(["token": .string(own), "audiences": ["mail"]])["authenticated"] == false)
            let none = try await RawHTTP.send("POST", Self.reviews, to: server, body: #"{"spec": {}}"#)
            #expect(none.status == 400)
            #expect(try none.json["message"] == "token is required for TokenReview in authentication")
        }
    }

    @Test("others check tokens by documents that administrators and ServiceAccounts may read")
    func issuerDocuments() async throws {
        try await Self.run { server in
            let token = try await Self.token(server)
            let path = "/.well-known/openid-configuration"
            let answer = try await RawHTTP.send("GET", path, to: server, token: token)
            #expect(answer.status == 200 && answer.header("content-type") == "application/json")
            #expect(answer.header("cache-control") == "public, max-age=3600")
            let configuration = try answer.json
            #expect(configuration["issuer"] == .string(ServiceAccountTokens.issuer))
            #expect(configuration["jwks_uri"]?.string?.hasSuffix("/openid/v1/jwks") == true)
            #expect(configuration["id_token_signing_alg_values_supported"] == ["ES256"])
            let keys = try await RawHTTP.send("GET", "/openid/v1/jwks", to: server, token: token)
            #expect(keys.header("content-type") == "application/jwk-set+json")
            let key = try keys.json["keys"]?[0]
            #expect(key?["kid"] == .string(server.identity.tokenKey.id) && key?["d"] == nil)
            for coordinate in ["x", "y"] {
                #expect(key?[coordinate]?.string.flatMap { Base64URL.decode($0) }?.count == 32)
            }
            #expect(try await RawHTTP.send("GET", path, to: server).status == 200)
            #expect(try await RawHTTP.send("GET", path, to: server, token: nil).status == 401)
            let bob = try await RawHTTP.send("GET", path, to: server, headers: ["Impersonate-User": "bob"])
            #expect(bob.status == 403)
        }
    }

    @Test("discovery and OpenAPI tell of the subresource with its own kind (A3)")
    func discovery() async throws {
        try await Self.run { server in
            let list = try await RawHTTP.send("GET", "/api/v1", to: server)
            let entry = try list.json["resources"]?.array?.first { $0["name"] == "serviceaccounts/token" }
            #expect(
                entry == [
                    "name": "serviceaccounts/token", "singularName": "", "namespaced": true, "kind": "TokenRequest",
                    "verbs": ["create"], "group": "authentication.k8s.io", "version": "v1",
                ])
            let group = try await RawHTTP.send("GET", "/apis/authentication.k8s.io/v1", to: server)
            let names = try group.json["resources"]?.array?.compactMap { $0["name"]?.string }
            #expect(names == ["selfsubjectreviews", "tokenreviews"])
            let document = try await RawHTTP.send("GET", "/openapi/v3/api/v1", to: server).json
            let operation = document["paths"]?["/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"]?["post"]
            #expect(operation?["x-kubernetes-group-version-kind"]?["kind"] == "TokenRequest")
            let name = "io.k8s.api.authentication.v1.TokenRequest"
            #expect(document[path: ["components", "schemas", name, "properties", "spec"]] != nil)
        }
    }
}
