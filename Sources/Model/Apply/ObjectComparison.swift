/// What differs between two states of an object, by the fields its schema tells apart.
struct ObjectComparison {
    /// Fields and containers that only the old state has.
    var removed = FieldSet()
    var modified = FieldSet()
    /// Fields and containers that only the new state has.
    var added = FieldSet()

    /// What the new state sets.
    var changed: FieldSet { modified.union(added) }
    var isEmpty: Bool { removed.isEmpty && modified.isEmpty && added.isEmpty }

    init(from old: JSON, to new: JSON, schema: Schema) {
        var nodes = Nodes()
        nodes.compareContents(old, new, schema)
        removed = FieldSet(nodes.removed)
        modified = FieldSet(nodes.modified)
        added = FieldSet(nodes.added)
    }

    func excluding(_ fields: FieldSet) -> ObjectComparison {
        if fields.isEmpty { return self }
        var result = self
        result.removed = removed.excluding(fields)
        result.modified = modified.excluding(fields)
        result.added = added.excluding(fields)
        return result
    }

    /// The differences among the children of one container.
    private struct Nodes {
        var removed: [FieldSet.Node] = []
        var modified: [FieldSet.Node] = []
        var added: [FieldSet.Node] = []

        /// Compares two values that are both there; answers false when they are leaves.
        @discardableResult
        mutating func compareContents(_ old: JSON, _ new: JSON, _ schema: Schema?) -> Bool {
            switch (old, new) {
            case (.object(let old), .object(let new)) where schema?.isAtomicMap != true:
                if old.isEmpty, new.isEmpty { return true }
                compareMembers(old, new, schema)
            case (.object(let old), .null) where schema?.isAtomicMap != true && !old.isEmpty:
                compareMembers(old, JSONObject(), schema)
            case (.null, .object(let new)) where schema?.isAtomicMap != true && !new.isEmpty:
                compareMembers(JSONObject(), new, schema)
            case (.array, .array), (.array, .null), (.null, .array):
                let values = (old.array ?? [], new.array ?? [])
                guard let old = ListItems(values.0, schema), let new = ListItems(values.1, schema),
                    old.count + new.count > 0
                else { return false }
                compareItems(old, new, schema?.items)
            default: return false
            }
            return true
        }

        private mutating func compareMembers(_ old: JSONObject, _ new: JSONObject, _ schema: Schema?) {
            var found = 0
            for position in 0..<new.count {
                let member = new[position]
                let before = old.value(of: member.key, near: position)
                if before != nil { found += 1 }
                if let before, before.isShared(with: member.value) { continue }
                compare(.field(member.key), before, member.value, schema?.child(member.key))
            }
            if found == old.count { return }
            for member in old where new[member.key] == nil {
                compare(.field(member.key), member.value, nil, schema?.child(member.key))
            }
        }

        private mutating func compareItems(_ old: ListItems, _ new: ListItems, _ schema: Schema?) {
            for position in 0..<new.count where !new.isRepeated(position) {
                let element = new.elements[position]
                let match = old.position(of: element)
                if new.isRepeatedLater(position) || match.map(old.isRepeatedLater) == true {
                    compareRepeated(element, old, new)
                } else {
                    compare(element, match.map { old.values[$0] }, new.values[position], schema)
                }
            }
            for position in 0..<old.count where !old.isRepeated(position) {
                let element = old.elements[position]
                if new.position(of: element) == nil { compare(element, old.values[position], nil, schema) }
            }
        }

        /// Items that nothing tells apart are compared together, as one leaf.
        private mutating func compareRepeated(_ element: PathElement, _ old: ListItems, _ new: ListItems) {
            let items = { (list: ListItems) in list.elements.indices.filter { list.elements[$0] == element } }
            let before = items(old).map { old.values[$0] }
            if before == items(new).map({ new.values[$0] }) { return }
            let node = FieldSet.Node(element: element, isMember: true)
            if before.isEmpty { added.append(node) } else { modified.append(node) }
        }

        private mutating func compare(_ element: PathElement, _ old: JSON?, _ new: JSON?, _ schema: Schema?) {
            guard let old else {
                if let new { added.append(FieldSet.Node.whole(element, new, schema)) }
                return
            }
            guard let new else {
                removed.append(FieldSet.Node.whole(element, old, schema))
                return
            }
            if old.isShared(with: new) { return }
            var children = Nodes()
            guard children.compareContents(old, new, schema) else {
                if old != new { modified.append(FieldSet.Node(element: element, isMember: true)) }
                return
            }
            if !children.removed.isEmpty { removed.append(Self.node(element, children.removed)) }
            if !children.modified.isEmpty { modified.append(Self.node(element, children.modified)) }
            if !children.added.isEmpty { added.append(Self.node(element, children.added)) }
        }

        private static func node(_ element: PathElement, _ children: [FieldSet.Node]) -> FieldSet.Node {
            FieldSet.Node(element: element, isMember: false, children: FieldSet(children))
        }
    }
}

extension FieldSet.Node {
    /// A value that came or went, with all that is in it: containers count too (H3).
    fileprivate static func whole(_ element: PathElement, _ value: JSON, _ schema: Schema?) -> FieldSet.Node {
        var children: [FieldSet.Node] = []
        switch value {
        case .object(let object) where schema?.isAtomicMap != true:
            children.reserveCapacity(object.count)
            for member in object { children.append(whole(.field(member.key), member.value, schema?.child(member.key))) }
        case .array(let values):
            guard let items = ListItems(values, schema) else { break }
            for position in 0..<items.count where !items.isRepeated(position) {
                let element = items.elements[position]
                if items.isRepeatedLater(position) {
                    children.append(FieldSet.Node(element: element, isMember: true))
                } else {
                    children.append(whole(element, values[position], schema?.items))
                }
            }
        default: break
        }
        return FieldSet.Node(element: element, isMember: true, children: FieldSet(children))
    }
}

extension FieldSet {
    /// All that is in an object: what comparing it with an empty one finds added.
    ///
    /// - Parameters:
    ///   - excluded: left out with all that is in it.
    ///   - untracked: left out itself, but not what is in it.
    init(ofNew object: JSON, schema: Schema, excluding excluded: FieldSet, untracked: FieldSet) {
        self.init(Self.nodes(of: object.object ?? JSONObject(), schema, excluded, untracked))
    }

    private static func nodes(
        of object: JSONObject, _ schema: Schema?, _ excluded: FieldSet, _ untracked: FieldSet
    ) -> [Node] {
        var nodes: [Node] = []
        for member in object {
            let (out, free) = (excluded.field(member.key), untracked.field(member.key))
            if out?.isMember == true { continue }
            let (element, child) = (PathElement.field(member.key), schema?.child(member.key))
            if out == nil, free == nil {
                nodes.append(.whole(element, member.value, child))
                continue
            }
            let (inner, innerFree) = (out?.children ?? FieldSet(), free?.children ?? FieldSet())
            let children: FieldSet
            if case .object(let content) = member.value, child?.isAtomicMap != true {
                children = FieldSet(Self.nodes(of: content, child, inner, innerFree))
            } else {
                let all = Node.whole(element, member.value, child).children
                children = all.excluding(inner).subtracting(innerFree)
            }
            let isMember = free?.isMember != true
            if isMember || !children.isEmpty {
                nodes.append(Node(element: element, isMember: isMember, children: children))
            }
        }
        return nodes
    }
}
