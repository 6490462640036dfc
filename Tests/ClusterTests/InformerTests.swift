import Cluster
import Kinds
import Model
import SimulationKit
import Synchronization
import Testing

@Suite("Informers")
struct InformerTests {
    typealias Step = ScriptedCluster.Step

    static let query = ListQuery(ConfigMap.kind.groupKind)
    static let gone = APIError(.expired, "too old resource version: 1 (5)")
    static let down = APIError(.serviceUnavailable, "the server is away")

    /// The ConfigMap `name` as it was at `version`.
    static func map(_ name: String, _ version: String, in namespace: String = "default") -> Object {
        var map = ConfigMap(named: name, in: namespace)
        map.metadata.resourceVersion = version
        map.json["data"] = ["version": .string(version)]
        return Object(viewing: map.json)
    }

    /// What an informer came to.
    struct Story: Sendable {
        var calls: [ScriptedCluster.Call]
        /// `+a@1`, `~a@1>2`, `-a@2`, as two handlers heard them.
        var changes: [[String]]
        /// What it knows at the end: `a@2`.
        var objects: [String]
        var lastError: String?
        var stepsLeft: Int

        var texts: [String] { calls.map(\.text) }
        /// Time between each request and the one before it.
        var pauses: [Duration] { zip(calls.dropFirst(), calls).map { $0.0.time - $0.1.time } }
    }

    static func name(_ object: Object?) -> String { object?.metadata.resourceVersion ?? "" }

    static func text(_ change: ObjectChange) -> String {
        let object = change.object.metadata.name
        return switch (change.old, change.new) {
        case (nil, _): "+\(object)@\(name(change.new))"
        case (_, nil): "-\(object)@\(name(change.old))"
        default: "~\(object)@\(name(change.old))>\(name(change.new))"
        }
    }

