internal import Model

/// A list: of values, or of JSON that becomes values as it is read.
package struct CELList: Sendable {
    enum Storage: Sendable {
        case values([CELValue])
        /// - Parameter type: that of the elements; nothing is known of them without one.
        case json([JSON], SchemaType?)
    }

    var storage: Storage
    /// How lists of a schema are compared and added: `x-kubernetes-list-type`.
    var merge: Schema.ListType

    package init(_ values: [CELValue]) {
        storage = .values(values)
        merge = .atomic
    }

    init(_ elements: [JSON], type: SchemaType?, merge: Schema.ListType) {
        storage = .json(elements, type)
        self.merge = merge
    }

    package var count: Int {
        switch storage {
        case .values(let values): values.count
        case .json(let elements, _): elements.count
        }
    }

    package subscript(index: Int) -> CELValue {
        switch storage {
        case .values(let values): values[index]
        case .json(let elements, let type): CELValue(elements[index], type: type)
        }
    }

    package var values: [CELValue] {
        switch storage {
        case .values(let values): values
        case .json(let elements, let type): elements.map { CELValue($0, type: type) }
        }
    }

    mutating func append(contentsOf other: CELList) {
        guard case .values(var values) = storage else {
            self = CELList(self.values + other.values)
            return
        }
        storage = .values([])
        values.append(contentsOf: other.values)
        storage = .values(values)
    }

    /// `left + right`: by set and by keys where the schema of the left list says so (Kubernetes' `mapList`, `setList`).
    func adding(_ other: CELList) -> CELList {
        var sum: CELList
        switch merge {
        case .atomic:
            sum = self
            sum.append(contentsOf: other)
            sum.merge = .atomic
        case .set:
            sum = CELList(Self.union(values, other.values))
            sum.merge = merge
        case .map(let keys):
            var merged = values
            var positions: [JSON: Int] = [:]
            for (position, value) in merged.enumerated() { positions[Self.identity(of: value, keys)] = position }
            for value in other.values {
                let identity = Self.identity(of: value, keys)
                if let position = positions[identity] {
                    merged[position] = value
                } else {
                    positions[identity] = merged.count
                    merged.append(value)
                }
            }
            sum = CELList(merged)
            sum.merge = merge
        }
        return sum
    }

    private static func union(_ left: [CELValue], _ right: [CELValue]) -> [CELValue] {
        var union = left
        var keys = Set(left.compactMap { CELMap.Key($0) })
        for value in right {
            if let key = CELMap.Key(value) {
                if keys.insert(key).inserted { union.append(value) }
            } else if !union.contains(where: { $0.isEqual(to: value) }) {
                union.append(value)
            }
        }
        return union
    }

    /// The values of an element's keys.
    static func identity(of value: CELValue, _ keys: [String]) -> JSON {
        guard case .object(let object) = value else { return .null }
        return .array(keys.map { object.members[$0] ?? .null })
    }

    func isEqual(to other: CELList) -> Bool {
        guard count == other.count else { return false }
        switch merge {
        case .atomic: return zip(values, other.values).allSatisfy { $0.isEqual(to: $1) }
        case .set:
            if case .json(let left, _) = storage, case .json(let right, _) = other.storage {
                return Set(left) == Set(right)
            }
            let candidates = other.values
            return values.allSatisfy { value in candidates.contains { $0.isEqual(to: value) } }
        case .map(let keys):
            var elements: [JSON: CELValue] = [:]
            for value in values { elements[Self.identity(of: value, keys)] = value }
            return other.values.allSatisfy { value in
                elements[Self.identity(of: value, keys)].map { $0.isEqual(to: value) } ?? false
            }
        }
    }

    func contains(_ value: CELValue) -> Bool {
        for index in 0..<count where self[index].isEqual(to: value) { return true }
        return false
    }
}
