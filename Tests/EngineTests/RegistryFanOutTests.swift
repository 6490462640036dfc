import Cluster
import Engine
import Kinds
import Model
import Store
import Testing

@Suite("Many watchers of one registry", .timeLimit(.minutes(1)))
struct RegistryFanOutTests {
    /// What one watcher asks for, and which objects that is.
    struct Interest: Sendable {
        var query: ListQuery
        var wants: @Sendable (_ namespace: String, _ index: Int) -> Bool
    }

    static func interests() throws -> [Interest] {
        let kind = ConfigMap.kind.groupKind
        return [
            Interest(query: ListQuery(kind), wants: { _, _ in true }),
            Interest(
                query: ListQuery(kind, namespace: "kube-system"), wants: { namespace, _ in namespace != "default" }),
            Interest(
                query: ListQuery(kind, labels: try Selector(parsing: "third=0")), wants: { $1.isMultiple(of: 3) }),
            Interest(
                query: ListQuery(kind, namespace: "default", fields: try FieldSelector(parsing: "metadata.name=m6")),
                wants: { $0 == "default" && $1 == 6 }),
        ]
    }

    static func map(_ namespace: String, _ index: Int) -> JSON {
        [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": [
                "name": .string("m\(index)"), "namespace": .string(namespace),
                "labels": ["third": .string("\(index % 3)")],
            ],
        ]
    }

    static func text(_ event: WatchEvent) -> String? {
        func name(_ object: Object) -> String { "\(object.metadata.namespace)/\(object.metadata.name)" }
        return switch event {
        case .added(let object): "added \(name(object))"
        case .modified(let object): "modified \(name(object))"
        case .deleted(let object): "deleted \(name(object))"
        case .bookmark: nil
        }
    }

    @Test("a hundred watchers of four interests get their events once and in order; who does not read is told 410 (D5)")
    func hundredWatchers() async throws {
        var limits = Store.Limits()
        limits.watchBuffer = 100
        let fixture = try await TestRegistry(limits: limits)
        let version = "\(fixture.store.revision)"
        let silent = try await fixture.registry.watch(ListQuery(ConfigMap.kind.groupKind), from: version)
        let interests = try Self.interests()
        var streams: [(interest: Interest, stream: WatchStream)] = []
        for index in 0..<100 {
            let interest = interests[index % interests.count]
            streams.append((interest, try await fixture.registry.watch(interest.query, from: version)))
        }
        // No more at once than a watcher may leave untaken, three times over.
        let objects = (0..<3).map { round in
            (0..<15).flatMap { index in ["default", "kube-system"].map { ($0, round * 15 + index) } }
        }
        let (told, tell) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (interest, stream) in streams {
                let expected = objects.flatMap { round in
                    ["added", "modified", "deleted"].flatMap { verb in
                        round.filter { interest.wants($0.0, $0.1) }.map { "\(verb) \($0.0)/m\($0.1)" }
                    }
                }
                group.addTask {
                    var events: [String] = []
                    for try await event in stream {
                        guard let text = Self.text(event) else { continue }
                        events.append(text)
                        tell.yield()
                        if events.count == expected.count { break }
                    }
                    #expect(events == expected)
                }
            }
            var ticks = told.makeAsyncIterator()
            for round in objects {
                for (namespace, index) in round { try await fixture.create(Self.map(namespace, index)) }
                for (namespace, index) in round {
                    var changed = Self.map(namespace, index)
                    changed["data"] = ["changed": "yes"]
                    try await fixture.update(Object(viewing: changed))
                }
                for (namespace, index) in round { try await fixture.delete(ConfigMap.key("m\(index)", in: namespace)) }
                let events = streams.map { watch in round.count { watch.interest.wants($0.0, $0.1) } * 3 }
                for _ in 0..<events.reduce(0, +) { await ticks.next() }
            }
            try await group.waitForAll()
        }
        let error = await #expect(throws: APIError.self) { for try await _ in silent {} }
        #expect(error?.reason == .expired)
    }
}
