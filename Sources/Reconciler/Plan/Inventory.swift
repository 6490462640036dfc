package import Model

/// The objects that an Application has created, or is about to.
package struct Inventory: Hashable, Sendable {
    package private(set) var keys: Set<ObjectKey>
    /// The same in sync order.
    package private(set) var ordered: [ObjectKey]
    package private(set) var namespaces: Set<String>

    /// - Complexity: O(n log n); everything else about an inventory is a lookup.
    package init(_ keys: Set<ObjectKey> = []) {
        self.keys = keys
        ordered = SyncOrder.sorted(keys)
        namespaces = Set(keys.lazy.map(\.namespace))
    }

    /// Takes other keys; sorts only if these are others.
    package mutating func set(_ keys: Set<ObjectKey>) {
        if keys != self.keys { self = Inventory(keys) }
    }

    package static func == (left: Self, right: Self) -> Bool { left.ordered == right.ordered }
    package func hash(into hasher: inout Hasher) { hasher.combine(ordered) }
}
