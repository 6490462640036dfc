/// The way to a value in a tree whose lists may be told apart by keys: `spec.containers[name="web"].image`.
package struct TreePath: Hashable, Sendable {
    package struct ItemKey: Hashable, Sendable {
        package var name: String
        package var value: JSON
    }

    package enum Step: Hashable, Sendable {
        case key(String)
        case index(Int)
        /// The item of a map list that has these keys.
        case item([ItemKey])
        /// The item of a set that is this value.
        case value(JSON)
    }

    package var steps: [Step]

    package init(_ steps: [Step] = []) {
        self.steps = steps
    }

    package func appending(_ step: Step) -> TreePath { TreePath(steps + [step]) }

    /// The way by names and indices that leads to the same value in `tree`; `nil` where the tree has none.
    package func steps(in tree: JSON) -> [PathStep]? {
        var value = tree
        var result: [PathStep] = []
        for step in steps {
            let next: JSON?
            switch step {
            case .key(let key):
                next = value[key]
                result.append(.key(key))
            case .index(let index):
                next = value[index]
                result.append(.index(index))
            case .item(let keys):
                let index = value.array?.firstIndex { item in keys.allSatisfy { item[$0.name] == $0.value } }
                next = index.flatMap { value[$0] }
                result.append(.index(index ?? 0))
            case .value(let wanted):
                let index = value.array?.firstIndex(of: wanted)
                next = index.flatMap { value[$0] }
                result.append(.index(index ?? 0))
            }
            guard let next else { return nil }
            value = next
        }
        return result
    }
}

extension TreePath: CustomStringConvertible {
    package var description: String {
        steps.reduce(into: "") { text, step in
            switch step {
            case .key(let key) where Self.isPlain(key): text += text.isEmpty ? key : "." + key
            case .key(let key): text += "[\(JSON.string(key).text())]"
            case .index(let index): text += "[\(index)]"
            case .item(let keys):
                text += "[" + keys.map { "\($0.name)=\($0.value.text())" }.joined(separator: ",") + "]"
            case .value(let value): text += "[\(value.text())]"
            }
        }
    }

    private static func isPlain(_ key: String) -> Bool {
        !key.isEmpty
            && key.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"):
                    true
                default: false
                }
            }
    }
}

extension TreePath: Comparable {
    /// Names in the order of their bytes, indices by number.
    package static func < (left: Self, right: Self) -> Bool {
        for (a, b) in zip(left.steps, right.steps) where a != b {
            switch (a, b) {
            case (.index(let a), .index(let b)): return a < b
            case (.key(let a), .key(let b)): return a.byteOrder(to: b) < 0
            default: return TreePath([a]).description.byteOrder(to: TreePath([b]).description) < 0
            }
        }
        return left.steps.count < right.steps.count
    }
}

/// One difference between two trees.
package struct TreeChange: Hashable, Sendable {
    package var path: TreePath
    /// `nil` when the value is new.
    package var old: JSON?
    /// `nil` when the value goes.
    package var new: JSON?
    /// The list at `path` holds the same items in another order; `old` and `new` are the lists.
    package var isReordering = false

    package init(path: TreePath, old: JSON?, new: JSON?, isReordering: Bool = false) {
        self.path = path
        self.old = old
        self.new = new
        self.isReordering = isReordering
    }
}

/// Structural differences between objects, by path.
///
/// Given a schema, items of map lists are matched by their keys and those of sets by value (semantics-api B8), and
/// quantities compare by amount; without one, lists compare by index.
package enum TreeDiff {
    /// What changed from `old` to `new`, sorted by path.
    package static func changes(from old: JSON?, to new: JSON?, schema: Schema? = nil) -> [TreeChange] {
        var comparison = TwoWayComparison()
        comparison.compare(old, new, schema, TreePath())
        return comparison.changes.sorted { $0.path < $1.path }
    }

    /// What must change in `live` so that it is as `desired` says, sorted by path.
    ///
    /// What only `live` has stays, since others may have set it; but what `original` (the last applied configuration)
    /// had and `desired` has no more is removed.
    package static func changes(
        original: JSON?, desired: JSON, live: JSON?, schema: Schema? = nil
    ) -> [TreeChange] {
        var comparison = ThreeWayComparison()
        comparison.compare(original, desired, live, schema, TreePath())
        return comparison.changes.sorted { $0.path < $1.path }
    }

    /// Equal in meaning, if not in spelling.
    fileprivate static func areEqual(_ left: JSON, _ right: JSON, _ schema: Schema?) -> Bool {
        if left == right { return true }
        guard schema?.format == "quantity", let left = Quantity(json: left), let right = Quantity(json: right) else {
            return false
        }
        return left == right
    }

    /// The items of a list by the step that leads to each; `nil` when they cannot be told apart.
    fileprivate static func items(_ elements: [JSON], _ schema: Schema?) -> KeyedItems? {
        switch schema?.listType {
        case .map(let keys):
            var items = KeyedItems()
            for element in elements {
                let values = keys.compactMap { name -> TreePath.ItemKey? in
                    // An absent key counts with its default: `protocol` of a container's port.
                    let value = element[name] ?? schema?.items?.property(name)?.defaultValue
                    return value.map { TreePath.ItemKey(name: name, value: $0) }
                }
                guard !values.isEmpty, items.insert(.item(values), element) else { return nil }
            }
            return items
        case .set:
            var items = KeyedItems()
            for element in elements {
                guard items.insert(.value(element), element) else { return nil }
            }
            return items
        case .atomic, nil: return nil
        }
    }
}

