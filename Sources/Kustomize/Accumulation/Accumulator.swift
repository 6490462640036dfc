import Model

/// What a level has gathered: resources, and what bears on them until the end of the build.
struct Accumulator {
    var resources: [Resource] = []
    private var gathered = GatheredConfiguration.none
    var variables: [String: Variable] = [:]

    /// Adds resources, which must not be there yet.
    mutating func append(_ others: [Resource], known: inout Set<ResourceID>?) throws(KustomizeError) {
        var ids = known ?? Set(resources.map(\.id))
        // Given away while it grows, so that it is not copied for each file.
        known = nil
        for resource in others {
            let id = resource.id
            guard ids.insert(id).inserted else {
                throw ResourceSet.conflict(resource, resources.first { $0.id == id } ?? resource)
            }
            resources.append(resource)
        }
        known = ids
    }

    /// Takes in what the level of a base has gathered.
    mutating func merge(_ other: Accumulator, known: inout Set<ResourceID>?, at field: Field) throws(KustomizeError) {
        try append(other.resources, known: &known)
        try merge(other.gathered, at: field)
        for variable in other.variables.values.sorted(by: { $0.name < $1.name }) { try add(variable) }
    }

    /// Which fields the transformers are about, from here and from all bases.
    var configuration: Configuration {
        if case .custom(let configuration) = gathered { configuration } else { .defaults }
    }

    /// Adds a level's own configuration: the defaults, and what files add to them.
    mutating func configure(_ own: Configuration?, at field: Field) throws(KustomizeError) {
        try merge(own.map { .custom($0) } ?? .defaults, at: field)
    }

    private mutating func merge(_ other: GatheredConfiguration, at field: Field) throws(KustomizeError) {
        do {
            try gathered.merge(other)
        } catch {
            throw field.error(error.message)
        }
    }

    mutating func add(_ variable: Variable) throws(KustomizeError) {
        guard variables.updateValue(variable, forKey: variable.name) == nil else {
            throw variable.field.error("the variable \(variable.name) is defined already")
        }
    }

    /// Adds variables, and notes them at the resources that have their values.
    mutating func add(_ variables: [Variable]) throws(KustomizeError) {
        for variable in variables {
            let kind = ResourceKind(group: variable.group, version: variable.version, kind: variable.kind)
            let (name, namespace) = (variable.objectName, variable.namespace)
            let matches = resources.indices.filter { position in
                resources[position].allIDs.contains {
                    $0.name.hasSameBytes(as: name) && $0.kind == kind
                        && (namespace.isEmpty || $0.namespace.hasSameBytes(as: namespace))
                }
            }
            guard matches.count < 2 else {
                throw variable.field.error(
                    "\(matches.count) resources are \(kind.kind) \(name): name the namespace")
            }
            if let position = matches.first { resources[position].variables.append(variable.name) }
        }
        for variable in variables { try add(variable) }
    }

    /// The values of all variables.
    func variableValues() throws(KustomizeError) -> [String: JSON] {
        var values: [String: JSON] = [:]
        for variable in variables.values.sorted(by: { $0.name < $1.name }) {
            guard let resource = resources.first(where: { $0.variables.contains(variable.name) }) else {
                throw variable.field.error("there is no resource that the variable \(variable.name) is of")
            }
            let path = FieldPath.splitBracketed(variable.fieldPath).flatMap(Self.withoutIndex)
            do throws(Fault) {
                guard let value = try FieldLookup.value(at: path, in: resource.object) else {
                    throw Fault("\(resource.id) has no field \(variable.fieldPath)")
                }
                values[variable.name] = value
            } catch {
                throw variable.field.error(error.message)
            }
        }
        return values
    }

    /// `containers[0]` as its two parts.
    private static func withoutIndex(_ part: String) -> [String] {
        guard part.hasSuffix("]"), let open = part.lastIndex(of: "[") else { return [part] }
        let index = part[part.index(after: open)...].dropLast()
        guard !index.isEmpty, index.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return [part] }
        return open == part.startIndex ? [String(index)] : [String(part[..<open]), String(index)]
    }
}

/// What has been gathered of configuration; the order of merging counts (`FieldSpecs.merge`).
private enum GatheredConfiguration {
    case none
    /// The defaults alone, which merging with themselves does not change.
    case defaults
    case custom(Configuration)

    mutating func merge(_ other: GatheredConfiguration) throws(Fault) {
        switch (self, other) {
        case (_, .none), (.defaults, .defaults): return
        case (.none, .defaults): self = .defaults
        case (.none, .custom(let new)): try merge(new, into: Configuration())
        case (.defaults, .custom(let new)): try merge(new, into: .defaults)
        case (.custom(let old), .defaults): try merge(.defaults, into: old)
        case (.custom(let old), .custom(let new)): try merge(new, into: old)
        }
    }

    private mutating func merge(_ new: Configuration, into old: Configuration) throws(Fault) {
        var merged = old
        try merged.merge(new)
        self = .custom(merged)
    }
}
