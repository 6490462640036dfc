import Kinds
import Model

/// The schemas of what is served, in the words of OpenAPI v3 (semantics-api B4, B5).
struct OpenAPISchemas: Sendable {
    static let prefix = "#/components/schemas/"
    private static let meta = "io.k8s.apimachinery.pkg.apis.meta.v1."

    private let document: SchemaDocument

    init(document: SchemaDocument = SchemaDocument()) {
        self.document = document
    }

    // MARK: Names

    /// By which clients and generators know a kind: the built-in ones by Kubernetes' packages, all others by their
    /// group, its words in reverse: `com.example.v1.Widget`.
    func name(of kind: GroupVersionKind) -> String {
        if let definition = document.kinds[kind] { return name(ofDefinition: definition) }
        let words = kind.group.split(separator: ".").reversed().joined(separator: ".")
        return "\(words).\(kind.version).\(kind.kind)"
    }

    /// Of a definition that is no kind's, such as `Status`.
    func name(ofDefinition definition: String) -> String { document.names[definition] ?? definition }

    func reference(to definition: String) -> JSON {
        ["$ref": .string(Self.prefix + name(ofDefinition: definition))]
    }

    func reference(to kind: GroupVersionKind) -> JSON { ["$ref": .string(Self.prefix + name(of: kind))] }

    func reference(toListOf kind: GroupVersionKind) -> JSON {
        ["$ref": .string(Self.prefix + name(of: kind) + "List")]
    }

    // MARK: Schemas

    /// What a published name stands for. Schemas are made one by one, when they are written: together they are big.
    enum Entry: Sendable {
        case definition(String, kind: GroupVersionKind?)
        case custom(ResourceType)
        case list(ResourceType)
        /// A value that Kubernetes has a type of its own for, by its format.
        case leaf(String)
    }

    /// The schemas of kinds and their lists, and of what requests and answers hold, with all that they refer to.
    func entries(of types: [ResourceType]) -> [String: Entry] {
        var entries: [String: Entry] = [:]
        for type in types {
            let name = name(of: type.kind)
            if let definition = document.kinds[type.kind] {
                collect(definition, to: &entries)
                entries[name] = .definition(definition, kind: type.kind)
            } else {
                entries[name] = .custom(type)
                collect("ObjectMeta", to: &entries)
            }
            entries[name + "List"] = .list(type)
            for subresource in type.subresources {
                guard let kind = DiscoveryDocuments.kind(of: subresource.name, in: type) else { continue }
                collect(kind.kind, to: &entries)
            }
        }
        for name in ["APIResourceList", "DeleteOptions", "ListMeta", "Patch", "Status", "WatchEvent"] {
            collect(name, to: &entries)
        }
        return entries
    }

    private func collect(_ definition: String, to entries: inout [String: Entry]) {
        let published = name(ofDefinition: definition)
        guard entries[published] == nil, let schema = document.definitions[definition] else { return }
        var kind: GroupVersionKind?
        switch definition {
        case "Scale": kind = .scale
        case "Eviction": kind = .eviction
        case "TokenRequest": kind = .tokenRequest
        case "Binding", "DeleteOptions", "Status", "WatchEvent", "APIResourceList":
            kind = GroupVersionKind(group: "", version: "v1", kind: definition)
        default: break
        }
        entries[published] = .definition(definition, kind: kind)
        collect(within: schema, to: &entries)
    }

    private func collect(within schema: JSON, to entries: inout [String: Entry]) {
        if let definition = schema["$ref"]?.string { collect(definition, to: &entries) }
        if let format = Self.leafFormat(schema) { entries[Self.leafName(format)] = .leaf(format) }
        for property in schema["properties"]?.object ?? JSONObject() { collect(within: property.value, to: &entries) }
        for key in ["items", "additionalProperties"] {
            if let inner = schema[key] { collect(within: inner, to: &entries) }
        }
    }

    func schema(_ entry: Entry) -> JSON {
        switch entry {
        case .leaf(let format): return Self.leaves[format] ?? [:]
        case .definition(let definition, let kind):
            var schema = translated(document.definitions[definition] ?? [:])
            if let kind { schema["x-kubernetes-group-version-kind"] = [Self.gvk(kind)] }
            return schema
        case .custom(let type):
            var schema = customSchema(type.custom)
            schema["x-kubernetes-group-version-kind"] = [Self.gvk(type.kind)]
            return schema
        case .list(let type):
            var list = type.kind
            list.kind += "List"
            return [
                "description": .string("A list of \(type.plural)."), "type": "object", "required": ["items"],
                "properties": [
                    "apiVersion": ["type": "string"], "kind": ["type": "string"],
                    "items": ["type": "array", "items": reference(to: type.kind)],
                    "metadata": reference(to: "ListMeta"),
                ],
                "x-kubernetes-group-version-kind": [Self.gvk(list)],
            ]
        }
    }

    static func gvk(_ kind: GroupVersionKind) -> JSON {
        ["group": .string(kind.group), "version": .string(kind.version), "kind": .string(kind.kind)]
    }

