import Model

extension Schema {
    /// Shows `look` the value and everything in it that this schema specifies, each with its schema and place, from the
    /// outside in.
    func walk(_ value: JSON, _ look: (JSON, Schema, FieldPath) -> Void) {
        var path = FieldPath.root
        walk(value, at: &path, look)
    }

    private func walk(_ value: JSON, at path: inout FieldPath, _ look: (JSON, Schema, FieldPath) -> Void) {
        look(value, self, path)
        switch value {
        case .object(let object):
            for member in object {
                guard let child = child(member.key) else { continue }
                path.push(property(member.key) == nil ? .key(member.key) : .member(member.key))
                child.walk(member.value, at: &path, look)
                path.pop()
            }
        case .array(let elements):
            guard let items else { return }
            for (index, element) in elements.enumerated() {
                path.push(.index(index))
                items.walk(element, at: &path, look)
                path.pop()
            }
        default: return
        }
    }
}
