import Cluster
import Kinds
import Model

/// Answers questions about users and what they may do (semantics-api J8). Nothing of them is stored.
struct Reviews: Sendable {
    let access: Access

    private static let groups: Set<String> = ["authentication.k8s.io", "authorization.k8s.io"]

    /// Whether objects of this kind are questions.
    static func contains(_ type: ResourceType) -> Bool { groups.contains(type.kind.group) && type.verbs == ["create"] }

    /// The question with its answer in `status`.
    ///
    /// - Parameters:
    ///   - review: as the client sent it.
    ///   - user: who asks.
    ///   - namespace: that of the request's path; empty for kinds without one.
    /// - Throws: `.invalid` or `.badRequest` when the question does not say what it must.
    func answer(_ review: JSON, from user: User, namespace: String) async throws(APIError) -> JSON {
        var answer = review
        answer[path: ["metadata", "creationTimestamp"]] = .null
        switch review["kind"]?.string {
        case "SelfSubjectReview": answer["status"] = ["userInfo": Self.info(user)]
        case "TokenReview": answer["status"] = try await tokenStatus(review["spec"] ?? [:])
        case "SelfSubjectAccessReview": answer["status"] = status(user, try Self.attributes(of: review))
        case "SubjectAccessReview":
            answer["status"] = status(try Self.user(of: review), try Self.attributes(of: review))
        case "LocalSubjectAccessReview":
            let attributes = try Self.attributes(of: review)
            guard case .resource(_, let resource) = attributes, resource.namespace == namespace else {
                throw Self.invalid(
                    review, "spec.resourceAttributes.namespace",
                    "must be the namespace of the review, \"\(namespace)\"")
            }
            answer["status"] = status(try Self.user(of: review), attributes)
        case "SelfSubjectRulesReview": answer["status"] = try Self.rules(of: user, review)
        case let kind:
            throw APIError(.badRequest, "the kind \(kind ?? "of the body") is no question about access")
        }
        return answer
    }

    private static func info(_ user: User) -> JSON {
        var info: JSON = ["username": .string(user.name)]
        if !user.uid.isEmpty { info["uid"] = .string(user.uid) }
        info["groups"] = .array(user.groups.map { .string($0) })
        for key in user.extra.keys.sortedByBytes() {
            info[path: ["extra", key]] = .array((user.extra[key] ?? []).map { .string($0) })
        }
        return info
    }

    /// Whether a token is good for one of the audiences that are asked for, or for the API server's own (J2).
    private func tokenStatus(_ spec: JSON) async throws(APIError) -> JSON {
        let token = spec["token"]?.string ?? ""
        guard !token.isEmpty else {
            throw APIError(.badRequest, "token is required for TokenReview in authentication")
        }
        let asked = (spec["audiences"]?.array ?? []).compactMap(\.string)
        do throws(TokenFault) {
            let found = try await access.bearer(
                of: token, audiences: asked.isEmpty ? [ServiceAccountTokens.issuer] : asked)
            return [
                "authenticated": true, "user": Self.info(found.user),
                "audiences": .array(found.audiences.map(JSON.string)),
            ]
        } catch {
            let why = error == .unknown ? "\(error)" : "[\(TokenFault.unknown), \(error)]"
            return ["authenticated": false, "user": [:], "error": .string(why)]
        }
    }

    private func status(_ user: User, _ attributes: RequestAttributes) -> JSON {
        if access.allows(user, attributes) { return ["allowed": true] }
        return ["allowed": false, "reason": .string(Access.refusal)]
    }

    private static func user(of review: JSON) throws(APIError) -> User {
        let name = review[path: ["spec", "user"]]?.string ?? ""
        let groups = (review[path: ["spec", "groups"]]?.array ?? []).compactMap(\.string)
        guard !name.isEmpty || !groups.isEmpty else {
            throw invalid(review, "spec.user", "at least one of user or group must be specified")
        }
        return User(name: name, groups: groups)
    }

    private static func attributes(of review: JSON) throws(APIError) -> RequestAttributes {
        let resource = review[path: ["spec", "resourceAttributes"]]
        let path = review[path: ["spec", "nonResourceAttributes"]]
        switch (resource, path) {
        case (let resource?, nil):
            let text = { (name: String) in resource[name]?.string ?? "" }
            return .resource(
                verb: text("verb"),
                RequestAttributes.ResourceAttributes(
                    group: text("group"), version: text("version"), resource: text("resource"),
                    subresource: text("subresource"), namespace: text("namespace"), name: text("name")))
        case (nil, let path?):
            return .path(verb: path["verb"]?.string ?? "", path["path"]?.string ?? "")
        default:
            throw invalid(
                review, "spec.resourceAttributes",
                "exactly one of nonResourceAttributes or resourceAttributes must be specified")
        }
    }

    /// J8: all that a user may do, as far as it depends on the namespace.
    private static func rules(of user: User, _ review: JSON) throws(APIError) -> JSON {
        guard review[path: ["spec", "namespace"]]?.string?.isEmpty == false else {
            throw APIError(.badRequest, "no namespace on request")
        }
        let own: JSON = [
            "verbs": ["create"], "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
        ]
        let identity: JSON = [
            "verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"],
        ]
        let everything: JSON = ["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]
        var paths: [JSON] = [
            "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
            "/version/",
        ]
        if user.groups.contains(User.serviceAccountsGroup) {
            paths += [.string(IssuerDocuments.configurationPath), .string(IssuerDocuments.keysPath)]
        }
        let reading: JSON =
            user.isAdministrator
            ? ["verbs": ["*"], "nonResourceURLs": ["*"]] : ["verbs": ["get"], "nonResourceURLs": .array(paths)]
        return [
            "resourceRules": .array(user.isAdministrator ? [everything, own, identity] : [own, identity]),
            "nonResourceRules": [reading], "incomplete": false,
        ]
    }

    private static func invalid(_ review: JSON, _ field: String, _ detail: String) -> APIError {
        let kind = review["kind"]?.string ?? ""
        let message = "Invalid value: null: \(detail)"
        return APIError(
            .invalid, "\(kind).authorization.k8s.io \"\" is invalid: \(field): \(message)",
            details: APIError.Details(
                group: "authorization.k8s.io", kind: kind,
                causes: [APIError.Cause(reason: "FieldValueInvalid", message: message, field: field)]))
    }
}
