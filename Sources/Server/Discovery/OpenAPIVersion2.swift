import Model

/// What OpenAPI v3 says, in the words of v2, as far as it has them (B9, B10).
///
/// Clients that read v2 refuse fields where only some are told, so what may hold anything is told as nothing
/// (`k8s.io/apiextensions-apiserver`, `ToStructuralOpenAPIV2`).
enum OpenAPIVersion2 {
    private static let methods = ["delete", "get", "patch", "post", "put"]

    static func pathItem(_ item: JSON) -> JSON {
        var result: JSON = [:]
        for method in methods {
            if let operation = item[method] { result[method] = self.operation(operation) }
        }
        if let parameters = item["parameters"]?.array { result["parameters"] = .array(parameters.map(parameter)) }
        return result
    }

    private static func operation(_ operation: JSON) -> JSON {
        var result: JSON = ["schemes": ["https"]]
        for member in operation.object ?? JSONObject() {
            switch member.key {
            case "parameters", "requestBody", "responses": continue
            default: result[member.key] = member.value
            }
        }
        var parameters = (operation["parameters"]?.array ?? []).map(parameter)
        let body = operation["requestBody"]
        if let schema = body?["content"]?.object?.first?.value["schema"] {
            var parameter: JSON = ["name": "body", "in": "body", "schema": definition(schema)]
            if let required = body?["required"] { parameter["required"] = required }
            parameters.append(parameter)
        }
        if !parameters.isEmpty { result["parameters"] = .array(parameters) }
        let consumed = (body?["content"]?.object ?? JSONObject()).map { JSON.string($0.key) }
        result["consumes"] = .array(consumed.isEmpty ? ["*/*"] : consumed)
        var responses: JSON = [:]
        for response in operation["responses"]?.object ?? JSONObject() {
            var told: JSON = ["description": response.value["description"] ?? ""]
            let content = response.value["content"]?.object ?? JSONObject()
            if let schema = content.first?.value["schema"] { told["schema"] = definition(schema) }
            if !content.isEmpty { result["produces"] = .array(content.map { .string($0.key) }) }
            responses[response.key] = told
        }
        result["responses"] = responses
        return result
    }

    /// The schema's members stand in the parameter itself.
    private static func parameter(_ parameter: JSON) -> JSON {
        var result = parameter
        result["schema"] = nil
        for member in parameter["schema"]?.object ?? JSONObject() { result[member.key] = member.value }
        return result
    }

    /// A schema that stands by itself.
    static func definition(_ schema: JSON) -> JSON {
        let isKind = schema["x-kubernetes-group-version-kind"] != nil
        guard isKind, schema["x-kubernetes-preserve-unknown-fields"]?.bool == true else { return self.schema(schema) }
        var result: JSON = ["type": "object"]
        result["x-kubernetes-group-version-kind"] = schema["x-kubernetes-group-version-kind"]
        return result
    }

    /// Words that v2 does not have.
    private static let unknown: Set<String> = ["oneOf", "anyOf", "allOf", "not", "nullable"]

    private static func schema(_ schema: JSON) -> JSON {
        var result: JSON = [:]
        for member in schema.object ?? JSONObject() where !unknown.contains(member.key) {
            switch member.key {
            case "$ref": result["$ref"] = reference(member.value)
            case "properties":
                let properties = (member.value.object ?? JSONObject()).map {
                    JSONObject.Member(key: $0.key, value: self.schema($0.value))
                }
                result["properties"] = .object(JSONObject(properties))
            case "items", "additionalProperties":
                result[member.key] = member.value.object == nil ? member.value : self.schema(member.value)
            default: result[member.key] = member.value
            }
        }
        // A reference with siblings.
        if let alternatives = schema["allOf"]?.array, alternatives.count == 1, let target = alternatives[0]["$ref"] {
            result["$ref"] = reference(target)
        }
        // Numbers with units, and numbers or texts, are texts here.
        if schema["oneOf"] != nil, schema["type"] == nil { result["type"] = "string" }
        simplify(&result, isNullable: schema["nullable"]?.bool == true)
        dropNullable(from: schema, in: &result)
        return result
    }

    private static func simplify(_ result: inout JSON, isNullable: Bool) {
        let holdsAnything = result["x-kubernetes-preserve-unknown-fields"]?.bool == true
        if isNullable || holdsAnything {
            result["items"] = nil
            result["properties"] = nil
            if isNullable || result["type"] == "object" { result["type"] = nil }
        }
        if result["type"] == "array", result["items"] == nil { result["type"] = nil }
    }

    /// What may be null cannot be required: v2 has no null.
    private static func dropNullable(from schema: JSON, in result: inout JSON) {
        guard var required = result["required"]?.array else { return }
        required.removeAll { schema["properties"]?[$0.string ?? ""]?["nullable"]?.bool == true }
        let isNullableMap = schema["additionalProperties"]?["nullable"]?.bool == true
        result["required"] = required.isEmpty || isNullableMap ? nil : .array(required)
    }

    private static func reference(_ target: JSON) -> JSON {
        .string((target.string ?? "").replacing(OpenAPISchemas.prefix, with: "#/definitions/", maxReplacements: 1))
    }
}
