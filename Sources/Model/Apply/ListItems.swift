/// The items of a granular list and what tells them apart.
struct ListItems {
    let values: [JSON]
    let elements: [PathElement]
    /// Why an item has no element of its own; it then goes by its position.
    private(set) var faults: [Int: String] = [:]
    /// The first position of each element; only built for long lists, where scanning would cost more.
    private let index: [PathElement: Int]?
    private let hasRepeats: Bool

    private static let indexThreshold = 12

    var count: Int { values.count }

    /// `nil` when the list is atomic.
    init?(_ values: [JSON], _ schema: Schema?) {
        guard let schema else { return nil }
        var faults: [Int: String] = [:]
        var elements: [PathElement] = []
        elements.reserveCapacity(values.count)
        switch schema.listType {
        case .atomic: return nil
        case .set:
            for (position, value) in values.enumerated() {
                if let fault = Self.setFault(value) {
                    faults[position] = fault
                    elements.append(.index(position))
                } else {
                    elements.append(.value(value))
                }
            }
        case .map(let keys):
            let sorted = keys.count > 1 ? keys.sortedByBytes() : keys
            for (position, value) in values.enumerated() {
                if let key = Self.key(of: value, sorted, schema.items) {
                    elements.append(.key(key))
                } else {
                    faults[position] = Self.keyFault(value, keys)
                    elements.append(.index(position))
                }
            }
        }
        self.values = values
        self.elements = elements
        self.faults = faults
        if values.count > Self.indexThreshold {
            let positions = Dictionary(elements.enumerated().map { ($1, $0) }) { first, _ in first }
            index = positions
            hasRepeats = positions.count < elements.count
        } else {
            index = nil
            hasRepeats = elements.indices.contains { elements[..<$0].contains(elements[$0]) }
        }
    }

    /// Keys missing from the item take the schema's default (H6).
    private static func key(of item: JSON, _ keys: [String], _ schema: Schema?) -> [PathElement.KeyField]? {
        guard case .object(let object) = item else { return nil }
        var fields: [PathElement.KeyField] = []
        fields.reserveCapacity(keys.count)
        for key in keys {
            if let value = object[key] ?? schema?.property(key)?.defaultValue {
                fields.append(PathElement.KeyField(name: key, value: value))
            }
        }
        return fields.isEmpty ? nil : fields
    }

    private static func keyFault(_ item: JSON, _ keys: [String]) -> String {
        switch item {
        case .object:
            let names = keys.map { "\"\($0)\"" }.joined(separator: " ")
            return "associative list with keys has an element that omits all key fields [\(names)]"
                + " (and doesn't have default values for any key fields)"
        case .null: return "associative list with keys may not have a null element"
        default: return "associative list with keys may not have non-map elements"
        }
    }

    private static func setFault(_ item: JSON) -> String? {
        switch item {
        case .object: "associative list without keys has an element that's a map type"
        case .array: "not supported: associative list with lists as elements"
        case .null: "associative list without keys has an element that's an explicit null"
        default: nil
        }
    }

    /// The first position of an item.
    func position(of element: PathElement) -> Int? {
        if let index { return index[element] }
        return elements.firstIndex(of: element)
    }

    /// Whether an earlier item is the same.
    func isRepeated(_ position: Int) -> Bool {
        hasRepeats && self.position(of: elements[position]) != position
    }

    /// Whether a later item is the same.
    func isRepeatedLater(_ position: Int) -> Bool {
        hasRepeats && elements[(position + 1)...].contains(elements[position])
    }
}
