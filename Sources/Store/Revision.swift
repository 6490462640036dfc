import Model

/// The store's version after one change; every change has its own, and they only grow.
package struct Revision: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package var rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Reads the text of `metadata.resourceVersion`; `nil` when it is none that a store wrote.
    package init?(_ text: String) {
        guard let value = UInt64(text) else { return nil }
        rawValue = value
    }

    package static let zero = Revision(rawValue: 0)

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The revision of the next change.
    package var next: Revision { Revision(rawValue: rawValue + 1) }

    package var description: String { String(rawValue) }
}

/// What identifies one stored object. The store gives the parts no meaning beyond their order.
package struct StoreKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// `apps/Deployment`, or `/Pod` for the core group.
    package var kind: String
    /// Empty for what has no namespace.
    package var namespace: String
    package var name: String

    package init(kind: String, namespace: String = "", name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// Of the kind its length alone: objects of several kinds that share a name are few, and keys are hashed all the
    /// time.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(namespace)
        hasher.combine(kind.utf8.count)
    }

    /// Names are told apart, and ordered, by their bytes, as etcd does: `é` in one code point and in two are two names.
    /// Kinds and namespaces are ASCII.
    package static func == (left: Self, right: Self) -> Bool {
        left.name.hasSameBytes(as: right.name) && left.namespace == right.namespace && left.kind == right.kind
    }

    package static func < (left: Self, right: Self) -> Bool {
        if left.kind != right.kind { return left.kind < right.kind }
        if left.namespace != right.namespace { return left.namespace < right.namespace }
        return left.name.byteOrder(to: right.name) < 0
    }

    package var description: String {
        namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)"
    }
}
