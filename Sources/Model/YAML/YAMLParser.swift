import CLibyaml

/// Builds the documents of a stream from libyaml's events.
struct YAMLParser: ~Copyable {
    private var events: YAMLEvents
    private let limits: YAMLLimits
    private let file: String
    private let dialect: YAMLDialect
    private var depth = 0
    /// The marks of this document.
    private var nodes = ValueStack<YAMLMarks.Node>(capacity: 256)
    private var children = ValueStack<UInt32>(capacity: 256)
    private var members = ValueStack<JSONObject.Member>()
    private var elements = ValueStack<JSON>()
    private var keys = KeyCache()
    /// The nodes of the collections being read, as `members` and `elements` hold their values.
    private var openNodes = ValueStack<UInt32>(capacity: 64)
    private var anchors: [String: YAMLAnchor] = [:]
    /// Values read and aliased so far in this document.
    private var weight = 0
    private var aliased = 0
    /// See `YAMLDocument.unusual`.
    private var unusual: [Int: String] = [:]
    private var braced: Set<Int> = []
    /// The depth at which the outermost collection in braces or brackets began; 0 outside of these.
    private var flowDepth = 0
    /// The node of the value that was read last.
    private var node = 0
    /// Where keys that stand twice in a map are noted; `nil` refuses them.
    private(set) var repeated: [String]?

    init(
        source: UnsafeBufferPointer<UInt8>, limits: YAMLLimits, file: String, dialect: YAMLDialect = .kubernetes,
        repeated: [String]? = nil
    ) {
        events = YAMLEvents(source: source)
        self.limits = limits
        self.file = file
        self.dialect = dialect
        self.repeated = repeated
    }

    mutating func stream() throws(YAMLFault) -> [YAMLDocument] {
        var documents: [YAMLDocument] = []
        while true {
            switch try events.next() {
            case YAML_DOCUMENT_START_EVENT:
                if let document = try document() { documents.append(document) }
            case YAML_STREAM_END_EVENT, YAML_NO_EVENT:
                return documents
            default: continue
            }
        }
    }

    private mutating func document() throws(YAMLFault) -> YAMLDocument? {
        if !anchors.isEmpty { anchors.removeAll() }
        weight = 0
        aliased = 0
        unusual = [:]
        braced = []
        flowDepth = 0
        let type = try events.next()
        let scalar = events.event.pointee.data.scalar
        let isEmpty =
            type == YAML_SCALAR_EVENT && scalar.length == 0 && scalar.style == YAML_PLAIN_SCALAR_STYLE
            && scalar.tag == nil && scalar.anchor == nil
        let value = try value(type, key: .none)
        let marks = YAMLMarks(nodes: nodes.popAll(), children: children.popAll(), root: node)
        _ = try events.next()
        return isEmpty ? nil : YAMLDocument(value: value, file: file, marks: marks, unusual: unusual, braced: braced)
    }

    // MARK: - Values

    private mutating func value(_ type: yaml_event_type_t, key: YAMLMarks.Place) throws(YAMLFault) -> JSON {
        if type == YAML_SCALAR_EVENT { return try scalar(key: key) }
        if type == YAML_MAPPING_START_EVENT { return try mapping(key: key) }
        if type == YAML_SEQUENCE_START_EVENT { return try sequence(key: key) }
        if type == YAML_ALIAS_EVENT { return try alias(key: key) }
        throw YAMLFault(message: "expected a value", mark: events.mark)
    }

    @inline(__always)
    private mutating func open(key: YAMLMarks.Place) -> Int {
        weight += 1
        nodes.push(YAMLMarks.Node(place: events.place, keyPlace: key))
        return nodes.count - 1
    }

    private mutating func scalar(key: YAMLMarks.Place) throws(YAMLFault) -> JSON {
        node = open(key: key)
        let value = try scalarValue()
        if let anchor = events.event.pointee.data.scalar.anchor {
            anchors[String(cString: anchor)] = YAMLAnchor(value: value, node: node, weight: 1, isOpen: false)
        }
        return value
    }

