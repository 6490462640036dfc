import GitSource
import Model

/// The content of a patch: objects to merge, or a JSON patch (RFC 6902).
enum PatchContent: Sendable {
    case merge([Resource])
    case json(JSON)

    /// Reads the text of a patch, which must be one of both and not the other.
    static func read(
        _ text: [UInt8], file: String, blob: ObjectID, _ scopes: KindScopes
    ) throws(KustomizeError) -> PatchContent {
        if let operations = try jsonPatch(text, file: file) { return .json(operations) }
        let resources = try ResourceFile(text, file: file).resources(file, blob, scopes)
        guard !resources.isEmpty else { throw KustomizeError(file: file, message: "the patch is empty") }
        return .merge(resources)
    }

    /// The list of operations; `nil` for what is no list.
    static func jsonPatch(_ text: [UInt8], file: String) throws(KustomizeError) -> JSON? {
        if text.first == UInt8(ascii: "[") {
            do {
                return try checked(JSON(decoding: text), file: file, nil)
            } catch let error as KustomizeError {
                throw error
            } catch {
                throw KustomizeError(file: file, message: "a patch that begins with [ must be JSON: \(error)")
            }
        }
        let document: YAMLDocument?
        do {
            document = try YAML.documents(text, file: file).first
        } catch {
            throw KustomizeError(error)
        }
        guard let document, document.value.array != nil else { return nil }
        return try checked(document.value, file: file, document)
    }

    private static func checked(
        _ value: JSON, file: String, _ document: YAMLDocument?
    ) throws(KustomizeError) -> JSON {
        for (position, operation) in (value.array ?? []).enumerated() where operation.object == nil {
            throw KustomizeError(
                file: file, mark: document?.nearestMark(of: [.index(position)]),
                message: "operation \(position) of the patch must be a map with op and path")
        }
        return value
    }
}

extension Resource {
    /// Merges a patch; the object is gone (an empty one) when the patch deletes it.
    ///
    /// Name and kind stay what they are unless the patch may change them; the namespace always does.
    mutating func merge(_ patch: Resource, _ schema: MergeSchema) throws(KustomizeError) {
        scopes.useBuiltIn()
        let (name, namespace, kind) = (object["metadata"]?["name"], namespace, object["kind"])
        if patch.allowsNameChange || patch.allowsKindChange { rememberName() }
        let merged: JSON?
        do {
            merged = try StrategicMerge(schema: schema).apply(
                patch.object, to: object.with(.blank, inPlaceOfNullAt: blanks))
        } catch {
            throw KustomizeError(
                file: patch.source.file, mark: patch.source.mark,
                message: "the patch does not fit \(id): \(error.message)")
        }
        object = merged ?? .emptyObject
        if !blanks.isEmpty { object = object.withoutBlanks }
        blanks = []
        braced += patch.braced
        if isEmpty { return }
        if !patch.allowsKindChange { object["kind"] = kind }
        if !patch.allowsNameChange { object[path: ["metadata", "name"]] = name }
        setNamespace(namespace)
    }

    var isEmpty: Bool { object.object?.isEmpty ?? true }

    /// Applies a list of operations.
    mutating func apply(_ operations: JSON, from field: Field) throws(KustomizeError) {
        let patched: JSON
        do {
            patched = try JSONPatch.apply(operations, to: object)
        } catch {
            throw field.error("the patch does not fit \(id): \(error.message)")
        }
        guard patched.object != nil else {
            throw field.error("the patch makes \(id) one of type \(patched.typeName); it must stay an object")
        }
        object = patched
        // On the way through JSON nobody knows any more how null was written, but where it is nothing in braces.
        nullTexts = nullTexts.filter { braced.contains($0.path) }
        blanks = []
        setTexts("annotations", texts("annotations"))
    }

    /// A patch as it is given to one of several selected resources.
    ///
    /// Labels and annotations become texts on the way, even null, which so no longer removes anything.
    func copy(for target: Resource) -> Resource {
        var copy = self
        for member in ["labels", "annotations"] { copy.setTexts(member, texts(member)) }
        copy.setName(name)
        copy.setNamespace(namespace)
        if let version = target.object["apiVersion"] { copy.object["apiVersion"] = version }
        return copy
    }
}

extension JSON {
    /// Null that is written as nothing, while a merge tells it from `null`; it is never seen outside of that.
    static let blank = JSON.number("")

    fileprivate func with(_ new: JSON, inPlaceOfNullAt paths: [[PathStep]]) -> JSON {
        var result = self
        for path in paths where value(at: path[...]) == .null { result.set(new, at: path[...]) }
        return result
    }

    fileprivate var withoutBlanks: JSON {
        switch self {
        case .blank: .null
        case .array(let elements): .array(elements.map(\.withoutBlanks))
        case .object(let object):
            .object(JSONObject(object.map { JSONObject.Member(key: $0.key, value: $0.value.withoutBlanks) }))
        default: self
        }
    }
}
