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

    package static func < (left: Self, right: Self) -> Bool {
        (left.kind, left.namespace, left.name) < (right.kind, right.namespace, right.name)
    }

    package var description: String {
        namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)"
    }
}
