import Cluster
import Engine
import Kinds
import Model
import Synchronization
import Testing

@testable import Server

/// A clock that stands where a test sets it.
private final class SetClock: WallClock {
    private let time = Mutex(Timestamp(seconds: 1_800_000_000))

    var now: Timestamp { time.withLock { $0 } }

    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }

    func sleep(until deadline: Timestamp) async throws { try Task.checkCancellation() }
}

@Suite("Tokens of ServiceAccounts (J2, J3)")
struct ServiceAccountTokenTests {
    private static let options = WriteOptions(fieldManager: "test")
    private static let account = ServiceAccount.key("robot", in: "team")
    private static let own = [ServiceAccountTokens.issuer]

    /// A namespace with an account, a pod of it on a node that is there, a Secret, and a pod of another account.
    private struct World {
        let clock = SetClock()
        let registry: Registry
        let key = TokenKey()
        let tokens: ServiceAccountTokens

        init() async throws {
            registry = try TestServer.registry(clock: clock)
            tokens = ServiceAccountTokens(key, cluster: registry, clock: clock)
            try await create(Namespace(named: "team"))
            for name in ["robot", "default"] { try await create(ServiceAccount(named: name, in: "team")) }
            try await create(Node(named: "here"))
            try await create(Secret(named: "box", in: "team"))
            for (name, account, node) in [("p", "robot", "here"), ("lost", "robot", "gone"), ("other", "default", "")] {
                var pod = Pod(named: name, in: "team")
                pod.json["spec"] = [
                    "serviceAccountName": .string(account), "containers": [["name": "c", "image": "i"]],
                ]
                if !node.isEmpty { pod.json[path: ["spec", "nodeName"]] = .string(node) }
                try await create(pod)
            }
        }

        func create(_ object: some KubernetesObject) async throws {
            _ = try await registry.create(Object(viewing: object.json), options: ServiceAccountTokenTests.options)
        }

        func uid(_ key: ObjectKey) async throws -> String { try await registry.get(key).metadata.uid }

        func token(
            bound kind: String? = nil, _ name: String = "", seconds: Int = 3600, audiences: [String] = []
        ) async throws -> String {
            let bound = kind.map { TokenRequest.BoundObject(apiVersion: "v1", kind: $0, name: name) }
            let request = TokenRequest(audiences: audiences, expirationSeconds: seconds, boundObject: bound)
            return try await tokens.issue(request, for: ServiceAccountTokenTests.account).secret
        }

        /// Why a token lets nobody in; `nil` when it does.
        func fault(_ token: String, audiences: [String] = ServiceAccountTokenTests.own) async -> String? {
            do throws(TokenFault) {
                _ = try await tokens.user(of: token, audiences: audiences)
                return nil
            } catch {
                return error.description
            }
        }
    }

    private static func claims(_ token: String) throws -> JSON {
        let parts = token.split(separator: ".")
        try #require(parts.count == 3)
        return try JSON(decoding: try #require(Base64URL.decode(parts[1])))
    }

    @Test("a token says who issued it, whose it is, for whom and for how long")
    func content() async throws {
        let world = try await World()
        let token = try await world.token(seconds: 600)
        let claims = try Self.claims(token)
        let now = world.clock.now.seconds
        #expect(claims["iss"] == .string(ServiceAccountTokens.issuer) && claims["aud"] == [claims["iss"] ?? ""])
        #expect(claims["sub"] == "system:serviceaccount:team:robot")
        #expect(claims["iat"] == .int(now) && claims["nbf"] == .int(now) && claims["exp"] == .int(now + 600))
        #expect(claims["jti"]?.string?.utf8.count == 36)
        let uid = try await world.uid(Self.account)
        #expect(
            claims["kubernetes.io"] == [
                "namespace": "team", "serviceaccount": ["name": "robot", "uid": .string(uid)],
            ])
        let again = try await world.token(seconds: 600)
        #expect(try Self.claims(again)["jti"] != claims["jti"])
        let header = try JSON(decoding: try #require(Base64URL.decode(token.prefix { $0 != "." })))
        #expect(header == ["alg": "ES256", "kid": .string(world.key.id)])
    }

    @Test("who shows a token is the account, in its groups, with what is known of the token")
    func user() async throws {
        let world = try await World()
        let token = try await world.token(bound: "Pod", "p")
        let user = try await world.tokens.user(of: token, audiences: Self.own).user
        #expect(user.name == "system:serviceaccount:team:robot")
        #expect(user.groups == ["system:serviceaccounts", "system:serviceaccounts:team", "system:authenticated"])
        #expect(user.uid == (try await world.uid(Self.account)))
        let identifier = try Self.claims(token)["jti"]?.string ?? ""
        let prefix = "authentication.kubernetes.io/"
        #expect(
            user.extra == [
                prefix + "credential-id": ["JTI=\(identifier)"], prefix + "pod-name": ["p"],
                prefix + "pod-uid": [try await world.uid(Pod.key("p", in: "team"))], prefix + "node-name": ["here"],
                prefix + "node-uid": [try await world.uid(Node.key("here"))],
            ])
    }

