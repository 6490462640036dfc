internal import Synchronization

/// Patterns compiled before: a rule's pattern is the same for every object, and mostly a literal.
final class RegexCache: Sendable {
    static let shared = RegexCache(capacity: 512)

    private let capacity: Int
    private let compiled = Mutex<[String: LinearRegex]>([:])

    init(capacity: Int) { self.capacity = capacity }

    func regex(_ pattern: String) throws(RegexError) -> LinearRegex {
        if let known = compiled.withLock({ $0[pattern] }) { return known }
        let regex = try LinearRegex(pattern)
        compiled.withLock { patterns in
            // Patterns that come from data would fill memory; starting again is simpler than knowing the oldest.
            if patterns.count >= capacity { patterns.removeAll() }
            patterns[pattern] = regex
        }
        return regex
    }
}
