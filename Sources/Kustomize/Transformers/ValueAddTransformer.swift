import Model

/// Puts a value into fields, or as a part into the paths that they hold.
struct ValueAddTransformer: Transformer {
    private struct Target {
        var selector: ResourceSelector?
        var fieldPath: String
        var position: Int
        var field: Field
    }

    private let value: String
    private var targets: [Target] = []

    init(_ members: Members, _ loader: Loader, _ place: Loader.Place) throws(KustomizeError) {
        let text = try members.string("value").trimmedOfSpace
        value = text.isEmpty ? place.root.split(separator: "/").last.map(String.init) ?? "" : text
        targets = try Self.targets(members)
        if let file = members["targetFilePath"], try !file.string().isEmpty {
            let reference = Reference(text: try file.string(), field: file)
            if let document = try loader.document(of: reference, in: place) {
                targets += try Self.targets(Field(document, isLenient: true).members(["targets"], strict: false))
            }
        }
        if targets.isEmpty {
            throw KustomizeError(file: "", message: "targets must name one target at least")
        }
    }

    private static func targets(_ members: Members) throws(KustomizeError) -> [Target] {
        try members.elements("targets").map { field throws(KustomizeError) in
            let parts = try field.members(["selector", "fieldPath", "filePathPosition"], strict: false)
            let path = try parts.string("fieldPath")
            let position = try parts.int("filePathPosition")
            guard !path.isEmpty else { throw field.error("fieldPath must be set") }
            guard position >= 0 else { throw field.error("filePathPosition cannot be negative") }
            let selector = try parts["selector"].map { selector throws(KustomizeError) in
                try ResourceSelector(selector, strict: false)
            }
            return Target(selector: selector, fieldPath: path, position: position, field: field)
        }
    }

    func apply(to resources: inout [Resource]) throws(KustomizeError) {
        for target in targets {
            for position in resources.indices {
                if let selector = target.selector, try !selector.selects(resources[position]) { continue }
                try apply(target, to: &resources[position])
            }
        }
    }

    private func apply(_ target: Target, to resource: inout Resource) throws(KustomizeError) {
        if target.fieldPath == "metadata/namespace" {
            if !resource.isClusterScoped { resource.setNamespace(value) }
            return
        }
        let path = FieldPath.split(target.fieldPath, at: "/")
        let old = resource.object[path: path] ?? .null
        guard old.isScalar else {
            throw target.field.error(
                "\(resource.id): \(target.fieldPath) is of type \(old.typeName), not a single value")
        }
        let text =
            target.position == 0
            ? value : Self.inserted(value, into: old.isNull ? "" : old.scalarText, target.position - 1)
        resource.object[path: path] = .string(text)
    }

    /// A path with a part put in at a position, or at its end.
    static func inserted(_ part: String, into path: String, _ position: Int) -> String {
        var parts = path.split(separator: "/").map(String.init)
        parts.insert(part, at: min(position, parts.count))
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}
