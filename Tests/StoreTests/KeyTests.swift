import Model
import Store
import Testing

/// Names that differ only by Unicode normalisation are different names, as in etcd.
@Suite("Keys")
struct KeyTests {
    /// Texts of which several are canonical equivalents of each other, some with as many bytes.
    private static let parts = [
        "a", "e", "z", "\u{E9}", "e\u{301}", "\u{F6}", "o\u{308}", "\u{1E69}", "s\u{323}\u{307}", "s\u{307}\u{323}",
        "\u{212B}",
        "\u{C5}", "A\u{30A}", "\u{AC00}", "\u{1100}\u{1161}", "\u{1F600}",
    ]

    /// - Parameter length: of the ASCII text before it, so that short and long texts are made, which Swift keeps apart.
    private static func name(_ random: inout SeededGenerator) -> String {
        let length = [0, 3, 30].randomElement(using: &random) ?? 0
        let count = Int.random(in: 1...3, using: &random)
        let rest = (0..<count).map { _ in parts.randomElement(using: &random) ?? "a" }.joined()
        return String(repeating: "x", count: length) + rest
    }

    @Test(
        "a random history of names that look alike ends as one by their bytes does, in the order of the bytes",
        arguments: UInt64(1)...20)
    func model(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let store = try Store(persistence: .memory)
        var model: [[UInt8]: Int64] = [:]
        for step in 0..<1500 {
            let target = key(Self.name(&random))
            let bytes = Array(target.name.utf8)
            #expect((store.snapshot.get(target) != nil) == (model[bytes] != nil))
            if Int.random(in: 0..<4, using: &random) == 0, model[bytes] != nil {
                try await store.delete(target)
                model[bytes] = nil
            } else {
                try await store.put(target, Int64(step), if: model[bytes] == nil ? .absent : .exists)
                model[bytes] = Int64(step)
            }
        }
        let listed = store.snapshot.list(kind: "/ConfigMap")
        #expect(listed.map { Array($0.key.name.utf8) } == model.keys.sorted { $0.lexicographicallyPrecedes($1) })
        for object in listed { #expect(object.json["value"]?.int == model[Array(object.key.name.utf8)]) }
        // A page goes on behind exactly the name at which the one before ended.
        var paged: [StoreKey] = []
        while true {
            let page = store.snapshot.list(kind: "/ConfigMap", after: paged.last, limit: 7).map(\.key)
            paged += page
            if page.count < 7 { break }
        }
        #expect(paged == listed.map(\.key))
    }

    @Test("keys of objects are equal exactly when their bytes are, and ordered by them", arguments: UInt64(1)...20)
    func objectKeys(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let kind = GroupKind(group: "rbac.authorization.k8s.io", kind: "Role")
        let keys = (0..<200).map { _ in ObjectKey(kind: kind, namespace: "default", name: Self.name(&random)) }
        let bytes = keys.map { Array($0.name.utf8) }
        #expect(Set(keys).count == Set(bytes).count)
        #expect(keys.sorted().map { Array($0.name.utf8) } == bytes.sorted { $0.lexicographicallyPrecedes($1) })
        for (left, right) in zip(keys, keys.dropFirst()) {
            #expect((left == right) == (Array(left.name.utf8) == Array(right.name.utf8)))
            #expect(!(left == right) || left.hashValue == right.hashValue)
        }
    }

    @Test("who watches one object is not told of another that looks alike")
    func watch() async throws {
        let store = try Store(persistence: .memory)
        let watch = try store.watch(from: store.revision, kind: "/ConfigMap", namespace: "default", name: "e\u{301}")
        try await store.put(key("\u{E9}"), 1)
        try await store.put(key("e\u{301}"), 2)
        let batch = try await watch.next()
        #expect(batch?.changes.map { $0.object.json["value"]?.int } == [2])
    }
}
