import Model

/// Finds fields by paths such as `spec.containers.[name=web].image`, `rules.*.host` or `args.0`.
struct FieldLookup {
    struct Place {
        var path: [PathStep]
        /// Whether it was made by the search, so that it has no type of its own yet.
        var isNew = false
    }

    /// What missing fields are made for; `nil` makes none.
    let created: JSON?
    private(set) var found: [Place] = []
    private static let limit = 100_000

    init(created: JSON?) {
        self.created = created
    }

    /// The one value at a path, without wildcards; of items that match, the first.
    static func value(at path: [String], in value: JSON) throws(Fault) -> JSON? {
        var value = value
        for part in path.map(\.trimmedOfSpace) where !part.isEmpty {
            if value.isNull { return nil }
            let next: JSON?
            if let index = Int(part) {
                guard index >= 0 else { throw Fault("the index \(index) is negative") }
                guard let items = value.array else {
                    throw Fault("\(part): expected a list, but found one of type \(value.typeName)")
                }
                next = items.indices.contains(index) ? items[index] : nil
            } else if part == "-" {
                guard let items = value.array else {
                    throw Fault("-: expected a list, but found one of type \(value.typeName)")
                }
                guard let last = items.last else { throw Fault("-: the list is empty") }
                next = last
            } else if part == "*" {
                throw Fault("* stands for many values; one is needed here")
            } else if part.hasPrefix("["), part.hasSuffix("]") {
                let (name, wanted) = try condition(part)
                guard let items = value.array else {
                    throw Fault("\(part): expected a list, but found one of type \(value.typeName)")
                }
                next = items.first { item in
                    name.isEmpty ? item.scalarText == wanted : item[name].map { $0.scalarText == wanted } ?? false
                }
            } else {
                guard value.object != nil else {
                    throw Fault("\(part): expected a map, but found one of type \(value.typeName)")
                }
                next = value[part]
            }
            guard let next else { return nil }
            value = next
        }
        return value
    }

    /// `[name=value]`
    private static func condition(_ part: String) throws(Fault) -> (name: String, value: String) {
        let inner = part.dropFirst().dropLast()
        guard let equals = inner.firstIndex(of: "=") else { throw Fault("\(part) must be written [field=value]") }
        return (String(inner[..<equals]), String(inner[inner.index(after: equals)...]))
    }

    mutating func find(
        _ path: ArraySlice<String>, in value: inout JSON, at way: [PathStep], isNew: Bool = false
    ) throws(Fault) {
        guard let part = path.first else {
            guard found.count < Self.limit else { throw Fault("the path names more than \(Self.limit) fields") }
            found.append(Place(path: way, isNew: isNew))
            return
        }
        if let index = Int(part), index >= 0 { return try findIndex(index, path, in: &value, at: way) }
        if part.hasPrefix("["), part.hasSuffix("]") { return try findItems(part, path, in: &value, at: way) }
        if part == "*" {
            try forEachItem(of: &value, part) { (search, item, position) throws(Fault) in
                try search.find(path.dropFirst(), in: &item, at: way + [.index(position)])
            }
            return
        }
        if value.isNull { return }
        guard value.object != nil else {
            throw Fault("\(part): expected a map, but found one of type \(value.typeName)")
        }
        if var child = value[part] {
            try find(path.dropFirst(), in: &child, at: way + [.key(part)])
            if value[part] != child { value[part] = child }
        } else if created != nil {
            var child = empty(before: path.dropFirst().first)
            try find(path.dropFirst(), in: &child, at: way + [.key(part)], isNew: true)
            value[part] = child
        }
    }

    /// What is made where the next part of the path goes on.
    private func empty(before next: String?) -> JSON {
        guard let next else {
            switch created {
            case .object: return .emptyObject
            case .array: return .array([])
            default: return .string("")
            }
        }
        let isItem = next.hasPrefix("[") && next.hasSuffix("]") || Int(next).map { $0 >= 0 } ?? false
        return isItem ? .array([]) : .emptyObject
    }

    private mutating func forEachItem(
        of value: inout JSON, _ part: String, _ body: (inout FieldLookup, inout JSON, Int) throws(Fault) -> Void
    ) throws(Fault) {
        if value.isNull { return }
        guard var items = value.array else {
            throw Fault("\(part): expected a list, but found one of type \(value.typeName)")
        }
        for position in items.indices { try body(&self, &items[position], position) }
        value = .array(items)
    }

    private mutating func findIndex(
        _ index: Int, _ path: ArraySlice<String>, in value: inout JSON, at way: [PathStep]
    ) throws(Fault) {
        guard var items = value.isNull ? [] : value.array else {
            throw Fault("\(index): expected a list, but found one of type \(value.typeName)")
        }
        let isNew = items.count == index && created != nil
        if isNew { items.append(empty(before: path.dropFirst().first)) }
        guard items.indices.contains(index) else {
            throw Fault("the list has \(items.count) items; there is none at \(index)")
        }
        try find(path.dropFirst(), in: &items[index], at: way + [.index(index)], isNew: isNew)
        value = .array(items)
    }

    private mutating func findItems(
        _ part: String, _ path: ArraySlice<String>, in value: inout JSON, at way: [PathStep]
    ) throws(Fault) {
        let (name, pattern) = try Self.condition(part)
        guard Expression.matches(pattern, "") != nil else { throw Fault("\"\(pattern)\" is no regular expression") }
        let before = found.count
        try forEachItem(of: &value, part) { (search, item, position) throws(Fault) in
            let text = name.isEmpty ? item.scalarText : item.object == nil ? nil : item[name]?.scalarText
            guard let text, Expression.matches(pattern, text) == true else { return }
            // Of single values the item itself is meant, whatever follows.
            let rest = name.isEmpty ? [] : path.dropFirst()
            try search.find(rest, in: &item, at: way + [.index(position)])
        }
        guard found.count == before, created != nil, var items = value.isNull ? [] : value.array else { return }
        let element = YAML.plainScalar(pattern, dialect: .kustomize)
        items.append(name.isEmpty ? element : .object(JSONObject([JSONObject.Member(key: name, value: element)])))
        let rest = name.isEmpty ? [] : path.dropFirst()
        try find(rest, in: &items[items.count - 1], at: way + [.index(items.count - 1)])
        value = .array(items)
    }
}
