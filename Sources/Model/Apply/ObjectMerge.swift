/// Merges an applied configuration into an object (semantics-api H5, H6).
enum ObjectMerge {
    /// The merged value; `nil` when the configuration changes nothing, so that an unchanged tree is never copied.
    ///
    /// Nulls are kept: they stand for fields that are stated to be absent.
    static func merged(_ live: JSON, with config: JSON, _ schema: Schema?) -> JSON? {
        switch (live, config) {
        case (.object(let live), .object(let config)) where schema?.isAtomicMap != true:
            return merged(live, with: config, schema)
        case (.object(let object), .null) where schema?.isAtomicMap != true && !object.isEmpty: return nil
        case (.array(let liveItems), .array(let configItems)):
            guard let left = ListItems(liveItems, schema), let right = ListItems(configItems, schema) else { break }
            if configItems.isEmpty { return nil }
            return merged(left, with: right, schema?.items)
        case (.array(let items), .null):
            if let schema, schema.listType != .atomic, !items.isEmpty { return nil }
        default: break
        }
        if live == config { return nil }
        return config
    }

    private static func merged(_ live: JSONObject, with config: JSONObject, _ schema: Schema?) -> JSON? {
        var result = live
        var isChanged = false
        for member in config {
            if let old = live[member.key] {
                guard let new = merged(old, with: member.value, schema?.child(member.key)) else { continue }
                result[member.key] = new
            } else {
                result[member.key] = member.value
            }
            isChanged = true
        }
        guard isChanged else { return nil }
        return .object(result)
    }

    private static func merged(_ live: ListItems, with config: ListItems, _ schema: Schema?) -> JSON? {
        if live.elements == config.elements, !(0..<live.count).contains(where: live.isRepeated) {
            var result = live.values
            var isChanged = false
            for position in 0..<live.count {
                guard let new = merged(live.values[position], with: config.values[position], schema) else { continue }
                result[position] = new
                isChanged = true
            }
            guard isChanged else { return nil }
            return .array(result)
        }
        let result = interleaved(live, config, schema)
        if result == live.values { return nil }
        return .array(result)
    }

    /// Applied items in applied order; the others keep their places between the applied items they stood between.
    private static func interleaved(_ live: ListItems, _ config: ListItems, _ schema: Schema?) -> [JSON] {
        var result: [JSON] = []
        result.reserveCapacity(live.count + config.count)
        var shared = config.elements.filter { live.position(of: $0) != nil }[...]
        var taken: Set<PathElement> = []
        var left = 0
        var right = 0
        func take(_ element: PathElement, at position: Int) {
            taken.insert(element)
            let item = config.values[position]
            guard let match = live.position(of: element), !live.isRepeatedLater(match) else {
                result.append(item)
                return
            }
            result.append(merged(live.values[match], with: item, schema) ?? live.values[match])
        }
        while left < live.count || right < config.count {
            if left < live.count, right < config.count {
                let element = live.elements[left]
                if element == config.elements[right] {
                    take(element, at: right)
                    left += 1
                    right += 1
                    shared = shared.dropFirst()
                    continue
                }
                if let next = shared.first, next != element, config.position(of: element) != nil {
                    // Applied too, but its turn comes later.
                    left += 1
                    continue
                }
            }
            if left < live.count {
                let element = live.elements[left]
                if config.position(of: element) == nil {
                    result.append(live.values[left])
                    left += 1
                    continue
                }
                if taken.contains(element) { left += 1 }
            }
            if right < config.count {
                let element = config.elements[right]
                take(element, at: right)
                right += 1
                if shared.first == element { shared = shared.dropFirst() }
            }
        }
        return result
    }

    /// The value without the nulls of declared fields, which the merge carried only for the comparison. Entries of maps
    /// stay: there null is a value, the empty one.
    static func withoutNulls(_ value: JSON, _ schema: Schema?) -> JSON {
        switch value {
        case .object(let object):
            var result: [JSONObject.Member] = []
            for member in object {
                let property = schema?.property(member.key)
                if member.value.isNull, let property, !property.isNullable { continue }
                let child = property ?? schema?.additionalProperties
                result.append(JSONObject.Member(key: member.key, value: withoutNulls(member.value, child)))
            }
            return .object(JSONObject(result))
        case .array(let items): return .array(items.map { withoutNulls($0, schema?.items) })
        default: return value
        }
    }
}

/// Takes fields out of an object.
enum ObjectRemoval {
    /// The value without the fields of `set`; `nil` when nothing of a container is left.
    static func removing(_ set: FieldSet, from value: JSON, _ schema: Schema?) -> JSON? {
        if set.isEmpty { return value }
        switch value {
        case .object(let object) where schema?.isAtomicMap != true:
            if object.isEmpty { return value }
            var result: [JSONObject.Member] = []
            for member in object {
                guard let node = set.node(.field(member.key)) else {
                    result.append(member)
                    continue
                }
                if node.isMember { continue }
                // A container that lost all it had is null until the end, so that those around it stay.
                let rest = removing(node.children, from: member.value, schema?.child(member.key)) ?? .null
                result.append(JSONObject.Member(key: member.key, value: rest))
            }
            if result.isEmpty { return nil }
            return .object(JSONObject(result))
        case .array(let values):
            guard !values.isEmpty, let items = ListItems(values, schema) else { return value }
            var result: [JSON] = []
            for position in 0..<items.count {
                guard let node = set.node(items.elements[position]) else {
                    result.append(values[position])
                    continue
                }
                if node.isMember { continue }
                result.append(removing(node.children, from: values[position], schema?.items) ?? .emptyObject)
            }
            if result.isEmpty { return nil }
            return .array(result)
        default: return value
        }
    }
}
