import Cluster
import Model
import SimulationKit
import Synchronization
import Testing

@Suite("Work queue") struct WorkQueueTests {
    let start = Timestamp(seconds: 1000)

    @Test("a key added many times while it waits is worked on once")
    func coalesces() {
        var queue = WorkQueueState<String>()
        queue.add("a")
        queue.add("a")
        #expect(queue.next() == "a")
        queue.finish("a")
        #expect(queue.next() == nil)
        #expect(queue.isIdle)
    }

    @Test("a key added while it is worked on is handed out again afterwards, never at the same time")
    func repeatsAfterwards() {
        var queue = WorkQueueState<String>()
        queue.add("a")
        #expect(queue.next() == "a")
        queue.add("a")
        #expect(queue.next() == nil)
        queue.finish("a")
        #expect(queue.next() == "a")
    }

    @Test("a delayed key comes when its time has come, the earliest of several dates holding")
    func delays() {
        var queue = WorkQueueState<String>()
        queue.add("a", at: start + .seconds(10))
        queue.add("a", at: start + .seconds(5))
        queue.add("a", at: start + .seconds(20))
        #expect(queue.nextDue() == start + .seconds(5))
        queue.promote(at: start + .seconds(4))
        #expect(queue.next() == nil)
        queue.promote(at: start + .seconds(5))
        #expect(queue.next() == "a")
        queue.finish("a")
        queue.promote(at: start + .seconds(60))
        #expect(queue.next() == nil)
        #expect(queue.nextDue() == nil)
    }

    @Test("failures are retried after 5 ms, doubling, until the limit (A3); success starts anew")
    func retries() {
        var queue = WorkQueueState<String>()
        #expect(queue.fail("a", at: start, limit: 3) == .later(start + .milliseconds(5)))
        #expect(queue.fail("a", at: start, limit: 3) == .later(start + .milliseconds(10)))
        #expect(queue.fail("a", at: start, limit: 3) == .later(start + .milliseconds(20)))
        #expect(queue.fail("a", at: start, limit: 3) == .gaveUp)
        #expect(queue.fail("a", at: start, limit: 3) == .later(start + .milliseconds(5)))
        queue.forget("a")
        #expect(queue.fail("a", at: start, limit: 3) == .later(start + .milliseconds(5)))
    }

    @Test("a delay never exceeds its bound")
    func longestDelay() {
        var queue = WorkQueueState<Int>()
        for _ in 0..<40 { _ = queue.fail(1, at: start, limit: nil) }
        #expect(queue.fail(1, at: start, limit: nil) == .later(start + .seconds(1000)))
    }

    @Test("workers share the keys, one worker per key, failed keys come again", arguments: 0..<20 as Range<UInt64>)
    func workers(seed: UInt64) throws {
        let outcome = try Simulation.run(seed: seed, until: .seconds(60)) { clock in
            let queue = WorkQueue<Int>(clock: clock)
            let log = Log()
            return await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await queue.run(workers: 4) { key in
                        let attempt = log.begin(key)
                        try await clock.sleep(for: .milliseconds(3))
                        log.end(key)
                        if key % 3 == 0, attempt < 3 { throw APIError(.conflict, "not yet") }
                        return .done
                    }
                }
                for key in 0..<30 { queue.add(key) }
                while log.entries.attempts.values.reduce(0, +) < 50 || !queue.isIdle {
                    // Waits in virtual time.
                    do { try await clock.sleep(for: .milliseconds(1)) } catch { break }
                }
                group.cancelAll()
                return log.entries
            }
        }
        #expect(outcome.value.overlaps == 0)
        for key in 0..<30 { #expect(outcome.value.attempts[key] == (key % 3 == 0 ? 3 : 1)) }
    }
}

/// Who worked on what, and whether two did at once.
private final class Log: Sendable {
    struct Entries: Sendable {
        var running: Set<Int> = []
        var attempts: [Int: Int] = [:]
        var overlaps = 0
    }

    private let state = Mutex(Entries())

    var entries: Entries { state.withLock { $0 } }

    func begin(_ key: Int) -> Int {
        state.withLock { entries in
            if !entries.running.insert(key).inserted { entries.overlaps += 1 }
            entries.attempts[key, default: 0] += 1
            return entries.attempts[key, default: 0]
        }
    }

    func end(_ key: Int) {
        state.withLock { _ = $0.running.remove(key) }
    }
}
