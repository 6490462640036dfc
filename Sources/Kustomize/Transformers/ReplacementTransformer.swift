import Model

/// Copies values from one resource into fields of others.
struct ReplacementTransformer: Transformer {
    let entries: [ReplacementEntry]

    func apply(to resources: inout [Resource]) throws(KustomizeError) {
        for entry in entries {
            guard let source = entry.source, let targets = entry.targets else {
                throw entry.field.error("a replacement needs a source and targets")
            }
            let value: JSON
            do {
                value = try Self.value(of: source, in: resources)
            } catch {
                throw entry.field.error(error.message)
            }
            for target in targets {
                for position in resources.indices where Self.isTarget(resources[position], target) {
                    do {
                        try Self.copy(value, into: &resources[position].object, target)
                    } catch {
                        throw target.field.error("\(resources[position].id): \(error.message)")
                    }
                }
            }
        }
    }

    // MARK: Source

    private static func value(of source: ReplacementEntry.Source, in resources: [Resource]) throws(Fault) -> JSON {
        let found = resources.filter { $0.allIDs.contains { source.names($0) } }
        guard let resource = found.first, found.count == 1 else {
            let ids = found.map { $0.id.description }.joined(separator: "; ")
            throw Fault("the source is to select one resource, not \(found.isEmpty ? "none" : ids)")
        }
        let path = FieldPath.splitBracketed(source.fieldPath)
        guard let value = try FieldLookup.value(at: path, in: resource.object), !value.isNull,
            value.object?.isEmpty != true, value.array?.isEmpty != true
        else { throw Fault("the source \(resource.id) has no field \(source.fieldPath)") }
        let options = source.options
        guard !options.delimiter.isEmpty else { return value }
        guard value.isScalar else { throw Fault("a delimiter can only be used with a single value") }
        let parts = split(value.scalarText, options.delimiter)
        guard parts.indices.contains(options.index) else {
            throw Fault("\"\(value.scalarText)\" has no part \(options.index) between \"\(options.delimiter)\"")
        }
        return retyped(parts[options.index], like: value)
    }

    static func split(_ text: String, _ delimiter: String) -> [String] {
        var parts: [String] = []
        var rest = Array(text.utf8)[...]
        let mark = Array(delimiter.utf8)
        var part: [UInt8] = []
        while let first = rest.first {
            if rest.starts(with: mark) {
                parts.append(String(decoding: part, as: UTF8.self))
                part = []
                rest = rest.dropFirst(mark.count)
            } else {
                part.append(first)
                rest = rest.dropFirst()
            }
        }
        return parts + [String(decoding: part, as: UTF8.self)]
    }

    private static func retyped(_ text: String, like value: JSON) -> JSON {
        value.string == nil ? YAML.plainScalar(text, dialect: .kustomize) : .string(text)
    }

    // MARK: Targets

    private static func isTarget(_ resource: Resource, _ target: ReplacementEntry.Target) -> Bool {
        guard target.select.matchesSelectors(resource) else { return false }
        for reject in target.reject where reject.labels != nil || reject.annotations != nil {
            if reject.matchesSelectors(resource) { return false }
        }
        let ids = resource.allIDs
        let isRejected = target.reject.contains { reject in
            !reject.isWithoutID && ids.contains { reject.names($0) }
        }
        return !isRejected && ids.contains { target.select.names($0) }
    }

    private static func copy(
        _ value: JSON, into object: inout JSON, _ target: ReplacementEntry.Target
    ) throws(Fault) {
        for text in target.fieldPaths {
            let path = FieldPath.splitBracketed(text)
            var search = FieldLookup(created: target.options.creates ? value : nil)
            try search.find(path[...], in: &object, at: [])
            guard !search.found.isEmpty else { throw Fault("there is no field \(text)") }
            for place in search.found {
                guard let old = object.value(at: place.path[...]) else { continue }
                object.set(
                    try replaced(old, by: value, isNew: place.isNew, target.options), at: place.path[...])
            }
        }
    }

    private static func replaced(
        _ old: JSON, by value: JSON, isNew: Bool, _ options: ReplacementEntry.Options
    ) throws(Fault) -> JSON {
        var text = value.scalarText
        if !options.delimiter.isEmpty {
            guard old.isScalar else { throw Fault("a delimiter can only be used with a single value") }
            var parts = split(isNew ? "" : old.scalarText, options.delimiter)
            if options.index < 0 {
                parts.insert(text, at: 0)
            } else if options.index >= parts.count {
                parts.append(text)
            } else {
                parts[options.index] = text
            }
            text = parts.joined(separator: options.delimiter)
        }
        guard old.isScalar else {
            guard options.delimiter.isEmpty else { return retyped(text, like: value) }
            return value
        }
        if isNew { return value.isScalar ? YAML.plainScalar(text, dialect: .kustomize) : value }
        // Only the text of a single value is replaced; it stays of its type.
        let new = old.string == nil ? YAML.plainScalar(text, dialect: .kustomize) : .string(text)
        guard new.typeName == old.typeName || old.isNull || old.double != nil && new.double != nil else {
            throw Fault("\"\(text)\" would take the place of a value of type \(old.typeName)")
        }
        return new
    }
}
