import Model
import Testing

/// Swift orders `é` in two code points as it orders `é` in one, Go by what the bytes are.
@Suite("Texts that are not ASCII are shown in the order of their bytes")
struct ByteOrderTests {
    /// `e` with an accent of its own, before `f` by its bytes; `é` in one code point, after it.
    private static let names = ["e\u{301}", "f", "\u{e9}x"]

    private static func same(_ found: [String], _ wanted: [String]) -> Bool {
        found.map { Array($0.utf8) } == wanted.map { Array($0.utf8) }
    }

    @Test("the order is that of bytes, whatever it was before")
    func order() {
        for shuffled in [[2, 0, 1], [1, 2, 0], [0, 1, 2]] {
            #expect(Self.same(shuffled.map { Self.names[$0] }.sortedByBytes(), Self.names))
        }
        #expect(Self.names.precedeByBytes(["e\u{301}", "g"]))
        #expect(!["f"].precedeByBytes(["e\u{301}"]))
        #expect(["f"].precedeByBytes(["f", ""]))
    }

    @Test("managers of fields, those that an apply conflicts with, and fields in differences")
    func managers() throws {
        var live: JSON?
        for name in Self.names.reversed() {
            live = try Fixture.apply(Fixture.object(["replicas": 3]), onto: live, by: name)
        }
        let object = try #require(live)
        let entries = object[path: ["metadata", "managedFields"]]?.array ?? []
        #expect(Self.same(entries.compactMap { $0["manager"]?.string }, Self.names))
        let error = #expect(throws: ApplyError.self) {
            try Fixture.apply(Fixture.object(["replicas": 4]), onto: object, by: "other")
        }
        guard case .conflicts(let conflicts)? = error else { return }
        #expect(Self.same(conflicts.map(\.manager), Self.names.map { "\"\($0)\"" }))
        let lines = ApplyConflict.message(of: conflicts).split(separator: "\n").map(String.init)
        #expect(
            Self.same(
                lines.filter { $0.hasPrefix("conflicts") || $0.hasPrefix("Apply") },
                [
                    "Apply failed with 3 conflicts: conflicts with \"\(Self.names[0])\":",
                    "conflicts with \"\(Self.names[1])\":", "conflicts with \"\(Self.names[2])\":",
                ]))
        let labels = JSON.object(JSONObject(Self.names.reversed().map { JSONObject.Member(key: $0, value: "x") }))
        let changes = TreeDiff.changes(from: [:], to: labels)
        #expect(Self.same(changes.map { "\($0.path)" }, Self.names.map { "\(TreePath([.key($0)]))" }))
    }

    @Test("what kubectl applied last")
    func lastApplied() throws {
        let annotations: JSON = ["kubectl.kubernetes.io/last-applied-configuration": "{}"]
        let live = Fixture.object(["replicas": 3], metadata: ["annotations": annotations])
        let labels = JSON.object(JSONObject(Self.names.reversed().map { JSONObject.Member(key: $0, value: "x") }))
        let config = Fixture.object(["replicas": 3], metadata: ["labels": labels])
        let applied = try Fixture.apply(config, onto: live, by: "kubectl")
        let path = ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]
        let text = try #require(applied[path: path]?.string)
        let members = try JSON(decoding: Array(text.utf8))[path: ["metadata", "labels"]]?.object ?? JSONObject()
        #expect(Self.same(Array(members.keys), Self.names))
    }
}

@Suite("Keys of objects")
struct ObjectKeyTests {
    private static let spellings = ["Caf\u{e9}", "Cafe\u{301}"]

    @Test("are told apart by the bytes of name and kind, so that many of them can be kept in one set")
    func bytes() {
        let keys = Self.spellings.flatMap { kind in
            Self.spellings.flatMap { name in
                (0..<8).map { ObjectKey(kind: GroupKind(group: "g", kind: kind), namespace: "n\($0)", name: name) }
            }
        }
        #expect(Set(keys).count == keys.count)
        #expect(keys.sorted().map(\.kind.kind.utf8.count) == keys.map(\.kind.kind.utf8.count).sorted(by: >))
        #expect(keys.allSatisfy { key in !keys.contains { $0 < key && key < $0 } })
    }
}
