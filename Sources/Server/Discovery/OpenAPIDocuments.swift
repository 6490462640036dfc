import Kinds
import Model

/// `/openapi/v3`: an index, and one document for each group and version (semantics-api B1–B7).
///
/// A document says what `kubectl` reads: the schemas with their extensions, and for each resource the operations with
/// the kind they are about, the patch types and the query parameters.
struct OpenAPIDocuments: Sendable {
    struct Document: Sendable {
        var bytes: [UInt8]
        /// Names this very content; opaque to clients.
        var hash: String
    }

    /// By `api/v1`, `apis/apps/v1`.
    let documents: [String: Document]
    /// B1.
    let index: [UInt8]

    init(_ types: [ResourceType], definitions: JSON) {
        var byPath: [String: [ResourceType]] = [:]
        for type in types {
            byPath[Self.basePath(type), default: []].append(type)
        }
        documents = byPath.mapValues { types in
            let bytes = Self.document(types, definitions: definitions).encoded()
            return Document(bytes: bytes, hash: Self.hash(bytes))
        }
        var paths: JSON = [:]
        for (path, document) in documents.sorted(by: { $0.key < $1.key }) {
            paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(document.hash)")]
        }
        index = (["paths": paths] as JSON).encoded()
    }

    private static func basePath(_ type: ResourceType) -> String {
        type.kind.group.isEmpty ? "api/\(type.kind.version)" : "apis/\(type.kind.group)/\(type.kind.version)"
    }

    /// FNV-1a with 64 bits.
    private static func hash(_ bytes: [UInt8]) -> String {
        let value = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return String(value, radix: 16, uppercase: true)
    }

    private static func document(_ types: [ResourceType], definitions: JSON) -> JSON {
        var schemas: JSON = ["DeleteOptions": ["type": "object"]]
        var paths: JSON = [:]
        for type in types {
            let name = name(of: type)
            if let custom = type.custom { schemas[name] = custom.schema }
            add(name, from: definitions, to: &schemas)
            schemas[path: [name, "x-kubernetes-group-version-kind"]] = [gvk(type)]
            addPaths(of: type, to: &paths)
        }
        return [
            "openapi": "3.0.0", "info": ["title": "Kubernetes", "version": "v1.36.0"], "paths": paths,
            "components": ["schemas": schemas],
        ]
    }

    private static func name(of type: ResourceType) -> String { SchemaDocument.name(of: type.kind) ?? type.kind.kind }

    private static func gvk(_ type: ResourceType) -> JSON {
        [
            "group": .string(type.kind.group), "version": .string(type.kind.version), "kind": .string(type.kind.kind),
        ]
    }

    /// Adds a definition and all that it refers to.
    private static func add(_ name: String, from definitions: JSON, to schemas: inout JSON) {
        guard schemas[name] == nil, let definition = definitions[name] else { return }
        schemas[name] = [:]
        var references: [String] = []
        schemas[name] = translated(definition, references: &references)
        for reference in references { add(reference, from: definitions, to: &schemas) }
    }

    /// A schema in OpenAPI's own words: references as paths, with siblings through `allOf` (B5), without our own marks.
    private static func translated(_ schema: JSON, references: inout [String]) -> JSON {
        guard let members = schema.object else { return schema }
        var result: JSON = [:]
        var reference: JSON?
        for member in members where !member.key.hasPrefix("x-martlet-") {
            switch member.key {
            case "$ref":
                let name = member.value.string ?? ""
                references.append(name)
                reference = ["$ref": .string("#/components/schemas/\(name)")]
            case "properties":
                var properties: JSON = [:]
                for property in member.value.object ?? JSONObject() {
                    properties[property.key] = translated(property.value, references: &references)
                }
                result["properties"] = properties
            case "items", "additionalProperties":
                result[member.key] = translated(member.value, references: &references)
            default: result[member.key] = member.value
            }
        }
        if result["x-kubernetes-int-or-string"]?.bool == true || result["format"] == "quantity" {
            result["oneOf"] = [["type": "string"], ["type": "number"]]
        }
        guard let reference else { return result }
        if result == .emptyObject { return reference }
        result["allOf"] = [reference]
        return result
    }

    private static func addPaths(of type: ResourceType, to paths: inout JSON) {
        let scope = type.isNamespaced ? "/namespaces/{namespace}" : ""
        let collection = "/\(basePath(type))\(scope)/\(type.plural)"
        var list: JSON = [:]
        list["get"] = operation("list", type)
        list["post"] = operation("post", type, body: ["application/json", "application/yaml"])
        paths[collection] = list
        paths[collection + "/{name}"] = item(type)
        for subresource in type.subresources where subresource.name == "status" {
            paths[collection + "/{name}/status"] = item(type)
        }
    }

    private static func item(_ type: ResourceType) -> JSON {
        var item: JSON = [:]
        item["get"] = operation("get", type)
        item["put"] = operation("put", type, body: ["application/json", "application/yaml"])
        item["patch"] = operation(
            "patch", type,
            body: [
                "application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json",
            ] + (type.custom == nil ? ["application/strategic-merge-patch+json"] : []))
        item["delete"] = operation("delete", type)
        return item
    }

    /// B3, B5, B6: `kubectl` looks for the kind, the types of patches and the parameter `fieldValidation`.
    private static func operation(_ action: String, _ type: ResourceType, body: [String] = []) -> JSON {
        let schema: JSON = ["$ref": .string("#/components/schemas/\(name(of: type))")]
        var operation: JSON = [
            "x-kubernetes-action": .string(action), "x-kubernetes-group-version-kind": gvk(type),
            "responses": ["200": ["description": "OK", "content": ["application/json": ["schema": schema]]]],
        ]
        let names = body.isEmpty ? ["pretty"] : ["dryRun", "fieldManager", "fieldValidation", "pretty"]
        operation["parameters"] = .array(
            names.map { ["name": .string($0), "in": "query", "schema": ["type": "string", "uniqueItems": true]] })
        if !body.isEmpty {
            var content: JSON = [:]
            for media in body { content[media] = ["schema": action == "patch" ? ["type": "object"] : schema] }
            operation["requestBody"] = ["content": content, "required": true]
        }
        return operation
    }
}
