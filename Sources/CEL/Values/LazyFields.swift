internal import Synchronization

/// Fields whose values are found when they are first asked for, each once: what expressions know as `variables`.
package final class LazyFields: Sendable {
    private final class Known: Sendable {
        let values = Mutex<[String: CELValue]>([:])
    }

    /// How many fields may be found one for another: each has its evaluation on the stack.
    private static let depthLimit = 32

    /// In the order in which they were declared.
    package let names: [String]
    private let find: @Sendable (_ earlier: LazyFields, String) -> CELValue
    private let known: Known
    private let depth: Int

    /// - Parameter find: the value of one of the names, for which it may ask for the fields that were declared earlier.
    package convenience init(_ names: [String], find: @escaping @Sendable (LazyFields, String) -> CELValue) {
        self.init(names, find, Known(), depth: 0)
    }

    private init(
        _ names: [String], _ find: @escaping @Sendable (LazyFields, String) -> CELValue, _ known: Known, depth: Int
    ) {
        self.names = names
        self.find = find
        self.known = known
        self.depth = depth
    }

    /// `nil` for a name that is none of them.
    func value(_ name: String) -> CELValue? {
        guard let place = names.firstIndex(of: name) else { return nil }
        if let value = known.values.withLock({ $0[name] }) { return value }
        guard depth < Self.depthLimit else {
            return .error("variables rest on each other more than \(Self.depthLimit) deep")
        }
        // A field sees no later one, nor itself, by whatever way an expression asks. Not under the lock: it asks here.
        let value = find(LazyFields(Array(names[..<place]), find, known, depth: depth + 1), name)
        known.values.withLock { $0[name] = value }
        return value
    }

    /// Lets go of what was found: a value may hold the fields themselves.
    package func forget() { known.values.withLock { $0 = [:] } }
}

extension CELValue {
    /// A map of fields that are evaluated when they are needed.
    package static func lazy(_ fields: LazyFields) -> CELValue { .map(CELMap(fields)) }

    /// A value that is a fault: it matters where it is needed.
    package static func fault(_ message: String) -> CELValue { .error(message) }
}

extension CELMap {
    /// Whether there is such an entry; it is not evaluated for that.
    func contains(_ name: String) -> Bool {
        if case .lazy(let fields) = storage { return fields.names.contains(name) }
        return self[.string(name)] != nil
    }
}
