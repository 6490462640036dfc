import Kinds
import Model
import Testing

@testable import Server

@Suite("Custom kinds in OpenAPI (B6, B10, I1)")
struct CustomSchemaTests {
    private static let widget = ResourceType(
        kind: GroupVersionKind(group: "stable.example.com", version: "v1", kind: "Widget"), plural: "widgets",
        singular: "widget", isNamespaced: true, verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
        subresources: [
            .init(name: "scale", verbs: ["get", "patch", "update"]),
            .init(name: "status", verbs: ["get", "patch", "update"]),
        ])

    private static func documents(
        _ schema: JSON?, selectable: [String] = []
    ) throws -> (version3: JSON, version2: JSON, protobuf: [UInt8]) {
        let schemas = OpenAPISchemas()
        var widget = widget
        widget.custom = schema.map { CustomResource(schema: $0, selectableFields: selectable) }
        let documents = OpenAPIDocuments([widget])
        let bytes = try #require(documents.document("apis/stable.example.com/v1", schemas: schemas))
        return (
            try JSON(decoding: bytes),
            try JSON(decoding: documents.version2(schemas: schemas, asProtobuf: false)),
            documents.version2(schemas: schemas, asProtobuf: true)
        )
    }

    private static let name = "com.example.stable.v1.Widget"

    @Test("it is called by its group in reverse, has what all objects have, and the fields that selectors may name")
    func named() throws {
        let schema: JSON = [
            "type": "object", "required": ["spec"],
            "properties": [
                "spec": [
                    "type": "object",
                    "properties": [
                        "port": ["x-kubernetes-int-or-string": true],
                        "template": ["type": "object", "x-kubernetes-embedded-resource": true],
                    ],
                    "x-kubernetes-validations": [["rule": "true"]],
                ]
            ],
        ]
        let document = try Self.documents(schema, selectable: [".spec.color"]).version3
        let schemas = document[path: ["components", "schemas"]]
        let widget = try #require(schemas?[Self.name])
        #expect(
            widget["x-kubernetes-group-version-kind"]
                == [["group": "stable.example.com", "version": "v1", "kind": "Widget"]])
        #expect(widget["x-kubernetes-selectable-fields"] == [["fieldPath": "spec.color"]])
        let properties = widget["properties"]
        #expect(
            properties?["metadata"]?["allOf"]
                == [["$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]])
        let spec = properties?["spec"]
        #expect(spec?["x-kubernetes-validations"] != nil)
        #expect(spec?["properties"]?["port"]?["anyOf"] == [["type": "integer"], ["type": "string"]])
        #expect(spec?["properties"]?["template"]?["required"] == ["kind", "apiVersion"])
        #expect(schemas?[Self.name + "List"] != nil)
        #expect(schemas?["io.k8s.api.autoscaling.v1.Scale"] != nil)
    }

    @Test("its patches are three, its operations named by its group; it has no paths of watches")
    func paths() throws {
        let document = try Self.documents(["type": "object"]).version3
        let paths = document["paths"]
        let item = paths?["/apis/stable.example.com/v1/namespaces/{namespace}/widgets/{name}"]
        #expect(
            item?["patch"]?["requestBody"]?["content"]?.object?.keys.sorted() == [
                "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
            ])
        #expect(item?["get"]?["operationId"] == "readStableExampleComV1NamespacedWidget")
        #expect(item?["get"]?["tags"] == ["stableExampleCom_v1"])
        #expect(paths?.object?.keys.contains { $0.contains("/watch/") } == false)
    }

    struct Reduction: Sendable, CustomTestStringConvertible {
        var schema: JSON
        var told: JSON
        var testDescription: String { schema.text() }
    }

    static let reductions = [
        Reduction(schema: ["type": "string", "nullable": true], told: [:]),
        Reduction(
            schema: ["type": "object", "nullable": true, "properties": ["a": ["type": "string"]], "description": "d"],
            told: ["description": "d"]),
        Reduction(
            schema: [
                "type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": ["a": ["type": "string"]],
            ], told: ["x-kubernetes-preserve-unknown-fields": true]),
        Reduction(schema: ["type": "array", "x-kubernetes-list-type": "set"], told: ["x-kubernetes-list-type": "set"]),
        Reduction(
            schema: [
                "type": "object", "required": ["a", "b"],
                "properties": ["a": ["type": "string", "nullable": true], "b": ["type": "string"]],
            ],
            told: ["type": "object", "required": ["b"], "properties": ["a": [:], "b": ["type": "string"]]]),
        Reduction(
            schema: ["type": "integer", "oneOf": [["minimum": 1]], "anyOf": [["minimum": 2]], "not": ["maximum": 3]],
            told: ["type": "integer"]),
    ]

    @Test(
        "v2 says less rather than something wrong, since old clients refuse what it does not say", arguments: reductions
    )
    func reduced(_ reduction: Reduction) throws {
        let schema: JSON = ["type": "object", "properties": ["spec": reduction.schema]]
        let document = try Self.documents(schema)
        #expect(document.version2[path: ["definitions", Self.name, "properties", "spec"]] == reduction.told)
        #expect(
            document.version3[path: ["components", "schemas", Self.name, "properties", "spec"]] == reduction.schema)
    }

    @Test(
        "what may hold anything, or has no schema, is an object of which nothing more is told",
        arguments: [true, false])
    func open(hasSchema: Bool) throws {
        let schema: JSON = [
            "type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": ["a": ["type": "string"]],
        ]
        let documents = try Self.documents(hasSchema ? schema : nil)
        let told = documents.version2[path: ["definitions", Self.name]]
        #expect(told?["type"] == "object")
        #expect(told?["properties"] == nil)
        #expect(!documents.protobuf.isEmpty)
    }
}
