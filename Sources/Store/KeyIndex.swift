/// The stored objects in the order of their keys, so that a list costs what it answers.
///
/// Each kind has its objects in sorted runs of bounded length. All parts are copy-on-write values: a snapshot is a
/// reference, and a write beside a live snapshot copies one run and the list of runs.
struct KeyIndex: Sendable {
    /// Where in a kind's order an object is.
    struct Name: Hashable, Comparable, Sendable {
        var namespace: String
        var name: String

        static func < (left: Self, right: Self) -> Bool {
            left.namespace == right.namespace ? left.name < right.name : left.namespace < right.namespace
        }
    }

    private var kinds: [String: SortedObjects] = [:]

    /// Puts an object in its place, be it new or in place of what was there.
    mutating func put(_ object: StoredObject) {
        kinds[object.key.kind, default: SortedObjects()].put(object)
    }

    mutating func remove(_ key: StoreKey) {
        kinds[key.kind]?.remove(Name(key))
        if kinds[key.kind]?.isEmpty == true { kinds[key.kind] = nil }
    }

    /// The kinds that have objects, sorted.
    var kindNames: [String] { kinds.keys.sorted() }

    func count(kind: String, namespace: String?) -> Int {
        guard let objects = kinds[kind] else { return 0 }
        guard let namespace else { return objects.count }
        var count = 0
        objects.forEach(from: Name(namespace: namespace, name: "")) { object in
            guard object.key.namespace == namespace else { return false }
            count += 1
            return true
        }
        return count
    }

    /// Visits the objects of a kind in order until `body` answers `false`.
    func forEach(kind: String, namespace: String?, after: Name?, _ body: (StoredObject) -> Bool) {
        guard let objects = kinds[kind] else { return }
        var start = after
        if let namespace {
            let first = Name(namespace: namespace, name: "")
            start = after.map { max($0, first) } ?? first
        }
        objects.forEach(from: start) { object in
            if let namespace, object.key.namespace != namespace { return false }
            // Only the first one can be that behind which the visit starts.
            if let after, object.key.name == after.name, object.key.namespace == after.namespace { return true }
            return body(object)
        }
    }
}

extension KeyIndex.Name {
    init(_ key: StoreKey) {
        self.init(namespace: key.namespace, name: key.name)
    }
}

extension StoredObject {
    fileprivate func isBelow(_ name: KeyIndex.Name) -> Bool {
        key.namespace == name.namespace ? key.name < name.name : key.namespace < name.namespace
    }

    fileprivate func isAt(_ name: KeyIndex.Name) -> Bool { key.name == name.name && key.namespace == name.namespace }
}

/// Objects of one kind, sorted, in runs of at most `runLimit`.
struct SortedObjects: Sendable {
    static let runLimit = 256

    private var runs: [[StoredObject]] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func put(_ object: StoredObject) {
        guard !runs.isEmpty else {
            runs = [[object]]
            count = 1
            return
        }
        let name = KeyIndex.Name(object.key)
        let run = min(Self.partition(runs) { $0[$0.count - 1].isBelow(name) }, runs.count - 1)
        let position = Self.partition(runs[run]) { $0.isBelow(name) }
        if position < runs[run].count, runs[run][position].isAt(name) {
            runs[run][position] = object
            return
        }
        runs[run].insert(object, at: position)
        count += 1
        if runs[run].count > Self.runLimit {
            let upper = Array(runs[run][(Self.runLimit / 2)...])
            runs[run].removeSubrange((Self.runLimit / 2)...)
            runs.insert(upper, at: run + 1)
        }
    }

    mutating func remove(_ name: KeyIndex.Name) {
        let run = Self.partition(runs) { $0[$0.count - 1].isBelow(name) }
        guard run < runs.count else { return }
        let position = Self.partition(runs[run]) { $0.isBelow(name) }
        guard position < runs[run].count, runs[run][position].isAt(name) else { return }
        runs[run].remove(at: position)
        count -= 1
        if runs[run].isEmpty { runs.remove(at: run) }
    }

    /// Visits objects in order, from the first that is not below `start`, until `body` answers `false`.
    func forEach(from start: KeyIndex.Name?, _ body: (StoredObject) -> Bool) {
        var run = 0
        var position = 0
        if let start {
            run = Self.partition(runs) { $0[$0.count - 1].isBelow(start) }
            if run < runs.count { position = Self.partition(runs[run]) { $0.isBelow(start) } }
        }
        while run < runs.count {
            while position < runs[run].count {
                if !body(runs[run][position]) { return }
                position += 1
            }
            run += 1
            position = 0
        }
    }

    /// The index of the first element for which `isBelow` no longer holds.
    private static func partition<Element>(_ elements: [Element], _ isBelow: (Element) -> Bool) -> Int {
        var low = 0
        var high = elements.count
        while low < high {
            let middle = (low + high) / 2
            if isBelow(elements[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
