import Model

/// What a token of a ServiceAccount says (semantics-api J2). Times are in seconds since 1970.
struct TokenClaims: Hashable, Sendable {
    struct Reference: Hashable, Sendable {
        var name: String
        var uid: String

        fileprivate var json: JSON {
            var json: JSON = ["name": .string(name)]
            // The node of a pod may not be known by more than its name.
            if !uid.isEmpty { json["uid"] = .string(uid) }
            return json
        }

        fileprivate init?(json: JSON?) {
            guard let name = json?["name"]?.string else { return nil }
            self.init(name: name, uid: json?["uid"]?.string ?? "")
        }

        init(name: String, uid: String) {
            self.name = name
            self.uid = uid
        }
    }

    var issuer: String
    var audiences: [String]
    var issuedAt: Int64
    var notBefore: Int64
    var expiry: Int64
    /// Tells tokens apart (`jti`).
    var id: String
    var namespace: String
    var account: Reference
    var pod: Reference?
    var secret: Reference?
    /// What the token is bound to, or where the pod is that it is bound to.
    var node: Reference?
    /// When its holder should have fetched another one, of a token that lives longer than was asked for (J3).
    var warnAfter: Int64?

    var json: JSON {
        var own: JSON = ["namespace": .string(namespace)]
        if let node { own["node"] = node.json }
        if let pod { own["pod"] = pod.json }
        if let secret { own["secret"] = secret.json }
        own["serviceaccount"] = account.json
        if let warnAfter { own["warnafter"] = .int(warnAfter) }
        return [
            "aud": .array(audiences.map(JSON.string)), "exp": .int(expiry), "iat": .int(issuedAt),
            "iss": .string(issuer), "jti": .string(id), "kubernetes.io": own, "nbf": .int(notBefore),
            "sub": .string(User.serviceAccountName(namespace: namespace, name: account.name)),
        ]
    }

    init(
        issuer: String, audiences: [String], at now: Int64, seconds: Int64, id: String, namespace: String,
        account: Reference
    ) {
        (self.issuer, self.audiences, self.id) = (issuer, audiences, id)
        (issuedAt, notBefore, expiry) = (now, now, now + seconds)
        (self.namespace, self.account) = (namespace, account)
    }

    /// - Returns: `nil` for what does not say all that a token must.
    init?(json: JSON) {
        let own = json["kubernetes.io"]
        guard let issuer = json["iss"]?.string, let expiry = json["exp"]?.int,
            let namespace = own?["namespace"]?.string,
            let account = Reference(json: own?["serviceaccount"])
        else { return nil }
        self.issuer = issuer
        audiences = json["aud"]?.string.map { [$0] } ?? (json["aud"]?.array ?? []).compactMap(\.string)
        self.expiry = expiry
        issuedAt = json["iat"]?.int ?? 0
        notBefore = json["nbf"]?.int ?? 0
        id = json["jti"]?.string ?? ""
        self.namespace = namespace
        self.account = account
        pod = Reference(json: own?["pod"])
        secret = Reference(json: own?["secret"])
        node = Reference(json: own?["node"])
        warnAfter = own?["warnafter"]?.int
    }

    /// Clocks may differ by so many seconds.
    static let leeway: Int64 = 60

    /// Why the token is not one of this time; `nil` when it is.
    func fault(at now: Int64) -> String? {
        if now - Self.leeway > expiry { return "service account token has expired" }
        if now + Self.leeway < max(notBefore, issuedAt) { return "service account token is not valid yet" }
        return nil
    }

    /// Whom the token stands for, with Kubernetes' names for what else is known.
    var user: User {
        var user = User(
            name: User.serviceAccountName(namespace: namespace, name: account.name),
            groups: [
                User.serviceAccountsGroup, "\(User.serviceAccountsGroup):\(namespace)", User.authenticatedGroup,
            ], uid: account.uid)
        let prefix = "authentication.kubernetes.io/"
        if !id.isEmpty { user.extra[prefix + "credential-id"] = ["JTI=\(id)"] }
        for (name, reference) in [("pod", pod), ("node", node)] {
            guard let reference else { continue }
            user.extra["\(prefix)\(name)-name"] = [reference.name]
            if !reference.uid.isEmpty { user.extra["\(prefix)\(name)-uid"] = [reference.uid] }
        }
        return user
    }
}
