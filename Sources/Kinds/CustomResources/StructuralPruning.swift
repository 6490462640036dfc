import Model

/// Removes what a structural schema does not specify (semantics-api I3), and tells what that was.
struct StructuralPruning {
    /// The places of removed fields, each with the name that was probably meant.
    private(set) var unknown: [(path: FieldPath, near: String?)] = []
    private var path = FieldPath.root

    /// - Returns: `nil` when everything is specified, so that unchanged subtrees are shared.
    mutating func pruned(_ value: JSON, _ schema: Schema?) -> JSON? {
        switch value {
        case .object(let object): prunedObject(object, schema).map(JSON.object)
        case .array(let elements): prunedArray(elements, schema?.items)
        default: nil
        }
    }

    private mutating func prunedObject(_ object: JSONObject, _ schema: Schema?) -> JSONObject? {
        var changed: [JSONObject.Member]?
        for (index, member) in object.enumerated() {
            let child = schema?.child(member.key)
            // What nothing is said of stays as it is where unknown fields are preserved, all that is in it included.
            if child == nil, schema?.preservesUnknownFields == true {
                changed?.append(member)
                continue
            }
            path.push(.member(member.key))
            defer { path.pop() }
            guard child != nil else {
                let near = Spelling.nearest(to: member.key, among: (schema?.properties ?? []).lazy.map(\.name))
                unknown.append((path, near))
                if changed == nil { changed = Array(object[..<index]) }
                continue
            }
            let replacement = pruned(member.value, child)
            if replacement != nil, changed == nil { changed = Array(object[..<index]) }
            changed?.append(replacement.map { JSONObject.Member(key: member.key, value: $0) } ?? member)
        }
        return changed.map { JSONObject($0) }
    }

    private mutating func prunedArray(_ elements: [JSON], _ items: Schema?) -> JSON? {
        var changed: [JSON]?
        // Where a list's items are not described, unknown fields are preserved.
        guard let items else { return nil }
        for (index, element) in elements.enumerated() {
            path.push(.index(index))
            if let replacement = pruned(element, items) {
                if changed == nil { changed = elements }
                changed?[index] = replacement
            }
            path.pop()
        }
        return changed.map(JSON.array)
    }
}
