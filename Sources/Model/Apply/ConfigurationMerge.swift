extension ServerSideApply {
    /// Merges a configuration into an object as an apply does, but keeps no account of who owns what.
    ///
    /// - Throws: `.invalid` for what does not fit the schema, and for lists and maps that can only be replaced whole:
    ///   what the configuration does not say of them would be lost.
    package static func merging(
        _ config: JSON, into object: JSON, schema: Schema
    ) throws(ApplyError) -> JSON {
        var reader = FieldReader(isStrict: true)
        _ = reader.fields(of: config, schema)
        if let fault = reader.faults.first {
            throw .invalid("failed to convert patch object to typed object: \(fault)")
        }
        let atomics = atomics(in: config, schema, at: "")
        guard atomics.isEmpty else {
            let list = atomics.joined(separator: ", ")
            throw .invalid(
                "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: \(list)")
        }
        return ObjectMerge.merged(object, with: config, schema) ?? object
    }

    private static func atomics(in value: JSON, _ schema: Schema?, at path: String) -> [String] {
        guard let schema else { return [] }
        switch value {
        case .object(let object):
            let own = schema.isAtomicMap ? [path] : []
            return own
                + object.flatMap { member in
                    schema.property(member.key).map { atomics(in: member.value, $0, at: "\(path).\(member.key)") } ?? []
                }
        case .array(let elements):
            var own: [String] = []
            if case .atomic = schema.listType { own = [path] }
            return own
                + elements.enumerated().flatMap { atomics(in: $1, schema.items, at: "\(path)[\($0)]") }
        default: return []
        }
    }
}
