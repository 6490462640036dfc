/// A set of fields of an object, as a trie: what a field manager owns (semantics-api H3).
///
/// A container can be in the set without its content, and its content without the container.
package struct FieldSet: Hashable, Sendable {
    struct Node: Hashable, Sendable {
        var element: PathElement
        /// Whether the field itself is in the set, not only something in it.
        var isMember: Bool
        var children = FieldSet()
    }

    /// Sorted by element; each is a member or has children.
    private(set) var nodes: [Node]

    package init() {
        nodes = []
    }

    /// Takes nodes in any order whose elements are distinct.
    init(_ unordered: [Node]) {
        nodes = unordered
        for position in nodes.indices.dropFirst() where nodes[position].element < nodes[position - 1].element {
            nodes.sort { $0.element < $1.element }
            return
        }
    }

    package init(_ paths: [[PathElement]]) {
        self.init()
        for path in paths { insert(path[...]) }
    }

    package init(fields paths: [String]...) {
        self.init(paths.map { $0.map(PathElement.field) })
    }

    package var isEmpty: Bool { nodes.isEmpty }

    package mutating func insert(_ path: ArraySlice<PathElement>) {
        guard let first = path.first else { return }
        let position = nodes.firstIndex { !($0.element < first) } ?? nodes.endIndex
        if position == nodes.endIndex || nodes[position].element != first {
            nodes.insert(Node(element: first, isMember: false), at: position)
        }
        if path.count == 1 {
            nodes[position].isMember = true
        } else {
            nodes[position].children.insert(path.dropFirst())
        }
    }

    package func contains(_ path: [PathElement]) -> Bool {
        guard let first = path.first, let node = node(first) else { return false }
        return path.count == 1 ? node.isMember : node.children.contains(Array(path.dropFirst()))
    }

    func node(_ element: PathElement) -> Node? {
        // Mostly a handful of nodes, where a scan beats a binary search.
        nodes.first { $0.element == element }
    }

    func field(_ name: String) -> Node? {
        nodes.first { node in
            if case .field(let own) = node.element { own.hasSameBytes(as: name) } else { false }
        }
    }

    /// Every field in the set: at each level first those of the level, then what is below them, as Kubernetes has it.
    package var paths: [PathElement.Path] {
        var found: [PathElement.Path] = []
        collect(below: [], into: &found)
        return found
    }

    private func collect(below path: [PathElement], into found: inout [PathElement.Path]) {
        for node in nodes where node.isMember { found.append(PathElement.Path(path + [node.element])) }
        for node in nodes { node.children.collect(below: path + [node.element], into: &found) }
    }
}

extension FieldSet {
    /// Walks two sets side by side.
    private func zipped(_ other: FieldSet, _ body: (_ left: Node?, _ right: Node?) -> Node?) -> FieldSet {
        var result: [Node] = []
        result.reserveCapacity(nodes.count)
        var left = 0
        var right = 0
        while left < nodes.count || right < other.nodes.count {
            let order: PathElement.Order =
                left == nodes.count
                ? .after
                : right == other.nodes.count ? .before : nodes[left].element.order(to: other.nodes[right].element)
            let node =
                switch order {
                case .before: body(nodes[left], nil)
                case .after: body(nil, other.nodes[right])
                case .same: body(nodes[left], other.nodes[right])
                }
            if order != .after { left += 1 }
            if order != .before { right += 1 }
            if let node, node.isMember || !node.children.isEmpty { result.append(node) }
        }
        var set = FieldSet()
        set.nodes = result
        return set
    }

    package func union(_ other: FieldSet) -> FieldSet {
        if isEmpty { return other }
        if other.isEmpty { return self }
        return zipped(other) { left, right in
            guard let left, let right else { return left ?? right }
            return Node(
                element: left.element, isMember: left.isMember || right.isMember,
                children: left.children.union(right.children))
        }
    }

    package func intersection(_ other: FieldSet) -> FieldSet {
        if isEmpty || other.isEmpty { return FieldSet() }
        return zipped(other) { left, right in
            guard let left, let right else { return nil }
            return Node(
                element: left.element, isMember: left.isMember && right.isMember,
                children: left.children.intersection(right.children))
        }
    }

    /// What is here and not in `other`; a container in `other` does not take its content away.
    package func subtracting(_ other: FieldSet) -> FieldSet {
        if isEmpty || other.isEmpty { return self }
        return zipped(other) { left, right in
            guard let left, let right else { return left }
            return Node(
                element: left.element, isMember: left.isMember && !right.isMember,
                children: left.children.subtracting(right.children))
        }
    }

