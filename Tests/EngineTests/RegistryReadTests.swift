import Cluster
import Engine
import Kinds
import Model
import Store
import Testing

@Suite("Registry: list and watch")
struct RegistryReadTests {
    static let configMaps = ConfigMap.kind.groupKind

    @Test("pages of one list come from one state, whatever happens between (D3)")
    func paging() async throws {
        let registry = try await TestRegistry()
        for number in 0..<5 { try await registry.create(Sample.configMap("c\(number)")) }
        let first = try await registry.registry.list(ListQuery(Self.configMaps, limit: 2))
        #expect(first.items.map(\.metadata.name) == ["c0", "c1"])
        #expect(first.remainingItemCount == 3)
        try await registry.delete(ConfigMap.key("c2", in: "default"))
        try await registry.create(Sample.configMap("c9"))
        let second = try await registry.registry.list(
            ListQuery(Self.configMaps, limit: 2, continueToken: first.continueToken))
        #expect(second.items.map(\.metadata.name) == ["c2", "c3"])
        #expect(second.resourceVersion == first.resourceVersion)
        let third = try await registry.registry.list(
            ListQuery(Self.configMaps, limit: 2, continueToken: second.continueToken))
        #expect(third.items.map(\.metadata.name) == ["c4"])
        #expect(third.continueToken == nil)
    }

    @Test("a continuation is refused when its state is forgotten, or when it is none (D2, D3)")
    func expiredPages() async throws {
        let registry = try await TestRegistry()
        for number in 0..<3 { try await registry.create(Sample.configMap("c\(number)")) }
        let first = try await registry.registry.list(ListQuery(Self.configMaps, limit: 2))
        registry.clock.advance(by: .seconds(301))
        var error = try await registry.error {
            try await registry.registry.list(ListQuery(Self.configMaps, continueToken: first.continueToken))
        }
        #expect(error.reason == .expired)
        // The rest can still be had, though not of the same moment (D2).
        try await registry.create(Sample.configMap("c9"))
        let rest = try await registry.registry.list(
            ListQuery(Self.configMaps, continueToken: error.details.continueToken))
        #expect(rest.items.map(\.metadata.name) == ["c2", "c9"])
        #expect(error.status[path: ["metadata", "continue"]] == .string(error.details.continueToken))
        error = try await registry.error {
            try await registry.registry.list(ListQuery(Self.configMaps, continueToken: "!"))
        }
        #expect(error.reason == .badRequest)
    }

    @Test("a state is forgotten five minutes after its first page, however often another is asked for (D2)")
    func pagesInDemand() async throws {
        let registry = try await TestRegistry()
        for number in 0..<4 { try await registry.create(Sample.configMap("c\(number)")) }
        let first = try await registry.registry.list(ListQuery(Self.configMaps, limit: 1))
        let next = ListQuery(Self.configMaps, limit: 1, continueToken: first.continueToken)
        for _ in 0..<5 {
            registry.clock.advance(by: .seconds(60))
            #expect(try await registry.registry.list(next).resourceVersion == first.resourceVersion)
        }
        registry.clock.advance(by: .seconds(1))
        let error = try await registry.error { try await registry.registry.list(next) }
        #expect(error.reason == .expired)
    }

    @Test("an exact version of the past is listed as it was, as long as history goes back to it (D1, D2)")
    func exactVersions() async throws {
        var limits = Store.Limits()
        limits.history = 20
        let registry = try await TestRegistry(limits: limits)
        let names = { (moment: ListMoment) in
            try await registry.registry.list(ListQuery(Self.configMaps, moment: moment)).items.map(\.metadata.name)
        }
        let start = try await registry.create(Sample.configMap("c0")).metadata.resourceVersion
        let made = try await registry.create(Sample.configMap("c1")).metadata.resourceVersion
        try await registry.patch(ConfigMap.key("c1", in: "default"), .merge(["data": ["a": "2"]]))
        let later = try await registry.delete(ConfigMap.key("c0", in: "default")).metadata.resourceVersion
        let query = ListQuery(Self.configMaps, moment: .exactly(at: made))
        let list = try await registry.registry.list(query)
        #expect(list.items.map(\.metadata.name) == ["c0", "c1"])
        #expect(list.items.last?.json[path: ["data", "a"]] == "1")
        #expect(list.resourceVersion == made)
        #expect(try await names(.exactly(at: start)) == ["c0"])
        #expect(try await names(.exactly(at: later)) == ["c1"])
        #expect(try await names(.notOlder(than: start)) == ["c1"], "the latest state is never too old")
        for moment in [ListMoment.exactly(at: "99999"), .notOlder(than: "99999")] {
            let error = try await registry.error { try await names(moment) }
            #expect(error.reason == .timeout)
            #expect(error.details.causes.first?.reason == "ResourceVersionTooLarge")
        }
        for number in 0..<30 { try await registry.create(Sample.configMap("d\(number)")) }
        let error = try await registry.error { try await names(.exactly(at: made)) }
        #expect(error.reason == .expired)
    }