    @Test("a pod's token names its node, by its name alone where that is not there")
    func boundNames() async throws {
        let world = try await World()
        let lost = try Self.claims(try await world.token(bound: "Pod", "lost"))["kubernetes.io"]
        #expect(lost?["node"] == ["name": "gone"])
        let secret = try Self.claims(try await world.token(bound: "Secret", "box"))["kubernetes.io"]
        #expect(secret?["secret"]?["name"] == "box" && secret?["pod"] == nil)
        let node = try Self.claims(try await world.token(bound: "Node", "here"))["kubernetes.io"]
        #expect(node?["node"]?["uid"] == .string(try await world.uid(Node.key("here"))))
    }

    @Test("the token for which admission asks lives for a year and says when another was due")
    func extended() async throws {
        let world = try await World()
        let now = world.clock.now.seconds
        let year: Int64 = 365 * 86400
        let pod = try Self.claims(try await world.token(bound: "Pod", "p", seconds: 3607))
        #expect(pod["exp"] == .int(now + year) && pod["kubernetes.io"]?["warnafter"] == .int(now + 3607))
        // Only of a pod, and only for the API server.
        for (bound, audiences) in [(nil, []), ("Pod", ["vault"])] as [(String?, [String])] {
            let other = try Self.claims(
                try await world.token(bound: bound, "p", seconds: 3607, audiences: audiences))
            #expect(other["exp"] == .int(now + 3607) && other["kubernetes.io"]?["warnafter"] == nil)
        }
    }

