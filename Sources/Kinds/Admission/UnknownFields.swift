package import Model

extension JSON {
    /// The object without the fields that its schema does not know, which Kubernetes drops as it decodes (C21).
    ///
    /// - Parameter faults: what `decodingFaults` found in this very object.
    /// - Complexity: linear in the members and elements of what the faults lead through; nothing without faults.
    package func withoutUnknownFields(_ faults: [DecodingFault]) -> JSON {
        let unknown = faults.filter(\.isStrictOnly)
        return unknown.isEmpty ? self : without(unknown.map { $0.path.steps[...] })
    }

    private func without(_ paths: [ArraySlice<FieldPath.Step>]) -> JSON {
        let branches = Dictionary(grouping: paths) { $0.first }
        switch self {
        case .object(let object):
            return .object(
                JSONObject(
                    object.compactMap { member in
                        guard let paths = branches[.member(member.key)] ?? branches[.key(member.key)] else {
                            return member
                        }
                        if paths.contains(where: { $0.count == 1 }) { return nil }
                        let value = member.value.without(paths.map { $0.dropFirst() })
                        return JSONObject.Member(key: member.key, value: value)
                    }))
        case .array(let elements):
            return .array(
                elements.enumerated().map { index, element in
                    branches[.index(index)].map { paths in element.without(paths.map { $0.dropFirst() }) } ?? element
                })
        default: return self
        }
    }
}
