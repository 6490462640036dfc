import Model

/// Fills in the defaults of a structural schema; a null where none may stand counts as absent (semantics-api I3).
///
/// - Returns: `nil` when nothing changes, so that unchanged subtrees are shared.
struct StructuralDefaulting {
    /// The schema of every resource's `metadata`, which has rules of its own.
    let metadata: Schema

    func filled(_ value: JSON, _ schema: Schema) -> JSON? {
        if schema === metadata {
            let filled = schema.defaulted(value)
            return filled == value ? nil : filled
        }
        switch value {
        case .object(let object): return filledObject(object, schema).map(JSON.object)
        case .array(let elements):
            guard let items = schema.items else { return nil }
            var changed: [JSON]?
            for (index, element) in elements.enumerated() {
                let isNull = element.isNull && !items.isNullable
                guard let replacement = isNull ? items.defaultValue : filled(element, items) else { continue }
                if changed == nil { changed = elements }
                changed?[index] = isNull ? complete(replacement, items) : replacement
            }
            return changed.map(JSON.array)
        default: return nil
        }
    }

    private func complete(_ value: JSON, _ schema: Schema) -> JSON { filled(value, schema) ?? value }

    private func filledObject(_ object: JSONObject, _ schema: Schema) -> JSONObject? {
        var changed: [JSONObject.Member]?
        for (index, member) in object.enumerated() {
            guard let child = schema.child(member.key) else {
                changed?.append(member)
                continue
            }
            let isNull = member.value.isNull && !child.isNullable
            let replacement = isNull ? child.defaultValue.map { complete($0, child) } : filled(member.value, child)
            if isNull || replacement != nil, changed == nil { changed = Array(object[..<index]) }
            if isNull, replacement == nil { continue }
            changed?.append(replacement.map { JSONObject.Member(key: member.key, value: $0) } ?? member)
        }
        for (name, child) in schema.defaultedProperties {
            let isPresent = changed.map { members in members.contains { $0.key == name } } ?? (object[name] != nil)
            guard !isPresent, let value = child.defaultValue else { continue }
            if changed == nil { changed = Array(object) }
            changed?.append(JSONObject.Member(key: name, value: complete(value, child)))
        }
        return changed.map { JSONObject($0) }
    }
}