/// The items of one list, each found by its step.
private struct KeyedItems {
    private(set) var order: [TreePath.Step] = []
    private var values: [TreePath.Step: JSON] = [:]

    /// Answers `false` for a step that is there already.
    mutating func insert(_ step: TreePath.Step, _ value: JSON) -> Bool {
        order.append(step)
        return values.updateValue(value, forKey: step) == nil
    }

    subscript(step: TreePath.Step) -> JSON? { values[step] }
}

private struct TwoWayComparison {
    var changes: [TreeChange] = []

    mutating func compare(_ old: JSON?, _ new: JSON?, _ schema: Schema?, _ path: TreePath) {
        switch (old, new) {
        case (nil, nil): return
        case (let old?, let new?) where TreeDiff.areEqual(old, new, schema): return
        case (.object(let left), .object(let right)) where schema?.isAtomicMap != true:
            for member in left {
                compare(member.value, right[member.key], schema?.child(member.key), path.appending(.key(member.key)))
            }
            for member in right where left[member.key] == nil {
                compare(nil, member.value, schema?.child(member.key), path.appending(.key(member.key)))
            }
        case (.array(let left), .array(let right)): compareLists(left, right, schema, path)
        default: changes.append(TreeChange(path: path, old: old, new: new))
        }
    }

    private mutating func compareLists(_ old: [JSON], _ new: [JSON], _ schema: Schema?, _ path: TreePath) {
        guard let left = TreeDiff.items(old, schema), let right = TreeDiff.items(new, schema) else {
            for index in 0..<max(old.count, new.count) {
                compare(
                    index < old.count ? old[index] : nil, index < new.count ? new[index] : nil, schema?.items,
                    path.appending(.index(index)))
            }
            return
        }
        for step in left.order { compare(left[step], right[step], schema?.items, path.appending(step)) }
        for step in right.order where left[step] == nil {
            compare(nil, right[step], schema?.items, path.appending(step))
        }
        if left.order.filter({ right[$0] != nil }) != right.order.filter({ left[$0] != nil }) {
            changes.append(TreeChange(path: path, old: .array(old), new: .array(new), isReordering: true))
        }
    }
}

private struct ThreeWayComparison {
    var changes: [TreeChange] = []

    mutating func compare(
        _ original: JSON?, _ desired: JSON, _ live: JSON?, _ schema: Schema?, _ path: TreePath
    ) {
        guard let live else {
            // A null asks for absence.
            if !desired.isNull { changes.append(TreeChange(path: path, old: nil, new: desired)) }
            return
        }
        if TreeDiff.areEqual(desired, live, schema) { return }
        switch (desired, live) {
        case (.null, _): changes.append(TreeChange(path: path, old: live, new: nil))
        case (.object(let wanted), .object(let found)) where schema?.isAtomicMap != true:
            for member in wanted {
                compare(
                    original?[member.key], member.value, found[member.key], schema?.child(member.key),
                    path.appending(.key(member.key)))
            }
            for member in original?.object ?? JSONObject() where wanted[member.key] == nil {
                guard let value = found[member.key] else { continue }
                changes.append(TreeChange(path: path.appending(.key(member.key)), old: value, new: nil))
            }
        case (.array(let wanted), .array(let found)):
            compareLists(original?.array ?? [], wanted, found, schema, path)
        default: changes.append(TreeChange(path: path, old: live, new: desired))
        }
    }

    private mutating func compareLists(
        _ original: [JSON], _ desired: [JSON], _ live: [JSON], _ schema: Schema?, _ path: TreePath
    ) {
        guard let wanted = TreeDiff.items(desired, schema), let found = TreeDiff.items(live, schema) else {
            for index in 0..<max(desired.count, live.count) {
                let path = path.appending(.index(index))
                if index >= desired.count {
                    changes.append(TreeChange(path: path, old: live[index], new: nil))
                } else {
                    compare(
                        index < original.count ? original[index] : nil, desired[index],
                        index < live.count ? live[index] : nil, schema?.items, path)
                }
            }
            return
        }
        let before = TreeDiff.items(original, schema) ?? KeyedItems()
        for step in wanted.order {
            compare(before[step], wanted[step] ?? .null, found[step], schema?.items, path.appending(step))
        }
        for step in before.order where wanted[step] == nil {
            guard let value = found[step] else { continue }
            changes.append(TreeChange(path: path.appending(step), old: value, new: nil))
        }
    }
}
