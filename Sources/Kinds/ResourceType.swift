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
    /// What a CustomResourceDefinition says of this version beyond discovery; `nil` for what is built in, and for what
    /// was learned by discovery.
    package var custom: CustomResource?

    package init(
        kind: GroupVersionKind, plural: String, singular: String, shortNames: [String] = [], categories: [String] = [],
        isNamespaced: Bool, verbs: [String], subresources: [Subresource] = [], custom: CustomResource? = nil
    ) {
        self.kind = kind
        self.plural = plural
        self.singular = singular
        self.shortNames = shortNames
        self.categories = categories
        self.isNamespaced = isNamespaced
        self.verbs = verbs
        self.subresources = subresources
        self.custom = custom
    }

    /// `deployments.apps`, or `pods` for the core group: what Kubernetes' messages call the resource.
    package var qualifiedPlural: String { kind.group.isEmpty ? plural : "\(plural).\(kind.group)" }
}

/// One version of a custom kind, as its definition describes it to clients.
package struct CustomResource: Hashable, Sendable {
    /// Where in the object `/scale` finds what it shows: paths that begin with a dot (I5).
    package struct ScalePaths: Hashable, Sendable {
        package var specReplicas: String
        package var statusReplicas: String
        /// The text of a label selector; `nil` when there is none.
        package var labelSelector: String?

        package init(specReplicas: String, statusReplicas: String, labelSelector: String? = nil) {
            self.specReplicas = specReplicas
            self.statusReplicas = statusReplicas
            self.labelSelector = labelSelector
        }
    }

    /// `openAPIV3Schema` as it is written: a structural schema without references.
    package var schema: JSON
    /// `additionalPrinterColumns` as they are written (E5).
    package var printerColumns: [JSON]
    package var scale: ScalePaths?
    /// Paths that field selectors may name, without the dot before them (D9).
    package var selectableFields: [String]
    /// What requests for a deprecated version are warned of.
    package var deprecationWarning: String?

    package init(
        schema: JSON, printerColumns: [JSON] = [], scale: ScalePaths? = nil, selectableFields: [String] = [],
        deprecationWarning: String? = nil
    ) {
        self.schema = schema
        self.printerColumns = printerColumns
        self.scale = scale
        self.selectableFields = selectableFields
        self.deprecationWarning = deprecationWarning
    }
}

extension Sequence<ResourceType> {
    /// Each kind once, in the version that clients prefer: for whoever visits the objects of all kinds.
    package var preferred: [ResourceType] {
        var seen: Set<GroupKind> = []
        return filter { seen.insert($0.kind.groupKind).inserted }
    }
}
