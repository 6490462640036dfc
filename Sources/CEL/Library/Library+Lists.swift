/// Kubernetes' functions on lists, and the lists extension of cel-go in its version 3.
extension Library {
    static let lists: [Overload] = aggregates + positions + transformations + ordering

    private static let comparables = [
        ("int", "int"), ("uint", "uint"), ("double", "double"), ("bool", "bool"), ("duration", "duration"),
        ("timestamp", "timestamp"), ("string", "string"), ("bytes", "bytes"),
    ]

    private static let aggregates: [Overload] =
        comparables.flatMap { name, type in
            [
                Overload("isSorted", id: "list_\(name)_is_sorted_bool", "list(\(type)).() -> bool") { arguments in
                    guard case .list(let list) = arguments[0] else { return .noOverload }
                    let values = list.values
                    for (left, right) in zip(values, values.dropFirst()) {
                        guard let order = left.compare(to: right) else { return .noOverload }
                        if order > 0 { return .bool(false) }
                    }
                    return .bool(true)
                },
                extreme("min", name, type, wanted: 1), extreme("max", name, type, wanted: -1),
            ]
        } + sums

    private static func extreme(_ function: String, _ name: String, _ type: String, wanted: Int) -> Overload {
        Overload(function, id: "list_\(name)_\(function)_\(name)", "list(\(type)).() -> \(type)") { arguments in
            guard case .list(let list) = arguments[0] else { return .noOverload }
            guard var best = list.values.first else { return .error("\(function) called on empty list") }
            for value in list.values.dropFirst() where best.compare(to: value) == wanted { best = value }
            return best
        }
    }

    private static let sums: [Overload] = [
        ("int", CELValue.int(0)), ("uint", .uint(0)), ("double", .double(0)), ("duration", .duration(0)),
    ].map { type, zero in
        Overload("sum", id: "list_\(type)_sum_\(type)", "list(\(type)).() -> \(type)") { arguments in
            guard case .list(let list) = arguments[0] else { return .noOverload }
            var sum = zero
            for value in list.values {
                sum = Arithmetic.add(sum, value)
                if case .error = sum { return sum }
            }
            return sum
        }
    }

    private static let positions: [Overload] =
        function("indexOf", ["list_a_index_of_int": "list(A).(A) -> int"]) { arguments in
            guard case .list(let list) = arguments[0] else { return .noOverload }
            return .int(Int64(list.values.firstIndex { $0.isEqual(to: arguments[1]) } ?? -1))
        }
        + function("lastIndexOf", ["list_a_last_index_of_int": "list(A).(A) -> int"]) { arguments in
            guard case .list(let list) = arguments[0] else { return .noOverload }
            return .int(Int64(list.values.lastIndex { $0.isEqual(to: arguments[1]) } ?? -1))
        }
        + function("first", ["list_first": "list(V).() -> optional(V)"]) { arguments in
            guard case .list(let list) = arguments[0] else { return .noOverload }
            return .optional(list.count > 0 ? list[0] : nil)
        }
        + function("last", ["list_last": "list(V).() -> optional(V)"]) { arguments in
            guard case .list(let list) = arguments[0] else { return .noOverload }
            return .optional(list.count > 0 ? list[list.count - 1] : nil)
        }

