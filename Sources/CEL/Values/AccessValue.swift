/// What an expression asks an authorizer: may somebody do that?
package struct AccessQuestion: Hashable, Sendable {
    package struct Resource: Hashable, Sendable {
        package var group: String
        /// The plural name.
        package var resource: String
        package var subresource: String
        /// Empty for what has no namespace, and for all namespaces.
        package var namespace: String
        package var name: String
        /// As they are written; empty for none.
        package var fieldSelector = ""
        package var labelSelector = ""

        package init(
            group: String, resource: String, subresource: String = "", namespace: String = "", name: String = ""
        ) {
            self.group = group
            self.resource = resource
            self.subresource = subresource
            self.namespace = namespace
            self.name = name
        }
    }

    package enum Subject: Hashable, Sendable {
        case path(String)
        case resource(Resource)
    }

    package struct ServiceAccount: Hashable, Sendable {
        package var namespace: String
        package var name: String
    }

    package var verb: String
    package var subject: Subject
    /// Who is asked about; `nil` means the user whose request it is.
    package var serviceAccount: ServiceAccount?
}

/// What an authorizer answers.
package struct AccessDecision: Hashable, Sendable {
    package var isAllowed: Bool
    package var reason: String
    /// Why it could not be decided; empty when it could.
    package var error: String

    package init(isAllowed: Bool, reason: String = "", error: String = "") {
        self.isAllowed = isAllowed
        self.reason = reason
        self.error = error
    }
}

/// Values on the way from `authorizer` to a decision: `authorizer.group('').resource('pods').check('get').allowed()`.
package enum AccessValue: Sendable {
    package typealias Decide = @Sendable (AccessQuestion) -> AccessDecision

    case authorizer(Asker)
    case path(Asker, String)
    case group(Asker, String)
    case resource(Asker, AccessQuestion.Resource)
    case decision(AccessDecision)

    /// Who decides, and about whom.
    package struct Asker: Sendable {
        var decide: Decide
        var serviceAccount: AccessQuestion.ServiceAccount?

        package init(_ decide: @escaping Decide) { self.decide = decide }
    }

    static let authorizerType = "kubernetes.authorization.Authorizer"
    static let pathCheckType = "kubernetes.authorization.PathCheck"
    static let groupCheckType = "kubernetes.authorization.GroupCheck"
    static let resourceCheckType = "kubernetes.authorization.ResourceCheck"
    static let decisionType = "kubernetes.authorization.Decision"

    var typeName: String {
        switch self {
        case .authorizer: Self.authorizerType
        case .path: Self.pathCheckType
        case .group: Self.groupCheckType
        case .resource: Self.resourceCheckType
        case .decision: Self.decisionType
        }
    }
}
