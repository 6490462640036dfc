import GitSource
import Model

/// A text's objects, before anything that depends on where it lies.
struct ResourceFile: Sendable {
    struct Item: Sendable {
        var object: JSON
        var document: Int
        var path: [PathStep]
        var mark: Mark
        /// Where null is written as nothing at all.
        var blanks: [[PathStep]] = []
        /// Where plain texts are that YAML takes for times.
        var times: [[PathStep]] = []
        /// Where null is written as nothing within braces.
        var braced: [[PathStep]] = []
        /// How null is written that labels and annotations have for a value: `~`.
        var nullTexts: [(path: [PathStep], text: String)] = []
    }

    let items: [Item]

    /// The most objects that one file may have.
    private static let itemLimit = 100_000
    /// How deep Lists may stand in Lists.
    private static let listDepth = 8

    /// Reads a stream of objects as Kustomize does: Lists are taken apart, what has no kind or name is refused.
    ///
    /// - Throws: `KustomizeError` with the place of what is wrong.
    init(_ text: [UInt8], file: String) throws(KustomizeError) {
        let documents: [YAMLDocument]
        do {
            documents = try YAML.documents(text, file: file, dialect: .kustomize)
        } catch {
            guard String(validating: text, as: UTF8.self) != nil else {
                throw KustomizeError(
                    file: file, mark: Mark(line: error.line, column: error.column),
                    message: "the file is not UTF-8 text (\(error.message)): convert it to UTF-8")
            }
            throw KustomizeError(error)
        }
        var queue: [(item: Item, depth: Int)] = []
        for (number, document) in documents.enumerated() {
            if documents.count == 1, let items = Self.wrapped(document.value) {
                for (position, item) in items.enumerated() {
                    try Self.add(item, at: [.key("items"), .index(position)], of: document, 0, depth: 1, to: &queue)
                }
            } else {
                try Self.add(document.value, at: [], of: document, number, depth: 0, to: &queue)
            }
        }
        items = try Self.withoutLists(queue, documents)
    }

    /// The items of the one List, or ResourceList, that a file consists of.
    private static func wrapped(_ value: JSON) -> [JSON]? {
        guard let kind = value["kind"]?.string, kind == "List" || kind == "ResourceList" else { return nil }
        guard let items = value["items"] else { return value["functionConfig"] == nil ? nil : [] }
        return items.array ?? []
    }

    private static func add(
        _ value: JSON, at path: [PathStep], of document: YAMLDocument, _ number: Int, depth: Int,
        to queue: inout [(item: Item, depth: Int)]
    ) throws(KustomizeError) {
        if value.isNull || value.object?.isEmpty == true || value.array?.isEmpty == true { return }
        func error(_ way: [PathStep], _ message: String) -> KustomizeError {
            KustomizeError(file: document.file, mark: document.nearestMark(of: path + way), message: message)
        }
        guard value.object != nil else {
            throw error(
                [], "expected an object with apiVersion, kind and metadata, but found one of type \(value.typeName)")
        }
        guard let kind = value["kind"], kind.isScalar, !kind.isNull, !kind.scalarText.isEmpty else {
            throw error([.key("kind")], "kind must be set: every object needs apiVersion, kind and metadata.name")
        }
        guard depth <= listDepth else {
            throw error([], "Lists stand in Lists more than \(listDepth) deep")
        }
        guard queue.count < itemLimit else {
            throw error([], "there are more than \(itemLimit) objects in one file: split it")
        }
        if !kind.scalarText.hasSuffix("List") {
            let name = value["metadata"]?["name"]
            guard let name, name.isScalar, !name.isNull, !name.scalarText.isEmpty else {
                throw error([.key("metadata"), .key("name")], "\(kind.scalarText): metadata.name must be set")
            }
        }
        let mark = document.nearestMark(of: path)
        var item = Item(object: value, document: number, path: path, mark: mark)
        for var scalar in document.unusualScalars where scalar.path.starts(with: path) {
            scalar.path.removeFirst(path.count)
            item.note(scalar)
        }
        queue.append((item, depth))
    }

    /// Takes the Lists apart; their items come after everything else.
    private static func withoutLists(
        _ queue: [(item: Item, depth: Int)], _ documents: [YAMLDocument]
    ) throws(KustomizeError) -> [Item] {
        var queue = queue
        var result: [Item] = []
        var next = 0
        while next < queue.count {
            let (item, depth) = queue[next]
            next += 1
            let kind = item.object["kind"]?.scalarText ?? ""
            guard kind.hasSuffix("List"), let items = item.object["items"] else {
                result.append(item)
                continue
            }
            if items.isNull { continue }
            let document = documents[item.document]
            guard let elements = items.array else {
                throw KustomizeError(
                    file: document.file, mark: document.nearestMark(of: item.path + [.key("items")]),
                    message: "\(kind): items must be a list, not of type \(items.typeName)")
            }
            for (position, element) in elements.enumerated() {
                let way = item.path + [.key("items"), .index(position)]
                try add(element, at: way, of: document, item.document, depth: depth + 1, to: &queue)
            }
        }
        return result
    }

    func resources(_ file: String, _ blob: ObjectID, _ scopes: KindScopes) -> [Resource] {
        items.map { item in
            var resource = Resource(
                object: item.object,
                source: ResourceSource(
                    file: file, blob: blob, document: item.document, path: item.path, mark: item.mark),
                scopes)
            scopes.note(resource.kind)
            resource.blanks = item.blanks
            resource.times = item.times
            resource.braced = item.braced
            resource.nullTexts = item.nullTexts
            return resource
        }
    }
}

extension ResourceFile.Item {
    /// Notes what of an unusual scalar matters later.
    fileprivate mutating func note(_ scalar: YAMLDocument.UnusualScalar) {
        if scalar.isBraced { braced.append(scalar.path) }
        switch object.value(at: scalar.path[...]) {
        case .null?:
            if scalar.text.isEmpty { blanks.append(scalar.path) }
            if scalar.path.count == 3, scalar.path[0] == .key("metadata") {
                nullTexts.append((scalar.path, scalar.text))
            }
        case .string(let text)? where GoTime.text(text) != nil: times.append(scalar.path)
        default: return
        }
    }
}
