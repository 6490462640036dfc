import Model

/// Kustomize's strategic merge (`kyaml/yaml/merge2` and `walk`).
///
/// It differs from Kubernetes' own, which `Model` has: items of a patch come before those that were there, lists that
/// the patch does not name are brought in the same form, null in a map that is added vanishes, and types that differ
/// are refused.
struct StrategicMerge {
    let schema: MergeSchema

    /// The object with the patch applied; `nil` when the patch deletes it.
    ///
    /// - Throws: `Fault` where types differ or a directive is unknown.
    func apply(_ patch: JSON, to object: JSON) throws(Fault) -> JSON? {
        var merger = Merger(schema: schema)
        return try merger.merge(object, patch, .unknown)
    }
}

/// What is known of a value before it is looked at.
private enum Known {
    /// Nothing; its own kind may tell.
    case unknown
    case field(MergeSchema.Field)
}

private struct Merger {
    let schema: MergeSchema
    /// The way to the value, for messages.
    var path: [String] = []

    private static let directive = "$patch"

    private func fault(_ message: String) -> Fault {
        Fault(path.isEmpty ? message : "\(path.joined(separator: ".")): \(message)")
    }

    /// - Returns: `nil` where the value is to go.
    mutating func merge(_ target: JSON?, _ patch: JSON?, _ known: Known) throws(Fault) -> JSON? {
        // What was written as nothing at all does not survive being looked at.
        if target == .blank { return try merge(nil, patch, known) }
        let sample = target.flatMap { $0.isNull ? nil : $0 } ?? patch.flatMap { $0.isNull ? nil : $0 }
        guard let sample else {
            // Null that was there stays; null in the patch has nothing to remove.
            return patch == nil ? target : nil
        }
        let other = patch.flatMap { $0.isNull ? nil : $0 } ?? sample
        switch (sample, other) {
        case (.object, .object): return try mergeMaps(target, patch, known)
        case (.array, .array): return try mergeLists(target, patch, known)
        case (.array, _), (.object, _), (_, .array), (_, .object):
            throw fault("the patch has a value of type \(other.typeName) for one of type \(sample.typeName)")
        default: return patch.map { $0.isNull ? nil : $0 } ?? target
        }
    }

    // MARK: Maps

    private mutating func mergeMaps(_ target: JSON?, _ patch: JSON?, _ known: Known) throws(Fault) -> JSON? {
        let definition: String?
        switch known {
        case .field(let field): definition = field.definition
        case .unknown: definition = schema.definition(of: target) ?? schema.definition(of: patch)
        }
        let old = target?.object
        if old != nil, patch == .null { return nil }
        var new = patch?.object
        if let name = new?[Self.directive]?.scalarText, ["delete", "replace", "merge"].contains(name) {
            new?[Self.directive] = nil
            if name == "delete" { return nil }
            // What takes the place of the old is merged with itself, so that directives and null in it count.
            if name == "replace" { return try mergeMembers(new ?? JSONObject(), new, definition) }
        } else if old != nil, let name = new?[Self.directive] {
            throw fault("the directive $patch is \(name.text()); it is delete, replace or merge")
        }
        guard let old else { return try mergeMembers(new ?? JSONObject(), new, definition) }
        return try mergeMembers(old, new, definition)
    }

    private mutating func mergeMembers(
        _ old: JSONObject, _ new: JSONObject?, _ definition: String?
    ) throws(Fault) -> JSON {
        var result = old
        var names = Array(old.keys)
        for member in new ?? JSONObject() where old.position(of: member.key) == nil { names.append(member.key) }
        for name in names {
            let field = schema.field(name, of: definition)
            path.append(name)
            let value = try merge(old[name], new?[name], field.map { .field($0) } ?? .unknown)
            path.removeLast()
            if value != old[name] || value == nil { result[name] = value }
        }
        return .object(result)
    }

    // MARK: Lists

    private mutating func mergeLists(_ target: JSON?, _ patch: JSON?, _ known: Known) throws(Fault) -> JSON? {
        guard case .field(let field) = known, let keys = field.keys else {
            return patch.map { $0.isNull ? nil : $0 } ?? target
        }
        if target?.array != nil, patch == .null { return nil }
        var old = target?.array
        var new = patch?.array
        if old != nil, let directive = try takeDirective(from: &new) {
            if directive == "delete" { return nil }
            if directive == "replace" { old = nil }
        }
        var merge =
            old.map { KeyedListMerge(keys: keys, old: $0, new: new) }
            ?? KeyedListMerge(keys: keys, old: new ?? [], new: nil, isNew: true)
        return .array(
            try merge.run { (target, patch) throws(Fault) in
                try self.merge(target, patch, .field(MergeSchema.Field(definition: field.definition, keys: nil)))
            })
    }

    /// The directive of an item that consists of nothing else; that item is taken out.
    private func takeDirective(from patch: inout [JSON]?) throws(Fault) -> String? {
        guard let items = patch, let first = items.first(where: { $0[Self.directive] != nil }),
            first.object?.count == 1, let name = first[Self.directive]?.scalarText
        else { return nil }
        guard ["delete", "replace", "merge"].contains(name) else {
            throw fault("the directive $patch is \"\(name)\"; it is delete, replace or merge")
        }
        patch = items.filter { $0.object?.isEmpty != true && $0[Self.directive]?.scalarText != name }
        return name
    }
}

/// The merge of two lists whose items are told apart by keys, or by themselves.
private struct KeyedListMerge {
    let keys: [String]
    var old: [JSON]
    /// `nil` where the patch does not name the list.
    let new: [JSON]?
    /// Whether the list is the patch's own, which is merged with itself.
    var isNew = false

