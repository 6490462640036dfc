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

extension Catalog {
    /// An object in another version of its kind, whole: what the other version's schema does not know stays in it, so
    /// that nothing is lost on the way back.
    ///
    /// - Returns: `nil` where one of the two versions is not defined; it need not be served.
    package func converted(_ object: VersionedObject, to apiVersion: String) -> VersionedObject? {
        let name = object.json["kind"]?.string ?? ""
        let source = definedStrategy(for: GroupVersionKind(apiVersion: object.apiVersion, kind: name))
        let target = definedStrategy(for: GroupVersionKind(apiVersion: apiVersion, kind: name))
        guard let source, let target, source.storage.groupKind == target.storage.groupKind else { return nil }
        let stored = source.stored(object.json)
        let json = target.conversion?.served(stored) ?? stored
        return VersionedObject(json: json, apiVersion: apiVersion, schema: target.schema)
    }
}

extension KindStrategy {
    /// The object as it goes into the store.
    package func stored(_ object: JSON) -> JSON { conversion?.stored(object) ?? object }

    /// Whether every object is served as it is stored.
    package var isServedAsStored: Bool { custom == nil && conversion == nil }

    /// A stored object in this version; `nil` when it is as it is stored, so that its text can be sent as it is.
    ///
    /// What the schema of a custom resource has come to say since it was stored holds for it, too (I3).
    package func served(_ stored: JSON) -> JSON? {
        guard let custom else { return conversion?.served(stored) }
        // Objects may still be stored in a version that was the one to store before.
        let isOther = stored["apiVersion"]?.string != type.kind.apiVersion
        let converted = isOther ? conversion?.served(stored) : nil
        return custom.completed(converted ?? stored) ?? converted
    }
}