    struct Refusal: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var request: TokenRequest
        var account = "robot"
        var reason: APIError.Reason
        var message: String
    }

    private static func bound(_ kind: String, _ name: String, uid: String = "") -> TokenRequest {
        TokenRequest(
            boundObject: .init(apiVersion: kind == "Job" ? "batch/v1" : "v1", kind: kind, name: name, uid: uid))
    }

    static let refusals = [
        Refusal(
            testDescription: "too short", request: TokenRequest(expirationSeconds: 599), reason: .invalid,
            message: "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 599: "
                + "may not specify a duration less than 10 minutes"),
        Refusal(
            testDescription: "too long", request: TokenRequest(expirationSeconds: (1 << 32) + 1), reason: .invalid,
            message: "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: "
                + "4294967297: may not specify a duration larger than 2^32 seconds"),
        Refusal(
            testDescription: "no account", request: TokenRequest(), account: "nobody", reason: .notFound,
            message: "serviceaccounts \"nobody\" not found"),
        Refusal(
            testDescription: "no pod", request: bound("Pod", "q"), reason: .notFound, message: "pods \"q\" not found"),
        Refusal(
            testDescription: "another's pod", request: bound("Pod", "other"), reason: .badRequest,
            message: "cannot bind token for serviceaccount \"robot\" to pod running with serviceaccount \"default\""),
        Refusal(
            testDescription: "another kind", request: bound("Job", "j"), reason: .badRequest,
            message: "cannot bind token to object of type batch/v1, Kind=Job"),
        Refusal(
            testDescription: "another uid", request: bound("Secret", "box", uid: "u"), reason: .conflict,
            message: "Operation cannot be fulfilled on Secret \"box\": the UID in the bound object reference (u) does "
                + "not match the UID in record. The object might have been deleted and then recreated"),
    ]

    @Test("what cannot be issued is refused in Kubernetes' words", arguments: refusals)
    func refused(_ refusal: Refusal) async throws {
        let world = try await World()
        let error = await #expect(throws: APIError.self) {
            try await world.tokens.issue(refusal.request, for: ServiceAccount.key(refusal.account, in: "team"))
        }
        #expect(error?.reason == refusal.reason)
        #expect(error?.message == refusal.message)
    }

    @Test("a token that was changed, has another key or says no algorithm that is known lets nobody in")
    func forged() async throws {
        let world = try await World()
        let token = try await world.token()
        #expect(await world.fault(token) == nil)
        let parts = token.split(separator: ".").map(String.init)
        var claims = try Self.claims(token)
        claims[path: ["kubernetes.io", "serviceaccount", "name"]] = "default"
        let changed = "\(parts[0]).\(Base64URL.encode(claims.encoded())).\(parts[2])"
        #expect(await world.fault(changed) == "invalid signature")
        let foreign = try TokenKey().signed(try Self.claims(token))
        #expect(await world.fault(foreign) == "invalid signature, no keys found")
        for header in [["alg": "none"], ["alg": "HS256", "kid": .string(world.key.id)]] as [JSON] {
            let unsigned = "\(Base64URL.encode(header.encoded())).\(parts[1])."
            #expect(await world.fault(unsigned) == "invalid signature, no keys found")
        }
        for text in ["", "abc", "a.b.c", "\(parts[0]).\(parts[1])", token + ".x", " \(token)"] {
            #expect(await world.fault(text) != nil, "\(text)")
        }
    }

    @Test("a token is good for its audiences alone")
    func audiences() async throws {
        let world = try await World()
        let token = try await world.token(audiences: ["vault", "mail"])
        #expect(
            await world.fault(token)
                == "token audiences [\"vault\" \"mail\"] is invalid for the target audiences "
                + "[\"https://kubernetes.default.svc.cluster.local\"]")
        let found = try await world.tokens.user(of: token, audiences: ["mail", "post"])
        #expect(found.audiences == ["mail"])
    }

    @Test("a token ends with its time, a minute later at the most")
    func expiry() async throws {
        let world = try await World()
        let token = try await world.token(seconds: 600)
        world.clock.advance(by: .seconds(660))
        #expect(await world.fault(token) == nil)
        world.clock.advance(by: .seconds(1))
        #expect(await world.fault(token) == "service account token has expired")
    }

    @Test("a token ends with its account, also where another of that name comes")
    func deletedAccount() async throws {
        let world = try await World()
        let token = try await world.token()
        let old = try await world.uid(Self.account)
        _ = try await world.registry.delete(Self.account, options: DeleteOptions())
        #expect(await world.fault(token) == "service account team/robot has been deleted")
        try await world.create(ServiceAccount(named: "robot", in: "team"))
        let new = try await world.uid(Self.account)
        #expect(await world.fault(token) == "service account UID (\(new)) does not match claim (\(old))")
    }

    @Test("a token ends with what it is bound to", arguments: ["Pod", "Secret", "Node"])
    func deletedObject(kind: String) async throws {
        let world = try await World()
        let keys = ["Pod": Pod.key("p", in: "team"), "Secret": Secret.key("box", in: "team"), "Node": Node.key("here")]
        let key = try #require(keys[kind])
        let token = try await world.token(bound: kind, key.name)
        let free = try await world.token()
        #expect(await world.fault(token) == nil)
        _ = try await world.registry.delete(key, options: DeleteOptions(gracePeriodSeconds: 0))
        #expect(await world.fault(token) == "service account token has been invalidated")
        #expect(await world.fault(free) == nil)
    }

    @Test("a pod that is being deleted is heard until a minute after its end, whatever became of its node")
    func deletion() async throws {
        let world = try await World()
        let token = try await world.token(bound: "Pod", "p", seconds: 7200)
        _ = try await world.registry.delete(Node.key("here"), options: DeleteOptions())
        _ = try await world.registry.delete(
            Pod.key("p", in: "team"), options: DeleteOptions(gracePeriodSeconds: 30))
        world.clock.advance(by: .seconds(90))
        #expect(await world.fault(token) == nil)
        world.clock.advance(by: .seconds(1))
        #expect(await world.fault(token) == "service account token has been invalidated")
    }

    @Test("what a token says survives being read")
    func roundTrip() async throws {
        let world = try await World()
        for bound in [("Pod", "p"), ("Secret", "box"), ("Node", "here")] {
            let json = try Self.claims(try await world.token(bound: bound.0, bound.1, seconds: 3607))
            #expect(try #require(TokenClaims(json: json)).json == json)
        }
    }

    @Test("a token does not print itself")
    func secrecy() async throws {
        let world = try await World()
        let issued = try await world.tokens.issue(TokenRequest(), for: Self.account)
        #expect(!"\(issued)".contains(issued.secret))
    }
}
