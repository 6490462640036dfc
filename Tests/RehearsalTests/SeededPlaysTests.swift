import Glibc
import Kinds
import Model
import Rehearsal
import Synchronization
import TestServers
import Testing

@Suite("Playing several seeds", .blocking)
struct SeededPlaysTests {
    private struct Fault: Error, Equatable {
        var seed: UInt64
    }

    /// Which plays have begun, and how many are under way.
    private final class Plays: Sendable {
        struct State {
            var begun: [UInt64] = []
            var current = 0
            var most = 0
            var stopped: [UInt64] = []
        }
        let state = Mutex(State())

        func begin(_ seed: UInt64) {
            state.withLock {
                $0.begun.append(seed)
                $0.current += 1
                $0.most = max($0.most, $0.current)
            }
        }

        func end() { state.withLock { $0.current -= 1 } }
    }

    @Test("no more play at a time than may, all are played, and they come in the order of their seeds")
    func bound() async throws {
        let recording = try Rehearsal(Shop.scenario(), seed: 1).run()
        let plays = Plays()
        let runs = try await SeededPlays.runs(1...40, atATime: 2) { seed in
            plays.begin(seed)
            defer { plays.end() }
            while seed == 1, plays.state.withLock({ !$0.begun.contains(2) }) { yieldThread() }
            return recording
        }
        #expect(runs.map(\.seed) == Array(1...40))
        #expect(plays.state.withLock { $0.begun.sorted() } == Array(1...40))
        #expect(plays.state.withLock(\.most) == 2)
    }

    @Test("the first play that cannot go on ends the others, and those that wait never begin")
    func fault() async throws {
        let plays = Plays()
        await #expect(throws: Fault(seed: 1)) {
            try await SeededPlays.runs(1...1000, atATime: 2) { seed in
                plays.begin(seed)
                if seed == 1 {
                    while plays.state.withLock({ !$0.begun.contains(2) }) { yieldThread() }
                    throw Fault(seed: seed)
                }
                // As long as nobody stops it.
                while !Task.isCancelled { yieldThread() }
                plays.state.withLock { $0.stopped.append(seed) }
                throw CancellationError()
            }
        }
        #expect(plays.state.withLock { $0.begun.sorted() } == [1, 2])
        #expect(plays.state.withLock(\.stopped) == [2])
    }

    @Test("a play stops when its task is cancelled")
    func cancelled() async throws {
        let plays = Plays()
        await #expect(throws: CancellationError.self) {
            try await withThrowingTaskGroup(of: Recording.self) { group in
                group.addTask {
                    try Rehearsal(Shop.scenario(), seed: 1).run { _ in
                        plays.begin(1)
                        withUnsafeCurrentTask { $0?.cancel() }
                    }
                }
                _ = try await group.next()
            }
        }
        #expect(plays.state.withLock(\.begun) == [1], "nothing is looked at any more")
    }

    @Test("a scenario that cannot be played is told with its reason, whichever seeds are asked for")
    func unplayable() async {
        await #expect(throws: RehearsalError.noNodes) {
            try await RehearsalReport(playing: Shop.scenario(nodes: []), origin: "the tests", seeds: 1...1000)
        }
    }
}

/// Lets another thread go on, in a wait for what one of them does.
private func yieldThread() { sched_yield() }