    typealias Merge = (JSON?, JSON?) throws(Fault) -> JSON?

    /// Items of the patch first, in its order, then the others.
    mutating func run(_ merge: Merge) throws(Fault) -> [JSON] {
        let isPrimitive = keys.isEmpty
        let keys = isPrimitive ? [""] : keys
        var identities = isPrimitive ? primitives() : self.identities()
        if keys.count > 1 { Self.complete(&identities) }
        guard !identities.isEmpty else { return old }
        var merged: [JSON] = []
        var lastKeys = keys
        for identity in identities {
            let (validKeys, values) = Self.valid(keys, identity, among: identities)
            lastKeys = validKeys
            let place = try Self.position(in: old, validKeys, values)
            let patch = try new.flatMap { items throws(Fault) in
                try Self.position(in: items, validKeys, values).map { items[$0] }
            }
            guard var item = try merge(place.map { old[$0] }, isNew ? place.map { old[$0] } : patch),
                !item.isNull, item.object?.isEmpty != true
            else {
                try Self.set(nil, in: &old, validKeys, values)
                continue
            }
            for (key, value) in zip(validKeys, values) where item.object != nil && item[key] == nil && !value.isEmpty {
                item[key] = YAML.plainScalar(value, dialect: .kustomize)
            }
            // A replaced item is put back by what was there: so it is in Kustomize.
            if let place, isNew || patch?["$patch"]?.scalarText != "replace" { old[place] = item }
            try Self.set(item, in: &merged, validKeys, values)
        }
        for item in old { try Self.append(item, to: &merged, lastKeys) }
        return merged
    }

    /// The values of the keys in each item, without repetitions.
    private func identities() -> [[String]] {
        var result: [[String]] = []
        var seen: Set<[String]> = []
        for item in (new ?? []) + old {
            let values = keys.map { key -> String in
                guard let value = item[key], !value.isNull else { return "" }
                return value.scalarText
            }
            if seen.insert(values).inserted { result.append(values) }
        }
        return result
    }

    private func primitives() -> [[String]] {
        var seen: Set<String> = []
        return ((new ?? []) + old).map(\.scalarText).filter { seen.insert($0).inserted }.map { [$0] }
    }

    /// Identities of which one leaves out what the other has are taken for the same.
    private static func complete(_ identities: inout [[String]]) {
        for first in identities.indices {
            // As it was before this round: an item without any key takes the place of the last one that has some.
            let values = identities[first]
            for second in identities.indices {
                guard let both = joined(values, identities[second]) else { continue }
                identities[first] = both
                identities[second] = both
            }
        }
    }

    private static func joined(_ left: [String], _ right: [String]) -> [String]? {
        var result: [String] = []
        var isShared = false
        for (one, two) in zip(left, right) {
            if one == two { isShared = true } else if !one.isEmpty, !two.isEmpty { return nil }
            result.append(one.isEmpty ? two : one)
        }
        return isShared ? result : nil
    }

    /// Without the keys that no item has.
    private static func valid(
        _ keys: [String], _ values: [String], among identities: [[String]]
    ) -> ([String], [String]) {
        let used = keys.indices.filter { position in identities.contains { !$0[position].isEmpty } }
        guard !used.isEmpty else { return (keys, values) }
        return (used.map { keys[$0] }, used.map { values[$0] })
    }

    private static func position(
        in items: [JSON], _ keys: [String], _ values: [String]
    ) throws(Fault) -> Int? {
        let (keys, values) = valid(keys, values, among: [values])
        if keys[0].isEmpty { return items.firstIndex { $0.scalarText == values[0] } }
        return items.firstIndex { item in
            item.object != nil
                && zip(keys, values).allSatisfy { key, value in item[key].map { $0.scalarText == value } ?? false }
        }
    }

    /// Puts an item in the place of those with the same values of the keys, or at the end; `nil` removes them.
    private static func set(
        _ element: JSON?, in items: inout [JSON], _ keys: [String], _ values: [String]
    ) throws(Fault) {
        var result: [JSON] = []
        var isFound = false
        let isKeyed = !keys[0].isEmpty && values.first.map { !$0.isEmpty } ?? false
        for item in items where !item.isNull && item.object?.isEmpty != true {
            if item.object == nil, isKeyed {
                result.append(item)
                continue
            }
            guard try matches(item, keys, values) else {
                if !values.isEmpty { result.append(item) }
                continue
            }
            isFound = true
            if let element { result.append(element) }
        }
        items = result
        if let element, !element.isNull, !isFound { items.append(element) }
    }

    private static func matches(_ item: JSON, _ keys: [String], _ values: [String]) throws(Fault) -> Bool {
        for (position, key) in keys.enumerated() {
            guard position < values.count else {
                // A key without a value is met by what came before it.
                if position == 0 { return false }
                continue
            }
            if key.isEmpty {
                guard item.isScalar else { throw Fault("a list of single values has one of type \(item.typeName)") }
                if item.scalarText != values[position] { return false }
                continue
            }
            guard item.object != nil else { throw Fault("a list of maps has an item of type \(item.typeName)") }
            guard let value = item[key] else { return false }
            if !values[position].isEmpty, value.scalarText != values[position] { return false }
        }
        return true
    }

    /// Adds an item that was there before, in its place where the patch has put it already.
    private static func append(_ item: JSON, to items: inout [JSON], _ keys: [String]) throws(Fault) {
        if keys[0].isEmpty { return try set(item, in: &items, [""], [item.scalarText]) }
        var values: [String] = []
        for key in keys {
            if let value = item[key] { values.append(value.scalarText) } else { items.append(item) }
        }
        if keys.count > 1 { try set(nil, in: &items, keys, values) }
        try set(item, in: &items, keys, values)
    }
}
