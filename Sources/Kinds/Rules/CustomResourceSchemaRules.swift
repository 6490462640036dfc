import Model

/// The schema of a custom resource: what is supported of OpenAPI, and that it is structural (semantics-api I2).
extension FieldErrors {
    /// The fields of the root that still hold when the status is judged apart.
    private static let rootFieldsBesideStatus: [(name: String, member: String)] = [
        ("Description", "description"), ("Type", "type"), ("Format", "format"), ("Title", "title"),
        ("Maximum", "maximum"), ("ExclusiveMaximum", "exclusiveMaximum"), ("Minimum", "minimum"),
        ("ExclusiveMinimum", "exclusiveMinimum"), ("MaxLength", "maxLength"), ("MinLength", "minLength"),
        ("Pattern", "pattern"), ("MaxItems", "maxItems"), ("MinItems", "minItems"), ("UniqueItems", "uniqueItems"),
        ("MultipleOf", "multipleOf"), ("Required", "required"), ("Items", "items"), ("Properties", "properties"),
        ("ExternalDocs", "externalDocs"), ("Example", "example"),
        ("XPreserveUnknownFields", "x-kubernetes-preserve-unknown-fields"),
        ("XValidations", "x-kubernetes-validations"),
    ]

    mutating func checkResourceSchema(_ schema: JSON, hasStatus: Bool, _ path: FieldPath) {
        if hasStatus { checkRootBesideStatus(schema, path) }
        if schema["nullable"]?.bool == true {
            forbidden(path["nullable"], "nullable cannot be true at the root")
        }
        var structural = StructuralRules()
        structural.checkInvariants(schema, .root, path)
        structural.checkCompleteness(of: schema, schema, path, path)
        let faults = structural.errors.all.sorted { $0.message.byteOrder(to: $1.message) < 0 }
        add(contentsOf: faults)
        var supported = SupportedSchema()
        supported.check(schema, path, isRoot: true)
        add(contentsOf: supported.errors.all)
        // A schema that is not structural cannot be used to look at values.
        guard faults.isEmpty, supported.errors.all.isEmpty else { return }
        checkValues(schema, path)
    }

    /// Every default fits, and every rule can be read and does not cost too much (I3, I4).
    private mutating func checkValues(_ schema: JSON, _ path: FieldPath) {
        do throws(SchemaError) {
            let parsed = try Schema.standalone(schema)
            var faults = FieldErrors()
            let rules = ValidationRules.compiled(parsed, at: path, &faults)
            add(contentsOf: CustomResourceDefaultRules.errors(parsed, schema, rules, path).all)
            add(contentsOf: faults.all)
        } catch {
            invalid(path, schema, error.description)
        }
    }

    private mutating func checkRootBesideStatus(_ schema: JSON, _ path: FieldPath) {
        let type = schema.textMember("type")
        if !type.isEmpty, type != "object" {
            let rule =
                "only \"object\" is allowed as the type at the root of the schema if the status subresource is enabled"
            invalid(path["type"], .string(type), rule)
            return
        }
        let allowed = Self.rootFieldsBesideStatus
        let members = (schema.object ?? JSONObject()).keys
        if members.contains(where: { key in !allowed.contains { $0.member == key } }) {
            let list = allowed.map(\.name).joined(separator: " ")
            let rule =
                "only [\(list)] fields are allowed at the root of the schema if the status subresource is enabled"
            invalid(path, schema, rule)
        }
    }
}

/// What Kubernetes supports of OpenAPI v3 in schemas of custom resources.
private struct SupportedSchema {
    var errors = FieldErrors()
    private static let types = ["array", "boolean", "integer", "number", "object", "string"]
    private static let unsupported = [
        "id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref",
    ]

