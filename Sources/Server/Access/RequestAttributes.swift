import Cluster

/// What a request wants to do to what: all that a decision about it may rest on (semantics-api J5, J7).
enum RequestAttributes: Hashable, Sendable {
    case resource(verb: String, ResourceAttributes)
    /// `/version`, `/openapi/v3` and the like, with the verb in lower case.
    case path(verb: String, String)

    struct ResourceAttributes: Hashable, Sendable {
        var group = ""
        var version = ""
        /// The plural name.
        var resource = ""
        var subresource = ""
        /// Empty for what has no namespace, and for all namespaces.
        var namespace = ""
        /// Empty for a collection.
        var name = ""
    }

    init(method: String, path: String, _ parsed: APIPath, _ query: QueryParameters) {
        guard case .resource(let resource) = parsed else {
            self = .path(verb: method.lowercased(), path)
            return
        }
        var attributes = ResourceAttributes(
            group: resource.group, version: resource.version, resource: resource.plural,
            subresource: resource.subresource ?? "", namespace: resource.namespace ?? "", name: resource.name ?? "")
        // A namespace is a thing within itself (J7).
        if resource.group.isEmpty, resource.plural == "namespaces" { attributes.namespace = attributes.name }
        let isWatch = resource.isLegacyWatch || query.flag("watch")
        self = .resource(
            verb: Self.verb(method, isCollection: resource.name == nil, isWatch: isWatch), attributes)
    }

    static func verb(_ method: String, isCollection: Bool, isWatch: Bool) -> String {
        switch method {
        case "GET", "HEAD": isWatch ? "watch" : isCollection ? "list" : "get"
        case "POST": "create"
        case "PUT": "update"
        case "PATCH": "patch"
        case "DELETE": isCollection ? "deletecollection" : "delete"
        default: method.lowercased()
        }
    }

    /// The refusal of this to a user, in Kubernetes' words (C1).
    func refusal(for user: User) -> APIError {
        switch self {
        case .path(let verb, let path):
            return APIError(.forbidden, "forbidden: User \"\(user.name)\" cannot \(verb) path \"\(path)\"")
        case .resource(let verb, let resource):
            let full =
                resource.subresource.isEmpty
                ? resource.resource : "\(resource.resource)/\(resource.subresource)"
            let qualified = resource.group.isEmpty ? resource.resource : "\(resource.resource).\(resource.group)"
            let subject = resource.name.isEmpty ? qualified : "\(qualified) \"\(resource.name)\""
            let place =
                resource.namespace.isEmpty
                ? "at the cluster scope" : "in the namespace \"\(resource.namespace)\""
            return APIError(
                .forbidden,
                "\(subject) is forbidden: User \"\(user.name)\" cannot \(verb) resource \"\(full)\" in API group "
                    + "\"\(resource.group)\" \(place)",
                details: APIError.Details(name: resource.name, group: resource.group, kind: resource.resource))
        }
    }
}
