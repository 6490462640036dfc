import FoundationEssentials
import Model

/// Which optional numbers, texts and booleans Go leaves out when they are zero, because they are no pointers: what a
/// client sends of them and what it does not send is the same (`omitempty`). The messages of protobuf have that by
/// label.
struct OmittedZeros {
    private let messages: JSON

    /// - Parameter root: the root of the package, with a slash at its end.
    init(root: String) throws {
        messages = try JSON(decoding: Array(Data(contentsOf: URL(filePath: root + "Sources/Assets/protobuf.json"))))
    }

    /// The definitions of a document with `x-martlet-omits-zero` at such properties.
    func marked(_ document: JSON) -> JSON {
        let names = Self.names(in: document)
        var marked = document
        for definition in document["definitions"]?.object ?? JSONObject() {
            guard let name = names[definition.key], let message = messages[name] else { continue }
            let required = (definition.value["required"]?.array ?? []).compactMap(\.string)
            for property in definition.value["properties"]?.object ?? JSONObject()
            where !required.contains(property.key) && Self.omitsZero(message[property.key]) {
                marked[path: ["definitions", definition.key, "properties", property.key, "x-martlet-omits-zero"]] = true
            }
        }
        return marked
    }

    /// Of a field: its number, its type, and its label where that is not the usual one.
    private static func omitsZero(_ field: JSON?) -> Bool {
        guard let type = field?[1]?.string else { return false }
        switch field?[2]?.string {
        case nil: return ["bool", "int32", "int64", "double", "string"].contains(type)
        case "nonzero": return true
        default: return false
        }
    }

    /// Of definitions, what their messages are called, as `apps.v1.Deployment`.
    private static func names(in document: JSON) -> [String: String] {
        var kinds: [String: String] = [:]
        for kind in document["kinds"]?.array ?? [] {
            if let definition = kind["definition"]?.string { kinds[definition] = kind["kind"]?.string }
        }
        var names: [String: String] = [:]
        for package in document["packages"]?.object ?? JSONObject() {
            let prefix = package.key.split(separator: ".").suffix(2).joined(separator: ".")
            for definition in (package.value.array ?? []).compactMap(\.string) {
                names[definition] = "\(prefix).\(kinds[definition] ?? definition)"
            }
        }
        for name in document["names"]?.object ?? JSONObject() {
            names[name.key] = (name.value.string ?? "").split(separator: ".").suffix(3).joined(separator: ".")
        }
        return names
    }
}