    /// - Parameter isInsideMetadata: whether it describes metadata, apiVersion or kind.
    mutating func check(_ schema: JSON, _ path: FieldPath, isRoot: Bool = false, isInsideMetadata: Bool = false) {
        guard schema.object != nil else { return }
        checkKeywords(schema, path, isInsideMetadata: isInsideMetadata)
        if schema["additionalProperties"] != nil, schema["additionalProperties"] != true,
            !schema.mapMember("properties").isEmpty
        {
            let rule = "additionalProperties and properties are mutual exclusive"
            errors.forbidden(path["additionalProperties"], rule)
        }
        if let values = schema["additionalProperties"] { check(values, path["additionalProperties"]) }
        let isResource = isRoot || schema["x-kubernetes-embedded-resource"]?.bool == true
        for property in schema.mapMember("properties") {
            let place = path["properties"].key(property.key)
            let isMetadata = isResource && ["metadata", "kind", "apiVersion"].contains(property.key)
            if isRoot, isMetadata { forbidDefaults(property.value, property.key, place) }
            check(property.value, place, isInsideMetadata: isInsideMetadata || isMetadata)
        }
        if let other = schema["not"] { check(other, path["not"]) }
        for junctor in ["allOf", "oneOf", "anyOf"] {
            for (index, part) in schema.listMember(junctor).enumerated() { check(part, path[junctor][index]) }
        }
        if let items = schema["items"] { check(items, path["items"]) }
        checkListAndMapTypes(schema, path)
        checkRules(of: schema, path["x-kubernetes-validations"])
    }

    private mutating func forbidDefaults(_ schema: JSON, _ name: String, _ path: FieldPath) {
        if schema["default"] != nil { errors.forbidden(path["default"], "must not be set in top-level \(name)") }
        for property in schema.mapMember("properties") {
            forbidDefaults(property.value, name, path["properties"].key(property.key))
        }
    }

    private mutating func checkKeywords(_ schema: JSON, _ path: FieldPath, isInsideMetadata: Bool) {
        let type = schema.textMember("type")
        if !type.isEmpty, !Self.types.contains(type) {
            errors.notSupported(path["type"], .string(type), Self.types)
        }
        for keyword in Self.unsupported where schema[keyword] != nil {
            errors.forbidden(path[keyword], "\(keyword) is not supported")
        }
        if type == "null" {
            errors.forbidden(path["type"], "type cannot be set to null, use nullable as an alternative")
        }
        if schema["items"]?.array != nil {
            errors.forbidden(path["items"], "items must be a schema object and not an array")
        }
        if schema["uniqueItems"]?.bool == true {
            let rule = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
            errors.forbidden(path["uniqueItems"], rule)
        }
        let embedded = "x-kubernetes-embedded-resource"
        if isInsideMetadata, schema[embedded]?.bool == true {
            errors.forbidden(path[embedded], "must not be used inside of resource meta")
        }
        let preserving = "x-kubernetes-preserve-unknown-fields"
        if schema[preserving]?.bool == false {
            errors.invalid(path[preserving], false, "must be true or undefined")
        }
    }

    private mutating func checkListAndMapTypes(_ schema: JSON, _ path: FieldPath) {
        for (keyword, type, choices) in [
            ("x-kubernetes-map-type", "object", ["atomic", "granular"]),
            ("x-kubernetes-list-type", "array", ["atomic", "set", "map"]),
        ] {
            guard let kind = schema[keyword]?.string else { continue }
            let given = schema.textMember("type")
            let rule = "must be \(type) if \(keyword) is specified"
            if given.isEmpty {
                errors.required(path["type"], rule)
            } else if given != type {
                errors.invalid(path["type"], .string(given), rule)
            }
            if !choices.contains(kind) { errors.notSupported(path[keyword], .string(kind), choices) }
        }
        let kind = schema.textMember("x-kubernetes-list-type")
        let keys = schema.textMembers("x-kubernetes-list-map-keys")
        if !keys.isEmpty, kind != "map" {
            let rule = "must be map if x-kubernetes-list-map-keys is non-empty"
            let place = path["x-kubernetes-list-type"]
            if kind.isEmpty { errors.required(place, rule) } else { errors.invalid(place, .string(kind), rule) }
        }
        let items = schema["items"]
        if kind == "set" || kind == "map", items?["nullable"]?.bool == true {
            let rule = "cannot be nullable when x-kubernetes-list-type is \(kind)"
            errors.forbidden(path["items"]["nullable"], rule)
        }
        if kind == "set", let items { checkSet(items, path["items"]) }
        if kind == "map" { checkMap(keys, items, path) }
    }

    private mutating func checkSet(_ items: JSON, _ path: FieldPath) {
        let rule = "must be atomic as item of a list with x-kubernetes-list-type=set"
        for (type, keyword, isImplied) in [
            ("array", "x-kubernetes-list-type", true), ("object", "x-kubernetes-map-type", false),
        ] where items["type"] == .string(type) {
            let kind = items[keyword]
            if kind != "atomic", !(isImplied && kind == nil) { errors.invalid(path[keyword], kind, rule) }
        }
    }

