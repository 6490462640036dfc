import Kinds
import Model
import Testing

@testable import generate_kinds

@Suite("Every kind and field says what it is, in one sentence")
struct DescriptionTests {
    /// The schemas of a definition that need a description, each with its place.
    private static func described(_ schema: JSON, at place: String) -> [(place: String, schema: JSON)] {
        (schema["properties"]?.object ?? JSONObject()).reduce(into: [(place, schema)]) { found, property in
            found += described(property.value, at: "\(place).\(property.key)")
        }
    }

    @Test("each definition and field of the built-in kinds has a short description that ends with a full stop")
    func isComplete() throws {
        let definitions = try #require(SchemaDocument.definitions().object)
        #expect(definitions.count > 300)
        for (place, schema) in definitions.flatMap({ Self.described($0.value, at: $0.key) }) {
            guard let text = schema["description"]?.string else {
                Issue.record("\(place) has no description")
                continue
            }
            #expect((5...160).contains(text.count), "\(place) has \(text.count) characters: \(text)")
            #expect(text.hasSuffix("."), "\(place) does not end with a full stop: \(text)")
            #expect(!text.contains(". "), "\(place) is more than one sentence: \(text)")
            #expect(!text.contains("  ") && text.first != " ", "\(place) has needless spaces: \(text)")
        }
    }

    @Test("a field does not repeat what its kind says, since kubectl explain shows both")
    func doNotRepeat() throws {
        let definitions = try #require(SchemaDocument.definitions().object)
        for (place, schema) in definitions.flatMap({ Self.described($0.value, at: $0.key) }) {
            for node in [schema, schema["items"] ?? [:], schema["additionalProperties"] ?? [:]] {
                guard let name = node["$ref"]?.string else { continue }
                let same = definitions[name]?["description"] == schema["description"]
                #expect(!same, "\(place) and \(name) have the same description")
            }
        }
    }

    @Test("descriptions are moved out of the schemas, but not fields of that name")
    func split() {
        let split = Descriptions(splitting: [
            "kinds": [],
            "definitions": [
                "Kite": [
                    "description": "Flies.", "type": "object",
                    "properties": [
                        "description": ["type": "string", "description": "What it looks like."],
                        "line": [
                            "type": "object", "description": "Holds it.",
                            "properties": ["length": ["type": "integer", "description": "In metres."]],
                        ],
                        "wind": ["$ref": "Wind"],
                    ],
                ]
            ],
        ])
        #expect(
            JSON.object(split.texts) == [
                "Kite": [
                    "": "Flies.", "description": "What it looks like.", "line": "Holds it.",
                    "line.length": "In metres.",
                ]
            ])
        #expect(
            split.schemas == [
                "kinds": [],
                "definitions": [
                    "Kite": [
                        "type": "object",
                        "properties": [
                            "description": ["type": "string"],
                            "line": ["type": "object", "properties": ["length": ["type": "integer"]]],
                            "wind": ["$ref": "Wind"],
                        ],
                    ]
                ],
            ])
    }

    @Test("OpenAPI's schemas are those that are compiled in, with the descriptions in their places")
    func joined() throws {
        let definitions = SchemaDocument.definitions()
        let texts = Descriptions(splitting: ["definitions": definitions]).texts
        #expect(JSON.object(texts)[path: ["PriorityClass", "description"]]?.string?.contains("class") == true)
        #expect(definitions[path: ["DeploymentSpec", "properties", "minReadySeconds", "minimum"]] == 0)
        // A text without its field would have made a schema of a description alone.
        for (place, schema) in try #require(definitions.object).flatMap({ Self.described($0.value, at: $0.key) }) {
            #expect((schema.object?.count ?? 0) > 1, "\(place) has a description alone")
        }
    }
}
