import Model
import Store
import Testing

@Suite("Commits")
struct CommitTests {
    @Test("every write gets the next revision and carries it in tree and bytes")
    func revisions() async throws {
        let store = try Store(persistence: .memory)
        let first = try await store.put(key("a"))
        let second = try await store.put(key("b"))
        #expect(first.revision == Revision(rawValue: 1))
        #expect(second.revision == Revision(rawValue: 2))
        #expect(second.json[path: ["metadata", "resourceVersion"]] == "2")
        #expect(try JSON(decoding: second.bytes) == second.json)
        #expect(store.snapshot.revision == second.revision)
    }

    struct Case: CustomTestStringConvertible {
        var exists: Bool
        var precondition: Precondition
        var error: StoreError?
        var testDescription: String { "\(precondition) on \(exists ? "an existing" : "an absent") object" }
    }

    static let one = Revision(rawValue: 1)
    static let cases = [
        Case(exists: false, precondition: .absent, error: nil),
        Case(exists: false, precondition: .any, error: nil),
        Case(exists: false, precondition: .exists, error: .notFound(key: key("a"))),
        Case(exists: false, precondition: .revision(one), error: .notFound(key: key("a"))),
        Case(exists: true, precondition: .absent, error: .alreadyExists(key: key("a"), found: one)),
        Case(exists: true, precondition: .any, error: nil),
        Case(exists: true, precondition: .exists, error: nil),
        Case(exists: true, precondition: .revision(one), error: nil),
        Case(
            exists: true, precondition: .revision(Revision(rawValue: 7)),
            error: .conflict(key: key("a"), found: one)),
    ]

    @Test("a write happens only under its precondition", arguments: cases)
    func preconditions(_ example: Case) async throws {
        let store = try Store(persistence: .memory)
        if example.exists { try await store.put(key("a")) }
        let before = store.revision
        if let error = example.error {
            await #expect(throws: error) { try await store.put(key("a"), 1, if: example.precondition) }
            #expect(store.revision == before)
        } else {
            try await store.put(key("a"), 1, if: example.precondition)
            #expect(store.snapshot.get(key("a"))?.json["value"] == 1)
        }
    }

    @Test("of several writes in one commit all happen, or none")
    func atomicity() async throws {
        let store = try Store(persistence: .memory)
        try await store.put(key("b"))
        await #expect(throws: StoreError.alreadyExists(key: key("b"), found: Revision(rawValue: 1))) {
            try await store.commit([
                Write(key("a"), .put(object("a")), if: .absent), Write(key("b"), .put(object("b")), if: .absent),
            ])
        }
        #expect(store.snapshot.get(key("a")) == nil)
        let done = try await store.commit([
            Write(key("a"), .put(object("a")), if: .absent), Write(key("b"), .delete, if: .exists),
        ])
        #expect(done.map(\.revision.rawValue) == [2, 3])
        #expect(store.snapshot.contents == [key("a"): 0])
    }

    @Test("the later writes of a commit see the earlier ones")
    func sequence() async throws {
        let store = try Store(persistence: .memory)
        try await store.commit([
            Write(key("a"), .put(object("a")), if: .absent), Write(key("a"), .delete, if: .exists),
            Write(key("a"), .put(object("a", value: 5)), if: .absent),
        ])
        #expect(store.snapshot.contents == [key("a"): 5])
    }

    @Test("a deleted object is answered as it last was, under the revision of its deletion (D6)")
    func deletion() async throws {
        let store = try Store(persistence: .memory)
        try await store.put(key("a"), 4)
        let deleted = try await store.delete(key("a"))
        #expect(deleted.revision == Revision(rawValue: 2))
        #expect(deleted.json[path: ["metadata", "resourceVersion"]] == "2")
        #expect(deleted.json["value"] == 4)
        #expect(store.snapshot.get(key("a")) == nil)
    }

    @Test("a snapshot stays as it was")
    func snapshots() async throws {
        let store = try Store(persistence: .memory)
        try await store.put(key("a"), 1)
        let before = store.snapshot
        try await store.put(key("a"), 2)
        try await store.put(key("b"), 3)
        #expect(before.contents == [key("a"): 1])
        #expect(store.snapshot.contents == [key("a"): 2, key("b"): 3])
    }

    @Test("a list is in key order and continues behind the last key, even when that is gone")
    func paging() async throws {
        let store = try Store(persistence: .memory)
        for name in ["c", "a", "e", "b", "d"] {
            for namespace in ["two", "one"] { try await store.put(key(name, in: namespace)) }
            try await store.put(key(name, kind: "/Secret"))
        }
        let all = store.snapshot.list(kind: "/ConfigMap")
        #expect(all.map(\.key) == all.map(\.key).sorted())
        #expect(all.count == 10)
        let page = store.snapshot.list(kind: "/ConfigMap", namespace: "one", limit: 2)
        #expect(page.map(\.key.name) == ["a", "b"])
        try await store.delete(key("b", in: "one"))
        let rest = store.snapshot.list(kind: "/ConfigMap", namespace: "one", after: page.last?.key, limit: 9)
        #expect(rest.map(\.key.name) == ["c", "d", "e"])
        #expect(store.snapshot.count(kind: "/ConfigMap", namespace: "one") == 4)
        #expect(store.snapshot.count(kind: "/ConfigMap") == 9)
        #expect(store.snapshot.kinds == ["/ConfigMap", "/Secret"])
    }

    @Test("random histories end as a plain dictionary does", arguments: UInt64(1)...20)
    func model(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let store = try Store(persistence: .memory)
        var model: [StoreKey: (value: Int64, revision: Revision)] = [:]
        for step in 0..<600 {
            let target = key(
                "n\(Int.random(in: 0..<400, using: &random))", in: "ns\(Int.random(in: 0..<3, using: &random))",
                kind: ["/ConfigMap", "apps/Deployment"].randomElement(using: &random) ?? "/ConfigMap")
            let known = model[target]
            let precondition: Precondition =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: .absent
                case 1: .exists
                case 2: .revision(known?.revision ?? Revision(rawValue: UInt64(step)))
                default: .any
                }
            let isDeletion = Int.random(in: 0..<4, using: &random) == 0
            let allowed = known == nil ? [.absent, .any].contains(precondition) : precondition != .absent
            do {
                if isDeletion {
                    try await store.commit([Write(target, .delete, if: precondition)])
                    model[target] = nil
                } else {
                    let stored = try await store.put(target, Int64(step), if: precondition)
                    model[target] = (Int64(step), stored.revision)
                }
                #expect(allowed)
            } catch {
                #expect(!allowed, "\(error)")
            }
        }
        #expect(store.snapshot.contents == model.mapValues(\.value))
        for kind in store.snapshot.kinds {
            let keys = store.snapshot.list(kind: kind).map(\.key)
            #expect(keys == keys.sorted())
        }
    }
}
