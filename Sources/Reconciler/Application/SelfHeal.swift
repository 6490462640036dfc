package import Model

/// When drift may be healed again: at once the first time, then after growing delays while it keeps coming back
/// (Argo CD's 0, 2, 6, 18, 54, 162, 300 seconds; gitops.md §2).
package struct SelfHeal: Hashable, Sendable {
    private static let delays: [Duration] = [0, 2, 6, 18, 54, 162, 300].map { .seconds($0) }
    /// Staying in sync for so long makes the next drift a first one.
    private static let forgetAfter = Duration.seconds(300)

    private var attempts = 0
    private var lastAt: Timestamp?

    package init() {}

    /// The earliest time for the next attempt.
    package func dueAt(_ now: Timestamp) -> Timestamp {
        guard let lastAt, now < lastAt + Self.forgetAfter else { return now }
        return lastAt + Self.delays[min(attempts, Self.delays.count - 1)]
    }

    package mutating func attempted(at now: Timestamp) {
        if let lastAt, now >= lastAt + Self.forgetAfter { attempts = 0 }
        attempts += 1
        lastAt = now
    }
}