    @inline(__always)
    private mutating func scalarValue() throws(YAMLFault) -> JSON {
        let scalar = events.event.pointee.data.scalar
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        // The tag `!` alone means: whatever a plain scalar would be.
        if let tag = scalar.tag, !(tag[0] == UInt8(ascii: "!") && tag[1] == 0) {
            return try YAMLScalar.tagged(String(cString: tag), bytes, at: events.mark)
        }
        if scalar.plain_implicit == 0 { return .string(String(decoding: bytes, as: UTF8.self)) }
        let resolved = YAMLScalar.resolve(bytes)
        if dialect == .kustomize, resolved.kind == .null || resolved.kind == .string && YAMLScalar.isTimestamp(bytes) {
            unusual[node] = String(decoding: bytes, as: UTF8.self)
            if bytes.isEmpty, flowDepth > 0 { braced.insert(node) }
        }
        if resolved.kind == .string || resolved.kind == .bool && !YAMLScalar.isBoolean(bytes, in: dialect) {
            if bytes.first == 0xEF, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw strayByteOrderMark() }
            return .string(String(decoding: bytes, as: UTF8.self))
        }
        guard resolved.kind != .notFinite else { throw notFinite(bytes) }
        return resolved.value
    }

    private func notFinite(_ bytes: UnsafeBufferPointer<UInt8>) -> YAMLFault {
        let text = String(decoding: bytes, as: UTF8.self)
        return YAMLFault(message: "\(text) is no number in JSON; quote it if it is a text", mark: events.mark)
    }

    private func strayByteOrderMark() -> YAMLFault {
        YAMLFault(message: YAMLEvents.strayByteOrderMark, mark: events.mark)
    }

    private mutating func enter(inFlow isFlow: Bool) throws(YAMLFault) {
        depth += 1
        if isFlow, flowDepth == 0 { flowDepth = depth }
        if depth > limits.depth {
            throw YAMLFault(message: "nested deeper than the limit of \(limits.depth) levels", mark: events.mark)
        }
    }

    /// The name of a collection's anchor, which is known, but not yet usable, while the collection is read.
    private mutating func openAnchor(_ name: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        guard let name else { return nil }
        let text = String(cString: name)
        anchors[text] = YAMLAnchor(value: .null, node: node, weight: 0, isOpen: true)
        return text
    }

    /// The node of an element or member of a collection that has been read.
    private func child(_ position: Int, of parent: Int) -> Int {
        Int(children[Int(nodes[parent].firstChild) + position])
    }

    /// Moves the nodes from `start` on into the marks, as the children of `parent`.
    private mutating func close(_ parent: Int, nodesFrom start: Int) {
        nodes[parent].firstChild = UInt32(truncatingIfNeeded: children.count)
        nodes[parent].childCount = UInt32(truncatingIfNeeded: openNodes.count - start)
        openNodes.pop(from: start, to: &children)
        node = parent
        if flowDepth == depth { flowDepth = 0 }
        depth -= 1
    }

    private mutating func sequence(key: YAMLMarks.Place) throws(YAMLFault) -> JSON {
        let parent = open(key: key)
        let weightBefore = weight
        try checkTag(events.event.pointee.data.sequence_start.tag, "seq")
        let anchor = openAnchor(events.event.pointee.data.sequence_start.anchor)
        try enter(inFlow: events.event.pointee.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE)
        let start = elements.count
        let nodesStart = openNodes.count
        while true {
            let type = try events.next()
            if type == YAML_SEQUENCE_END_EVENT { break }
            elements.push(try value(type, key: .none))
            openNodes.push(UInt32(truncatingIfNeeded: node))
        }
        close(parent, nodesFrom: nodesStart)
        let value = JSON.array(elements.pop(from: start))
        if let anchor {
            let weight = weight - weightBefore + 1
            anchors[anchor] = YAMLAnchor(value: value, node: parent, weight: weight, isOpen: false)
        }
        return value
    }

    private mutating func alias(key: YAMLMarks.Place) throws(YAMLFault) -> JSON {
        let name = String(cString: events.event.pointee.data.alias.anchor)
        guard let anchor = anchors[name] else {
            throw YAMLFault(message: "no anchor &\(name) stands before this alias", mark: events.mark)
        }
        guard !anchor.isOpen else {
            throw YAMLFault(message: "the alias *\(name) stands inside of its own anchor", mark: events.mark)
        }
        aliased += anchor.weight
        guard aliased <= limits.aliasedValues else {
            let message = "the aliases of this document stand for more than \(limits.aliasedValues) values"
            throw YAMLFault(message: message, mark: events.mark)
        }
        node = open(key: key)
        weight += anchor.weight - 1
        let firstChild = nodes[anchor.node].firstChild
        let childCount = nodes[anchor.node].childCount
        nodes[node].firstChild = firstChild
        nodes[node].childCount = childCount
        return anchor.value
    }

    /// JSON has one kind of list and one of map: a tag that asks for another is refused.
    private func checkTag(_ tag: UnsafeMutablePointer<yaml_char_t>?, _ name: String) throws(YAMLFault) {
        guard let tag else { return }
        let text = String(cString: tag)
        guard text == "!" || text == YAMLScalar.tagPrefix + name else {
            throw YAMLFault(
                message: "the tag \(YAMLScalar.shortTag(text)) has no meaning here; remove it", mark: events.mark)
        }
    }
}

