package import GitSource
package import Kinds
package import Model

/// Where in the repository a manifest was written.
package struct ManifestSource: Sendable, Hashable {
    /// From the root of the repository.
    package var file: String
    /// The document's number in the file, from 0, empty documents not counted.
    package var document: Int
    /// The way from the document to the object: empty, or into the `items` of a List.
    package var item: [PathStep]
    package var mark: Mark
    /// The content of the file, as Git names it.
    package var blob: ObjectID
}

/// One object as the repository wants it.
package struct Manifest: Sendable, Hashable {
    package var object: Object
    package var key: ObjectKey
    package var source: ManifestSource
    /// Names what the object consists of: the file it stands in or, where it was built of several, its own text.
    package var content: ObjectID

    /// - Parameter content: `nil` where the object is as the file has it.
    init(object: Object, key: ObjectKey, source: ManifestSource, content: ObjectID? = nil) {
        self.object = object
        self.key = key
        self.source = source
        self.content = content ?? source.blob
    }
}

/// What is wrong in a file of the repository. The other files are rendered nevertheless.
package struct RenderingError: Error, Sendable, Hashable, CustomStringConvertible {
    package var file: String
    /// `nil` where the fault has no place in the file's text.
    package var mark: Mark?
    package var message: String
    package var reason: Reason

    /// What kind of a fault it is, where that matters to somebody.
    package enum Reason: Sendable, Hashable {
        case other
        /// The object is defined a second time.
        case duplicate
        /// The document is of no kind: probably a file for another purpose.
        case noManifest
        /// The directory is one that a tool renders which is not known.
        case notRendered
    }

    package init(file: String, mark: Mark? = nil, message: String, reason: Reason = .other) {
        self.reason = reason
        self.file = file
        self.mark = mark
        self.message = message
    }

    package var line: Int? { mark?.line }
    package var column: Int? { mark?.column }

    /// `file:line:column: message`
    package var description: String {
        let place = mark.map { "\(file):\($0)" } ?? file
        return place.isEmpty ? message : "\(place): \(message)"
    }
}

/// What is known of kinds when manifests are rendered: their scope, and what a wrong one may have meant.
package struct KnownKinds: Sendable {
    /// Changes whenever an answer does, so that results of an earlier rendering can be told valid or not.
    package var version: Int
    /// `nil` for a kind that does not exist.
    package var isNamespaced: @Sendable (GroupVersionKind) -> Bool?
    /// A hint for a kind that does not exist: `did you mean …?`
    package var hint: @Sendable (GroupVersionKind) -> String?

    package init(
        version: Int, isNamespaced: @escaping @Sendable (GroupVersionKind) -> Bool?,
        hint: @escaping @Sendable (GroupVersionKind) -> String? = { _ in nil }
    ) {
        self.version = version
        self.isNamespaced = isNamespaced
        self.hint = hint
    }

    /// From the resource types that a cluster serves.
    ///
    /// - Parameter version: another number for another list of types.
    package init(_ types: [ResourceType], version: Int = 0) {
        let byKind = Dictionary(types.map { ($0.kind, $0.isNamespaced) }, uniquingKeysWith: { first, _ in first })
        self.init(
            version: version, isNamespaced: { byKind[$0] }, hint: { Self.hint(for: $0, among: types.map(\.kind)) })
    }

    /// The kinds that a cluster serves now.
    package init(served types: [ResourceType]) {
        var hasher = Hasher()
        for type in types {
            hasher.combine(type.kind)
            hasher.combine(type.isNamespaced)
        }
        self.init(types, version: hasher.finalize())
    }

    /// The kinds that Martlet serves itself.
    package static let builtIn = KnownKinds(Catalog.builtIn.types)

    private static func hint(for kind: GroupVersionKind, among kinds: [GroupVersionKind]) -> String? {
        let sameName = kinds.filter { $0.kind.lowercased() == kind.kind.lowercased() }
        let similar = kinds.filter {
            let (left, right) = ($0.kind.lowercased(), kind.kind.lowercased())
            return left + "s" == right || left.hasPrefix(right) || right.hasPrefix(left)
                || Self.differsByOne(left, right)
        }
        guard let guess = sameName.first(where: { $0.group == kind.group }) ?? sameName.first ?? similar.first else {
            return nil
        }
        return "did you mean apiVersion: \(guess.apiVersion), kind: \(guess.kind)?"
    }

    /// One letter more, less, other, or two neighbours swapped.
    private static func differsByOne(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        let start = zip(left, right).prefix { $0 == $1 }.count
        let end = zip(left.dropFirst(start).reversed(), right.dropFirst(start).reversed()).prefix { $0 == $1 }.count
        let (rest, other) = (left.count - start - end, right.count - start - end)
        if max(rest, other) <= 1 { return true }
        return rest == 2 && other == 2 && left[start] == right[start + 1] && left[start + 1] == right[start]
    }
}
