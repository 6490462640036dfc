import Kinds
import Model
import Testing

@testable import Engine

@Suite("Scheduling queue") struct SchedulingQueueTests {
    let now = Timestamp(seconds: 1000)

    func key(_ name: String) -> ObjectKey { Pod.key(name, in: "shop") }

    @Test("H1: higher priority first, then older")
    func order() {
        var queue = SchedulingQueue()
        queue.add(key("a"), uid: "a", priority: 0, now: now)
        queue.add(key("b"), uid: "b", priority: 0, now: now)
        queue.add(key("c"), uid: "c", priority: 7, now: now)
        queue.add(key("a"), uid: "a", priority: 0, now: now)
        let order = (0..<4).map { _ in queue.next(now: now)?.name }
        #expect(order == ["c", "a", "b", nil])
    }

    @Test("H1: an unschedulable pod waits for a change, or five minutes")
    func waits() {
        var queue = SchedulingQueue()
        queue.add(key("a"), uid: "a", priority: 0, now: now)
        _ = queue.next(now: now)
        queue.failed(key("a"), isError: false, now: now)
        #expect(queue.next(now: now + .seconds(299)) == nil)
        #expect(queue.next(now: now + .seconds(300)) == key("a"))
        queue.failed(key("a"), isError: false, now: now + .seconds(300))
        queue.somethingChanged(now: now + .seconds(301))
        #expect(queue.next(now: now + .seconds(301)) == key("a"))
    }

    @Test("H1: after an error a pod waits 1 s, doubling to 10 s, whatever else is idle")
    func backsOff() {
        var queue = SchedulingQueue()
        queue.add(key("a"), uid: "a", priority: 0, now: now)
        var time = now
        for delay in [1, 2, 4, 8, 10, 10] {
            #expect(queue.next(now: time) == key("a"))
            queue.failed(key("a"), isError: true, now: time)
            #expect(queue.nextDue == time + .seconds(delay))
            #expect(queue.next(now: time + .seconds(delay) - .milliseconds(1)) == nil)
            time = time + .seconds(delay)
        }
    }

    @Test("H1: a change during the attempt makes it worth another")
    func staleAttempt() {
        var queue = SchedulingQueue()
        queue.add(key("a"), uid: "a", priority: 0, now: now)
        _ = queue.next(now: now)
        queue.somethingChanged(now: now)
        queue.failed(key("a"), isError: false, now: now)
        #expect(queue.next(now: now) == key("a"))
    }

    @Test("a pod that is gone is not handed out")
    func removes() {
        var queue = SchedulingQueue()
        queue.add(key("a"), uid: "a", priority: 0, now: now)
        queue.remove(key("a"))
        #expect(queue.next(now: now) == nil)
    }
}
