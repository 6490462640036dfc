import Model

/// A value of a configuration file, and where it stands, decoded as Go's `encoding/json` does: names match without
/// regard to case, and `null` is the same as nothing.
struct Field: Sendable {
    let document: YAMLDocument
    let path: [PathStep]
    let value: JSON
    /// Whether a number or boolean may stand for a text, as `sigs.k8s.io/yaml` allows where it knows the type.
    var isLenient = false

    init(_ document: YAMLDocument, isLenient: Bool = false) {
        self.init(document: document, path: [], value: document.value, isLenient: isLenient)
    }

    private init(document: YAMLDocument, path: [PathStep], value: JSON, isLenient: Bool) {
        self.document = document
        self.path = path
        self.value = value
        self.isLenient = isLenient
    }

    /// The field's path, as it is written in messages: `images[0].newTag`.
    var name: String {
        var text = ""
        for step in path {
            switch step {
            case .key(let key): text += text.isEmpty ? key : ".\(key)"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }

    func error(_ message: String) -> KustomizeError {
        KustomizeError(
            file: document.file, mark: document.nearestMark(of: path),
            message: name.isEmpty ? message : "\(name): \(message)")
    }

    private func wrongType(_ wanted: String) -> KustomizeError {
        error("must be \(wanted), not of type \(value.typeName)")
    }

    func string() throws(KustomizeError) -> String {
        switch value {
        case .string(let text): return text
        case .null: return ""
        case .int, .number, .bool:
            guard isLenient else { throw error("must be a text, not of type \(value.typeName); quote it") }
            return value.scalarText
        default: throw wrongType("a text")
        }
    }

    func bool() throws(KustomizeError) -> Bool {
        switch value {
        case .bool(let value): return value
        case .null: return false
        default: throw wrongType("true or false")
        }
    }

    func int() throws(KustomizeError) -> Int {
        switch value {
        case .int(let value): return Int(value)
        case .null: return 0
        default: throw wrongType("a whole number")
        }
    }

    func elements() throws(KustomizeError) -> [Field] {
        switch value {
        case .array(let elements):
            return elements.enumerated().map { position, element in
                Field(document: document, path: path + [.index(position)], value: element, isLenient: isLenient)
            }
        case .null: return []
        default: throw wrongType("a list")
        }
    }

    func strings() throws(KustomizeError) -> [String] {
        try elements().map { element throws(KustomizeError) in try element.string() }
    }

    /// A map of texts.
    func stringMap() throws(KustomizeError) -> [String: String] {
        var result: [String: String] = [:]
        for (key, field) in try members() { result[key] = try field.string() }
        return result
    }

    func boolMap() throws(KustomizeError) -> [String: Bool] {
        var result: [String: Bool] = [:]
        for (key, field) in try members() { result[key] = try field.bool() }
        return result
    }

    private func members() throws(KustomizeError) -> [(String, Field)] {
        switch value {
        case .object(let object):
            return object.map { member in
                (
                    member.key,
                    Field(
                        document: document, path: path + [.key(member.key)], value: member.value, isLenient: isLenient)
                )
            }
        case .null: return []
        default: throw wrongType("a map")
        }
    }

    /// The members of a struct.
    ///
    /// - Parameter strict: refuses names that are not `known`.
    func members(_ known: Set<String>, strict: Bool = true) throws(KustomizeError) -> Members {
        var result = Members()
        for (key, field) in try members() {
            if known.contains(key) {
                result.set(key, field)
            } else if let name = known.first(where: { $0.lowercased() == key.lowercased() }) {
                result.set(name, field)
            } else if strict {
                throw field.unknown(key, among: known)
            }
        }
        return result
    }

    private func unknown(_ key: String, among known: Set<String>) -> KustomizeError {
        let mark = document.keyMark(of: path) ?? document.nearestMark(of: path)
        let similar = known.filter { name in
            let (left, right) = (name.lowercased(), key.lowercased())
            return left.firstRange(of: right) != nil || right.firstRange(of: left) != nil
        }
        // Of image, images is meant, and not imageTags; of tag, newTag.
        let near = similar.min { (abs($0.count - key.count), $0) < (abs($1.count - key.count), $1) }
        let hint = near.map { "did you mean \($0)?" } ?? "remove it"
        return KustomizeError(file: document.file, mark: mark, message: "\(name): there is no such field; \(hint)")
    }
}

/// The members of a struct that are written, by their right names.
struct Members: Sendable {
    private var fields: [String: Field] = [:]

    mutating func set(_ name: String, _ field: Field) { fields[name] = field }

    /// `nil` where the member is not there, or null.
    subscript(name: String) -> Field? {
        guard let field = fields[name], !field.value.isNull else { return nil }
        return field
    }

    func string(_ name: String) throws(KustomizeError) -> String { try self[name]?.string() ?? "" }
    func bool(_ name: String) throws(KustomizeError) -> Bool { try self[name]?.bool() ?? false }
    func int(_ name: String) throws(KustomizeError) -> Int { try self[name]?.int() ?? 0 }
    func elements(_ name: String) throws(KustomizeError) -> [Field] { try self[name]?.elements() ?? [] }
    func strings(_ name: String) throws(KustomizeError) -> [String] { try self[name]?.strings() ?? [] }
    func stringMap(_ name: String) throws(KustomizeError) -> [String: String] { try self[name]?.stringMap() ?? [:] }

    /// The elements of a list of texts, each with its place.
    func references(_ name: String) throws(KustomizeError) -> [Reference] {
        try elements(name).map { field throws(KustomizeError) in Reference(text: try field.string(), field: field) }
    }
}

/// A path, or a text in its place, and where it is written.
struct Reference: Sendable {
    var text: String
    var field: Field
}

extension JSON {
    /// A scalar as its text; a map or a list has none.
    var scalarText: String {
        switch self {
        case .string(let text), .number(let text): text
        case .int(let value): String(value)
        case .bool(let value): value ? "true" : "false"
        case .null: "null"
        case .array, .object: ""
        }
    }

    var isScalar: Bool {
        switch self {
        case .array, .object: false
        default: true
        }
    }
}
