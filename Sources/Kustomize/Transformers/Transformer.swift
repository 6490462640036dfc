import Model

/// A change of all resources of a level.
protocol Transformer {
    func apply(to resources: inout [Resource]) throws(KustomizeError)
}

/// Sets labels or annotations in the fields that `specs` name.
struct MapEntryTransformer: Transformer {
    let entries: [(key: String, value: String)]
    let specs: FieldSpecs

    init(_ entries: [String: String], _ specs: FieldSpecs) {
        self.entries = entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        self.specs = specs
    }

    func apply(to resources: inout [Resource]) throws(KustomizeError) {
        guard !entries.isEmpty else { return }
        var edits = FieldEdits(specs.specs.map { FieldEdit.setting(entries: entries, in: $0) })
        for position in resources.indices { try edits.apply(to: &resources[position]) }
    }
}

/// Puts a text before or behind the names of resources.
struct NameTransformer: Transformer {
    enum Side { case prefix, suffix }

    let side: Side
    let text: String
    let specs: FieldSpecs

    /// Kinds whose name is part of what they are.
    private static let kept = [
        ResourceKind(kind: "CustomResourceDefinition"),
        ResourceKind(group: "apiregistration.k8s.io", kind: "APIService"), ResourceKind(kind: "Namespace"),
    ]

    func apply(to resources: inout [Resource]) throws(KustomizeError) {
        for position in resources.indices {
            let original = resources[position].originalID.kind
            if Self.kept.contains(where: { original.isSelected(by: $0) }) { continue }
            for spec in specs.specs where original.isSelected(by: spec.kind) {
                if spec.path == "metadata/name", !text.isEmpty {
                    switch side {
                    case .prefix: resources[position].prefixes.append(text)
                    case .suffix: resources[position].suffixes.append(text)
                    }
                    resources[position].rememberName()
                }
                try resources[position].apply(edit(spec))
            }
        }
    }

    private func edit(_ spec: FieldSpec) -> FieldEdit {
        FieldEdit(spec: spec, created: .scalar) { (old) throws(Fault) in
            guard old.isScalar else { throw Fault("expected a single value, but found one of type \(old.typeName)") }
            let name = old.isNull ? "" : old.scalarText
            return .string(side == .prefix ? text + name : name + text)
        }
    }
}

/// Sets the namespace of everything that can have one.
struct NamespaceTransformer: Transformer {
    enum Subjects: String { case defaultOnly, allServiceAccounts, none }

    let namespace: String
    let specs: FieldSpecs
    var setsUnsetOnly = false
    var subjects = Subjects.defaultOnly

    func apply(to resources: inout [Resource]) throws(KustomizeError) {
        guard !namespace.isEmpty else { return }
        let ids = resources.map(\.id)
        var counts: [ResourceID: Int] = [:]
        for id in ids { counts[id, default: 0] += 1 }
        let own = edit(FieldSpec(path: "metadata/namespace", creates: true))
        for (position, old) in ids.enumerated() where !resources[position].isEmpty {
            resources[position].rememberName(old)
            try apply(own, to: &resources[position], old.kind)
            let new = resources[position].id
            counts[old, default: 0] -= 1
            counts[new, default: 0] += 1
            guard counts[new] == 1 else {
                throw resources[position].error(
                    "\(new) is there twice when everything is in the namespace \(namespace)")
            }
        }
    }

    /// - Parameter own: the edit of the resource's own namespace.
    private func apply(
        _ own: FieldEdit, to resource: inout Resource, _ kind: ResourceKind
    ) throws(KustomizeError) {
        if !resource.isClusterScoped { try resource.apply(own, kind: kind) }
        let isBinding = kind.kind == "RoleBinding" || kind.kind == "ClusterRoleBinding"
        if isBinding { try setSubjects(of: &resource) }
        for spec in specs.specs where spec.path != "metadata/namespace" && kind.isSelected(by: spec.kind) {
            if spec.path == "metadata/name", kind.apiVersion != "v1" { continue }
            let isOfBinding = spec.kind.kind == "RoleBinding" || spec.kind.kind == "ClusterRoleBinding"
            if isBinding, isOfBinding, spec.path == "subjects/namespace" { continue }
            try resource.apply(edit(spec))
        }
    }

    private func edit(_ spec: FieldSpec) -> FieldEdit {
        FieldEdit(spec: spec, created: .scalar) { (old) throws(Fault) in
            guard old.isScalar else { throw Fault("expected a single value, but found one of type \(old.typeName)") }
            if setsUnsetOnly, !old.isNull, !old.scalarText.isEmpty { return nil }
            return .string(namespace)
        }
    }

    /// Bindings name accounts of other namespaces too: by default only accounts named `default` are changed.
    private func setSubjects(of resource: inout Resource) throws(KustomizeError) {
        guard subjects != .none, let list = resource.object["subjects"], !list.isNull else { return }
        guard var items = list.array else {
            throw resource.error("subjects must be a list, not of type \(list.typeName)")
        }
        for position in items.indices where !items[position].isNull {
            guard items[position].object != nil else {
                throw resource.error("subjects[\(position)] must be a map, not of type \(items[position].typeName)")
            }
            let (field, value) = subjects == .defaultOnly ? ("name", "default") : ("kind", "ServiceAccount")
            guard items[position][field]?.scalarText == value else { continue }
            let old = items[position]["namespace"]
            if setsUnsetOnly, let old, !old.isNull, !old.scalarText.isEmpty { continue }
            items[position]["namespace"] = .string(namespace)
        }
        if .array(items) != list { resource.object["subjects"] = .array(items) }
    }
}

/// Sets the number of replicas of the workloads of a name.
struct ReplicaTransformer: Transformer {
    let entry: ReplicaEntry
    let specs: FieldSpecs

    func apply(to resources: inout [Resource]) throws(KustomizeError) {
        var isFound = false
        let named = resources.indices.filter { position in
            resources[position].name.hasSameBytes(as: entry.name)
                || resources[position].previousNames.contains { $0.name.hasSameBytes(as: entry.name) }
        }
        for spec in specs.specs {
            for position in named {
                let isMeant = resources[position].allIDs.contains {
                    $0.name.hasSameBytes(as: entry.name) && $0.kind.isSelected(by: spec.kind)
                }
                guard isMeant else { continue }
                isFound = true
                try resources[position].apply(FieldEdit.setting(.int(Int64(entry.count)), in: spec))
            }
        }
        guard isFound else {
            let kinds = specs.specs.map(\.kind.kind).joined(separator: ", ")
            throw entry.field.error("there is no resource \"\(entry.name)\" of a kind with replicas (\(kinds))")
        }
    }
}
