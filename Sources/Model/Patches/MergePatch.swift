/// JSON merge patches (RFC 7386): members of the patch replace those of the object, `null` removes one.
package enum MergePatch {
    /// - Complexity: linear in the size of the patch, times the members of the objects it reaches into.
    package static func apply(_ patch: JSON, to target: JSON) -> JSON {
        guard case .object(let patch) = patch else { return patch }
        var result = target.object == nil ? JSON.emptyObject : target
        for member in patch {
            switch member.value {
            case .null: result[member.key] = nil
            case .object: result[member.key] = apply(member.value, to: result[member.key] ?? .null)
            default: result[member.key] = member.value
            }
        }
        return result
    }

    /// The smallest patch that makes `target` of `source`.
    ///
    /// A merge patch cannot set a member to `null`: such members of `target` count as absent.
    package static func diff(from source: JSON, to target: JSON) -> JSON {
        guard case .object(let old) = source, case .object(let new) = target else { return withoutNulls(target) }
        var patch: [JSONObject.Member] = []
        for member in old {
            let isGone = new[member.key].map { $0.isNull && !member.value.isNull } ?? true
            if isGone { patch.append(JSONObject.Member(key: member.key, value: .null)) }
        }
        for member in new where !member.value.isNull {
            guard let value = old[member.key] else {
                patch.append(JSONObject.Member(key: member.key, value: withoutNulls(member.value)))
                continue
            }
            if value == member.value { continue }
            let change = diff(from: value, to: member.value)
            // Differences in nulls alone cannot be told.
            if value.object != nil, member.value.object != nil, change == .emptyObject { continue }
            patch.append(JSONObject.Member(key: member.key, value: change))
        }
        return .object(JSONObject(patch))
    }

    private static func withoutNulls(_ value: JSON) -> JSON {
        guard case .object(let object) = value else { return value }
        return .object(
            JSONObject(
                object.filter { !$0.value.isNull }
                    .map { JSONObject.Member(key: $0.key, value: withoutNulls($0.value)) }))
    }
}
