import Kinds
import Kustomize
import Model

/// A file's content as objects, before anything that depends on where it lies: shared by all commits that have the
/// blob.
final class ParsedFile: Sendable {
    struct Item: Sendable {
        var object: JSON
        var kind: GroupVersionKind
        var name: String
        /// Empty where none is written.
        var namespace: String
        var document: Int
        var path: [PathStep]
        var mark: Mark
    }

    struct Fault: Sendable {
        var mark: Mark?
        var message: String
        var reason = RenderingError.Reason.other
    }

    let items: [Item]
    let faults: [Fault]
    /// The size of the text, as a measure of what keeping this costs.
    let bytes: Int

    /// How deep Lists may stand in Lists.
    private static let listDepth = 8

    init(_ text: [UInt8], isJSON: Bool) {
        bytes = text.count
        var reader = Reader()
        if isJSON {
            reader.readJSON(text)
        } else {
            reader.readYAML(text)
        }
        items = reader.items
        faults = reader.faults
    }

    /// One object that was built, with the place of what it was built from.
    init(_ built: BuiltObject) {
        bytes = 0
        var reader = Reader()
        reader.add(built.object, at: built.source.path, of: built.source.document, nesting: 0) { _ in
            built.source.mark
        }
        items = reader.items
        faults = reader.faults
    }

    /// Collects what one file has.
    private struct Reader {
        var items: [Item] = []
        var faults: [Fault] = []

        mutating func readYAML(_ text: [UInt8]) {
            do {
                for (number, document) in try YAML.documents(text, file: "").enumerated() {
                    add(document.value, at: [], of: number, nesting: 0) { document.nearestMark(of: $0) }
                }
            } catch {
                let isText = String(validating: text, as: UTF8.self) != nil
                let message =
                    isText ? error.message : "the file is not UTF-8 text (\(error.message)): convert it to UTF-8"
                faults.append(Fault(mark: Mark(line: error.line, column: error.column), message: message))
            }
        }

        mutating func readJSON(_ text: [UInt8]) {
            if text.allSatisfy({ $0 <= 0x20 }) { return }
            do {
                let value = try JSON(decoding: text)
                add(value, at: [], of: 0, nesting: 0) { ParsedFile.mark(of: $0, inJSON: text) }
            } catch {
                faults.append(Fault(mark: Mark(line: error.line, column: error.column), message: error.message))
            }
        }

        mutating func add(
            _ value: JSON, at path: [PathStep], of document: Int, nesting: Int, mark: ([PathStep]) -> Mark
        ) {
            if value.isNull { return }
            func fault(_ way: [PathStep], _ message: String, _ reason: RenderingError.Reason = .other) {
                faults.append(Fault(mark: mark(path + way), message: message, reason: reason))
            }
            guard value.object != nil else {
                fault(
                    [], "a manifest must be an object with apiVersion and kind, not of type \(value.typeName)",
                    .noManifest)
                return
            }
            var missing: [String] = []
            for name in ["apiVersion", "kind"] where value[name]?.string?.isEmpty ?? true {
                if let found = value[name], !found.isNull, found.string == nil {
                    fault([.key(name)], "\(name) must be a string, not of type \(found.typeName)")
                    return
                }
                missing.append(name)
            }
            guard missing.isEmpty, let apiVersion = value["apiVersion"]?.string, let kind = value["kind"]?.string else {
                let both = missing.joined(separator: " and ")
                fault(
                    [], "\(both) must be set: every manifest needs apiVersion, kind and metadata.name",
                    missing.count == 2 ? .noManifest : .other)
                return
            }
            if kind.hasSuffix("List"), let elements = value["items"]?.array {
                let element = kind == "List" ? nil : (apiVersion, String(kind.dropLast(4)))
                addItems(elements, as: element, at: path, of: document, nesting: nesting, mark: mark)
                return
            }
            let metadata = value["metadata"] ?? .null
            guard let name = metadata["name"]?.string, !name.isEmpty else {
                let isGenerated = metadata["generateName"] != nil
                let why = isGenerated ? ": generateName gives another object at every sync" : " to a string"
                fault([.key("metadata"), .key("name")], "\(kind): metadata.name must be set\(why)")
                return
            }
            if let namespace = metadata["namespace"], namespace.string == nil, !namespace.isNull {
                fault([.key("metadata"), .key("namespace")], "\(kind) \(name): metadata.namespace must be a string")
                return
            }
            if let annotations = metadata["annotations"], let found = ArgoAnnotations.fault(in: annotations) {
                fault(
                    [.key("metadata"), .key("annotations"), .key(found.name)], "\(kind) \(name): \(found.message)")
                return
            }
            items.append(
                Item(
                    object: value, kind: GroupVersionKind(apiVersion: apiVersion, kind: kind), name: name,
                    namespace: metadata["namespace"]?.string ?? "", document: document, path: path, mark: mark(path)))
        }

        /// The items of a List; those of a typed list (`ConfigMapList`) may leave their kind to it.
        private mutating func addItems(
            _ elements: [JSON], as kind: (apiVersion: String, kind: String)?, at path: [PathStep], of document: Int,
            nesting: Int, mark: ([PathStep]) -> Mark
        ) {
            guard nesting < ParsedFile.listDepth else {
                faults.append(
                    Fault(mark: mark(path), message: "Lists stand in Lists more than \(ParsedFile.listDepth) deep"))
                return
            }
            for (position, element) in elements.enumerated() {
                var element = element
                if let kind, element.object != nil, element["kind"] == nil, element["apiVersion"] == nil {
                    element["apiVersion"] = .string(kind.apiVersion)
                    element["kind"] = .string(kind.kind)
                }
                let way = path + [.key("items"), .index(position)]
                add(element, at: way, of: document, nesting: nesting + 1, mark: mark)
            }
        }
    }

    /// A place in JSON text. YAML has marks and reads nearly all JSON; where it cannot, the place is the beginning.
    static func mark(of path: [PathStep], inJSON text: [UInt8]) -> Mark {
        do {
            return try YAML.documents(text, file: "").first?.nearestMark(of: path) ?? Mark(line: 1, column: 1)
        } catch {
            return Mark(line: 1, column: 1)
        }
    }
}
