import Synchronization

/// What there is to say about a write that is carried out nonetheless (`Warning: 299` headers, C22).
package final class RequestWarnings: Sendable, Hashable {
    private let texts = Mutex<[String]>([])

    package init() {}

    /// In the order in which they came up.
    package var all: [String] { texts.withLock { $0 } }

    package func add(_ text: String) { texts.withLock { $0.append(text) } }

    package static func == (one: RequestWarnings, other: RequestWarnings) -> Bool { one === other }

    package func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
