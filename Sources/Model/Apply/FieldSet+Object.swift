/// What in an applied configuration does not fit its schema.
struct ApplyFault: Hashable, CustomStringConvertible {
    /// From the field up to the root, as faults are found on the way back.
    var reversedPath: [PathElement] = []
    var message: String

    var description: String {
        reversedPath.isEmpty ? message : "\(PathElement.Path(reversedPath.reversed())): \(message)"
    }
}

extension FieldSet {
    /// The fields that an object states: its leaves, the items of its granular lists, and the entries of its maps.
    ///
    /// What does not fit the schema is taken as it comes.
    package init(of object: JSON, schema: Schema) {
        var reader = FieldReader(isStrict: false)
        self = reader.fields(of: object, schema)
    }
}

/// Reads the field set of an object, and what is wrong with it.
struct FieldReader {
    /// Whether to look for faults.
    let isStrict: Bool
    private(set) var faults: [ApplyFault] = []
    /// Whether some field was stated as null.
    private(set) var hasNulls = false

    init(isStrict: Bool) {
        self.isStrict = isStrict
    }

    /// The fields below a value; none where it is a leaf.
    mutating func fields(of value: JSON, _ schema: Schema?) -> FieldSet {
        if isStrict, let fault = Self.typeFault(value, schema) {
            faults.append(ApplyFault(message: fault))
            return FieldSet()
        }
        switch value {
        case .object(let object) where schema?.isAtomicMap != true: return fields(of: object, schema)
        case .array(let items):
            guard let items = ListItems(items, schema) else { return FieldSet() }
            return fields(of: items, schema)
        default: return FieldSet()
        }
    }

    private mutating func fields(of object: JSONObject, _ schema: Schema?) -> FieldSet {
        var nodes: [FieldSet.Node] = []
        nodes.reserveCapacity(object.count)
        for member in object {
            let property = schema?.property(member.key)
            let child = property ?? schema?.additionalProperties
            if isStrict, child == nil, let schema, !schema.preservesUnknownFields {
                faults.append(
                    ApplyFault(reversedPath: [.field(member.key)], message: "field not declared in schema"))
                continue
            }
            let known = faults.count
            let children = fields(of: member.value, child)
            if faults.count > known { locate(faultsFrom: known, at: .field(member.key)) }
            let isMember = property == nil || Self.isLeaf(member.value, child)
            if member.value.isNull { hasNulls = true }
            if isMember || !children.isEmpty {
                nodes.append(FieldSet.Node(element: .field(member.key), isMember: isMember, children: children))
            }
        }
        return FieldSet(nodes)
    }

    private mutating func fields(of list: ListItems, _ schema: Schema?) -> FieldSet {
        var nodes: [FieldSet.Node] = []
        nodes.reserveCapacity(list.count)
        for position in 0..<list.count {
            let element = list.elements[position]
            if let fault = list.faults[position], isStrict {
                faults.append(ApplyFault(message: "element \(position): \(fault)"))
                continue
            }
            if list.isRepeated(position) {
                if isStrict { faults.append(ApplyFault(message: "duplicate entries for key \(element)")) }
                continue
            }
            let known = faults.count
            // Items that appear more than once are one leaf: nothing tells their fields apart.
            let isUnique = !list.isRepeatedLater(position)
            let children = isUnique ? fields(of: list.values[position], schema?.items) : FieldSet()
            if faults.count > known { locate(faultsFrom: known, at: element) }
            nodes.append(FieldSet.Node(element: element, isMember: true, children: children))
        }
        return FieldSet(nodes)
    }

    private mutating func locate(faultsFrom first: Int, at element: PathElement) {
        for position in first..<faults.count { faults[position].reversedPath.append(element) }
    }

    /// An empty map is a leaf, an empty granular list is nothing at all (H3).
    private static func isLeaf(_ value: JSON, _ schema: Schema?) -> Bool {
        switch value {
        case .object(let object): object.isEmpty || schema?.isAtomicMap == true
        case .array: schema.map { $0.listType == .atomic } ?? true
        default: true
        }
    }

    private static func typeFault(_ value: JSON, _ schema: Schema?) -> String? {
        guard let schema, !value.isNull else { return nil }
        let isScalar = value.object == nil && value.array == nil
        switch schema.type {
        case .object: return value.object == nil ? "expected map, got \(value.typeName)" : nil
        case .array: return value.array == nil ? "expected list, got \(value.typeName)" : nil
        case .string: return value.string == nil ? "expected string, got \(value.typeName)" : nil
        case .boolean: return value.bool == nil ? "expected boolean, got \(value.typeName)" : nil
        case .integer, .number:
            switch value {
            case .int, .number: return nil
            default: return "expected numeric (int or float), got \(value.typeName)"
            }
        case nil:
            return schema.isIntOrString && !isScalar ? "expected any scalar, got \(value.typeName)" : nil
        }
    }
}