// MARK: - Mappings

extension YAMLParser {
    private mutating func mapping(key: YAMLMarks.Place) throws(YAMLFault) -> JSON {
        let parent = open(key: key)
        let weightBefore = weight
        try checkTag(events.event.pointee.data.mapping_start.tag, "map")
        let anchor = openAnchor(events.event.pointee.data.mapping_start.anchor)
        try enter(inFlow: events.event.pointee.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE)
        let start = members.count
        let nodesStart = openNodes.count
        var seen: UInt64 = 0
        var merges: [(value: JSON, node: Int)] = []
        // Only where a map may say a thing twice.
        var positions: [UTF8Key: Int] = [:]
        while true {
            let type = try events.next()
            if type == YAML_MAPPING_END_EVENT { break }
            let keyPlace = events.place
            if isMergeKey(type) {
                merges.append((try value(try events.next(), key: keyPlace), node))
                try checkMerge(merges[merges.count - 1].value)
                continue
            }
            var mask: UInt64 = 0
            let name = try self.key(type, mask: &mask)
            if repeated != nil {
                if let earlier = positions[UTF8Key(name)] {
                    note(name, at: keyPlace.mark)
                    members[start + earlier].value = try value(try events.next(), key: keyPlace)
                    openNodes[nodesStart + earlier] = UInt32(truncatingIfNeeded: node)
                    continue
                }
                positions[UTF8Key(name)] = members.count - start
            } else if seen & mask != 0, members.count - start <= JSONObject.indexThreshold {
                try checkUnique(name, from: start, nodesFrom: nodesStart, at: keyPlace.mark)
            }
            seen |= mask
            let value = try value(try events.next(), key: keyPlace)
            members.push(JSONObject.Member(key: name, value: value))
            openNodes.push(UInt32(truncatingIfNeeded: node))
        }
        if !merges.isEmpty { merge(merges, from: start) }
        close(parent, nodesFrom: nodesStart)
        let value = JSON.object(try object(from: start, parent: parent))
        if let anchor {
            let weight = weight - weightBefore + 1
            anchors[anchor] = YAMLAnchor(value: value, node: parent, weight: weight, isOpen: false)
        }
        return value
    }

    private mutating func object(from start: Int, parent: Int) throws(YAMLFault) -> JSONObject {
        let members = members.pop(from: start)
        guard members.count > JSONObject.indexThreshold else { return JSONObject(unique: members) }
        var duplicate: Int?
        let object = JSONObject(checking: members, duplicate: &duplicate)
        guard let duplicate else { return object }
        let key = members[duplicate].key
        let first = members.firstIndex { $0.key.hasSameBytes(as: key) } ?? 0
        let places = [first, duplicate].map { position in
            nodes[child(position, of: parent)].keyMark ?? nodes[parent].mark
        }
        throw duplicateKey(key, at: places[1], first: places[0])
    }

    private func checkUnique(
        _ key: String, from start: Int, nodesFrom nodesStart: Int, at mark: Mark
    ) throws(YAMLFault) {
        for position in start..<members.count where members[position].key.hasSameBytes(as: key) {
            let first = nodes[Int(openNodes[nodesStart + position - start])]
            throw duplicateKey(key, at: mark, first: first.keyMark ?? first.mark)
        }
    }

    /// In the words of `sigs.k8s.io/yaml`.
    private mutating func note(_ key: String, at mark: Mark) {
        guard (repeated?.count ?? 0) < RepeatedFields.limit else { return }
        repeated?.append("line \(mark.line): key \(JSON.string(key).text()) already set in map")
    }

