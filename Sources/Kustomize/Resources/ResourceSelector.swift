import CEL
import Model

/// Which resources a patch is for: regular expressions that must match as a whole, and selectors.
struct ResourceSelector: Sendable {
    var kind: ResourceKind
    var name: String
    var namespace: String
    var labels: Selector?
    var annotations: Selector?
    let field: Field

    static let fields: Set<String> = [
        "group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector",
    ]

    init(_ field: Field, strict: Bool = true) throws(KustomizeError) {
        let members = try field.members(Self.fields, strict: strict)
        kind = ResourceKind(
            group: try members.string("group"), version: try members.string("version"),
            kind: try members.string("kind"))
        name = try members.string("name")
        namespace = try members.string("namespace")
        labels = try Self.selector(members["labelSelector"])
        annotations = try Self.selector(members["annotationSelector"])
        self.field = field
    }

    private static func selector(_ field: Field?) throws(KustomizeError) -> Selector? {
        guard let field else { return nil }
        let text = try field.string()
        do {
            return try Selector(parsing: text)
        } catch {
            throw field.error(error.message)
        }
    }

    /// Whether a resource is meant: by the name and namespace that it has or had at first.
    ///
    /// - Throws: for an expression that is none.
    func selects(_ resource: Resource) throws(KustomizeError) -> Bool {
        let (current, original) = (resource.id, resource.originalID)
        let isNamespace = try matches(namespace, [original.namespace, current.namespace])
        let isName = try matches(name, [original.name, current.name])
        let isGroup = try matches(kind.group, current.kind.group)
        let isVersion = try matches(kind.version, current.kind.version)
        let isKind = try matches(kind.kind, current.kind.kind)
        guard isNamespace, isName, isGroup, isVersion, isKind else { return false }
        return matchesSelectors(resource)
    }

    func matchesSelectors(_ resource: Resource) -> Bool {
        (labels?.matches(resource.texts("labels")) ?? true)
            && (annotations?.matches(resource.texts("annotations")) ?? true)
    }

    private func matches(_ pattern: String, _ texts: [String]) throws(KustomizeError) -> Bool {
        for text in texts where try matches(pattern, text) { return true }
        return false
    }

    private func matches(_ pattern: String, _ text: String) throws(KustomizeError) -> Bool {
        if pattern.isEmpty { return true }
        if Expression.isLiteral(pattern) { return pattern.hasSameBytes(as: text) }
        guard let found = Expression.matches("^(?:\(pattern))$", text) else {
            throw field.error("\"\(pattern)\" is no regular expression")
        }
        return found
    }

    /// Whether an id is exactly what the selector names, as replacements select. A namespace selects nothing that has
    /// none.
    func names(_ id: ResourceID) -> Bool {
        (name.isEmpty || name.hasSameBytes(as: id.name))
            && (namespace.isEmpty || namespace.hasSameBytes(as: id.namespace)) && id.kind.isSelected(by: kind)
    }

    var isWithoutID: Bool { kind == ResourceKind() && name.isEmpty && namespace.isEmpty }
}

/// Regular expressions as Go has them.
enum Expression {
    /// Whether the pattern is found anywhere in `text`; `nil` for a pattern that is none.
    static func matches(_ pattern: String, _ text: String) -> Bool? { GoPattern.matches(pattern, text) }

    /// Whether a pattern has no sign with a meaning of its own.
    static func isLiteral(_ pattern: String) -> Bool {
        pattern.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "_"),
                UInt8(ascii: ":"), UInt8(ascii: "@"):
                true
            default: false
            }
        }
    }
}
