package import Model

extension Schema {
    package struct ValidationOptions: Sendable {
        /// Whether items of `x-kubernetes-list-type` `map` and `set` must differ. Built-in kinds have rules of their
        /// own.
        package var checksUniqueness: Bool
        /// Whether an empty text or list stands for none, as in Kubernetes' built-in kinds.
        package var treatsEmptyAsAbsent: Bool
        /// Whether types are judged too; not needed where `decodingFaults` has found none.
        package var checksTypes: Bool
        /// Members of the root that other rules judge.
        package var skipping: Set<String>

        package init(
            checksUniqueness: Bool = true, treatsEmptyAsAbsent: Bool = false, checksTypes: Bool = true,
            skipping: Set<String> = []
        ) {
            self.checksTypes = checksTypes
            self.checksUniqueness = checksUniqueness
            self.treatsEmptyAsAbsent = treatsEmptyAsAbsent
            self.skipping = skipping
        }
    }

    /// What in `value` breaks this schema's constraints: types, enums, ranges, lengths, patterns, required and repeated
    /// fields, with Kubernetes' texts (C2, I4).
    package func validationErrors(_ value: JSON, options: ValidationOptions = ValidationOptions()) -> [FieldError] {
        var walk = ValidationWalk(options: options)
        walk.check(value, self)
        return walk.errors.all
    }
}

private struct ValidationWalk {
    let options: Schema.ValidationOptions
    var path = FieldPath.root
    var errors = FieldErrors()

    mutating func check(_ value: JSON, _ schema: Schema) {
        switch value {
        case .null: return
        case .object(let object) where schema.type == .object: checkObject(object, schema)
        case .array(let elements) where schema.type == .array: checkArray(elements, schema)
        case .string(let text) where schema.type == .string || schema.isIntOrString: checkString(text, schema)
        case .int(let number) where schema.type == .integer || schema.type == .number || schema.isIntOrString:
            checkRange(number, schema)
        case .number where schema.type == .number || schema.isIntOrString: break
        case .bool where schema.type == .boolean: break
        default:
            guard let type = schema.type else { break }
            let detail = "must be of type \(type.rawValue): \"\(value.typeName)\""
            errors.add(FieldError(.typeInvalid, at: path, value: value, detail: detail))
            return
        }
        guard !schema.allowed.isEmpty, !schema.allowed.contains(value) else { return }
        if options.treatsEmptyAsAbsent, value == "" { return }
        errors.notSupported(path, value, schema.allowed.map { $0.string ?? $0.text() })
    }

    private mutating func checkObject(_ object: JSONObject, _ schema: Schema) {
        for name in schema.required where isMissing(object[name], schema.property(name)) {
            if path.isRoot, options.skipping.contains(name) { continue }
            errors.required(path[name])
        }
        for member in object {
            if path.isRoot, options.skipping.contains(member.key) { continue }
            let property = schema.property(member.key)
            guard let child = property ?? schema.additionalProperties, options.checksTypes || child.isConstrained
            else { continue }
            path.push(property == nil ? .key(member.key) : .member(member.key))
            check(member.value, child)
            path.pop()
        }
    }

    private func isMissing(_ value: JSON?, _ schema: Schema?) -> Bool {
        guard let value, !value.isNull else { return true }
        guard options.treatsEmptyAsAbsent else { return false }
        switch value {
        case .string(let text): return text.isEmpty && schema?.minLength != 0
        case .array(let elements): return elements.isEmpty
        default: return false
        }
    }

    private mutating func checkArray(_ elements: [JSON], _ schema: Schema) {
        if let limit = schema.maxItems, elements.count > limit { errors.tooMany(path, elements.count, limit: limit) }
        if let least = schema.minItems, elements.count < least {
            errors.invalid(path, .int(Int64(elements.count)), "must have at least \(least) items")
        }
        if let items = schema.items, options.checksTypes || items.isConstrained {
            for (index, element) in elements.enumerated() {
                path.push(.index(index))
                check(element, items)
                path.pop()
            }
        }
        if options.checksUniqueness { checkUniqueness(elements, schema) }
    }

    private mutating func checkUniqueness(_ elements: [JSON], _ schema: Schema) {
        var seen: Set<JSON> = []
        for (index, element) in elements.enumerated() {
            let identity: JSON
            switch schema.listType {
            case .atomic: return
            case .set: identity = element
            case .map(let keys):
                identity = .object(
                    JSONObject(
                        keys.compactMap { key in
                            let value = element[key] ?? schema.items?.property(key)?.defaultValue
                            return value.map { JSONObject.Member(key: key, value: $0) }
                        }))
            }
            if !seen.insert(identity).inserted { errors.duplicate(path[index], identity) }
        }
    }

    private mutating func checkString(_ text: String, _ schema: Schema) {
        if let limit = schema.maxLength, text.unicodeScalars.count > limit { errors.tooLong(path, limit: limit) }
        if let least = schema.minLength, text.unicodeScalars.count < least {
            errors.invalid(path, .string(text), "should be at least \(least) chars long")
        }
        guard let pattern = schema.pattern else { return }
        // Patterns are Go's. One that Swift cannot read is judged by its form when its schema is admitted, and matches
        // everything here.
        guard let regex = try? Regex(pattern), text.firstMatch(of: regex) == nil else { return }
        errors.invalid(path, .string(text), "should match '\(pattern)'")
    }

    private mutating func checkRange(_ number: Int64, _ schema: Schema) {
        switch (schema.minimum, schema.maximum) {
        case (nil, nil): return
        case (let least?, let most?):
            if number < least || number > most {
                errors.invalid(path, .int(number), "must be between \(least) and \(most), inclusive")
            }
        case (let least?, nil):
            guard number < least else { return }
            let bound = least == 1 ? "greater than 0" : "greater than or equal to \(least)"
            errors.invalid(path, .int(number), "must be \(bound)")
        case (nil, let most?):
            if number > most { errors.invalid(path, .int(number), "must be less than or equal to \(most)") }
        }
    }
}