    private func duplicateKey(_ key: String, at mark: Mark, first: Mark) -> YAMLFault {
        YAMLFault(message: "the key \"\(key)\" stands twice in one map; first at \(first)", mark: mark)
    }

    /// `<<`, unless it is quoted.
    @inline(__always)
    private func isMergeKey(_ type: yaml_event_type_t) -> Bool {
        guard type == YAML_SCALAR_EVENT else { return false }
        let scalar = events.event.pointee.data.scalar
        guard scalar.length == 2, scalar.value[0] == UInt8(ascii: "<"), scalar.value[1] == UInt8(ascii: "<") else {
            return false
        }
        guard let tag = scalar.tag else { return scalar.plain_implicit != 0 }
        return String(cString: tag) == YAMLScalar.tagPrefix + "merge"
    }

    private func checkMerge(_ value: JSON) throws(YAMLFault) {
        let isRight =
            switch value {
            case .object: true
            case .array(let elements): elements.allSatisfy { $0.object != nil }
            default: false
            }
        guard !isRight else { return }
        let mark = nodes[node].mark
        throw YAMLFault(message: "'<<' takes a map or a list of maps, not \(value.typeName)", mark: mark)
    }

    /// Adds what the merged maps have and the map itself has not; of several, the earlier one wins.
    private mutating func merge(_ merges: [(value: JSON, node: Int)], from start: Int) {
        var present = Set<UTF8Key>()
        for position in start..<members.count { present.insert(UTF8Key(members[position].key)) }
        var sources: [(JSONObject, Int)] = []
        for merge in merges {
            if let object = merge.value.object { sources.append((object, merge.node)) }
            for (position, element) in (merge.value.array ?? []).enumerated() {
                guard let object = element.object else { continue }
                sources.append((object, child(position, of: merge.node)))
            }
        }
        for (object, source) in sources {
            for (position, member) in object.enumerated() {
                guard present.insert(UTF8Key(member.key)).inserted else { continue }
                members.push(member)
                openNodes.push(UInt32(truncatingIfNeeded: child(position, of: source)))
            }
        }
    }

    /// A key as JSON has it: a text (`sigs.k8s.io/yaml`: numbers and booleans become their text).
    @inline(__always)
    private mutating func key(_ type: yaml_event_type_t, mask: inout UInt64) throws(YAMLFault) -> String {
        if type == YAML_SCALAR_EVENT {
            let scalar = events.event.pointee.data.scalar
            let bytes = UnsafeBufferPointer(start: UnsafePointer(scalar.value), count: scalar.length)
            if scalar.tag == nil, scalar.anchor == nil,
                scalar.plain_implicit == 0 || YAMLScalar.isString(bytes)
            {
                mask = keyMask(bytes)
                return keys.key(bytes)
            }
        }
        var name = try unusualKey(type)
        mask = name.withUTF8 { keyMask($0) }
        return name
    }

    private mutating func unusualKey(_ type: yaml_event_type_t) throws(YAMLFault) -> String {
        let mark = events.mark
        switch type {
        case YAML_ALIAS_EVENT: return try keyText(try alias(key: .none), at: mark)
        case YAML_SCALAR_EVENT:
            let scalar = events.event.pointee.data.scalar
            let bytes = UnsafeBufferPointer(start: UnsafePointer(scalar.value), count: scalar.length)
            if scalar.tag == nil, scalar.plain_implicit != 0, dialect == .kubernetes,
                let text = YAMLScalar.fractionalKey(bytes)
            {
                return text
            }
            return try keyText(try self.scalar(key: .none), at: mark)
        default:
            throw YAMLFault(message: "a key must be a text, not a map or a list", mark: mark)
        }
    }

    private func keyText(_ value: JSON, at mark: Mark) throws(YAMLFault) -> String {
        if dialect == .kustomize, value.string == nil {
            throw YAMLFault(message: "a key must be a text, not of type \(value.typeName); quote it", mark: mark)
        }
        switch value {
        case .string(let text): return text
        case .number(let text): return text
        case .int(let number): return String(number)
        case .bool(let value): return value ? "true" : "false"
        case .null: throw YAMLFault(message: "a key cannot be null; quote it if it is a text", mark: mark)
        case .array, .object:
            throw YAMLFault(message: "a key must be a text, not a map or a list", mark: mark)
        }
    }
}
