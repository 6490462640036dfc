/// Whether a user may do something: what admission policies ask.
package struct AccessRequest: Hashable, Sendable {
    package enum Subject: Hashable, Sendable {
        case path(String)
        /// - Parameters:
        ///   - resource: the plural name.
        ///   - namespace: empty for what has no namespace, and for all namespaces.
        ///   - name: empty for a collection.
        case resource(group: String, resource: String, subresource: String, namespace: String, name: String)
    }

    package var user: Requester
    package var verb: String
    package var subject: Subject

    package init(user: Requester, verb: String, subject: Subject) {
        self.user = user
        self.verb = verb
        self.subject = subject
    }
}

/// Whoever decides who may do what.
package protocol AccessDecider: Sendable {
    /// Why the user may not do that; `nil` when it may.
    func refusal(of request: AccessRequest) -> String?
}
