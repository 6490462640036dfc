import Model

/// Which field of which kinds a transformer is about: `spec/template/metadata/labels` of `Deployment`.
struct FieldSpec: Hashable, Sendable {
    struct Component: Hashable, Sendable {
        var name: String
        /// Written `name[]`: only the elements of a list are meant, and nothing is made.
        var isList: Bool
    }

    var kind: ResourceKind
    var path: String
    /// Whether the field is made where it is missing.
    var creates: Bool
    var components: [Component]

    init(kind: ResourceKind = ResourceKind(), path: String, creates: Bool = false) {
        self.kind = kind
        self.path = path
        self.creates = creates
        components = FieldPath.split(path, at: "/").map { part in
            let isList = part.utf8.suffix(2).elementsEqual("[]".utf8)
            return Component(name: isList ? String(part.dropLast(2)) : part, isList: isList)
        }
    }

    init(_ field: Field, strict: Bool = true) throws(KustomizeError) {
        let members = try field.members(["group", "version", "kind", "path", "create"], strict: strict)
        let kind = ResourceKind(
            group: try members.string("group"), version: try members.string("version"),
            kind: try members.string("kind"))
        self.init(kind: kind, path: try members.string("path"), creates: try members.bool("create"))
    }
}

/// A list of field specs without two of one field.
struct FieldSpecs: Hashable, Sendable {
    private(set) var specs: [FieldSpec]

    init(_ specs: [FieldSpec] = []) {
        self.specs = specs
    }

    /// Adds what is not there yet.
    ///
    /// - Throws: where the same field is once to be made and once not.
    mutating func merge(_ spec: FieldSpec) throws(Fault) {
        guard let known = specs.first(where: { $0.kind.isSelected(by: spec.kind) && $0.path == spec.path }) else {
            specs.append(spec)
            return
        }
        guard known.creates == spec.creates else {
            throw Fault("the field \(spec.path) is to be created in one configuration and not in another")
        }
    }

    /// Adds those of `others`, and sorts by kind. The order counts: a spec for any kind is not added where one for a
    /// certain kind has its path already.
    mutating func merge(_ others: FieldSpecs) throws(Fault) {
        for spec in others.specs { try merge(spec) }
        specs = sorted
    }

    private var sorted: [FieldSpec] {
        specs.enumerated().sorted { left, right in
            let (one, other) = (left.element.kind, right.element.kind)
            return one == other ? left.offset < right.offset : LegacyOrder.standard.precedes(one, other)
        }.map(\.element)
    }
}

/// Paths of fields, as Kustomize writes them.
enum FieldPath {
    /// The parts of a path; a separator behind a backslash belongs to its part, one at the beginning is passed over.
    static func split(_ path: String, at separator: Unicode.Scalar) -> [String] {
        var parts = path.split(at: separator, omittingEmpty: false).map(String.init)
        if parts.count > 1, parts[0].isEmpty { parts.removeFirst() }
        if !path.utf8.contains(UInt8(ascii: "\\")) { return parts }
        var result: [String] = []
        for part in parts {
            if let last = result.last, last.hasSuffix("\\") {
                result[result.count - 1] = "\(last.dropLast())\(separator)\(part)"
            } else {
                result.append(part)
            }
        }
        return result
    }

    /// The parts of a path with dots, in which brackets keep a part together: `annotations.[a.b/c]`,
    /// `containers.[name=web].image`.
    static func splitBracketed(_ path: String) -> [String] {
        let parts = split(path, at: ".")
        var result: [String] = []
        var position = 0
        while position < parts.count {
            var part = parts[position]
            position += 1
            guard part.hasPrefix("["), !part.hasSuffix("]") else {
                result.append(part)
                continue
            }
            while position < parts.count {
                part += "." + parts[position]
                position += 1
                if part.hasSuffix("]") { break }
            }
            result.append(part.contains("=") ? part : withoutBrackets(part))
        }
        return result
    }

    private static func withoutBrackets(_ part: String) -> String {
        var rest = part[...]
        while let first = rest.first, first == "[" || first == "]" { rest.removeFirst() }
        while let last = rest.last, last == "[" || last == "]" { rest.removeLast() }
        return String(rest)
    }
}