    private mutating func checkMap(_ keys: [String], _ items: JSON?, _ path: FieldPath) {
        let place = path["x-kubernetes-list-map-keys"]
        if keys.isEmpty { errors.required(place, "must not be empty if x-kubernetes-list-type is map") }
        guard let items else {
            errors.required(path["items"], "must have a schema if x-kubernetes-list-type is map")
            return
        }
        let path = path["items"]
        guard items["type"] == "object" else {
            let rule = "must be object if parent array's x-kubernetes-list-type is map"
            errors.invalid(path["type"], .string(items.textMember("type")), rule)
            return
        }
        let list = JSON.array(keys.map(JSON.string))
        for (index, key) in keys.enumerated() {
            let path = path["properties"].key(key)
            if keys[..<index].contains(key) { errors.invalid(place, list, "must not contain duplicate entries") }
            guard let property = items["properties"]?[key] else {
                errors.invalid(place, list, "entries must all be names of item properties")
                continue
            }
            if ["array", "object"].contains(property.textMember("type")) {
                let rule = "must be a scalar type if parent array's x-kubernetes-list-type is map"
                errors.invalid(path["type"], items["type"], rule)
            }
            let because = "this property is in x-kubernetes-list-map-keys, so it"
            if !items.textMembers("required").contains(key), property["default"] == nil {
                errors.required(path["default"], "\(because) must have a default or be a required property")
            }
            if property["nullable"]?.bool == true {
                errors.forbidden(path["nullable"], "\(because) cannot be nullable")
            }
        }
    }

    private static let reasons = [
        "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired",
    ]

    /// The form of the validation rules of a schema. What they say is for who evaluates them.
    private mutating func checkRules(of schema: JSON, _ path: FieldPath) {
        func isBlank(_ text: String) -> Bool { text.allSatisfy(\.isWhitespace) }
        func hasBreak(_ text: String) -> Bool { text.unicodeScalars.contains { $0 == "\n" || $0 == "\r" } }
        func hasBreakWithin(_ text: String) -> Bool {
            let start = text.drop(while: \.isWhitespace)
            guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return false }
            return hasBreak(String(start[...end]))
        }
        for (index, json) in schema.listMember("x-kubernetes-validations").enumerated() {
            let path = path[index]
            let rule = json.textMember("rule")
            let message = json["message"]?.string
            if isBlank(rule) {
                errors.required(path["rule"], "rule is not specified")
            } else if let message, !message.isEmpty, isBlank(message) {
                errors.invalid(path["message"], .string(message), "must be non-empty if specified")
            } else if let message, hasBreakWithin(message) {
                errors.invalid(path["message"], .string(message), "must not contain line breaks")
            } else if hasBreakWithin(rule), isBlank(message ?? "") {
                errors.required(path["message"], "message must be specified if rule contains line breaks")
            }
            if let expression = json["messageExpression"]?.string, !expression.isEmpty, isBlank(expression) {
                errors.required(path["messageExpression"], "messageExpression must be non-empty if specified")
            }
            if let reason = json["reason"]?.string, !Self.reasons.contains(reason) {
                errors.notSupported(path["reason"], .string(reason), Self.reasons)
            }
            if let place = json["fieldPath"]?.string, !place.isEmpty {
                if isBlank(place) {
                    errors.invalid(path["fieldPath"], .string(place), "must be non-empty if specified")
                }
                if hasBreak(place) {
                    errors.invalid(path["fieldPath"], .string(place), "must not contain line breaks")
                }
                if !Self.leads(place, within: schema) {
                    errors.invalid(path["fieldPath"], .string(place), "must be a valid path")
                }
            }
        }
    }

    /// Whether a path such as `.spec['a.b'].c` names what the schema declares (Kubernetes' `ValidFieldPath`).
    private static func leads(_ path: String, within schema: JSON) -> Bool {
        guard let names = JSONPath(path)?.memberNames, path.hasPrefix(".") || path.hasPrefix("[") else { return false }
        var place = schema
        for name in names {
            if place["properties"] != nil {
                guard let property = place["properties"]?[name] else { return false }
                place = property
            } else if let values = place["additionalProperties"], values.object != nil {
                place = values
            } else {
                return false
            }
        }
        return true
    }
}
