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
    package var controller: OwnerReference? { ownerReferences.first { $0.controller == true } }

    package var isBeingDeleted: Bool { deletionTimestamp != nil }
}

/// An object of any kind, of which only the members that all objects have are known.
///
/// It may carry its canonical text, so that what is stored is encoded once and sent many times (DESIGN: *Encode once*).
package struct Object: JSONView {
    package var json: JSON {
        didSet { encoding = nil }
    }
    private var encoding: (any EncodedJSON)?

    package init(viewing json: JSON) {
        self.json = json
    }

    /// Takes a tree together with who has its compact JSON text.
    package init(viewing json: JSON, encoding: any EncodedJSON) {
        self.json = json
        self.encoding = encoding
    }

    /// The compact JSON text; computed anew only when the tree was changed since it was stored.
    package var encoded: [UInt8] { encoding?.bytes ?? json.encoded() }

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
        ObjectKey(kind: kind.groupKind, namespace: metadata.namespace, name: metadata.name)
    }

    /// The same tree as the typed view of a kind. The caller knows that the kind fits.
    package func view<Kind: KubernetesObject>(as _: Kind.Type = Kind.self) -> Kind {
        Kind(viewing: json)
    }
}
