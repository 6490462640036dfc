import Cluster
import HTTPTypes

extension Access {
    /// The user whom a request wants to be taken for (`kubectl --as`), or who sent it where it wants no such thing.
    ///
    /// - Throws: `.forbidden` where the sender may not impersonate, in Kubernetes' words; `.badRequest` for groups
    ///   without a user and for parts of an identity that no user of Martlet has.
    func impersonated(by sender: User, _ headers: HTTPFields) throws(APIError) -> User {
        var name: String?
        var groups: [String] = []
        var others: [String] = []
        for field in headers {
            switch field.name.canonicalName {
            case "impersonate-user": name = field.value
            case "impersonate-group": groups.append(field.value)
            case let other where other.hasPrefix("impersonate-"): others.append(field.name.rawName)
            default: break
            }
        }
        guard let name, !name.isEmpty else {
            guard groups.isEmpty, others.isEmpty else {
                throw APIError(.badRequest, "what is to be impersonated has no user: name one with Impersonate-User")
            }
            return sender
        }
        try authorize(sender, Self.impersonating("users", name))
        for group in groups { try authorize(sender, Self.impersonating("groups", group)) }
        if let other = others.first {
            throw APIError(.badRequest, "\(other) is not supported: only users and groups can be impersonated")
        }
        if name == User.anonymous.name { return .anonymous }
        if !groups.contains(User.authenticatedGroup) { groups.append(User.authenticatedGroup) }
        return User(name: name, groups: groups)
    }

    private static func impersonating(_ resource: String, _ name: String) -> RequestAttributes {
        .resource(verb: "impersonate", .init(resource: resource, name: name))
    }
}
