import Cluster

extension Access {
    /// The user whom a request wants to be taken for (`kubectl --as`, J9), or who sent it where it wants no such thing.
    ///
    /// - Throws: `.forbidden` where the sender may not impersonate, in Kubernetes' words; `.badRequest` for parts of an
    ///   identity without a user.
    func impersonated(by sender: User, _ headers: RequestHeaders) throws(APIError) -> User {
        guard let wanted = try Impersonation(headers) else { return sender }
        for attributes in wanted.attributes { try authorize(sender, attributes) }
        return wanted.user
    }
}

/// Whom a request wants to be taken for, by its headers.
struct Impersonation: Hashable, Sendable {
    private var name = ""
    private var groups: [String] = []
    private var uid = ""
    /// In the order of the headers, keys as they are meant.
    private var extra: [Extra] = []

    private struct Extra: Hashable {
        var key: String
        var value: String
    }

    private static let extraPrefix = "impersonate-extra-"

    /// - Returns: `nil` when no header speaks of it.
    /// - Throws: `.badRequest` for parts of an identity without a user.
    init?(_ headers: RequestHeaders) throws(APIError) {
        guard !headers.impersonation.isEmpty else { return nil }
        for field in headers.impersonation {
            switch field.name {
            case "impersonate-user": name = field.value
            case "impersonate-group": groups.append(field.value)
            case "impersonate-uid": uid = field.value
            case let other where other.hasPrefix(Self.extraPrefix):
                // What headers cannot hold is percent-encoded; a key that is not is taken as it is.
                let key = String(other.dropFirst(Self.extraPrefix.count))
                extra.append(Extra(key: String(percentEncoded: key) ?? key, value: field.value))
            default: break
            }
        }
        guard name.isEmpty else { return }
        guard groups.isEmpty, uid.isEmpty, extra.isEmpty else {
            throw APIError(.badRequest, "what is to be impersonated has no user: name one with Impersonate-User")
        }
        return nil
    }

    /// Namespace and name of a ServiceAccount, where the user is one.
    private var serviceAccount: (namespace: String, name: String)? {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4, parts[0] == "system", parts[1] == "serviceaccount", !parts[2].isEmpty, !parts[3].isEmpty
        else { return nil }
        return (parts[2], parts[3])
    }

    /// What one must be allowed to do for each part of it.
    var attributes: [RequestAttributes] {
        let authentication = ("authentication.k8s.io", "v1")
        var list: [RequestAttributes] = []
        if let account = serviceAccount {
            list.append(
                .resource(
                    verb: "impersonate",
                    .init(
                        version: "v1", resource: "serviceaccounts", namespace: account.namespace, name: account.name)))
        } else {
            list.append(Self.impersonating(("", ""), "users", name))
        }
        list += groups.map { Self.impersonating(("", ""), "groups", $0) }
        list += extra.map { Self.impersonating(authentication, "userextras", $0.value, subresource: $0.key) }
        if !uid.isEmpty { list.append(Self.impersonating(authentication, "uids", uid)) }
        return list
    }

    private static func impersonating(
        _ version: (group: String, version: String), _ resource: String, _ name: String, subresource: String = ""
    ) -> RequestAttributes {
        .resource(
            verb: "impersonate",
            .init(
                group: version.group, version: version.version, resource: resource, subresource: subresource, name: name
            ))
    }

    /// The user, with the groups that everybody of that kind is in.
    var user: User {
        if name == User.anonymous.name { return .anonymous }
        var groups = groups
        if groups.isEmpty, let account = serviceAccount {
            groups = [User.serviceAccountsGroup, "\(User.serviceAccountsGroup):\(account.namespace)"]
        }
        let isKnown = [User.authenticatedGroup, User.unauthenticatedGroup].contains { groups.contains($0) }
        if !isKnown { groups.append(User.authenticatedGroup) }
        var values: [String: [String]] = [:]
        for item in extra { values[item.key, default: []].append(item.value) }
        return User(name: name, groups: groups, uid: uid, extra: values)
    }
}