    @Test("who watches quiet objects hears how far the store is (D7)")
    func progress() async throws {
        let registry = try await TestRegistry()
        let stream = try await registry.registry.watch(
            ListQuery(Self.configMaps), from: "\(registry.store.revision)")
        let made = try await registry.create(Sample.pod("a"))
        registry.store.tellProgress()
        var events = stream.makeAsyncIterator()
        guard case .bookmark(let version) = try await events.next() else {
            Issue.record("there is no bookmark")
            return
        }
        #expect(version == made.metadata.resourceVersion)
    }

    @Test("lists are narrowed by namespace, labels and fields; unknown fields are refused (D9, D10)")
    func selectors() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.pod("a", node: "n1"))
        try await registry.create(Sample.pod("b").with(["metadata", "labels"], ["app": "other"]))
        try await registry.create(Sample.pod("c", in: "kube-system"))
        let names = { (query: ListQuery) in
            try await registry.registry.list(query).items.map(\.metadata.name)
        }
        let pods = Pod.kind.groupKind
        #expect(try await names(ListQuery(pods, namespace: "default")) == ["a", "b"])
        #expect(try await names(ListQuery(pods, labels: Selector(labels: ["app": "web"]))) == ["a", "c"])
        let onNode = FieldSelector([.init(path: "spec.nodeName", value: "n1")])
        #expect(try await names(ListQuery(pods, fields: onNode)) == ["a"])
        let hostNetwork = FieldSelector([.init(path: "spec.hostNetwork", value: "false")])
        #expect(try await names(ListQuery(pods, fields: hostNetwork)).count == 3)
        let error = try await registry.error {
            try await registry.registry.list(
                ListQuery(pods, fields: FieldSelector([.init(path: "spec.foo", value: "1")])))
        }
        #expect(error.message == "field label not supported: spec.foo")
    }

    static func take(_ count: Int, from stream: WatchStream) async throws -> [String] {
        var seen: [String] = []
        for try await event in stream {
            switch event {
            case .added(let object): seen.append("+" + object.metadata.name)
            case .modified(let object): seen.append("~" + object.metadata.name)
            case .deleted(let object): seen.append("-" + object.metadata.name)
            case .bookmark: seen.append("b")
            }
            if seen.count == count { break }
        }
        return seen
    }

    @Test("a watch without version starts with what is there, then a bookmark, then changes (D5)")
    func watchFromNow() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Sample.configMap("x"))
        let stream = try await registry.registry.watch(ListQuery(Self.configMaps), from: nil)
        try await registry.update(made.with(["data", "a"], "2"))
        try await registry.delete(made.key)
        #expect(try await Self.take(4, from: stream) == ["+x", "b", "~x", "-x"])
    }

    @Test("a watch from a list's version misses nothing and repeats nothing (D5)")
    func watchFromList() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Sample.configMap("x"))
        let list = try await registry.registry.list(ListQuery(Self.configMaps))
        try await registry.create(Sample.configMap("y"))
        try await registry.create(Sample.pod("p"))
        let stream = try await registry.registry.watch(ListQuery(Self.configMaps), from: list.resourceVersion)
        try await registry.create(Sample.configMap("z"))
        #expect(try await Self.take(2, from: stream) == ["+y", "+z"])
    }

    @Test("an object that enters a selection is added, one that leaves it deleted, under the new version (D6)")
    func transitions() async throws {
        let registry = try await TestRegistry()
        let query = ListQuery(Self.configMaps, labels: Selector(labels: ["on": "yes"]))
        let stream = try await registry.registry.watch(query, from: registry.store.revision.description)
        var made = try await registry.create(Sample.configMap("x"))
        made = try await registry.update(made.with(["metadata", "labels"], ["on": "yes"]))
        made = try await registry.update(made.with(["data", "a"], "2"))
        made = try await registry.update(made.with(["metadata", "labels"], ["on": "no"]))
        let left = made.metadata.resourceVersion
        try await registry.delete(made.key)
        try await registry.create(Sample.configMap("end").with(["metadata", "labels"], ["on": "yes"]))
        var seen: [String] = []
        for try await event in stream {
            switch event {
            case .added(let object): seen.append("+" + object.metadata.name)
            case .modified(let object): seen.append("~" + object.metadata.name)
            case .deleted(let object):
                seen.append("-" + object.metadata.name)
                #expect(object.metadata.resourceVersion == left)
                #expect(object.metadata.labels["on"] == "yes")
            case .bookmark: break
            }
            if seen.last == "+end" { break }
        }
        #expect(seen == ["+x", "~x", "-x", "+end"])
    }

    @Test("a version that is forgotten, ahead, or none is refused (D2, D5)")
    func badVersions() async throws {
        let registry = try await TestRegistry()
        let watch = { (version: String) in
            try await registry.error { try await registry.registry.watch(ListQuery(Self.configMaps), from: version) }
        }
        #expect(try await watch("999").reason == .timeout)
        #expect(try await watch("x").reason == .badRequest)
        let persistence = MemoryPersistence()
        _ = try await TestRegistry(persistence: persistence)
        let reopened = try await TestRegistry(persistence: persistence)
        let error = try await reopened.error {
            try await reopened.registry.watch(ListQuery(Self.configMaps), from: "1")
        }
        #expect(error.reason == .expired)
        #expect(error.message.hasPrefix("too old resource version: 1 ("))
    }
}
