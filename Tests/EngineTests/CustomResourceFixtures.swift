import Cluster
import Engine
import Kinds
import Logging
import Model
import Store
import Testing

/// A registry with the controllers that give CustomResourceDefinitions their status.
struct CustomRegistry {
    let registry: TestRegistry
    static let options = WriteOptions(fieldManager: "test")

    /// Runs `body` while the control loops run.
    static func run(
        persistence: any Persistence = .memory, _ body: @escaping @Sendable (CustomRegistry) async throws -> Void
    ) async throws {
        let registry = try await TestRegistry(persistence: persistence)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let loops = ControlLoops(cluster: registry.registry, clock: registry.clock, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await loops.run() }
            group.addTask { try await body(CustomRegistry(registry: registry)) }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Creates a definition and waits until it is as `isDone` says.
    @discardableResult
    func define(
        _ definition: JSON, until isDone: @Sendable (CustomResourceDefinition) -> Bool = { $0.isServed }
    ) async throws -> CustomResourceDefinition {
        let created = try await registry.create(definition)
        return try await wait(for: created.key) { object in
            let definition = CustomResourceDefinition(viewing: object?.json ?? [:])
            return isDone(definition) ? definition : nil
        }
    }

    /// Waits until an object, or its absence, is what it should be.
    func wait<Value>(for key: ObjectKey, until look: (Object?) throws -> Value?) async throws -> Value {
        while true {
            var object: Object?
            do throws(APIError) {
                object = try await registry.registry.get(key)
            } catch {
                guard error.reason == .notFound else { throw error }
            }
            if let value = try look(object) { return value }
            // What never comes about ends at the time limit of its test, by name.
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    @discardableResult
    func create(_ json: JSON, validation: FieldValidation = .strict) async throws -> Object {
        try await registry.create(json, WriteOptions(fieldManager: "test", fieldValidation: validation))
    }

    func error(_ body: () async throws -> some Sendable) async throws -> APIError { try await registry.error(body) }
}

/// Definitions that tests use, and objects of them.
enum Widgets {
    static let kind = GroupKind(group: "example.com", kind: "Widget")
    static let definitionKey = ObjectKey(
        kind: CustomResourceDefinition.kind.groupKind, name: "widgets.example.com")

    static func key(_ name: String) -> ObjectKey { ObjectKey(kind: kind, namespace: "default", name: name) }

    /// `widgets.example.com` with one version.
    static func definition(_ schema: JSON = schema, _ version: JSON = [:]) -> JSON {
        var whole: JSON = [
            "name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema],
            "subresources": ["status": [:]],
        ]
        for member in version.object ?? JSONObject() { whole[member.key] = member.value.isNull ? nil : member.value }
        return definition(versions: [whole])
    }

    static func definition(versions: [JSON], plural: String = "widgets", kind: String = "Widget") -> JSON {
        [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": .string("\(plural).example.com")],
            "spec": [
                "group": "example.com", "scope": "Namespaced",
                "names": [
                    "plural": .string(plural), "kind": .string(kind), "shortNames": ["wd"], "categories": ["all"],
                ],
                "versions": .array(versions),
            ],
        ]
    }

    static let schema: JSON = [
        "type": "object",
        "properties": [
            "spec": [
                "type": "object", "required": ["size"],
                "properties": [
                    "size": ["type": "integer", "minimum": 1, "maximum": 10],
                    "colour": ["type": "string", "default": "red", "enum": ["red", "green"]],
                    "replicas": ["type": "integer", "default": 1],
                    "parts": [
                        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                        "items": [
                            "type": "object", "required": ["name"],
                            "properties": ["name": ["type": "string"], "weight": ["type": "integer", "default": 5]],
                        ],
                    ],
                    "free": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
                ],
            ],
            "status": ["type": "object", "x-kubernetes-preserve-unknown-fields": true],
        ],
    ]

    static func widget(_ name: String, _ spec: JSON = ["size": 3], version: String = "v1") -> JSON {
        [
            "apiVersion": .string("example.com/\(version)"), "kind": "Widget",
            "metadata": ["name": .string(name), "namespace": "default"], "spec": spec,
        ]
    }
}
