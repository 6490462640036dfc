import Model

/// Updates every field that names a resource which was renamed.
struct NameReferenceTransformer: Transformer {
    let references: [NameReference]

    func apply(to resources: inout [Resource]) throws(KustomizeError) {
        for resource in resources { try Self.checkSubjects(of: resource) }
        let names = RenamedResources(resources)
        guard !names.isEmpty else { return }
        var fields: [ResourceKind: ReferringFields] = [:]
        for position in resources.indices {
            let original = resources[position].originalID.kind
            let own = fields[original] ?? self.fields(of: original)
            fields[original] = own
            let kind = resources[position].kind
            var next = 0
            // An edit may make a way for those after it.
            while let field = own.tree.first(from: next, leadingInto: resources[position].object) {
                try update(own.specs[field], own.targets[field], in: &resources[position], kind, names)
                next = field + 1
            }
        }
    }

    /// A RoleBinding may refer to accounts of other namespaces, which must be told by a text.
    private static func checkSubjects(of resource: Resource) throws(KustomizeError) {
        guard resource.kind.kind == "RoleBinding" else { return }
        for subject in resource.object["subjects"]?.array ?? [] {
            guard let namespace = subject["namespace"], namespace.string == nil,
                subject["kind"]?.string == "ServiceAccount"
            else { continue }
            throw resource.error(
                "\(resource.id): the namespace of a subject is blank: write it, or leave the field out")
        }
    }

    private func fields(of kind: ResourceKind) -> ReferringFields {
        let fields = references.flatMap { reference in
            reference.referrers.specs.filter { kind.isSelected(by: $0.kind) }.map { ($0, reference.target) }
        }
        return ReferringFields(specs: fields.map(\.0), targets: fields.map(\.1), tree: FieldTree(fields.map(\.0)))
    }

    private func update(
        _ spec: FieldSpec, _ target: ResourceKind, in resource: inout Resource, _ kind: ResourceKind,
        _ names: RenamedResources
    ) throws(KustomizeError) {
        // The kind was looked at before it may have been changed by a patch.
        var own = spec
        own.kind = kind
        let search = ReferralSearch(names: names, referrer: resource, target: target, path: spec.path)
        let edit = FieldEdit(spec: own) { (old) throws(Fault) in try search.updated(old) }
        try resource.apply(edit, kind: kind)
    }
}

/// The fields of a kind that name other resources, and the kinds that they name.
private struct ReferringFields {
    let specs: [FieldSpec]
    let targets: [ResourceKind]
    let tree: FieldTree
}

/// The resources that were renamed, by the names that they had.
private struct RenamedResources {
    let resources: [Resource]
    let ids: [ResourceID]
    private var positions: [String: [Int]] = [:]

    init(_ resources: [Resource]) {
        self.resources = resources
        ids = resources.map(\.id)
        for (position, resource) in resources.enumerated() {
            for name in Set(resource.previousNames.map(\.name)) { positions[name, default: []].append(position) }
        }
    }

    var isEmpty: Bool { positions.isEmpty }

    func named(_ name: String) -> [Int] {
        // A dictionary takes texts for one that only look alike.
        (positions[name] ?? []).filter { resources[$0].previousNames.contains { $0.name.hasSameBytes(as: name) } }
    }
}

/// Which resource a name in a field of one resource stands for.
private struct ReferralSearch {
    let names: RenamedResources
    let referrer: Resource
    let target: ResourceKind
    let path: String

    func updated(_ value: JSON) throws(Fault) -> JSON? {
        switch value {
        case .null: return nil
        case .array(let elements):
            var changed: [JSON]?
            for (position, element) in elements.enumerated() where !element.isNull {
                guard element.array == nil else { throw Fault("expected a name, but found a list in a list") }
                guard let new = try updated(element) else { continue }
                if changed == nil { changed = elements }
                changed?[position] = new
            }
            return changed.map { .array($0) }
        case .object(let object): return try updated(object)
        default:
            guard let found = try referral(value.scalarText, in: nil) else { return nil }
            return found.name.hasSameBytes(as: value.scalarText) ? nil : .string(found.name)
        }
    }

