import CEL
import Model

/// What in a custom resource breaks its schema, in the words of Kubernetes' validator (semantics-api I4; C2).
///
/// What an update leaves as it was is not complained of, where old and new can be told to be the same value
/// (ratcheting).
struct ValueValidation {
    private(set) var errors: [FieldError] = []
    /// As Kubernetes writes it: entries of maps are not set apart.
    private var path = FieldPath.root
    /// How much was looked at, by which the best of several alternatives is chosen.
    private var visits = 0

    /// - Parameter old: the value before, in an update.
    static func errors(_ value: JSON, _ schema: Schema, old: JSON? = nil) -> [FieldError] {
        var walk = ValueValidation()
        walk.check(value, schema, old)
        return walk.errors
    }

    private mutating func check(_ value: JSON, _ schema: Schema, _ old: JSON?) {
        let start = errors.count
        visits += 1
        checkType(value, schema)
        if !value.isNull {
            if let constraints = schema.constraints { checkJunctors(value, constraints, old) }
            switch value {
            case .string(let text): checkString(text, schema)
            case .int, .number: checkNumber(value, schema)
            case .array(let elements): checkArray(elements, schema, old)
            case .object(let object): checkObject(object, schema, old)
            default: break
            }
        }
        if !schema.allowed.isEmpty, !schema.allowed.contains(value) {
            let list = schema.allowed.map { $0.string ?? $0.text() }.map { "\"\($0)\"" }.joined(separator: ", ")
            add(.notSupported, value, "supported values: \(list)")
        }
        if errors.count > start, old == value { errors.removeSubrange(start...) }
    }

    // MARK: Texts

    private mutating func add(_ type: FieldError.ErrorType, _ value: JSON?, _ detail: String) {
        errors.append(FieldError(type, at: path, value: value, detail: detail))
    }

    /// `spec.replicas in body should be …`
    private mutating func invalid(_ value: JSON, _ rule: String) { add(.invalid, value, "\(path) in body \(rule)") }

    private mutating func wrongType(_ type: String, _ value: String) {
        add(.typeInvalid, .string(value), "\(path) in body must be of type \(type): \(JSON.string(value).text())")
    }

    /// Of alternatives, Kubernetes says no more than where they are.
    private mutating func mustValidate(_ rule: String) {
        var error = FieldError(.invalid, at: .root, value: "", detail: "\(JSON.string("\(path)").text()) \(rule)")
        error.path = "<nil>"
        errors.append(error)
    }

    // MARK: Types

    private mutating func checkType(_ value: JSON, _ schema: Schema) {
        if schema.isIntOrString {
            switch value {
            case .int, .string: return
            case .null where schema.isNullable: return
            default: wrongType("integer,string", value.typeName)
            }
            return
        }
        guard let type = schema.type else { return }
        let fits: Bool =
            switch (type, value) {
            case (.object, .object), (.array, .array), (.string, .string), (.boolean, .bool), (.integer, .int): true
            case (.number, .int), (.number, .number): true
            case (.integer, .number): value.double.map { $0 == $0.rounded() } ?? false
            case (_, .null): schema.isNullable
            default: false
            }
        if !fits { wrongType(type.rawValue, value.typeName) }
    }

    // MARK: Alternatives

    private mutating func checkJunctors(_ value: JSON, _ constraints: Schema.Constraints, _ old: JSON?) {
        if !constraints.anyOf.isEmpty {
            let results = constraints.anyOf.map { result(value, $0, old) }
            if !results.contains(where: { $0.errors.isEmpty }) {
                mustValidate("must validate at least one schema (anyOf)")
                addBest(of: results)
            }
        }
        if !constraints.oneOf.isEmpty {
            let results = constraints.oneOf.map { result(value, $0, old) }
            let count = results.count { $0.errors.isEmpty }
            if count != 1 {
                let found = count == 0 ? "Found none valid" : "Found \(count) valid alternatives"
                mustValidate("must validate one and only one schema (oneOf). \(found)")
                if count == 0 { addBest(of: results) }
            }
        }
        if !constraints.allOf.isEmpty {
            let results = constraints.allOf.map { result(value, $0, old) }
            for result in results { errors += result.errors }
            let count = results.count { $0.errors.isEmpty }
            if count < results.count {
                mustValidate("must validate all the schemas (allOf)" + (count == 0 ? ". None validated" : ""))
            }
        }
        if let part = constraints.not, result(value, part, old).errors.isEmpty {
            mustValidate("must not validate the schema (not)")
        }
    }

    private func result(_ value: JSON, _ schema: Schema, _ old: JSON?) -> (errors: [FieldError], visits: Int) {
        var walk = ValueValidation()
        walk.path = path
        walk.check(value, schema, old)
        return (walk.errors, walk.visits)
    }

    /// The faults of the alternative of which most was looked at.
    private mutating func addBest(of results: [(errors: [FieldError], visits: Int)]) {
        var best = results[0]
        for result in results.dropFirst() where result.visits > best.visits { best = result }
        errors += best.errors
    }

    // MARK: Scalars