    /// Values that Kubernetes has types of its own for, by their format.
    private static let leaves: [String: JSON] = [
        "date-time": ["type": "string", "format": "date-time", "description": "A time in RFC 3339, to the second."],
        "micro-time": [
            "type": "string", "format": "date-time", "description": "A time in RFC 3339, to the microsecond.",
        ],
        "quantity": [
            "description": "A number with a unit: 100m, 1.5Gi or 2e3.",
            "oneOf": [["type": "string"], ["type": "number"]],
        ],
        "int-or-string": [
            "description": "A number or text.", "format": "int-or-string",
            "oneOf": [["type": "integer"], ["type": "string"]],
        ],
    ]

    private static func leafName(_ format: String) -> String {
        switch format {
        case "date-time": meta + "Time"
        case "micro-time": meta + "MicroTime"
        case "quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity"
        default: "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
        }
    }

    private static func leafFormat(_ schema: JSON) -> String? {
        let isIntOrString = schema["x-kubernetes-int-or-string"]?.bool == true
        let format = schema["format"]?.string ?? (isIntOrString ? "int-or-string" : "")
        return leaves[format] == nil ? nil : format
    }

    /// A schema in OpenAPI's own words: references as paths, with siblings through `allOf` (B5), without our own marks.
    private func translated(_ schema: JSON) -> JSON {
        guard let members = schema.object else { return schema }
        var result: JSON = [:]
        var reference: String?
        for member in members where !member.key.hasPrefix("x-martlet-") {
            switch member.key {
            case "$ref": reference = name(ofDefinition: member.value.string ?? "")
            case "properties":
                var properties: JSON = [:]
                for property in member.value.object ?? JSONObject() {
                    properties[property.key] = translated(property.value)
                }
                result["properties"] = properties
            case "items", "additionalProperties": result[member.key] = translated(member.value)
            default: result[member.key] = member.value
            }
        }
        if let format = Self.leafFormat(schema) {
            reference = Self.leafName(format)
            for key in ["type", "format", "x-kubernetes-int-or-string"] { result[key] = nil }
        }
        guard let reference else { return result }
        let target: JSON = ["$ref": .string(Self.prefix + reference)]
        if result == .emptyObject { return target }
        result["allOf"] = [target]
        return result
    }

    // MARK: Custom kinds

    /// A custom kind's schema with what every object has (I1). One without a schema may hold anything.
    private func customSchema(_ custom: CustomResource?) -> JSON {
        guard let custom, custom.schema["properties"] != nil || custom.schema["type"] != nil else {
            return ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
        }
        var schema = Self.unfolded(custom.schema, reference(to: "ObjectMeta"))
        schema["properties"] = Self.withTypeMeta(schema["properties"] ?? [:], reference(to: "ObjectMeta"))
        if !custom.selectableFields.isEmpty {
            schema["x-kubernetes-selectable-fields"] = .array(
                custom.selectableFields.map { ["fieldPath": .string($0.hasPrefix(".") ? String($0.dropFirst()) : $0)] })
        }
        return schema
    }

    private static func withTypeMeta(_ properties: JSON, _ metadata: JSON) -> JSON {
        var properties = properties
        // Kubernetes' e2e tests look for how the first and the last of these begin.
        properties["apiVersion"] = [
            "type": "string", "description": "APIVersion defines the group and version of the object's schema.",
        ]
        properties["kind"] = ["type": "string", "description": "What the object is."]
        properties["metadata"] = [
            "description": "Standard object's metadata: what all objects have.", "allOf": [metadata],
        ]
        return properties
    }

    /// Says in plain OpenAPI what the extensions say: a number or text, and an object within the object.
    private static func unfolded(_ schema: JSON, _ metadata: JSON) -> JSON {
        var schema = schema
        for key in ["items", "additionalProperties"] where schema[key]?.object != nil {
            schema[key] = unfolded(schema[key] ?? [:], metadata)
        }
        if let properties = schema["properties"]?.object {
            schema["properties"] = .object(
                JSONObject(
                    properties.map { JSONObject.Member(key: $0.key, value: unfolded($0.value, metadata)) }))
        }
        if schema["x-kubernetes-int-or-string"]?.bool == true, schema["anyOf"] == nil {
            schema["anyOf"] = [["type": "integer"], ["type": "string"]]
        }
        if schema["x-kubernetes-embedded-resource"]?.bool == true {
            schema["properties"] = withTypeMeta(schema["properties"] ?? [:], metadata)
            var required = schema["required"]?.array ?? []
            for name in ["kind", "apiVersion"] as [JSON] where !required.contains(name) { required.append(name) }
            schema["required"] = .array(required)
        }
        return schema
    }
}

extension GroupVersionKind {
    static let scale = GroupVersionKind(group: "autoscaling", version: "v1", kind: "Scale")
    static let binding = GroupVersionKind(group: "", version: "v1", kind: "Binding")
    static let eviction = GroupVersionKind(group: "policy", version: "v1", kind: "Eviction")
}