    private func updated(_ object: JSONObject) throws(Fault) -> JSON? {
        guard let name = object["name"] else { throw Fault("expected a map with a name") }
        guard let found = try referral(name.scalarText, in: object["namespace"].map(\.scalarText), isMap: true) else {
            return nil
        }
        let namespace = found.namespace
        if found.name.hasSameBytes(as: name.scalarText), namespace.isEmpty { return nil }
        var result = object
        result["name"] = .string(found.name)
        if !namespace.isEmpty { result["namespace"] = .string(namespace) }
        return .object(result)
    }

    /// - Parameter namespace: what the reference says itself.
    /// - Throws: `Fault` where several resources could be meant.
    private func referral(
        _ name: String, in namespace: String?, isMap: Bool = false
    ) throws(Fault) -> Resource? {
        var candidates = names.named(name).filter { couldBeReferredTo($0) }
        if let namespace { candidates = self.candidates(candidates, in: namespace) }
        candidates = candidates.filter { position in
            names.resources[position].previousIDs.contains { $0.kind.isSelected(by: target) }
        }
        if path.hasSuffix("roleRef/name"), let role = roleKind {
            candidates = candidates.filter { position in
                names.resources[position].previousIDs.contains { $0.kind.isSelected(by: role) }
            }
        }
        candidates = candidates.filter { isInReach($0) }
        if candidates.count == 1 { return names.resources[candidates[0]] }
        candidates = candidates.filter { hasSameAffixes($0, allowsNone: true) }
        if candidates.count > 1 { candidates = candidates.filter { hasSameAffixes($0, allowsNone: false) } }
        let found = candidates.map { names.resources[$0] }
        guard let first = found.first else { return nil }
        let isSame = found.allSatisfy {
            $0.name.hasSameBytes(as: first.name) && (!isMap || $0.namespace.hasSameBytes(as: first.namespace))
        }
        guard isSame else {
            let ids = candidates.map { names.ids[$0].description }.joined(separator: "; ")
            throw Fault("the name \(name) could stand for any of these: \(ids)")
        }
        return first
    }

    /// A namespaced resource refers to those of its own namespace and to cluster-scoped ones; a RoleBinding also to the
    /// accounts that it names.
    private func couldBeReferredTo(_ position: Int) -> Bool {
        let id = referrer.id
        let other = names.ids[position]
        if id.isClusterScoped || other.isClusterScoped || other.namespace == id.namespace { return true }
        return accountNamespaces.contains(names.resources[position].namespace)
    }

    private var accountNamespaces: Set<String> {
        guard referrer.kind.kind == "RoleBinding" else { return [] }
        return Set(
            (referrer.object["subjects"]?.array ?? []).filter { $0["kind"]?.string == "ServiceAccount" }
                .compactMap { $0["namespace"]?.string })
    }

    /// Those whose first namespace it is; if nothing at all had it at first, those that have it now.
    private func candidates(_ positions: [Int], in namespace: String) -> [Int] {
        let isKnown = names.resources.indices.contains { position in
            let original = names.resources[position].originalID
            return !original.isClusterScoped && original.namespace == namespace && couldBeReferredTo(position)
        }
        return positions.filter { position in
            let id = isKnown ? names.resources[position].originalID : names.ids[position]
            return !id.isClusterScoped && id.namespace == namespace
        }
    }

    private var roleKind: ResourceKind? {
        guard let role = referrer.object["roleRef"], let group = role["apiGroup"], let kind = role["kind"] else {
            return nil
        }
        return ResourceKind(group: group.scalarText, kind: kind.scalarText)
    }

    private func isInReach(_ position: Int) -> Bool {
        let id = referrer.id
        let other = names.ids[position]
        return id.isClusterScoped || other.isClusterScoped || other.kind.kind == "ServiceAccount"
            || other.namespace == id.namespace
    }

    private func hasSameAffixes(_ position: Int, allowsNone: Bool) -> Bool {
        let other = names.resources[position]
        func isSame(_ left: [String], _ right: [String]) -> Bool {
            if left.isEmpty || right.isEmpty { return allowsNone || left.count == right.count }
            return zip(left.reversed(), right.reversed()).allSatisfy { $0 == $1 }
        }
        return isSame(referrer.prefixes, other.prefixes) && isSame(referrer.suffixes, other.suffixes)
    }
}
