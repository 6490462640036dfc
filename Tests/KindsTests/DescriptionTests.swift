import Model
import Testing

@testable import generate_kinds

@Suite("Descriptions are compiled in apart from the schemas")
struct DescriptionTests {
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
}