    /// Runs an informer on a script for so long in virtual time.
    static func play(_ steps: [Step], for length: Duration = .seconds(10), seed: UInt64 = 1) throws -> Story {
        try Simulation.run(seed: seed) { clock in
            let cluster = ScriptedCluster(steps, clock: clock)
            let informer = Informer(query, of: cluster, clock: clock, seed: seed)
            let heard = [Notes(), Notes()]
            for notes in heard { informer.onChange { notes.add(text($0)) } }
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await informer.run() }
                try await clock.sleep(for: length)
                defer { group.cancelAll() }
                return Story(
                    calls: cluster.calls, changes: heard.map(\.all),
                    objects: informer.all(as: ConfigMap.self).map {
                        "\($0.metadata.name)@\($0.metadata.resourceVersion)"
                    },
                    lastError: informer.lastError, stepsLeft: cluster.stepsLeft)
            }
        }.value
    }

    @Test("who waits for the first list finds that every handler has heard of it")
    func syncedAfterHandlers() throws {
        let heard = try Simulation.run(seed: 1) { clock in
            let cluster = ScriptedCluster(
                [.list([Self.map("a", "1"), Self.map("b", "2")], at: "5"), .watch([.hang])], clock: clock)
            let informer = Informer(Self.query, of: cluster, clock: clock)
            let notes = Notes()
            informer.onChange { notes.add("\(Self.text($0)) \(informer.hasSynced)") }
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await informer.run() }
                defer { group.cancelAll() }
                try await informer.waitForSync()
                return notes.all + ["\(informer.hasSynced)"]
            }
        }.value
        #expect(heard == ["+a@1 false", "+b@2 false", "true"])
    }

    @Test("lists, then watches from the list's version; every handler hears every change once and in order")
    func listThenWatch() throws {
        let story = try Self.play([
            .list([Self.map("a", "1"), Self.map("b", "2")], at: "5"),
            .watch([
                .tell(.added(Self.map("c", "6"))), .tell(.modified(Self.map("a", "7"))),
                .pause(.seconds(2)), .tell(.deleted(Self.map("b", "8"))), .tell(.modified(Self.map("a", "9"))), .hang,
            ]),
        ])
        #expect(story.texts == ["list", "watch 5"])
        let expected = ["+a@1", "+b@2", "+c@6", "~a@1>7", "-b@8", "~a@7>9"]
        #expect(story.changes == [expected, expected])
        #expect(story.objects == ["a@9", "c@6"])
        #expect(story.lastError == nil)
    }

    @Test("a long list is read page by page, told as one, and watched from its last page's version")
    func pages() throws {
        let story = try Self.play([
            .list([Self.map("b", "2")], at: "5", next: "page2"), .list([Self.map("a", "1")], at: "5", next: "page3"),
            .list([], at: "5", next: ""), .watch([.hang]),
        ])
        #expect(story.texts == ["list", "list page2", "list page3", "watch 5"])
        #expect(story.changes[0] == ["+b@2", "+a@1"])
    }

    @Test(
        "an expired watch lists again at once and tells what was created, changed and deleted meanwhile, and only that",
        arguments: [true, false])
    func expiry(isToldInStream: Bool) throws {
        let first: [ScriptedCluster.Turn] = [.tell(.modified(Self.map("a", "6")))]
        let expiry: [Step] =
            isToldInStream ? [.watch(first + [.fail(Self.gone)])] : [.watch(first), .refuseWatch(Self.gone)]
        let story = try Self.play(
            [.list([Self.map("a", "1"), Self.map("b", "2"), Self.map("c", "3")], at: "5")] + expiry + [
                .list([Self.map("a", "6"), Self.map("c", "11"), Self.map("d", "12")], at: "20"), .watch([.hang]),
            ])
        let watches = isToldInStream ? ["watch 5"] : ["watch 5", "watch 6"]
        #expect(story.texts == ["list"] + watches + ["list", "watch 20"])
        #expect(story.pauses.allSatisfy { $0 == .zero })
        #expect(story.changes[0] == ["+a@1", "+b@2", "+c@3", "~a@1>6", "~c@3>11", "+d@12", "-b@2"])
        #expect(story.objects == ["a@6", "c@11", "d@12"])
        #expect(story.lastError == nil)
    }

    @Test("where every watch has expired before it begins, lists come ever more slowly")
    func expiredForEver() throws {
        let rounds = (0..<5).flatMap { _ in [Step.list([], at: "5"), .refuseWatch(Self.gone)] }
        let story = try Self.play(rounds + [.list([], at: "9"), .watch([.hang])], for: .seconds(60))
        let pauses = story.pauses.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        for (attempt, pause) in pauses.enumerated() {
            #expect(pause >= .milliseconds(200 << attempt) && pause <= .milliseconds(400 << attempt))
        }
        #expect(pauses.count == 5)
        #expect(story.stepsLeft == 0)
    }

    @Test(
        "failures are tried again after 200 ms, doubling up to 30 s, each stretched at random by up to as much again",
        arguments: UInt64(1)...5)
    func backoff(seed: UInt64) throws {
        let failures = [Step](repeating: .refuseList(Self.down), count: 12)
        let story = try Self.play(failures, for: .seconds(150), seed: seed)
        #expect(story.texts.allSatisfy { $0 == "list" })
        #expect(story.lastError == "the server is away")
        for (attempt, pause) in story.pauses.enumerated() {
            let least = min(Duration.seconds(30), .milliseconds(200 << attempt))
            #expect(pause >= least && pause <= least * 2)
            #expect(pause != least)
        }
        #expect(story.pauses.count >= 8)
    }

    @Test("informers of different seeds do not come back at the same moments")
    func jitter() throws {
        let failures = [Step](repeating: .refuseList(Self.down), count: 4)
        let firsts = try (1...8 as ClosedRange<UInt64>).map { seed in
            try Self.play(failures, for: .seconds(1), seed: seed).pauses.first
        }
        #expect(Set(firsts).count == 8)
    }

    @Test("a list that fails at first is known as an error until it succeeds; nothing is told before, nor is it synced")
    func failingAtFirst() throws {
        let (before, after) = try Simulation.run(seed: 3) { clock in
            let cluster = ScriptedCluster(
                [.refuseList(Self.down), .list([Self.map("a", "1")], at: "1"), .watch([.hang])], clock: clock)
            let informer = Informer(Self.query, of: cluster, clock: clock)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await informer.run() }
                defer { group.cancelAll() }
                func look() -> [String?] {
                    [informer.lastError, "\(informer.hasSynced)", informer.listedAt == nil ? nil : "listed"]
                        + informer.all(as: ConfigMap.self).map(\.metadata.name)
                }
                try await clock.sleep(for: .milliseconds(100))
                let before = look()
                try await clock.sleep(for: .seconds(1))
                return (before, look())
            }
        }.value
        #expect(before == ["the server is away", "false", nil])
        #expect(after == [nil, "true", "listed", "a"])
    }

    @Test("the back-off starts anew once a watch has told something or has lasted", arguments: [true, false])
    func reset(isToldSomething: Bool) throws {
        let good: ScriptedCluster.Turn = isToldSomething ? .tell(.bookmark(resourceVersion: "7")) : .pause(.seconds(5))
        let failures = [Step](repeating: .refuseList(Self.down), count: 4)
        let story = try Self.play(
            failures + [.list([], at: "5"), .watch([good, .fail(Self.down)])] + failures, for: .seconds(60))
        // The pauses after the list's fourth failure, and after the watch's.
        #expect(story.texts[..<6] == ["list", "list", "list", "list", "list", "watch 5"])
        #expect(story.pauses[3] >= .milliseconds(1600))
        let lasted: Duration = isToldSomething ? .zero : .seconds(5)
        #expect(story.pauses[5] >= lasted + .milliseconds(200) && story.pauses[5] <= lasted + .milliseconds(400))
    }

    @Test("where lists succeed and every watch fails, lists come ever more slowly")
    func brokenWatches() throws {
        let rounds = (0..<6).flatMap { _ in [Step.list([], at: "5"), .refuseWatch(Self.down)] }
        let story = try Self.play(rounds, for: .seconds(60))
        let pauses = story.pauses.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        #expect(pauses.count == 6)
        for (attempt, pause) in pauses.enumerated() { #expect(pause >= .milliseconds(200 << attempt)) }
    }

    @Test("a watch that breaks is made up for by a list, which tells what was missed")
    func brokenMidway() throws {
        let story = try Self.play([
            .list([Self.map("a", "1"), Self.map("b", "2")], at: "5"),
            .watch([.tell(.modified(Self.map("a", "6"))), .fail(Self.down)]),
            .list([Self.map("a", "8")], at: "9"), .watch([.hang]),
        ])
        #expect(story.texts == ["list", "watch 5", "list", "watch 9"])
        #expect(story.changes[0] == ["+a@1", "+b@2", "~a@1>6", "~a@6>8", "-b@2"])
        #expect(story.lastError == nil)
    }

    @Test("a watch that ends cleanly goes on from the last version heard, bookmarks included, without a list")
    func resumption() throws {
        let story = try Self.play([
            .list([Self.map("a", "1")], at: "5"), .watch([.tell(.modified(Self.map("a", "6")))]),
            .watch([.tell(.bookmark(resourceVersion: "40"))]), .watch([.tell(.deleted(Self.map("a", "41")))]),
            .watch([.hang]),
        ])
        #expect(story.texts == ["list", "watch 5", "watch 6", "watch 40", "watch 41"])
        #expect(story.pauses.allSatisfy { $0 == .zero })
        #expect(story.changes[0] == ["+a@1", "~a@1>6", "-a@41"])
    }

    @Test("a quiet watch that lasted goes on without a list; one that ends at once lists again after a pause")
    func quietWatches() throws {
        let lasting = try Self.play(
            [.list([], at: "5"), .watch([.pause(.seconds(300))]), .watch([.hang])], for: .seconds(400))
        #expect(lasting.texts == ["list", "watch 5", "watch 5"])
        let short = try Self.play([.list([], at: "5"), .watch([]), .list([], at: "5"), .watch([.hang])])
        #expect(short.texts == ["list", "watch 5", "list", "watch 5"])
        #expect(short.pauses[1] >= .milliseconds(200))
    }

    @Test("who waits for the first list goes on when it is there, all of them, at once when it is; or when cancelled")
    func waiting() throws {
        let times = try Simulation.run(seed: 5) { clock in
            let start = clock.now
            let cluster = ScriptedCluster(
                [.refuseList(Self.down), .list([Self.map("a", "1")], at: "1"), .watch([.hang])], clock: clock)
            let informer = Informer(Self.query, of: cluster, clock: clock)
            return try await withThrowingTaskGroup(of: Duration?.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await informer.waitForSync()
                        #expect(informer[ConfigMap.key("a", in: "default")] != nil)
                        return clock.now - start
                    }
                }
                group.addTask {
                    // Cancelled by the group of its own before there is a list.
                    let wasCancelled = await withThrowingTaskGroup(of: Void.self) { inner in
                        inner.addTask { try await informer.waitForSync() }
                        inner.cancelAll()
                        do {
                            try await inner.waitForAll()
                            return false
                        } catch {
                            return error is CancellationError
                        }
                    }
                    #expect(wasCancelled)
                    return nil
                }
                group.addTask {
                    try await informer.run()
                    return nil
                }
                var times: [Duration] = []
                while times.count < 3, let time = try await group.next() { if let time { times.append(time) } }
                let now = clock.now
                try await informer.waitForSync()
                #expect(clock.now == now)
                group.cancelAll()
                return times
            }
        }.value
        #expect(times.count == 3)
        #expect(times.allSatisfy { $0 >= .milliseconds(200) && $0 == times[0] })
    }

    /// A Pod as it was at `version`, bound to a node.
    static func pod(_ name: String, _ version: String, on node: String) -> Object {
        var pod = Pod(named: name, in: "default")
        pod.metadata.resourceVersion = version
        pod.spec.nodeName = node
        return Object(viewing: pod.json)
    }

    @Test("an index follows its objects as they come, move and go")
    func indexes() throws {
        let found = try Simulation.run(seed: 6) { clock in
            let cluster = ScriptedCluster(
                [
                    .list([Self.pod("b", "1", on: "one"), Self.pod("a", "2", on: "one")], at: "5"),
                    .watch([
                        .pause(.seconds(1)), .tell(.modified(Self.pod("a", "6", on: "two"))), .pause(.seconds(1)),
                        .tell(.deleted(Self.pod("b", "7", on: "one"))), .tell(.added(Self.pod("c", "8", on: "two"))),
                        .fail(Self.gone),
                    ]),
                    .list([Self.pod("c", "9", on: "one")], at: "9"), .watch([.hang]),
                ], clock: clock)
            let informer = Informer(
                ListQuery(Pod.kind.groupKind), of: cluster, clock: clock,
                indexes: ["node": { [$0.view(as: Pod.self).spec.nodeName] }])
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await informer.run() }
                defer { group.cancelAll() }
                var found: [[[String]]] = []
                for _ in 0..<3 {
                    try await clock.sleep(for: .milliseconds(700))
                    found.append(
                        ["one", "two"].map { node in
                            informer.objects(in: "node", under: node, as: Pod.self).map(\.metadata.name)
                        })
                }
                return found
            }
        }.value
        #expect(found == [[["a", "b"], []], [["b"], ["a"]], [["c"], []]])
    }

    @Test("a handler that comes late is told of what there is, and of all that follows")
    func lateHandler() throws {
        let heard = try Simulation.run(seed: 3) { clock in
            let cluster = ScriptedCluster(
                [
                    .list([Self.map("b", "2"), Self.map("a", "1")], at: "5"),
                    .watch([
                        .tell(.modified(Self.map("a", "6"))), .pause(.seconds(2)),
                        .tell(.deleted(Self.map("b", "7"))), .hang,
                    ]),
                ], clock: clock)
            let informer = Informer(Self.query, of: cluster, clock: clock)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await informer.run() }
                defer { group.cancelAll() }
                try await clock.sleep(for: .seconds(1))
                let notes = Notes()
                informer.onChange { notes.add(Self.text($0)) }
                try await clock.sleep(for: .seconds(3))
                return notes.all
            }
        }.value
        #expect(heard == ["+a@6", "+b@2", "-b@7"])
    }

    @Test("those of several kinds use one that is there already, and leave it to whoever runs it")
    func sharing() throws {
        let kind = ConfigMap.kind.groupKind
        let (heard, calls) = try Simulation.run(seed: 4) { clock in
            let cluster = ScriptedCluster([.list([Self.map("a", "1")], at: "5"), .watch([.hang])], clock: clock)
            let shared = Informer(Self.query, of: cluster, clock: clock)
            let kinds = KindInformers(
                Catalog.builtIn.types.filter { $0.kind == ConfigMap.kind }, of: cluster, clock: clock, seed: 1,
                sharing: [kind: shared]
            ) { _ in true }
            let notes = Notes()
            kinds.onChange { notes.add(Self.text($0)) }
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await kinds.run() }
                defer { group.cancelAll() }
                try await clock.sleep(for: .seconds(60))
                notes.add("nobody has run it")
                group.addTask { try await shared.run() }
                try await kinds.waitForSync()
                try await clock.sleep(for: .seconds(60))
                return (notes.all + [Self.name(kinds[kind]?[Self.map("a", "1").key])], cluster.calls.map(\.text))
            }
        }.value
        #expect(heard == ["nobody has run it", "+a@1", "1"])
        #expect(calls == ["list", "watch 5"])
    }
}

/// What somebody heard, in order.
private final class Notes: Sendable {
    private let texts = Mutex<[String]>([])

    var all: [String] { texts.withLock { $0 } }

    func add(_ text: String) { texts.withLock { $0.append(text) } }
}
