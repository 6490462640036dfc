package import Model

extension Schema {
    /// How `value` differs from this schema's shape: unknown fields and values of a wrong type or format.
    ///
    /// `null` stands for an absent field, as in Kubernetes' decoding.
    ///
    /// - Parameter known: a value without faults; what shares its storage with it is not looked at again.
    package func decodingFaults(_ value: JSON, knowing known: JSON? = nil) -> [DecodingFault] {
        var walk = DecodingWalk()
        walk.check(value, self, known)
        return walk.faults
    }
}

private struct DecodingWalk {
    var path = FieldPath.root
    var faults: [DecodingFault] = []

    mutating func check(_ value: JSON, _ schema: Schema, _ known: JSON?) {
        if value.isNull { return }
        if let known, known.isShared(with: value) { return }
        if schema.isIntOrString {
            checkIntOrString(value, schema)
            return
        }
        switch schema.type {
        case nil: return
        case .object: checkObject(value, schema, known)
        case .array: checkArray(value, schema, known)
        case .string: checkString(value, schema)
        case .integer: checkInteger(value, schema)
        case .number:
            if value.double == nil { wrongType("a number", value) }
        case .boolean:
            if value.bool == nil { wrongType("true or false", value, unquoted: ["true", "false"]) }
        }
    }

    private mutating func checkObject(_ value: JSON, _ schema: Schema, _ known: JSON?) {
        guard let object = value.object else {
            wrongType("an object", value)
            return
        }
        let known = known?.object
        for position in 0..<object.count {
            let member = object[position]
            let before = known?.value(of: member.key, near: position)
            if let before, before.isShared(with: member.value) { continue }
            if let child = schema.child(member.key) {
                if Self.isPlain(member.value, child) { continue }
                path.push(.member(member.key))
                check(member.value, child, before)
                path.pop()
            } else if !schema.preservesUnknownFields {
                unknown(member.key, schema)
            }
        }
    }

    /// Whether the type alone says that a value is right, as of most: no path to it has to be noted.
    private static func isPlain(_ value: JSON, _ schema: Schema) -> Bool {
        switch (value, schema.type) {
        case (.string, .string): schema.format == nil && !schema.isIntOrString
        case (.bool, .boolean): !schema.isIntOrString
        default: false
        }
    }

    private mutating func unknown(_ name: String, _ schema: Schema) {
        let place = path[name]
        let near = Spelling.nearest(to: name, among: schema.properties.lazy.map(\.name))
        faults.append(
            DecodingFault(
                path: place, message: "unknown field \"\(place)\"", suggestion: near.map { "did you mean \"\($0)\"?" },
                isStrictOnly: true))
    }

    private mutating func checkArray(_ value: JSON, _ schema: Schema, _ known: JSON?) {
        guard case .array(let elements) = value else {
            wrongType("a list", value, suggestion: "write it as a list with one item")
            return
        }
        guard let items = schema.items else { return }
        for (index, element) in elements.enumerated() {
            path.push(.index(index))
            // Kubernetes would make an empty item of it, which nobody means.
            if element.isNull {
                wrongType("an item", element, suggestion: "remove it")
            } else {
                check(element, items, known?[index])
            }
            path.pop()
        }
    }

    private mutating func checkString(_ value: JSON, _ schema: Schema) {
        guard case .string(let text) = value else {
            wrongType("a string", value, suggestion: Self.quoting(value))
            return
        }
        guard let format = schema.format else { return }
        switch format {
        case "byte":
            if !CanonicalText.isBase64(text) {
                fault("\(path): expected base64", "put plain text into stringData instead")
            }
        case "date-time", "micro-time":
            if Timestamp(text) == nil {
                fault("\(path): expected a time as in 2026-01-31T12:00:00Z, found \(value.text())")
            }
        default: break
        }
    }

    private static func quoting(_ value: JSON) -> String? {
        switch value {
        case .bool, .int, .number: "quote it: \"\(value.text())\""
        default: nil
        }
    }

    private mutating func checkInteger(_ value: JSON, _ schema: Schema) {
        guard case .int(let number) = value else {
            wrongType("an integer", value)
            return
        }
        if schema.format == "int32", Int32(exactly: number) == nil {
            fault("\(path): expected an integer of 32 bits, found \(number)")
        }
    }

    private mutating func checkIntOrString(_ value: JSON, _ schema: Schema) {
        guard schema.format == "quantity" else {
            switch value {
            case .int, .string: return
            default: wrongType("an integer or a string", value)
            }
            return
        }
        switch value {
        case .int: return
        case .number(let text), .string(let text):
            if !CanonicalText.isCommonQuantity(text), Quantity(text) == nil {
                fault("\(path): expected a quantity as in 500m or 128Mi, found \(value.text())")
            }
        default: wrongType("a quantity as in 500m or 128Mi", value)
        }
    }

    /// - Parameter unquoted: texts that would be right without their quotes.
    private mutating func wrongType(
        _ expected: String, _ value: JSON, unquoted: [String] = [], suggestion: String? = nil
    ) {
        var advice = suggestion
        if case .string(let text) = value, unquoted.contains(text) || (expected.contains("int") && Int64(text) != nil) {
            advice = "remove the quotes: \(text)"
        }
        let found =
            switch value {
            case .object: "an object"
            case .array: "a list"
            case .string: "the string \(value.text())"
            default: "\(value.typeName) \(value.text())"
            }
        fault("\(path): expected \(expected), found \(found)", advice)
    }

    private mutating func fault(_ message: String, _ suggestion: String? = nil) {
        faults.append(DecodingFault(path: path, message: message, suggestion: suggestion, isStrictOnly: false))
    }
}
