import Cluster
import Kinds
import Model
import Testing

@Suite("Custom resources of any schema")
struct CustomResourcePropertyTests {
    /// Schemas and values that nobody would write, by seed.
    struct Maker {
        var random: SplitMix64

        mutating func pick<Value>(_ values: [Value]) -> Value {
            values[Int.random(in: 0..<values.count, using: &random)]
        }
        mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

        mutating func schema(depth: Int) -> JSON {
            var schema: JSON
            switch depth == 0
                ? pick(["string", "integer", "boolean"])
                : pick(["object", "object", "array", "map", "free", "string", "integer", "port"])
            {
            case "object":
                var properties: JSON = [:]
                for name in ["a", "b", "c", "d"] where chance(60) { properties[name] = self.schema(depth: depth - 1) }
                schema = ["type": "object", "properties": properties]
                if chance(15) { schema["x-kubernetes-preserve-unknown-fields"] = true }
                if chance(10) { schema["x-kubernetes-map-type"] = "atomic" }
                if chance(20) { schema["default"] = .emptyObject }
            case "array":
                schema = ["type": "array"]
                switch pick(["atomic", "set", "map"]) {
                case "set":
                    schema["items"] = ["type": "string"]
                    schema["x-kubernetes-list-type"] = "set"
                case "map":
                    schema["items"] = [
                        "type": "object", "required": ["k"],
                        "properties": ["k": ["type": "string"], "v": self.schema(depth: depth - 1)],
                    ]
                    schema["x-kubernetes-list-type"] = "map"
                    schema["x-kubernetes-list-map-keys"] = ["k"]
                default: schema["items"] = self.schema(depth: depth - 1)
                }
            case "map": schema = ["type": "object", "additionalProperties": self.schema(depth: depth - 1)]
            case "free": schema = ["x-kubernetes-preserve-unknown-fields": true]
            case "port": schema = ["x-kubernetes-int-or-string": true]
            case "integer":
                schema = ["type": "integer"]
                if chance(30) { schema["default"] = 7 }
            case "boolean": schema = ["type": "boolean"]
            default:
                schema = ["type": "string"]
                if chance(30) { schema["default"] = "filled" }
            }
            if chance(10), schema["default"] == nil { schema["nullable"] = true }
            return schema
        }

        /// A value that more or less fits: with unknown fields and nulls.
        mutating func value(_ schema: JSON, wild: Bool, depth: Int = 6) -> JSON {
            if wild, chance(10) { return .null }
            switch schema["type"]?.string {
            case "object":
                var object = JSONObject()
                for property in schema["properties"]?.object ?? JSONObject() where chance(70) {
                    object[property.key] = value(property.value, wild: wild, depth: depth - 1)
                }
                if let values = schema["additionalProperties"] {
                    for name in ["x", "y"] where chance(60) {
                        object[name] = value(values, wild: wild, depth: depth - 1)
                    }
                } else if chance(30), wild || schema["x-kubernetes-preserve-unknown-fields"] == true {
                    object["unknown"] = ["deep": 1]
                }
                return .object(object)
            case "array":
                if case .string("map")? = schema["x-kubernetes-list-type"] {
                    let keys = ["p", "q", "r"].filter { _ in chance(50) }
                    return .array(
                        keys.map { key in
                            var item = value(schema["items"] ?? [:], wild: false, depth: depth - 1)
                            item["k"] = .string(key)
                            return item
                        })
                }
                if case .string("set")? = schema["x-kubernetes-list-type"] {
                    return .array(["p", "q", "r"].filter { _ in chance(50) })
                }
                let count = Int.random(in: 0...2, using: &random)
                return .array((0..<count).map { _ in value(schema["items"] ?? [:], wild: wild, depth: depth - 1) })
            case "string": return pick(["s", "t"])
            case "integer": return pick([1, 2])
            case "boolean": return pick([true, false])
            default:
                return schema["x-kubernetes-int-or-string"] == true ? pick([80, "http"]) : pick(["free", ["f": 1], 3])
            }
        }
    }

    private static func definition(_ spec: JSON) -> CustomResourceDefinition {
        var definition = Widgets.definition(["type": "object", "properties": ["spec": spec]])
        definition["status"] = [
            "acceptedNames": ["plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"],
            "conditions": [["type": "Established", "status": "True"]],
        ]
        return CustomResourceDefinition(viewing: definition)
    }

    @Test("pruning and defaulting change nothing the second time, and leave nothing unknown (I3)", arguments: 0..<300)
    func idempotent(seed: Int) throws {
        var maker = Maker(random: SplitMix64(seed: UInt64(seed)))
        let schema = maker.schema(depth: 3)
        let strategy = try #require(try Self.definition(schema).strategies().first)
        let once = strategy.defaulted(Widgets.widget("a", maker.value(schema, wild: true)))
        #expect(strategy.defaulted(once) == once)
        #expect(strategy.decodingFaults(once).isEmpty)
        #expect(strategy.served(once) == nil, "what is stored so is sent as it is stored")
    }

    @Test("applying, reading and applying again is no change (H5)", arguments: 0..<300)
    func applied(seed: Int) throws {
        var maker = Maker(random: SplitMix64(seed: UInt64(seed)))
        let schema = maker.schema(depth: 3)
        let strategy = try #require(try Self.definition(schema).strategies().first)
        var config = Widgets.widget("a", maker.value(schema, wild: false))
        // Somebody who states nothing owns nothing, and is not remembered.
        config[path: ["metadata", "labels"]] = ["app": "a"]
        let now = Timestamp(seconds: 1)
        let first = strategy.defaulted(
            try ServerSideApply.apply(
                config, onto: nil, schema: strategy.schema, manager: "m", force: false, subresource: nil, now: now))
        let second = strategy.defaulted(
            try ServerSideApply.apply(
                config, onto: first, schema: strategy.schema, manager: "m", force: false, subresource: nil,
                now: now + .seconds(9)))
        // Where an atomic list's items get defaults, only the time of the entry moves, which is not written (C12).
        func timeless(_ object: JSON) -> JSON {
            var object = object
            let entries = object[path: ["metadata", "managedFields"]]?.array ?? []
            object[path: ["metadata", "managedFields"]] = .array(
                entries.map { entry in
                    var entry = entry
                    entry["time"] = nil
                    return entry
                })
            return object
        }
        #expect(timeless(second) == timeless(first))
    }
}