    private static let transformations: [Overload] =
        function("slice", ["list_slice": "list(T).(int, int) -> list(T)"]) { arguments in
            guard case .list(let list) = arguments[0], case .int(let start) = arguments[1],
                case .int(let end) = arguments[2]
            else { return .noOverload }
            let text = "cannot slice(\(start), \(end)), "
            if start < 0 || end < 0 { return .error(text + "negative indexes not supported") }
            if start > end { return .error(text + "start index must be less than or equal to end index") }
            if end > Int64(list.count) { return .error(text + "list is length \(list.count)") }
            return .list((Int(start)..<Int(end)).map { list[$0] })
        }
        + function("flatten", ["list_flatten": "list(list(T)).() -> list(T)"]) { flatten($0[0], depth: 1) }
        + function("flatten", ["list_flatten_int": "list(dyn).(int) -> list(dyn)"]) { arguments in
            guard case .int(let depth) = arguments[1] else { return .noOverload }
            return depth < 0 ? .error("level must be non-negative") : flatten(arguments[0], depth: depth)
        }
        + function("reverse", ["list_reverse": "list(T).() -> list(T)"]) { arguments in
            guard case .list(let list) = arguments[0] else { return .noOverload }
            return .list(list.values.reversed())
        }
        + function("distinct", ["list_distinct": "list(T).() -> list(T)"]) { arguments in
            guard case .list(let list) = arguments[0] else { return .noOverload }
            var kept: [CELValue] = []
            var seen: Set<CELMap.Key> = []
            var unkeyed: [CELValue] = []
            for value in list.values {
                if let key = CELMap.Key(value) {
                    if seen.insert(key).inserted { kept.append(value) }
                } else if !unkeyed.contains(where: { $0.isEqual(to: value) }) {
                    unkeyed.append(value)
                    kept.append(value)
                }
            }
            return .list(kept)
        }
        + function("lists.range", ["lists_range": "(int) -> list(int)"]) { arguments in
            guard case .int(let count) = arguments[0] else { return .noOverload }
            // As much as a request could hold, and no more memory.
            guard count <= 1_000_000 else { return .error("range of \(count) elements is too long: at most 1000000") }
            return .list((0..<max(0, count)).map { .int($0) })
        }

    private static func flatten(_ value: CELValue, depth: Int64) -> CELValue {
        guard case .list(let list) = value else { return .noOverload }
        var flat: [CELValue] = []
        for element in list.values {
            if depth > 0, case .list = element, case .list(let inner) = flatten(element, depth: depth - 1) {
                flat += inner.values
            } else {
                flat.append(element)
            }
        }
        return .list(flat)
    }

    private static let ordering: [Overload] = comparables.flatMap { name, type in
        [
            Overload("sort", id: "list_\(name)_sort", "list(\(type)).() -> list(\(type))") { arguments in
                sort(arguments[0], by: arguments[0])
            },
            Overload(
                "@sortByAssociatedKeys", id: "list_\(name)_sortByAssociatedKeys",
                "list(T).(list(\(type))) -> list(T)"
            ) { sort($0[0], by: $0[1]) },
        ]
    }

    private static func sort(_ value: CELValue, by keys: CELValue) -> CELValue {
        guard case .list(let list) = value, case .list(let keyList) = keys else { return .noOverload }
        let pairs = Array(zip(keyList.values, list.values))
        for (key, _) in pairs {
            if key.compare(to: key) == nil, !key.isNaN { return .error("list elements must be comparable") }
            if key.typeName != pairs[0].0.typeName { return .error("list elements must have the same type") }
        }
        return .list(pairs.sorted { ($0.0.compare(to: $1.0) ?? 0) < 0 }.map(\.1))
    }

    static let sets: [Overload] =
        function("sets.contains", ["list_sets_contains_list": "(list(T), list(T)) -> bool"]) { arguments in
            guard case .list(let list) = arguments[0], case .list(let part) = arguments[1] else { return .noOverload }
            return .bool(contains(list, part))
        }
        + function("sets.equivalent", ["list_sets_equivalent_list": "(list(T), list(T)) -> bool"]) { arguments in
            guard case .list(let left) = arguments[0], case .list(let right) = arguments[1] else { return .noOverload }
            return .bool(contains(left, right) && contains(right, left))
        }
        + function("sets.intersects", ["list_sets_intersects_list": "(list(T), list(T)) -> bool"]) { arguments in
            guard case .list(let left) = arguments[0], case .list(let right) = arguments[1] else { return .noOverload }
            return .bool(right.values.contains { left.contains($0) })
        }

    private static func contains(_ list: CELList, _ part: CELList) -> Bool {
        part.values.allSatisfy { list.contains($0) }
    }
}
