import Glibc
import Model

extension RehearsalReport {
    /// Plays the scenario once for every seed: each has its own world.
    ///
    /// - Throws: `RehearsalError` of the first play that cannot go on; the others are stopped.
    package init(playing scenario: Scenario, origin: String, seeds: ClosedRange<UInt64>) async throws {
        let runs = try await SeededPlays.runs(seeds) { try Rehearsal(scenario, seed: $0).run() }
        self.init(scenario, origin: origin, runs: runs)
    }
}

/// Plays that differ in their seeds alone, a few at a time.
package enum SeededPlays {
    /// A play keeps its thread from the first job to the last: one processor is left to everything else.
    private static let mostAtATime = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 1)

    /// - Parameters:
    ///   - atATime: how many play at the same time.
    ///   - play: blocks its thread; throws soon after its task is cancelled.
    /// - Returns: one run for each seed, in their order.
    /// - Throws: what the first play to fail throws, once those that were under way have stopped.
    package static func runs(
        _ seeds: ClosedRange<UInt64>, atATime: Int = mostAtATime,
        _ play: @escaping @Sendable (UInt64) throws -> Recording
    ) async throws -> [RehearsalReport.Run] {
        try await withThrowingTaskGroup(of: RehearsalReport.Run.self) { group in
            var waiting = seeds.makeIterator()
            func playNext() {
                guard let seed = waiting.next() else { return }
                group.addTask { RehearsalReport.Run(seed: seed, recording: try play(seed)) }
            }
            for _ in 0..<atATime { playNext() }
            var runs: [RehearsalReport.Run] = []
            while let run = try await group.next() {
                runs.append(run)
                playNext()
            }
            return runs.sorted { $0.seed < $1.seed }
        }
    }
}
