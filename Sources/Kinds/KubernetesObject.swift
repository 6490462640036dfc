package import Model

/// A typed view of a whole object: something with a kind, a name and metadata.
package protocol KubernetesObject: JSONView {
    static var kind: GroupVersionKind { get }
    var metadata: ObjectMeta { get set }
}

extension KubernetesObject {
    /// A new object of this kind, with `apiVersion` and `kind` in place.
    package init(named name: String, in namespace: String = "") {
        self.init(viewing: ["apiVersion": .string(Self.kind.apiVersion), "kind": .string(Self.kind.kind)])
        metadata.name = name
        if !namespace.isEmpty { metadata.namespace = namespace }
    }

    package var key: ObjectKey {
        ObjectKey(kind: Self.kind.groupKind, namespace: metadata.namespace, name: metadata.name)
    }

    package static func key(_ name: String, in namespace: String = "") -> ObjectKey {
        ObjectKey(kind: kind.groupKind, namespace: namespace, name: name)
    }
}

extension ObjectMeta {
    /// The owner that manages this object (`controller: true`); at most one.
    package var controller: OwnerReference? {
        // As it stands in the tree: it is asked for whenever an object passes by.
        json["ownerReferences"]?.array?.first { $0["controller"]?.bool == true }.map(OwnerReference.init(viewing:))
    }

    package var isBeingDeleted: Bool { deletionTimestamp != nil }
}

/// An object of any kind, of which only the members that all objects have are known.
///
/// It may carry its canonical text, so that what is stored is encoded once and sent many times (DESIGN: *Encode once*).
package struct Object: JSONView {
    private enum Content: Sendable {
        case tree(JSON)
        /// As somebody has it, together with its text: one reference, however often it is copied.
        case encoded(any EncodedJSON)
    }

    private var content: Content

    package init(viewing json: JSON) {
        content = .tree(json)
    }

    /// Takes a tree that has its compact JSON text beside it.
    package init(encoded: any EncodedJSON) {
        content = .encoded(encoded)
    }

    package var json: JSON {
        get {
            switch content {
            case .tree(let json): json
            case .encoded(let encoded): encoded.json
            }
        }
        set { content = .tree(newValue) }
        _modify {
            var json = json
            // Held once, so that it is changed in place.
            content = .tree(.null)
            defer { content = .tree(json) }
            yield &json
        }
    }

    /// The compact JSON text; made anew only when the tree was changed since it was stored.
    package var encoded: [UInt8] {
        switch content {
        case .tree(let json): json.encoded()
        case .encoded(let encoded): encoded.bytes
        }
    }

    /// The text where somebody has it; without one, its bytes as they are made.
    package var text: EncodedText {
        switch content {
        case .tree(let json): .bytes(json.encoded())
        case .encoded(let encoded): .kept(encoded)
        }
    }

    package static func == (left: Object, right: Object) -> Bool { left.json == right.json }
    package func hash(into hasher: inout Hasher) { hasher.combine(json) }

    package var apiVersion: String { field("apiVersion", or: "") }
    package var kindName: String { field("kind", or: "") }
    package var kind: GroupVersionKind { GroupVersionKind(apiVersion: apiVersion, kind: kindName) }

    package var metadata: ObjectMeta {
        get { field("metadata", or: ObjectMeta()) }
        set { setField("metadata", newValue) }
    }

    package var key: ObjectKey {
        let metadata = metadata
        return ObjectKey(kind: kind.groupKind, namespace: metadata.namespace, name: metadata.name)
    }

    /// The same tree as the typed view of a kind. The caller knows that the kind fits.
    package func view<Kind: KubernetesObject>(as _: Kind.Type = Kind.self) -> Kind {
        Kind(viewing: json)
    }
}

/// The compact JSON text of an object.
package enum EncodedText: Sendable {
    case bytes([UInt8])
    case kept(any EncodedJSON)

    package var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .kept(let encoded): encoded.byteCount
        }
    }

    package var bytes: [UInt8] {
        switch self {
        case .bytes(let bytes): bytes
        case .kept(let encoded): encoded.bytes
        }
    }
}
