import Cluster

/// Who sent a request.
struct User: Hashable, Sendable {
    var name: String
    var groups: [String]
    /// What tells users of one name apart; only who impersonates gives one.
    var uid = ""
    /// Likewise, for whatever else is to be known of a user.
    var extra: [String: [String]] = [:]

    static let administratorGroup = "system:masters"
    static let authenticatedGroup = "system:authenticated"
    /// May see metrics, as in Kubernetes.
    static let monitoringGroup = "system:monitoring"

    /// Whoever has the token of the kubeconfig.
    static let administrator = User(name: "martlet-admin", groups: [administratorGroup, authenticatedGroup])
    static let unauthenticatedGroup = "system:unauthenticated"
    static let anonymous = User(name: "system:anonymous", groups: [unauthenticatedGroup])

    /// All tokens of ServiceAccounts stand for one of these (J2).
    static let serviceAccountsGroup = "system:serviceaccounts"

    static func serviceAccountName(namespace: String, name: String) -> String {
        "system:serviceaccount:\(namespace):\(name)"
    }

    var isAdministrator: Bool { groups.contains(Self.administratorGroup) }
    var isAnonymous: Bool { self == .anonymous }
    var isAuthenticated: Bool { groups.contains(Self.authenticatedGroup) }
}

/// The one place where it is decided who a request is from and whether it may pass (semantics-api J1, J5).
struct Access: Sendable {
    let token: AccessToken
    let certificates: ClientCertificates
    let serviceAccounts: ServiceAccountTokens

    /// Whose request it is: a certificate's or a token's; nobody's where it shows neither.
    ///
    /// - Parameter authorization: the header of that name.
    /// - Throws: `.unauthorized` for a wrong token and for a certificate that is not to be believed, also where
    ///   anonymous requests may pass (J1).
    func authenticate(authorization: String?, peer: PeerCertificates?) async throws(APIError) -> User {
        var refusal: APIError?
        if let peer {
            do throws(APIError) {
                if let user = try await certificates.user(of: peer) { return user }
            } catch {
                refusal = error
            }
        }
        if let authorization {
            // What is no such token says nothing of who one is.
            let parts = authorization.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1).map { Substring($0) }
            if parts.count == 2, parts[0].lowercased() == "bearer" {
                do throws(TokenFault) {
                    return try await bearer(of: String(parts[1]), audiences: [ServiceAccountTokens.issuer]).user
                } catch {
                    // Why is for nobody who has no good token to know.
                    refusal = APIError(.unauthorized, "Unauthorized")
                }
            }
        }
        if let refusal { throw refusal }
        return .anonymous
    }

    /// Whose a token is, and for which of the audiences it is meant.
    ///
    /// - Throws: why it lets nobody in.
    func bearer(
        of secret: String, audiences: [String]
    ) async throws(TokenFault) -> (user: User, audiences: [String]) {
        guard token.matches(secret) else {
            return try await serviceAccounts.user(of: secret, audiences: audiences)
        }
        guard audiences.contains(ServiceAccountTokens.issuer) else { throw .unknown }
        return (.administrator, [ServiceAccountTokens.issuer])
    }

    /// - Throws: `.unauthorized` where one must say who one is, `.forbidden` where that is not enough.
    func authorize(_ user: User, _ attributes: RequestAttributes) throws(APIError) {
        guard !allows(user, attributes) else { return }
        guard !user.isAnonymous else { throw APIError(.unauthorized, "Unauthorized") }
        throw attributes.refusal(for: user)
    }

    /// Administrators may do everything; others see what there is and who they are, some the metrics, and everybody the
    /// health. ServiceAccounts are such others, who also see by what their tokens are checked: Roles give nothing yet.
    func allows(_ user: User, _ attributes: RequestAttributes) -> Bool {
        if user.isAdministrator { return true }
        switch attributes {
        case .path(let verb, let path):
            let first = path.split(separator: "/").first.map(String.init) ?? ""
            guard ["get", "head"].contains(verb) else { return false }
            if ["healthz", "livez", "readyz", "version"].contains(first) { return true }
            if IssuerDocuments.isOne(path) { return user.groups.contains(User.serviceAccountsGroup) }
            if first == "metrics" { return user.groups.contains(User.monitoringGroup) }
            return user.isAuthenticated && ["", "api", "apis", "openapi", "swagger-2.0.0.pb-v1"].contains(first)
        case .resource(let verb, let resource):
            return user.isAuthenticated && verb == "create" && Self.selfReviews.contains(resource.resource)
                && ["authentication.k8s.io", "authorization.k8s.io"].contains(resource.group)
        }
    }

    /// Why a user may not do what it would be refused, where it is asked about.
    static let refusal = "only administrators (the group \(User.administratorGroup)) may do this"

    /// With which a user asks about itself.
    private static let selfReviews: Set<String> = [
        "selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews",
    ]
}

extension Access: AccessDecider {
    func refusal(of request: AccessRequest) -> String? {
        let user = User(
            name: request.user.name, groups: request.user.groups, uid: request.user.uid, extra: request.user.extra)
        let attributes: RequestAttributes =
            switch request.subject {
            case .path(let path): .path(verb: request.verb, path)
            case .resource(let group, let resource, let subresource, let namespace, let name):
                .resource(
                    verb: request.verb,
                    RequestAttributes.ResourceAttributes(
                        group: group, resource: resource, subresource: subresource, namespace: namespace, name: name))
            }
        return allows(user, attributes) ? nil : Self.refusal
    }
}
