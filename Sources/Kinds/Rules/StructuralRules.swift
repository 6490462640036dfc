import Model

/// What makes a schema structural (semantics-api I2): every field has its type outside of `allOf`, `anyOf`, `oneOf` and
/// `not`, which only constrain values.
struct StructuralRules {
    enum Level {
        case root, items, field

        var emptyType: String {
            switch self {
            case .root: "must not be empty at the root"
            case .items: "must not be empty for specified array items"
            case .field: "must not be empty for specified object fields"
            }
        }
    }

    var errors = FieldErrors()

    private static let embedded = "x-kubernetes-embedded-resource"
    private static let preserving = "x-kubernetes-preserve-unknown-fields"
    private static let intOrString = "x-kubernetes-int-or-string"
    private static let junctors = ["anyOf", "allOf", "oneOf"]

    // MARK: Invariants

    mutating func checkInvariants(_ schema: JSON, _ level: Level, _ path: FieldPath) {
        let type = schema.textMember("type")
        let isEmbedded = schema[Self.embedded]?.bool == true
        if type == "array", schema["items"] == nil { errors.required(path["items"], "must be specified") }
        if let items = schema["items"], items.object != nil { checkInvariants(items, .items, path["items"]) }
        for property in schema.mapMember("properties") {
            checkInvariants(property.value, .field, path["properties"].key(property.key))
        }
        if let values = schema["additionalProperties"] {
            let place = path["additionalProperties"]
            if level == .root { errors.forbidden(place, "must not be used at the root") }
            if values.object != nil { checkInvariants(values, .field, place) }
            if isEmbedded {
                errors.forbidden(place, "must not be used if x-kubernetes-embedded-resource is set")
            }
        }
        checkExtensions(schema, path)
        checkValues(schema, level, path)
        checkType(type, schema, level, path)
        checkResourceFields(schema, level, isEmbedded, path)
    }

    private mutating func checkExtensions(_ schema: JSON, _ path: FieldPath) {
        guard schema[Self.intOrString]?.bool == true else { return }
        for keyword in [Self.preserving, Self.embedded] where schema[keyword]?.bool == true {
            errors.invalid(path[keyword], true, "must be false if x-kubernetes-int-or-string is true")
        }
    }

    private mutating func checkType(_ type: String, _ schema: JSON, _ level: Level, _ path: FieldPath) {
        if schema[Self.embedded]?.bool == true, type != "object" {
            let rule = "must be object if x-kubernetes-embedded-resource is true"
            if type.isEmpty {
                errors.required(path["type"], rule)
            } else {
                errors.invalid(path["type"], .string(type), rule)
            }
        } else if type.isEmpty, schema[Self.intOrString]?.bool != true, schema[Self.preserving]?.bool != true {
            errors.required(path["type"], level.emptyType)
        }
        if level == .root, !type.isEmpty, type != "object" {
            errors.invalid(path["type"], .string(type), "must be object at the root")
        }
    }

    private mutating func checkResourceFields(_ schema: JSON, _ level: Level, _ isEmbedded: Bool, _ path: FieldPath) {
        let properties = schema.mapMember("properties")
        guard level == .root || isEmbedded else { return }
        for name in ["kind", "apiVersion"] {
            guard let type = properties[name]?.textMember("type"), type != "string" else { continue }
            errors.invalid(path["properties"].key(name)["type"], .string(type), "must be string")
        }
        if let metadata = properties["metadata"] {
            checkMetadata(metadata, level, path["properties"].key("metadata"))
        }
        if isEmbedded, schema[Self.preserving]?.bool != true, properties.isEmpty {
            let rule =
                "must not be empty if x-kubernetes-embedded-resource is true without "
                + "x-kubernetes-preserve-unknown-fields"
            errors.required(path["properties"], rule)
        }
    }

    private mutating func checkMetadata(_ metadata: JSON, _ level: Level, _ path: FieldPath) {
        let type = metadata.textMember("type")
        if type != "object" { errors.invalid(path["type"], .string(type), "must be object") }
        guard level == .root else { return }
        let named: Set<String> = ["name", "generateName"]
        let isPlain = (metadata.object ?? JSONObject()).allSatisfy { member in
            switch member.key {
            case "type", "default": true
            case "properties": Set((member.value.object ?? JSONObject()).keys).isSubset(of: named)
            default: false
            }
        }
        if !isPlain {
            let rule =
                "must not specify anything other than name and generateName, but metadata is implicitly specified"
            errors.forbidden(path, rule)
        }
    }

