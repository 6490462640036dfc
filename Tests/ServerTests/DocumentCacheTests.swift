import Kinds
import Model
import Testing

@testable import Server

@Suite("Kept documents (A7, B1, B2, B9)")
struct DocumentCacheTests {
    /// A custom kind in a group of its own.
    private static func custom(_ group: String, _ field: String, verbs: [String] = ["get", "list"]) -> ResourceType {
        ResourceType(
            kind: GroupVersionKind(group: group, version: "v1", kind: "Widget"), plural: "widgets",
            singular: "widget", isNamespaced: true, verbs: verbs,
            custom: CustomResource(
                schema: [
                    "type": "object",
                    "properties": ["spec": ["type": "object", "properties": [.init(field): ["type": "string"]]]],
                ]))
    }

    private static let builtIn = Catalog.builtIn.types.filter { $0.kind.group == "coordination.k8s.io" }
    private static let one = "apis/one.example.com/v1"
    private static let two = "apis/two.example.com/v1"
    private static let leases = "apis/coordination.k8s.io/v1"

    /// Lists of types between which a server may go to and fro.
    private static let lists: [[ResourceType]] = [
        builtIn,
        builtIn + [custom("one.example.com", "colour")],
        // Another schema, and other verbs, of the same kind.
        builtIn + [custom("one.example.com", "color")],
        builtIn + [custom("one.example.com", "color", verbs: ["get"])],
        builtIn + [custom("one.example.com", "colour"), custom("two.example.com", "size")],
        [],
    ]

    /// Everything that a cache can be asked for, as it answers it.
    private static func answers(_ cache: DocumentCache, _ types: [ResourceType]) -> [String: String] {
        var answers: [String: String] = ["index": cache.openAPIIndex(for: types).hash]
        for name in [one, two, leases] {
            for asProtobuf in [false, true] {
                let document = cache.openAPI(name, asProtobuf: asProtobuf, for: types)
                answers["\(name) \(asProtobuf)"] = document.map { "\($0.hash) \(TaggedBytes.hash(of: $0.bytes))" }
            }
        }
        for flag in [false, true] {
            answers["v2 \(flag)"] = cache.openAPIVersion2(asProtobuf: flag, for: types)?.hash
            answers["aggregated \(flag)"] = cache.aggregated(core: flag, for: types).hash
        }
        for group in ["one.example.com", "two.example.com", "coordination.k8s.io"] {
            answers[group] = cache.discovery(for: types).resourceList(group: group, version: "v1")?.text()
        }
        return answers
    }

    @Test(
        "are those of the present types, whatever was asked before",
        arguments: [[0, 1, 2, 3, 4, 5, 0], [4, 2, 4, 1, 4]])
    func present(_ order: [Int]) {
        let cache = DocumentCache()
        for position in order {
            let types = Self.lists[position]
            let fresh = Self.answers(DocumentCache(), types)
            #expect(Self.answers(cache, types) == fresh)
            #expect(Self.answers(cache, types) == fresh, "asked once more, it is the same")
        }
    }

    @Test("one that nothing changed keeps its name, and one whose types did gets another")
    func names() throws {
        let cache = DocumentCache()
        func hashes(_ types: [ResourceType]) throws -> [String: String] {
            let paths = try JSON(decoding: cache.openAPIIndex(for: types).bytes)["paths"]?.object ?? JSONObject()
            return Dictionary(uniqueKeysWithValues: paths.map { ($0.key, $0.value.text()) })
        }
        let before = try hashes(Self.lists[1])
        let after = try hashes(Self.lists[2])
        #expect(before[Self.one] != nil && before[Self.one] != after[Self.one])
        #expect(before[Self.leases] != nil && before[Self.leases] == after[Self.leases])
        #expect(try hashes(Self.lists[0])[Self.one] == nil)
        #expect(cache.openAPI(Self.one, asProtobuf: false, for: Self.lists[0]) == nil)
        #expect(try hashes(Self.lists[1]) == before)
    }
}
