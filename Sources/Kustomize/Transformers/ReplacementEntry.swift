import Model

/// A value of one resource that is copied into fields of others.
struct ReplacementEntry: Sendable {
    struct Options: Sendable {
        var delimiter = ""
        var index = 0
        var creates = false
    }

    struct Source: Sendable {
        var kind: ResourceKind
        var name: String
        var namespace: String
        var fieldPath: String
        var options: Options

        func names(_ id: ResourceID) -> Bool {
            (name.isEmpty || name.hasSameBytes(as: id.name))
                && (namespace.isEmpty || namespace.hasSameBytes(as: id.namespace))
                && id.kind.isSelected(by: kind)
        }
    }

    struct Target: Sendable {
        var select: ResourceSelector
        var reject: [ResourceSelector]
        var fieldPaths: [String]
        var options: Options
        var field: Field
    }

    /// `nil` where a path is given in its place.
    var source: Source?
    var targets: [Target]?
    var path: Reference?
    let field: Field

    init(_ field: Field, strict: Bool = true) throws(KustomizeError) {
        let members = try field.members(["source", "targets", "path"], strict: strict)
        self.field = field
        if let path = members["path"], try !path.string().isEmpty {
            self.path = Reference(text: try path.string(), field: path)
        }
        source = try members["source"].map { source throws(KustomizeError) in
            let parts = try source.members(
                ["group", "version", "kind", "name", "namespace", "fieldPath", "options"], strict: strict)
            let path = try parts.string("fieldPath")
            return Source(
                kind: ResourceKind(
                    group: try parts.string("group"), version: try parts.string("version"),
                    kind: try parts.string("kind")),
                name: try parts.string("name"), namespace: try parts.string("namespace"),
                fieldPath: path.isEmpty ? "metadata.name" : path,
                options: try Self.options(parts["options"], strict))
        }
        targets = try members["targets"]?.elements().map { target throws(KustomizeError) in
            try Self.target(target, strict)
        }
    }

    private static func target(_ field: Field, _ strict: Bool) throws(KustomizeError) -> Target {
        let parts = try field.members(["select", "reject", "fieldPaths", "options"], strict: strict)
        guard let select = parts["select"] else { throw field.error("select must say which resources are meant") }
        let paths = try parts.strings("fieldPaths")
        return Target(
            select: try ResourceSelector(select, strict: strict),
            reject: try parts.elements("reject").map { reject throws(KustomizeError) in
                try ResourceSelector(reject, strict: strict)
            },
            fieldPaths: paths.isEmpty ? ["metadata.name"] : paths, options: try options(parts["options"], strict),
            field: field)
    }

    private static func options(_ field: Field?, _ strict: Bool) throws(KustomizeError) -> Options {
        guard let parts = try field?.members(["delimiter", "index", "encoding", "create"], strict: strict) else {
            return Options()
        }
        _ = try parts.string("encoding")
        return Options(
            delimiter: try parts.string("delimiter"), index: try parts.int("index"),
            creates: try parts.bool("create"))
    }
}