    private mutating func checkString(_ text: String, _ schema: Schema) {
        let length = text.unicodeScalars.count
        if let limit = schema.maxLength, length > limit { add(.tooLong, nil, "may not be more than \(limit) bytes") }
        if let least = schema.minLength, length < least {
            invalid(.string(text), "should be at least \(least) chars long")
        }
        if let pattern = schema.pattern, GoPattern.matches(pattern, text) == false {
            invalid(.string(text), "should match '\(pattern)'")
        }
        if let format = schema.format, schema.type == .string, !ValueFormats.accepts(text, format) {
            add(
                .typeInvalid, .string(text),
                "\(path) in body must be of type \(format): \(JSON.string(text).text())")
        }
    }

    private mutating func checkNumber(_ value: JSON, _ schema: Schema) {
        if schema.format == "int32", let number = value.int, Int32(exactly: number) == nil {
            wrongType("int32", "int64")
        }
        guard let constraints = schema.constraints, let number = value.double else { return }
        let shown = { (bound: Double) in Int64(exactly: bound).map { "\($0)" } ?? "\(bound)" }
        if let factor = constraints.multipleOf, factor > 0, !Self.isWhole(number / factor) {
            invalid(value, "should be a multiple of \(shown(factor))")
        }
        if let most = constraints.maximum {
            let isExclusive = constraints.isMaximumExclusive
            if isExclusive ? number >= most : number > most {
                invalid(value, "should be less than \(isExclusive ? "" : "or equal to ")\(shown(most))")
            }
        }
        if let least = constraints.minimum {
            let isExclusive = constraints.isMinimumExclusive
            if isExclusive ? number <= least : number < least {
                invalid(value, "should be greater than \(isExclusive ? "" : "or equal to ")\(shown(least))")
            }
        }
    }

    private static func isWhole(_ quotient: Double) -> Bool {
        abs(quotient - quotient.rounded()) <= 1e-9 * max(1, abs(quotient))
    }

    // MARK: Lists and objects

    private mutating func checkArray(_ elements: [JSON], _ schema: Schema, _ old: JSON?) {
        let count = JSON.int(Int64(elements.count))
        if let least = schema.minItems, elements.count < least { invalid(count, "should have at least \(least) items") }
        if let limit = schema.maxItems, elements.count > limit {
            add(.tooMany, count, "must have at most \(limit) items")
        }
        if schema.constraints?.hasUniqueItems == true, Set(elements).count < elements.count {
            invalid("", "shouldn't contain duplicates")
        }
        guard let items = schema.items else { return }
        let earlier = CorrelatedItems(old?.array ?? [], schema)
        for (index, element) in elements.enumerated() {
            path.push(.index(index))
            check(element, items, earlier[element])
            path.pop()
        }
    }

    private mutating func checkObject(_ object: JSONObject, _ schema: Schema, _ old: JSON?) {
        if let constraints = schema.constraints {
            if let least = constraints.minProperties, object.count < least {
                invalid(.int(Int64(least)), "should have at least \(least) properties")
                return
            }
            if let limit = constraints.maxProperties, object.count > limit {
                add(.tooMany, .int(Int64(object.count)), "must have at most \(limit) items")
                return
            }
        }
        let earlier = schema.isAtomicMap ? nil : old
        for member in object {
            // Its form is checked with the metadata of all objects.
            guard let child = schema.child(member.key), !(path.isRoot && member.key == "metadata") else { continue }
            path.push(.member(member.key))
            check(member.value, child, earlier?[member.key])
            path.pop()
        }
        for name in schema.required where object[name] == nil {
            errors.append(FieldError(.required, at: path[name]))
        }
    }
}

/// The items of a list before a change, found by the keys that tell the items of a `map` list apart; those of other
/// lists cannot be told to be the same.
struct CorrelatedItems {
    private let byKey: [JSON: JSON]
    private let schema: Schema

    init(_ items: [JSON], _ schema: Schema) {
        self.schema = schema
        guard case .map = schema.listType else {
            byKey = [:]
            return
        }
        byKey = Dictionary(items.map { (Self.identity(of: $0, schema), $0) }) { first, _ in first }
    }

    subscript(item: JSON) -> JSON? { byKey.isEmpty ? nil : byKey[Self.identity(of: item, schema)] }

    /// What tells an item of a `map` or `set` list apart.
    static func identity(of item: JSON, _ list: Schema) -> JSON {
        guard case .map(let keys) = list.listType else { return item }
        var identity: JSON = [:]
        for key in keys { identity[key] = item[key] ?? list.items?.property(key)?.defaultValue }
        return identity
    }
}

/// Whether the items of `set` and `map` lists differ.
enum ListTypeValidation {
    static func errors(_ value: JSON, _ schema: Schema) -> [FieldError] {
        var errors = FieldErrors()
        schema.walk(value) { value, schema, path in
            guard schema.listType != .atomic, let elements = value.array else { return }
            var seen: Set<JSON> = []
            for (index, element) in elements.enumerated() {
                let identity = CorrelatedItems.identity(of: element, schema)
                if !seen.insert(identity).inserted { errors.duplicate(path[index], identity) }
            }
        }
        return errors.all
    }
}
