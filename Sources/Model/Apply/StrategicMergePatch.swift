/// Strategic merge patch (semantics-api G3, G4, G6): a merge patch that merges lists by key and takes directives.
package enum StrategicMergePatch {
    /// The object with the patch applied.
    ///
    /// - Throws: `.malformed` for a patch or directive of the wrong form (400), `.failed` for lists of lists, fields
    ///   that `$retainKeys` does not name, missing merge keys and unknown directives (422; for the last two Kubernetes
    ///   answers 500, though the fault is the client's).
    package static func apply(_ patch: JSON, to object: JSON, schema: Schema) throws(PatchError) -> JSON {
        guard let patch = patch.object else { throw PatchError(kind: .malformed, message: "invalid JSON document") }
        guard let target = object.object else {
            throw PatchError(kind: .failed, message: "a patch needs an object to patch, not \(object.typeName)")
        }
        return try .object(merged(target, with: patch, schema))
    }

    private static let directive = "$patch"
    private static let retainKeys = "$retainKeys"
    private static let elementOrder = "$setElementOrder"
    private static let primitiveDeletion = "$deleteFromPrimitiveList"

    /// The `field` of a member named `$prefix/field`.
    private static func target(of key: String, _ prefix: String) throws(PatchError) -> String? {
        guard key.hasPrefix(prefix) else { return nil }
        let rest = key.dropFirst(prefix.count)
        guard rest.first == "/" else {
            let what = prefix == elementOrder ? "setElementOrder list" : "primitive list"
            throw PatchError(kind: .malformed, message: "invalid patch format of \(what)")
        }
        return String(rest.dropFirst())
    }

    /// As Go names the type of a decoded value.
    private static func goType(of value: JSON) -> String {
        switch value {
        case .null: "%!s(<nil>)"
        case .bool: "bool"
        case .int: "int64"
        case .number: "float64"
        case .string: "string"
        case .array: "[]interface {}"
        case .object: "map[string]interface {}"
        }
    }

    // MARK: Maps

    private static func merged(
        _ original: JSONObject, with patch: JSONObject, _ schema: Schema?
    ) throws(PatchError) -> JSONObject {
        if let directive = patch[directive] {
            switch directive {
            case "replace":
                var rest = patch
                rest[Self.directive] = nil
                return rest
            case "delete": return JSONObject()
            default: throw unknownDirective(directive, in: .object(patch))
            }
        }
        var result = original
        try retain(in: &result, patch)
        var done: Set<String> = []
        for member in patch {
            guard let field = try target(of: member.key, elementOrder) else { continue }
            guard let order = member.value.array else {
                let message = "expected a []interface {}, but received a \(goType(of: member.value))"
                throw PatchError(kind: .unexpected, message: message)
            }
            let items = try ordered(result[field], patch[field], by: order, schema?.child(field), field)
            if let items { result[field] = .array(items) }
            if patch[field]?.isNull != true { done.insert(field) }
        }
        for member in patch where member.key != retainKeys && !done.contains(member.key) {
            if member.key.hasPrefix(elementOrder) { continue }
            if let field = try target(of: member.key, primitiveDeletion) {
                guard let deleted = member.value.array else {
                    throw PatchError(
                        kind: .malformed,
                        message: "invalid patch format of primitive list: \(member.key) is to be a list")
                }
                guard let items = result[field]?.array else { continue }
                result[field] = .array(items.filter { !deleted.contains($0) })
                continue
            }
            result[member.key] = try merged(result[member.key], with: member.value, schema?.child(member.key))
        }
        return result
    }

    /// `nil` when the patch says that the field is to go.
    private static func merged(
        _ original: JSON?, with patch: JSON, _ schema: Schema?
    ) throws(PatchError) -> JSON? {
        let isReplaced = schema?.patchStrategies.contains("replace") == true
        switch patch {
        case .null: return nil
        case .object(let patch):
            guard let target = original?.object, !isReplaced else { return try taken(.object(patch), schema) }
            return try .object(merged(target, with: patch, schema))
        case .array(let patch):
            guard let original = original?.array else { return try taken(.array(patch), schema) }
            guard schema?.patchStrategies.contains("merge") == true else { return .array(patch) }
            return try .array(merged(original, with: patch, schema))
        default: return patch
        }
    }

    /// What a patch says of a field that is not there: itself, without what asks for the removal or replacement of
    /// something; `nil` when it is just that.
    private static func taken(_ patch: JSON, _ schema: Schema?) throws(PatchError) -> JSON? {
        switch patch {
        case .object(let object):
            if object[directive] != nil { return nil }
            return try .object(merged(JSONObject(), with: object, schema))
        case .array(let items):
            var result: [JSON] = []
            for item in items {
                if let value = try taken(item, schema?.items) { result.append(value) }
            }
            return .array(result)
        default: return patch
        }
    }

    private static func retain(in target: inout JSONObject, _ patch: JSONObject) throws(PatchError) {
        guard let directive = patch[retainKeys] else { return }
        guard let keys = directive.array else {
            throw PatchError(
                kind: .malformed, message: "invalid patch format of retainKeys: it is to be a list of field names")
        }
        for member in patch where !member.value.isNull && !member.key.hasPrefix("$") {
            if keys.contains(.string(member.key)) { continue }
            throw PatchError(
                kind: .malformed,
                message: "invalid patch format of retainKeys: the patch sets \(member.key), which it does not list")
        }
        for key in Array(target.keys) where !keys.contains(.string(key)) { target[key] = nil }
    }

    // MARK: Lists

    /// Merges a list whose strategy is `merge`: patched items in the patch's order, the others where they were.
    private static func merged(
        _ original: [JSON], with patch: [JSON], _ schema: Schema?
    ) throws(PatchError) -> [JSON] {
        let content = try mergedContent(original, patch, schema)
        return try arranged(content, by: patch.filter { $0[directive] == nil }, original, schema)
    }

    private static func mergedContent(
        _ original: [JSON], _ patch: [JSON], _ schema: Schema?
    ) throws(PatchError) -> [JSON] {
        guard let sample = (original + patch).first else { return original }
        for item in original + patch {
            if item.array != nil { throw PatchError(kind: .failed, message: "lists of lists are not supported") }
            if (item.object == nil) != (sample.object == nil) {
                throw PatchError(kind: .unexpected, message: "list element types are not identical")
            }
        }
        if sample.object == nil {
            var result: [JSON] = []
            for item in original + patch where !result.contains(item) { result.append(item) }
            return result
        }
        guard let key = schema?.patchMergeKey else {
            throw PatchError(kind: .unexpected, message: "cannot merge lists without merge key for type map")
        }
        var result = original
        var replacement: [JSON] = []
        var isReplaced = false
        for item in patch {
            switch item[directive] {
            case nil: replacement.append(item)
            case "delete":
                let value = try mergeValue(of: item, key)
                result.removeAll { $0[key] == value }
            case "replace": isReplaced = true
            case .some("merge"):
                throw PatchError(kind: .unexpected, message: "merging lists cannot yet be specified in the patch")
            case .some(let other): throw unknownDirective(other, in: item)
            }
        }
        if isReplaced { return replacement }
        for item in replacement {
            let value = try mergeValue(of: item, key)
            let position = result.firstIndex { $0[key] == value }
            let new = try merged(position.map { result[$0] }, with: item, schema?.items) ?? .emptyObject
            if let position { result[position] = new } else { result.append(new) }
        }
        return result
    }

    /// A list with a `$setElementOrder` directive; `nil` when neither side has the list.
    private static func ordered(
        _ original: JSON?, _ patch: JSON?, by order: [JSON], _ schema: Schema?, _ field: String
    ) throws(PatchError) -> [JSON]? {
        if patch?.isNull == true { return nil }
        let (before, change) = (original?.array ?? [], patch?.array ?? [])
        if original?.array == nil, patch?.array == nil { return nil }
        try check(change, against: order, schema, field)
        let isMerged = schema?.patchStrategies.contains("merge") == true
        let content: [JSON] =
            if patch == nil {
                before
            } else if original?.array == nil {
                try taken(.array(change), schema)?.array ?? []
            } else {
                isMerged ? try mergedContent(before, change, schema) : change
            }
        return try arranged(content, by: order, before, schema)
    }

    /// Patched items are to be listed in the order that the directive names.
    private static func check(
        _ patch: [JSON], against order: [JSON], _ schema: Schema?, _ field: String
    ) throws(PatchError) {
        if order.isEmpty { return }
        var rest = order[...]
        for item in patch where item[directive] == nil {
            let identity = try identity(of: item, schema)
            while let next = rest.first, try Self.identity(of: next, schema) != identity { rest = rest.dropFirst() }
            guard !rest.isEmpty else {
                throw PatchError(
                    kind: .unexpected,
                    message: "The order in patch list of \(field) doesn't match its $setElementOrder list: "
                        + "\(identity.text()) is missing there or comes too early")
            }
            rest = rest.dropFirst()
        }
    }

    /// Items named in `order` follow it; the others keep the order they had, placed where they stood.
    private static func arranged(
        _ items: [JSON], by order: [JSON], _ original: [JSON], _ schema: Schema?
    ) throws(PatchError) -> [JSON] {
        let identities = try items.map { item throws(PatchError) in try identity(of: item, schema) }
        let sequence = try order.map { item throws(PatchError) in try identity(of: item, schema) }
        let before = try original.map { item throws(PatchError) in try identity(of: item, schema) }
        let rank = Dictionary(sequence.enumerated().map { ($1, $0) }) { first, _ in first }
        let place = Dictionary(before.enumerated().map { ($1, $0) }) { first, _ in first }
        let named = items.indices.filter { rank[identities[$0]] != nil }
            .sorted { (rank[identities[$0]] ?? 0, $0) < (rank[identities[$1]] ?? 0, $1) }
        let others = items.indices.filter { rank[identities[$0]] == nil }
        var result: [JSON] = []
        result.reserveCapacity(items.count)
        var next = 0
        for position in named {
            while next < others.count, let left = place[identities[others[next]]],
                let right = place[identities[position]], left < right
            {
                result.append(items[others[next]])
                next += 1
            }
            result.append(items[position])
        }
        return result + others[next...].map { items[$0] }
    }

    /// What tells an item of a merging list apart: its merge key's value, or itself.
    private static func identity(of item: JSON, _ schema: Schema?) throws(PatchError) -> JSON {
        guard item.object != nil, let key = schema?.patchMergeKey else { return item }
        return try mergeValue(of: item, key)
    }

    private static func mergeValue(of item: JSON, _ key: String) throws(PatchError) -> JSON {
        if let value = item[key] { return value }
        throw PatchError(
            kind: .unexpected, message: "map: \(shown(item)) does not contain declared merge key: \(key)")
    }

    private static func unknownDirective(_ directive: JSON, in item: JSON) -> PatchError {
        PatchError(
            kind: .unexpected,
            message: "unknown patch type: \(directive.string ?? directive.text()) in map: \(shown(item)); "
                + "$patch is replace or delete")
    }

    /// Only the names of the fields: their values may be secret.
    private static func shown(_ item: JSON) -> String {
        "{" + (item.object.map { $0.map(\.key).joined(separator: ", ") } ?? "") + "}"
    }
}
