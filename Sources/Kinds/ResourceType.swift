package import Model

/// How a kind is served: its path segment, scope, verbs and subresources (`APIResource` in discovery).
package struct ResourceType: Hashable, Sendable {
    package struct Subresource: Hashable, Sendable {
        package var name: String
        package var verbs: [String]

        package init(name: String, verbs: [String]) {
            self.name = name
            self.verbs = verbs
        }
    }

    package var kind: GroupVersionKind
    /// The plural, lower-case name in paths: `deployments`.
    package var plural: String
    package var singular: String
    package var shortNames: [String]
    package var categories: [String]
    package var isNamespaced: Bool
    package var verbs: [String]
    package var subresources: [Subresource]

    package init(
        kind: GroupVersionKind, plural: String, singular: String, shortNames: [String] = [], categories: [String] = [],
        isNamespaced: Bool, verbs: [String], subresources: [Subresource] = []
    ) {
        self.kind = kind
        self.plural = plural
        self.singular = singular
        self.shortNames = shortNames
        self.categories = categories
        self.isNamespaced = isNamespaced
        self.verbs = verbs
        self.subresources = subresources
    }

    /// `deployments.apps`, or `pods` for the core group: what Kubernetes' messages call the resource.
    package var qualifiedPlural: String { kind.group.isEmpty ? plural : "\(plural).\(kind.group)" }
}
