internal import Synchronization

/// Fields whose values are found when they are first asked for, each once: what expressions know as `variables`.
package final class LazyFields: Sendable {
    /// In the order in which they were declared.
    package let names: [String]
    private let find: @Sendable (LazyFields, String) -> CELValue
    private let known = Mutex<[String: CELValue]>([:])

    /// - Parameter find: the value of one of the names, for which it may ask for others of these fields.
    package init(_ names: [String], find: @escaping @Sendable (LazyFields, String) -> CELValue) {
        self.names = names
        self.find = find
    }

    /// `nil` for a name that is none of them.
    func value(_ name: String) -> CELValue? {
        if let value = known.withLock({ $0[name] }) { return value }
        guard names.contains(name) else { return nil }
        // Not under the lock: a field may rest on others.
        let value = find(self, name)
        known.withLock { $0[name] = value }
        return value
    }
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
