import Model
import Testing

@Suite("Strategic merge patch")
struct ApplyStrategicMergeTests {
    private static func spec(_ patch: JSON, _ spec: JSON) throws -> JSON? {
        try StrategicMergePatch.apply(["spec": patch], to: ["spec": spec], schema: Fixture.schema)["spec"]
    }

    private static let two: JSON = ["containers": [["name": "a", "image": "1"], ["name": "b", "image": "2"]]]

    @Test(
        "G4, G6: patches merge by key, by value or whole, and follow their directives",
        arguments: [
            (["replicas": 2], ["replicas": 1, "paused": true], ["replicas": 2, "paused": true]),
            (["replicas": .null, "gone": .null], ["replicas": 1], [:]),
            (
                ["containers": [["name": "b", "image": "3"]]], two,
                ["containers": [["name": "a", "image": "1"], ["name": "b", "image": "3"]]]
            ),
            (
                ["containers": [["name": "c"]]], two,
                ["containers": [["name": "c"], ["name": "a", "image": "1"], ["name": "b", "image": "2"]]]
            ),
            (
                ["containers": [["name": "a", "$patch": "delete"]]], two,
                ["containers": [["name": "b", "image": "2"]]]
            ),
            (
                ["containers": [["$patch": "replace"], ["name": "c"]]], two, ["containers": [["name": "c"]]]
            ),
            (
                ["containers": [["name": "a", "image": .null]]], two,
                ["containers": [["name": "a"], ["name": "b", "image": "2"]]]
            ),
            (
                ["$setElementOrder/containers": [["name": "b"], ["name": "a"]]], two,
                ["containers": [["name": "b", "image": "2"], ["name": "a", "image": "1"]]]
            ),
            (
                [
                    "$setElementOrder/containers": [["name": "c"], ["name": "b"]],
                    "containers": [["name": "c"], ["name": "b", "image": "9"]],
                ], two,
                ["containers": [["name": "c"], ["name": "a", "image": "1"], ["name": "b", "image": "9"]]]
            ),
            (["tolerations": [["key": "b"]]], ["tolerations": [["key": "a"]]], ["tolerations": [["key": "b"]]]),
            (
                ["strategy": ["$retainKeys": ["type"], "type": "Recreate"]],
                ["strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1]]],
                ["strategy": ["type": "Recreate"]]
            ),
            (
                ["strategy": ["$patch": "replace", "type": "Recreate"]],
                ["strategy": ["rollingUpdate": ["maxSurge": 1]]], ["strategy": ["type": "Recreate"]]
            ),
            (["strategy": ["$patch": "delete"]], ["strategy": ["type": "Recreate"]], ["strategy": [:]]),
            // Of what is not there nothing can be removed or replaced.
            (["strategy": ["$patch": "delete"]], ["replicas": 1], ["replicas": 1]),
            (["strategy": ["$patch": "replace", "type": "Recreate"]], ["replicas": 1], ["replicas": 1]),
            (["tolerations": [["key": "b"], ["$patch": "replace"]]], [:], ["tolerations": [["key": "b"]]]),
            (
                ["containers": [["name": "a", "image": .null], ["name": "b", "$patch": "delete"]]], [:],
                ["containers": [["name": "a"]]]
            ),
        ] as [(JSON, JSON, JSON)])
    func merges(patch: JSON, object: JSON, result: JSON) throws {
        #expect(try Self.spec(patch, object) == result)
    }

    @Test("G4: values of a set are added once, deleted by their directive and ordered by theirs")
    func primitives() throws {
        let patched = { (patch: JSON) in
            try StrategicMergePatch.apply(
                ["metadata": patch], to: ["metadata": ["finalizers": ["a", "b", "c"]]], schema: Fixture.schema)[
                    path: ["metadata", "finalizers"]]
        }
        #expect(try patched(["finalizers": ["d", "b"]]) == ["d", "a", "b", "c"])
        #expect(try patched(["$deleteFromPrimitiveList/finalizers": ["b"]]) == ["a", "c"])
        #expect(
            try patched([
                "$deleteFromPrimitiveList/finalizers": ["b"], "$setElementOrder/finalizers": ["d", "a"],
                "finalizers": ["d"],
            ]) == ["d", "a", "c"])
        #expect(try patched(["finalizers": .null]) == nil)
    }

    @Test(
        "G3: faults are malformed (400) or failed (422), and say what",
        arguments: [
            (["$setElementOrder/containers": "a"], .unexpected, "expected a []interface {}, but received a string"),
            (["$setElementOrder": []], .malformed, "invalid patch format of setElementOrder list"),
            (["$deleteFromPrimitiveList/x": 1], .malformed, "invalid patch format of primitive list"),
            (["$deleteFromPrimitiveList": []], .malformed, "invalid patch format of primitive list"),
            (["strategy": ["$retainKeys": 1]], .malformed, "invalid patch format of retainKeys"),
            (["strategy": ["$retainKeys": [], "type": "x"]], .malformed, "invalid patch format of retainKeys"),
            (["containers": [[["name": "a"]]]], .failed, "lists of lists are not supported"),
            (["containers": [["image": "a"]]], .unexpected, "does not contain declared merge key: name"),
            (["containers": [["$patch": "delete"]]], .unexpected, "does not contain declared merge key: name"),
            (["containers": [["name": "a", "$patch": "merge"]]], .unexpected, "merging lists cannot yet"),
            (["containers": [["name": "a", "$patch": "move"]]], .unexpected, "unknown patch type: move"),
            (["strategy": ["$patch": "merge"]], .unexpected, "unknown patch type: merge"),
            (
                ["$setElementOrder/containers": [["name": "b"]], "containers": [["name": "a"]]], .unexpected,
                "doesn't match its $setElementOrder list"
            ),
        ] as [(JSON, PatchError.Kind, String)])
    func faults(patch: JSON, kind: PatchError.Kind, text: String) {
        let spec = MergePatch.apply(["strategy": ["type": "Recreate"]], to: Self.two)
        let error = #expect(throws: PatchError.self) { try Self.spec(patch, spec) }
        #expect(error?.kind == kind)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "")")
    }

    @Test("G3: what is no object is no patch", arguments: [[], "x", .null] as [JSON])
    func noPatch(patch: JSON) {
        #expect(throws: PatchError(kind: .malformed, message: "invalid JSON document")) {
            try StrategicMergePatch.apply(patch, to: [:], schema: Fixture.schema)
        }
    }
}
