import Cluster
import Model
import SimulationKit
import Testing

@Suite("Signal") struct SignalTests {
    /// When a wait for at most ten seconds ends, beginning at zero.
    private func end(raisedAfter delay: Duration?) throws -> Duration {
        try Simulation.run(seed: 1) { clock in
            let start = clock.now
            let signal = Signal()
            return await withThrowingTaskGroup(of: Void.self) { group in
                if let delay {
                    group.addTask {
                        try await clock.sleep(for: delay)
                        signal.raise()
                    }
                }
                await signal.wait(until: start + .seconds(10), on: clock)
                return clock.now - start
            }
        }.value
    }

    @Test("a wait ends when it is told to, and at its deadline at the latest")
    func deadline() throws {
        #expect(try end(raisedAfter: .seconds(3)) == .seconds(3))
        #expect(try end(raisedAfter: nil) == .seconds(10))
        #expect(try end(raisedAfter: .seconds(20)) == .seconds(10))
    }

    @Test("what was told before a wait with a deadline ends it at once")
    func earlier() throws {
        let passed = try Simulation.run(seed: 1) { clock in
            let start = clock.now
            let signal = Signal()
            signal.raise()
            await signal.wait(until: start + .seconds(10), on: clock)
            return clock.now - start
        }.value
        #expect(passed == .zero)
    }

    @Test("a deadline that came leaves the next wait nothing to end by")
    func next() throws {
        let passed = try Simulation.run(seed: 1) { clock in
            let start = clock.now
            let signal = Signal()
            await signal.wait(until: start + .seconds(1), on: clock)
            await signal.wait(until: start + .seconds(5), on: clock)
            signal.raise()
            await signal.wait(until: start + .seconds(9), on: clock)
            return clock.now - start
        }.value
        #expect(passed == .seconds(5))
    }
}
