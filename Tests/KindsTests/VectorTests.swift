import FoundationEssentials
import Kinds
import Model
import Testing

/// What Kubernetes' own libraries (apimachinery 0.35, structured-merge-diff 6) answered to random configurations and
/// patches of built-in kinds.
@Suite("Kubernetes' answers, kept as vectors")
struct VectorTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        var file: String
        var index: Int
        var json: JSON
        var testDescription: String { "\(file) \(index)" }

        subscript(name: String) -> JSON? { json[name] }
        var fails: Bool { json["Fails"]?.bool == true }
    }

    private static func read(_ file: String) -> JSON {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Vectors/\(file)")
        do {
            return try JSON(decoding: Array(Data(contentsOf: path)))
        } catch {
            fatalError("\(file): \(error)")
        }
    }

    private static func vectors(_ file: String, in json: JSON? = nil) -> [Vector] {
        ((json ?? read(file)).array ?? []).enumerated().map { Vector(file: file, index: $0, json: $1) }
    }

    private static func schema(_ kind: JSON?) throws -> Schema {
        let type = try #require(Catalog.builtIn.types.first { $0.kind.kind == kind?.string })
        return try #require(Catalog.builtIn.schema(for: type.kind.groupKind))
    }

    /// Without nulls, times of managed fields, and directives of what was not there to be directed.
    private static func bare(_ value: JSON?) -> JSON {
        switch value {
        case .object(let object):
            let members = object.filter { !$0.value.isNull && $0.key != "time" && !$0.key.hasPrefix("$") }
            return .object(
                JSONObject(
                    members.map { member in
                        let value = bare(member.value)
                        // Their order follows their times, which the vectors have not.
                        let isOwners = member.key == "managedFields"
                        let entries = isOwners ? value.array?.sorted { $0.text() < $1.text() } : nil
                        return JSONObject.Member(key: member.key, value: entries.map(JSON.array) ?? value)
                    }))
        case .array(let items): return .array(items.map(bare))
        case let other: return other ?? .null
        }
    }

    @Test("H: applies and updates leave the same object and the same owners", arguments: vectors("apply.json"))
    func applies(_ vector: Vector) throws {
        let schema = try Self.schema(vector["Kind"])
        let sent = try #require(vector["Sent"])
        let live = vector["Live"].flatMap { $0.isNull ? nil : $0 }
        let manager = vector["Manager"]?.string ?? ""
        let now = Timestamp(seconds: 1_700_000_000)
        if vector["Update"]?.bool == true {
            let updated = ServerSideApply.recordUpdate(
                from: live, to: sent, schema: schema, manager: manager, subresource: nil, now: now)
            #expect(Self.bare(updated) == Self.bare(vector["Result"]))
            return
        }
        do throws(ApplyError) {
            let applied = try ServerSideApply.apply(
                sent, onto: live, schema: schema, manager: manager, force: vector["Force"]?.bool == true,
                subresource: nil, now: now)
            #expect(vector["Error"] == nil)
            #expect(Self.bare(applied) == Self.bare(vector["Result"]))
        } catch {
            #expect(error.description == vector["Error"]?.string)
        }
    }

    @Test("G4, G6: strategic merge patches lead to the same object", arguments: vectors("strategic-merge.json"))
    func merges(_ vector: Vector) throws {
        let schema = try Self.schema(vector["Kind"])
        let merge = { try StrategicMergePatch.apply(vector["Patch"] ?? [:], to: vector["Live"] ?? [:], schema: schema) }
        if vector.fails {
            #expect(throws: PatchError.self, performing: merge)
        } else {
            #expect(try Self.bare(merge()) == Self.bare(vector["Result"]))
        }
    }

    @Test("G2: JSON patches lead to the same document, or fail", arguments: vectors("json-patch.json"))
    func patches(_ vector: Vector) throws {
        let patch = { try JSONPatch.apply(vector["Patch"] ?? [], to: vector["Live"] ?? [:]) }
        if vector.fails {
            #expect(throws: PatchError.self, performing: patch)
        } else {
            #expect(try patch() == vector["Result"])
        }
    }

    private static let selectors = read("selectors.json")

    @Test("D9: label selectors select the same", arguments: vectors("selectors", in: selectors["selectors"]))
    func selects(_ vector: Vector) throws {
        let text = vector["Selector"]?.string ?? ""
        let parse = { try Selector(parsing: text) }
        if vector.fails {
            #expect(throws: SelectorError.self, performing: parse)
            return
        }
        let selector = try parse()
        let sets = (Self.selectors["sets"]?.array ?? []).map { set in
            Dictionary(uniqueKeysWithValues: (set.object ?? JSONObject()).map { ($0.key, $0.value.string ?? "") })
        }
        let selected = sets.indices.filter { selector.matches(sets[$0]) }
        #expect(JSON.array(selected.map { .int(Int64($0)) }) == vector["Selected"])
    }
}