    /// What is here and not in `other`, nor inside anything in `other`.
    package func excluding(_ other: FieldSet) -> FieldSet {
        if isEmpty || other.isEmpty { return self }
        return zipped(other) { left, right in
            guard let left, let right else { return left }
            if right.isMember { return nil }
            return Node(
                element: left.element, isMember: left.isMember, children: left.children.excluding(right.children))
        }
    }

    /// The set as the schema has it now: of a map or list that has become one value since the set was recorded, whoever
    /// owned a part owns the whole (`structured-merge-diff`, `ReconcileFieldSetWithSchema`).
    func adopted(_ schema: Schema?) -> FieldSet {
        guard let schema else { return self }
        var set = self
        for position in set.nodes.indices where !set.nodes[position].children.isEmpty {
            let child: Schema?
            switch set.nodes[position].element {
            case .field(let name): child = schema.child(name)
            case .key, .value, .index: child = schema.items
            }
            let isOneList = child?.type == .array && child?.listType == .atomic
            if isOneList || child?.isAtomicMap == true {
                set.nodes[position].isMember = true
                set.nodes[position].children = FieldSet()
            } else {
                set.nodes[position].children = set.nodes[position].children.adopted(child)
            }
        }
        return set
    }

    /// Adds every declared field on the way to a field of the set, but not lists' items or maps' entries.
    func addingDeclaredParents(_ schema: Schema?) -> FieldSet {
        var set = self
        for position in set.nodes.indices where !set.nodes[position].children.isEmpty {
            var child: Schema?
            switch set.nodes[position].element {
            case .field(let name):
                if schema?.property(name) != nil { set.nodes[position].isMember = true }
                child = schema?.child(name)
            case .key, .value, .index: child = schema?.items
            }
            set.nodes[position].children = set.nodes[position].children.addingDeclaredParents(child)
        }
        return set
    }
}

extension FieldSet {
    /// The set as the `fieldsV1` member of a managed-fields entry (H3).
    package var fieldsV1: JSON { .object(JSONObject(members(ofMember: false))) }

    private func members(ofMember isMember: Bool) -> [JSONObject.Member] {
        var members: [JSONObject.Member] = []
        members.reserveCapacity(nodes.count + 1)
        if isMember, !nodes.isEmpty { members.append(JSONObject.Member(key: ".", value: .emptyObject)) }
        for node in nodes {
            let content = node.children.members(ofMember: node.isMember)
            members.append(JSONObject.Member(key: node.element.fieldsV1Key, value: .object(JSONObject(content))))
        }
        return members
    }

    /// Whether some field of the set may be in that `fieldsV1`, of which only names of fields are looked at: `false` is
    /// certain.
    func mayMeet(fieldsV1 json: JSON) -> Bool {
        guard let object = json.object else { return true }
        return nodes.contains { node in
            guard case .field(let name) = node.element else {
                // Items can be spelled in several ways.
                return object.contains { $0.key.utf8.first != UInt8(ascii: "f") && $0.key != "." }
            }
            guard let member = object["f:" + name] else { return false }
            if node.isMember, member.object?.isEmpty != false || member["."] != nil { return true }
            return node.children.mayMeet(fieldsV1: member)
        }
    }

    /// Whether all fields of the set are in that `fieldsV1`, as this writes it: `true` is certain.
    package func isContained(inFieldsV1 json: JSON) -> Bool {
        nodes.allSatisfy { node in
            guard let member = json[node.element.fieldsV1Key]?.object else { return false }
            if node.isMember, !member.isEmpty, member["."] == nil { return false }
            return node.children.isContained(inFieldsV1: .object(member))
        }
    }

    /// Reads a `fieldsV1` member; `nil` when it is none.
    package init?(fieldsV1 json: JSON) {
        guard let object = json.object else { return nil }
        var nodes: [Node] = []
        nodes.reserveCapacity(object.count)
        for member in object where member.key != "." {
            guard let element = PathElement(fieldsV1Key: member.key), let children = FieldSet(fieldsV1: member.value)
            else { return nil }
            let isMember = children.isEmpty || member.value["."] != nil
            nodes.append(Node(element: element, isMember: isMember, children: children))
        }
        self.init(nodes)
        uniteEqualElements()
    }

    /// Several texts may stand for one element: `k:{"a":1,"b":2}` and `k:{"b":2,"a":1}`.
    private mutating func uniteEqualElements() {
        for position in nodes.indices.dropFirst().reversed()
        where nodes[position].element == nodes[position - 1].element {
            let other = nodes.remove(at: position)
            nodes[position - 1].isMember = nodes[position - 1].isMember || other.isMember
            nodes[position - 1].children = nodes[position - 1].children.union(other.children)
        }
    }
}
