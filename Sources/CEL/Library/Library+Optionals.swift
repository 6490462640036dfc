/// Optional values, and what the comprehensions with two variables build maps with.
extension Library {
    static let optionals: [Overload] =
        function("optional.of", ["optional_of": "(V) -> optional(V)"]) { .optional($0[0]) }
        + function("optional.ofNonZeroValue", ["optional_ofNonZeroValue": "(V) -> optional(V)"]) { arguments in
            isZero(arguments[0]) ? .optional(nil) : .optional(arguments[0])
        }
        + function("optional.none", ["optional_none": "() -> optional(V)"]) { _ in .optional(nil) }
        + function("value", ["optional_value": "optional(V).() -> V"]) { arguments in
            guard case .optional(let inner) = arguments[0] else { return .noOverload }
            return inner ?? .error("optional.none() dereference")
        }
        + function("hasValue", ["optional_hasValue": "optional(V).() -> bool"]) { arguments in
            guard case .optional(let inner) = arguments[0] else { return .noOverload }
            return .bool(inner != nil)
        }
        // These two need their second argument only where the first has no value: the evaluator sees to it.
        + function("or", ["optional_or_optional": "optional(V).(optional(V)) -> optional(V)"]) { arguments in
            guard case .optional(let inner) = arguments[0] else { return .noOverload }
            return inner == nil ? arguments[1] : arguments[0]
        }
        + function("orValue", ["optional_orValue_value": "optional(V).(V) -> V"]) { arguments in
            guard case .optional(let inner) = arguments[0] else { return .noOverload }
            return inner ?? arguments[1]
        }
        + function(
            "optional.unwrap",
            ["optional_unwrap": "(list(optional(V))) -> list(V)"], unwrap)
        + function(
            "unwrapOpt",
            ["optional_unwrapOpt": "list(optional(V)).() -> list(V)"], unwrap)
        + function("_?._", ["select_optional_field": "(dyn, string) -> optional(V)"]) {
            Access.optionalIndex($0[0], $0[1])
        }

    private static let unwrap: Overload.Body = { arguments in
        guard case .list(let list) = arguments[0] else { return .noOverload }
        var values: [CELValue] = []
        for element in list.values {
            guard case .optional(let inner) = element else { return .noOverload }
            if let inner { values.append(inner) }
        }
        return .list(values)
    }

    private static func isZero(_ value: CELValue) -> Bool {
        switch value {
        case .null: true
        case .bool(let value): !value
        case .int(let value): value == 0
        case .uint(let value): value == 0
        case .double(let value): value == 0
        case .string(let text): text.isEmpty
        case .bytes(let bytes): bytes.isEmpty
        case .duration(let value): value == 0
        case .list(let list): list.count == 0
        case .map(let map): map.count == 0
        case .object(let object): object.members.isEmpty
        case .optional(let inner): inner == nil
        default: false
        }
    }

    static let comprehensions: [Overload] = function(
        "cel.@mapInsert",
        [
            "@mapInsert_map_key_value": "(map(K, V), K, V) -> map(K, V)",
            "@mapInsert_map_map": "(map(K, V), map(K, V)) -> map(K, V)",
        ]
    ) { arguments in
        guard case .map(var map) = arguments[0] else { return .noOverload }
        if arguments.count == 3 {
            guard map.insert(arguments[2], at: arguments[1]) else {
                return .error("insert failed: key \(Conversion.display(arguments[1])) already exists")
            }
            return .map(map)
        }
        guard case .map(let other) = arguments[1] else { return .noOverload }
        for key in other.keys {
            guard map.insert(other[key] ?? .null, at: key) else {
                return .error("insert failed: key \(Conversion.display(key)) already exists")
            }
        }
        return .map(map)
    }
}
