package import Model

extension Schema {
    /// `value` with this schema's defaults filled in, in the form in which Kubernetes would write it back: without
    /// nulls, empty optional lists and maps, and zeros that Go leaves out; its quantities and times canonical
    /// (semantics-api F, F1).
    ///
    /// What the schema does not know stays as it is. Applying it twice changes nothing.
    ///
    /// - Parameter known: a value that has its defaults; what shares its storage with it is not looked at again.
    package func defaulted(_ value: JSON, knowing known: JSON? = nil) -> JSON { filled(value, known) ?? value }

    /// `nil` when nothing changes, so that unchanged subtrees are shared and not copied.
    private func filled(_ value: JSON, _ known: JSON?) -> JSON? {
        if let known, known.isShared(with: value) { return nil }
        switch value {
        case .object(let object):
            guard type == .object else { return nil }
            return filledObject(object, known).map(JSON.object)
        case .array(let elements):
            guard let items else { return nil }
            var changed: [JSON]?
            for (index, element) in elements.enumerated() {
                if let replacement = items.filled(element, known?[index]) {
                    if changed == nil { changed = elements }
                    changed?[index] = replacement
                }
            }
            return changed.map(JSON.array)
        case .null, .bool: return nil
        case .int, .number: return format == "quantity" ? CanonicalText.quantity(value) : nil
        case .string:
            switch format {
            case nil: return nil
            case "quantity": return CanonicalText.quantity(value)
            case "date-time": return CanonicalText.time(value, micro: false)
            case "micro-time": return CanonicalText.time(value, micro: true)
            default: return nil
            }
        }
    }

    private func filledObject(_ object: JSONObject, _ known: JSON?) -> JSONObject? {
        var changed: [JSONObject.Member]?
        let known = known?.object
        for index in 0..<object.count {
            let member = object[index]
            let before = known?.value(of: member.key, near: index)
            let isKnown = before?.isShared(with: member.value) ?? false
            guard !isKnown, let child = child(member.key) else {
                changed?.append(member)
                continue
            }
            let empty = member.value.isNull && property(member.key) == nil ? child.emptyScalar : nil
            let isDropped =
                empty == nil && child.isAbsent(member.value)
                && !(required.contains(member.key) && !member.value.isNull)
            let replacement = isDropped ? nil : empty ?? child.filled(member.value, before)
            if isDropped || replacement != nil, changed == nil { changed = Array(object[..<index]) }
            if isDropped { continue }
            changed?.append(replacement.map { JSONObject.Member(key: member.key, value: $0) } ?? member)
        }
        for (name, child) in defaultedProperties {
            let present = changed.map { members in members.contains { $0.key == name } } ?? (object[name] != nil)
            if present { continue }
            guard let value = child.defaultValue else { continue }
            if changed == nil { changed = Array(object) }
            changed?.append(JSONObject.Member(key: name, value: child.defaulted(value)))
        }
        return changed.map { JSONObject($0) }
    }

    /// What null stands for in a map of such values: its key is there, and decodes to Go's zero value.
    private var emptyScalar: JSON? {
        if isNullable { return nil }
        if isIntOrString { return format == "quantity" ? "0" : nil }
        return type == .string && format == nil ? "" : nil
    }

    /// Whether a value means the same as none at all: null, an empty list or map, what Go leaves out when it is zero,
    /// an empty text where a default says what is meant instead, or Go's zero time.
    private func isAbsent(_ value: JSON) -> Bool {
        switch value {
        case .null: !isNullable
        // Where anything may stand, as in the default of a custom resource's field, an empty list is a value.
        case .array(let elements): elements.isEmpty && type == .array
        case .object(let object): object.isEmpty && additionalProperties != nil
        case .bool(false), .int(0): omitsZero
        case .string(let text):
            (text.isEmpty && omitsZero)
                || (text.isEmpty && defaultValue != nil && defaultValue != value && !allowed.contains(value))
                || CanonicalText.isZeroTime(text, format)
        default: false
        }
    }
}
