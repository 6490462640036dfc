package import Model

/// How objects of one version of a kind are turned into the one version in which they are stored, and back.
///
/// Both ways are pure, and nothing is lost on the way there and back.
protocol VersionConversion: Sendable {
    /// The kind and version that is stored.
    var storage: GroupVersionKind { get }
    func stored(_ object: JSON) -> JSON
    func served(_ object: JSON) -> JSON
}

/// Versions of the same shape: only their name differs, as in custom resources without a webhook (I7).
struct RenamingConversion: VersionConversion {
    let storage: GroupVersionKind
    let version: GroupVersionKind

    func stored(_ object: JSON) -> JSON { Self.renamed(object, to: storage) }
    func served(_ object: JSON) -> JSON { Self.renamed(object, to: version) }

    private static func renamed(_ object: JSON, to version: GroupVersionKind) -> JSON {
        var object = object
        object["apiVersion"] = .string(version.apiVersion)
        object["kind"] = .string(version.kind)
        return object
    }
}

extension KindStrategy {
    /// The object as it goes into the store.
    package func stored(_ object: JSON) -> JSON { conversion?.stored(object) ?? object }

    /// A stored object in this version; `nil` when it is as it is stored, so that its text can be sent as it is.
    package func served(_ stored: JSON) -> JSON? { conversion?.served(stored) }
}