    // MARK: Values

    private static let intOrStringChoice: JSON = [["type": "integer"], ["type": "string"]]

    /// What constrains values, at a place whose structure stands outside.
    ///
    /// - Parameter isWrapped: whether this is the first of an `allOf` that may say "integer or string".
    private mutating func checkValues(_ schema: JSON, _ level: Level, _ path: FieldPath, isWrapped: Bool = false) {
        let isStructural = schema[Self.intOrString]?.bool == true
        for junctor in Self.junctors {
            if junctor == "anyOf", schema[junctor] == Self.intOrStringChoice, isStructural || isWrapped { continue }
            for (index, part) in schema.listMember(junctor).enumerated() {
                let isFirst = junctor == "allOf" && index == 0 && isStructural
                checkNested(part, level, path[junctor][index], isWrapped: isFirst)
            }
        }
        if let part = schema["not"] { checkNested(part, level, path["not"]) }
        if let pattern = schema["pattern"]?.string, let fault = PatternSyntax.fault(pattern) {
            let rule = "must be a valid regular expression, but isn't: \(fault)"
            errors.invalid(path["pattern"], .string(pattern), rule)
        }
    }

    /// Texts for the keywords that structure a value and so may stand only outside.
    private static let outside: [(keyword: String, rule: String)] = [
        ("type", "must be empty to be structural"), ("additionalProperties", "must be undefined to be structural"),
        ("default", "must be undefined to be structural"), ("title", "must be empty to be structural"),
        ("description", "must be empty to be structural"), ("nullable", "must be false to be structural"),
        ("externalDocs", "must be undefined to be structural"), (preserving, "must be false to be structural"),
        (embedded, "must be false to be structural"), (intOrString, "must be false to be structural"),
        ("x-kubernetes-list-map-keys", "must be empty to be structural"),
        ("x-kubernetes-list-type", "must be undefined to be structural"),
        ("x-kubernetes-map-type", "must be undefined to be structural"),
        ("x-kubernetes-validations", "must be empty to be structural"),
    ]

    private mutating func checkNested(
        _ schema: JSON, _ level: Level, _ path: FieldPath, isWrapped: Bool = false
    ) {
        checkValues(schema, level, path, isWrapped: isWrapped)
        if let items = schema["items"] { checkNested(items, level, path["items"]) }
        for property in schema.mapMember("properties") {
            checkNested(property.value, .field, path["properties"].key(property.key))
        }
        for (keyword, rule) in Self.outside {
            guard let value = schema[keyword], value != "", value != false, value != [] else { continue }
            errors.forbidden(path[keyword], rule)
        }
        if schema["properties"]?["metadata"] != nil {
            errors.forbidden(path["properties"].key("metadata"), "must not be specified in a nested context")
        }
    }

    // MARK: Completeness

    /// Every field that a value is constrained by has a structure outside.
    mutating func checkCompleteness(
        of values: JSON, _ schema: JSON, _ place: FieldPath, _ path: FieldPath
    ) {
        if let part = values["not"] { checkNestedCompleteness(of: part, schema, place, path["not"]) }
        for junctor in ["allOf", "anyOf", "oneOf"] {
            for (index, part) in values.listMember(junctor).enumerated() {
                checkNestedCompleteness(of: part, schema, place, path[junctor][index])
            }
        }
    }

    private mutating func checkNestedCompleteness(
        of values: JSON, _ schema: JSON?, _ place: FieldPath, _ path: FieldPath
    ) {
        guard let schema else {
            errors.required(place, "because it is defined in \(path)")
            return
        }
        checkCompleteness(of: values, schema, place, path)
        if let items = values["items"] {
            checkNestedCompleteness(of: items, schema["items"], place["items"], path["items"])
        }
        for property in values.mapMember("properties") {
            checkNestedCompleteness(
                of: property.value, schema["properties"]?[property.key], place["properties"].key(property.key),
                path["properties"].key(property.key))
        }
    }
}
