package import Cluster
import FoundationEssentials
import Kinds
package import Model

/// Why a token lets nobody in.
struct TokenFault: Error, Hashable, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }

    /// Nobody's token.
    static let unknown = TokenFault("invalid bearer token")
}

/// Issues tokens of ServiceAccounts, and knows them again (semantics-api J2, J3).
package struct ServiceAccountTokens: TokenSource {
    /// What kubeadm calls the issuer; also the audience of tokens for the API server.
    static let issuer = "https://kubernetes.default.svc.cluster.local"

    /// The life of a pod's token for which admission asks: it then lives for a year, so that programs which read their
    /// token once go on; the node writes a new one in time all the same (J3).
    private static let extendedRequest = 3607
    private static let extendedSeconds = 365 * 86400

    let key: TokenKey
    private let cluster: any Cluster
    private let clock: any WallClock

    package init(_ identity: ServerIdentity, cluster: any Cluster, clock: any WallClock) {
        self.init(identity.tokenKey, cluster: cluster, clock: clock)
    }

    init(_ key: TokenKey, cluster: any Cluster, clock: any WallClock) {
        self.key = key
        self.cluster = cluster
        self.clock = clock
    }

    // MARK: Issuing

    package func issue(_ request: TokenRequest, for account: ObjectKey) async throws(APIError) -> IssuedToken {
        let found = try await cluster.get(account).metadata
        try Self.check(request)
        let now = clock.now.seconds
        let audiences = request.audiences.isEmpty ? [Self.issuer] : request.audiences
        var claims = TokenClaims(
            issuer: Self.issuer, audiences: audiences, at: now, seconds: Int64(request.expirationSeconds),
            id: UUID().uuidString.lowercased(), namespace: account.namespace,
            account: TokenClaims.Reference(name: account.name, uid: found.uid))
        if let bound = request.boundObject { try await bind(&claims, to: bound, account) }
        if claims.pod != nil, request.expirationSeconds == Self.extendedRequest, audiences == [Self.issuer] {
            claims.warnAfter = claims.expiry
            claims.expiry = now + Int64(Self.extendedSeconds)
        }
        do {
            return IssuedToken(
                secret: try key.signed(claims.json),
                expiration: Timestamp(seconds: now + Int64(request.expirationSeconds)))
        } catch {
            throw APIError(.internalError, "Internal error occurred: failed to generate token: \(error)")
        }
    }

    private static func check(_ request: TokenRequest) throws(APIError) {
        let seconds = request.expirationSeconds
        let fault: String
        if seconds < 600 {
            fault = "may not specify a duration less than 10 minutes"
        } else if seconds > 1 << 32 {
            fault = "may not specify a duration larger than 2^32 seconds"
        } else {
            return
        }
        let path = FieldPath("spec", "expirationSeconds")
        throw APIError(
            invalid: [FieldError(.invalid, at: path, value: .int(Int64(seconds)), detail: fault)], of: .tokenRequest)
    }

    /// The object that a token is bound to must be there, and be the one that is meant.
    private func bind(
        _ claims: inout TokenClaims, to bound: TokenRequest.BoundObject, _ account: ObjectKey
    ) async throws(APIError) {
        let kind = GroupVersionKind(apiVersion: bound.apiVersion, kind: bound.kind)
        let reference: TokenClaims.Reference
        switch (kind.group, kind.kind) {
        case ("", "Pod"):
            let pod: Pod = try await cluster.get(Pod.key(bound.name, in: account.namespace)).view()
            let owner = pod.json[path: ["spec", "serviceAccountName"]]?.string ?? ""
            guard owner.hasSameBytes(as: account.name) else {
                throw APIError(
                    .badRequest,
                    "cannot bind token for serviceaccount \(JSON.string(account.name).text()) to pod running with "
                        + "serviceaccount \(JSON.string(owner).text())")
            }
            reference = TokenClaims.Reference(pod.metadata)
            claims.pod = reference
            if !pod.spec.nodeName.isEmpty { claims.node = try await node(pod.spec.nodeName) }
        case ("", "Secret"):
            reference = TokenClaims.Reference(
                try await cluster.get(Secret.key(bound.name, in: account.namespace)).metadata)
            claims.secret = reference
        case ("", "Node"):
            reference = TokenClaims.Reference(try await cluster.get(Node.key(bound.name)).metadata)
            claims.node = reference
        default:
            let text = "\(kind.group)/\(kind.version), Kind=\(kind.kind)"
            throw APIError(.badRequest, "cannot bind token to object of type \(text)")
        }
        guard bound.uid.isEmpty || bound.uid == reference.uid else {
            throw .conflict(
                kind.kind, group: kind.group, name: bound.name,
                because: "the UID in the bound object reference (\(bound.uid)) does not match the UID in record. The "
                    + "object might have been deleted and then recreated")
        }
    }

    /// Where a pod is; a node that is not there any more is known by its name alone.
    private func node(_ name: String) async throws(APIError) -> TokenClaims.Reference {
        do throws(APIError) {
            return TokenClaims.Reference(try await cluster.get(Node.key(name)).metadata)
        } catch {
            guard error.reason == .notFound else { throw error }
            return TokenClaims.Reference(name: name, uid: "")
        }
    }

    // MARK: Knowing

    /// Whose token this is, and for which of the audiences it is meant.
    ///
    /// - Throws: when it is none that was issued here, is not of this time, or is meant for others; when its account,
    ///   or what it is bound to, is not there any more.
    func user(of token: String, audiences: [String]) async throws(TokenFault) -> (user: User, audiences: [String]) {
        let claims = try claims(of: token)
        let common = claims.audiences.filter { audiences.contains($0) }
        guard !common.isEmpty else {
            throw TokenFault(
                "token audiences \(Self.quoted(claims.audiences)) is invalid for the target audiences "
                    + Self.quoted(audiences))
        }
        if let fault = claims.fault(at: clock.now.seconds) { throw TokenFault(fault) }
        try await checkObjects(claims)
        return (claims.user, common)
    }

    /// What a token says that was signed here.
    private func claims(of token: String) throws(TokenFault) -> TokenClaims {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let content = Self.json(parts[1]), content["iss"]?.string == Self.issuer else {
            throw .unknown
        }
        let header = Self.json(parts[0])
        guard header?["alg"]?.string == TokenKey.algorithm, header?["kid"]?.string ?? key.id == key.id else {
            throw TokenFault("invalid signature, no keys found")
        }
        guard let signature = Base64URL.decode(parts[2]), key.verifies(signature, of: "\(parts[0]).\(parts[1])"),
            let claims = TokenClaims(json: content)
        else { throw TokenFault("invalid signature") }
        return claims
    }

    private static func json(_ text: Substring) -> JSON? {
        guard let bytes = Base64URL.decode(text) else { return nil }
        do {
            return try JSON(decoding: bytes)
        } catch {
            return nil
        }
    }

    private static func quoted(_ texts: [String]) -> String {
        "[\(texts.map { JSON.string($0).text() }.joined(separator: " "))]"
    }

    private func checkObjects(_ claims: TokenClaims) async throws(TokenFault) {
        let namespace = claims.namespace
        try await check(
            ServiceAccount.key(claims.account.name, in: namespace), claims.account,
            gone: "service account \(namespace)/\(claims.account.name) has been deleted"
        ) { "service account UID (\($0)) does not match claim (\(claims.account.uid))" }
        let invalidated = "service account token has been invalidated"
        if let secret = claims.secret {
            try await check(Secret.key(secret.name, in: namespace), secret, gone: invalidated) {
                "secret UID (\($0)) does not match service account secret ref claim (\(secret.uid))"
            }
        }
        if let pod = claims.pod {
            try await check(Pod.key(pod.name, in: namespace), pod, gone: invalidated) {
                "pod UID (\($0)) does not match service account pod ref claim (\(pod.uid))"
            }
        } else if let node = claims.node {
            // The node of a pod may come and go: the token is the pod's.
            try await check(Node.key(node.name), node, gone: invalidated) {
                "node UID (\($0)) does not match service account node ref claim (\(node.uid))"
            }
        }
    }

    /// - Parameter other: what to say where another object has the name, by its uid.
    private func check(
        _ key: ObjectKey, _ reference: TokenClaims.Reference, gone: String, other: (String) -> String
    ) async throws(TokenFault) {
        let metadata: ObjectMeta
        do throws(APIError) {
            metadata = try await cluster.get(key).metadata
        } catch {
            throw TokenFault(gone)
        }
        // What is being deleted counts for a little longer, so that its last words are heard.
        if let end = metadata.deletionTimestamp, end.seconds < clock.now.seconds - TokenClaims.leeway {
            throw TokenFault(gone)
        }
        guard metadata.uid == reference.uid else { throw TokenFault(other(metadata.uid)) }
    }
}

extension TokenClaims.Reference {
    fileprivate init(_ metadata: ObjectMeta) {
        self.init(name: metadata.name, uid: metadata.uid)
    }
}

extension GroupVersionKind {
    static let tokenRequest = GroupVersionKind(group: "authentication.k8s.io", version: "v1", kind: "TokenRequest")
}
