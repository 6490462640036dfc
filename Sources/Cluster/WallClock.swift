import Glibc
package import Model

/// Where time comes from, so that simulation can be its source.
package protocol WallClock: Sendable {
    var now: Timestamp { get }

    /// Returns when `now` has reached `deadline`.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first.
    func sleep(until deadline: Timestamp) async throws
}

extension WallClock {
    package func sleep(for duration: Duration) async throws {
        try await sleep(until: now + duration)
    }
}

/// The machine's own clock.
package struct SystemClock: WallClock {
    package init() {}

    package var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package func sleep(until deadline: Timestamp) async throws {
        let remaining = deadline - now
        if remaining > .zero {
            try await ContinuousClock().sleep(for: remaining)
        } else {
            try Task.checkCancellation()
        }
    }
}
