import Cluster
import Engine
import Glibc
import Kinds
import Model
import Store
import Testing

/// A thousand watchers beside 64 writers: for some rounds, or for a minute with `MARTLET_SOAK`.
@Suite("A thousand watchers and 64 writers", .timeLimit(.minutes(5)))
struct RegistrySoakTests {
    private static let (watchers, writers) = (1000, 64)
    private static let duration: Duration = getenv("MARTLET_SOAK") == nil ? .zero : .seconds(60)
    private static let namespaces = ["default", "kube-system"]
    /// Each writer makes an object, changes it, and deletes it.
    private static let eventsInRound = writers * 3

    /// What one watcher of some interest heard in one round.
    private struct Heard: Sendable {
        var interest: Int
        var events: [String]
    }

    private static func place(_ writer: Int) -> (namespace: String, index: Int) {
        (namespaces[writer % namespaces.count], writer / namespaces.count)
    }

    @Test("no event is lost, doubled or out of order, however many write at once, and memory is bounded (D4)")
    func nothingIsLost() async throws {
        var limits = Store.Limits()
        // A watcher that has not taken a round's events when the next begins would end with 410.
        limits.watchBuffer = Self.eventsInRound
        limits.history = 2 * Self.eventsInRound
        let fixture = try await TestRegistry(limits: limits)
        let interests = try RegistryFanOutTests.interests()
        let version = "\(fixture.store.revision)"
        let (rounds, round) = AsyncStream.makeStream(of: Heard.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for watcher in 0..<Self.watchers {
                // Most want little: what one watches in a cluster is mostly not everything.
                let interest = watcher % 20 == 0 ? 0 : 1 + watcher % (interests.count - 1)
                let count =
                    3
                    * (0..<Self.writers).count { writer in
                        interests[interest].wants(Self.place(writer).namespace, Self.place(writer).index)
                    }
                let stream = try await fixture.registry.watch(interests[interest].query, from: version)
                group.addTask {
                    var events: [String] = []
                    for try await event in stream {
                        guard let text = Self.text(event) else { continue }
                        events.append(text)
                        guard events.count == count else { continue }
                        round.yield(Heard(interest: interest, events: events))
                        events = []
                    }
                }
            }
            var heard = rounds.makeAsyncIterator()
            let end = ContinuousClock.now + Self.duration
            var settled = 0
            var count = 0
            while count < 4 || ContinuousClock.now < end {
                count += 1
                let written = try await Self.write(fixture)
                var all: [Heard] = []
                while all.count < Self.watchers, let next = await heard.next() { all.append(next) }
                try Self.check(all, written, interests)
                // The first rounds fill the history and what is kept for reuse.
                if count == 3 { settled = Self.residentMegabytes() }
            }
            let grown = Self.residentMegabytes() - settled
            #expect(grown < 64, "memory has grown by \(grown) MB in \(count) rounds")
            group.cancelAll()
        }
    }

    /// Every writer at once; answers what was written, as its events say it.
    private static func write(_ fixture: TestRegistry) async throws -> Set<String> {
        try await withThrowingTaskGroup(of: [String].self) { group in
            for writer in 0..<writers {
                let (namespace, index) = place(writer)
                group.addTask {
                    let map = RegistryFanOutTests.map(namespace, index)
                    let created = try await fixture.create(map)
                    var changed = created.json
                    changed["data"] = ["changed": "yes"]
                    let updated = try await fixture.update(Object(viewing: changed))
                    try await fixture.delete(created.key)
                    return [text(.added(created)), text(.modified(updated))].compactMap { $0 }
                }
            }
            return try await group.reduce(into: []) { $0.formUnion($1) }
        }
    }

    /// With its version: events come in the order of their versions.
    private static func text(_ event: WatchEvent) -> String? {
        guard let text = RegistryFanOutTests.text(event) else { return nil }
        switch event {
        case .added(let object), .modified(let object), .deleted(let object):
            return "\(object.metadata.resourceVersion) \(text)"
        case .bookmark: return nil
        }
    }

    private static func check(
        _ heard: [Heard], _ written: Set<String>, _ interests: [RegistryFanOutTests.Interest]
    ) throws {
        let everything = try #require(heard.first { $0.interest == 0 }?.events)
        let versions = everything.compactMap { Int($0.prefix { $0 != " " }) }
        #expect(versions.count == eventsInRound)
        #expect(zip(versions, versions.dropFirst()).allSatisfy { $0 < $1 })
        #expect(written.isSubset(of: everything))
        let deleted = everything.filter { $0.contains(" deleted ") }
        #expect(Set(deleted.map { $0.drop { $0 != " " } }).count == writers)
        let expected = interests.map { interest in
            everything.filter { event in
                let name = event.split(separator: " ").last?.split(separator: "/") ?? []
                return interest.wants(String(name[0]), Int(name[1].dropFirst()) ?? 0)
            }
        }
        let different = heard.filter { $0.events != expected[$0.interest] }
        #expect(different.isEmpty, "\(different.count) watchers heard something else")
    }

    private static func residentMegabytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = fread(&bytes, 1, bytes.count, file)
        // The size of the process, then what of it is in memory, in pages.
        let pages = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ").dropFirst().first
        return (pages.flatMap { Int($0) } ?? 0) * Int(getpagesize()) >> 20
    }
}
