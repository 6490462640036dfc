import Model

/// The stored objects in the order of their keys, so that a list costs what it answers.
///
/// Each kind has its objects in sorted runs of bounded length. All parts are copy-on-write values: a snapshot is a
/// reference, and a write beside a live snapshot copies one run and the list of runs.
struct KeyIndex: Sendable {
    /// Where in a kind's order an object is.
    struct Name: Hashable, Comparable, Sendable {
        var namespace: String
        var name: String

        static func == (left: Self, right: Self) -> Bool {
            left.name.hasSameBytes(as: right.name) && left.namespace == right.namespace
        }

        /// By the bytes of the name, as `StoreKey`.
        static func < (left: Self, right: Self) -> Bool {
            left.namespace == right.namespace
                ? left.name.byteOrder(to: right.name) < 0 : left.namespace < right.namespace
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

    /// - Complexity: logarithmic in the number of the kind's objects, and linear in that of its runs.
    func count(kind: String, namespace: String?, after: Name?) -> Int {
        guard let objects = kinds[kind] else { return 0 }
        return objects.count(objects.part(namespace: namespace, after: after))
    }

    /// Visits the objects of a kind in order until `body` answers `false`.
    func forEach(kind: String, namespace: String?, after: Name?, _ body: (StoredObject) -> Bool) {
        guard let objects = kinds[kind] else { return }
        objects.forEach(in: objects.part(namespace: namespace, after: after), body)
    }
}

extension KeyIndex.Name {
    init(_ key: StoreKey) {
        self.init(namespace: key.namespace, name: key.name)
    }
}

extension StoredObject {
    fileprivate func isBelow(_ name: KeyIndex.Name) -> Bool {
        key.namespace == name.namespace ? key.name.byteOrder(to: name.name) < 0 : key.namespace < name.namespace
    }

    fileprivate func isAt(_ name: KeyIndex.Name) -> Bool {
        key.name.hasSameBytes(as: name.name) && key.namespace == name.namespace
    }
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

    /// A place between two objects.
    struct Position {
        var run: Int
        var offset: Int
    }

    /// The objects of a namespace, or all, behind a name.
    func part(namespace: String?, after: KeyIndex.Name?) -> (start: Position, end: Position) {
        var start = Position(run: 0, offset: 0)
        var end = Position(run: runs.count, offset: 0)
        if let namespace {
            start = position { $0.key.namespace < namespace }
            end = position { $0.key.namespace <= namespace }
        }
        if let after {
            let next = position { $0.isBelow(after) || $0.isAt(after) }
            if (start.run, start.offset) < (next.run, next.offset) { start = next }
        }
        return (start, end)
    }

    /// Before the first object for which `isBelow` no longer holds.
    private func position(_ isBelow: (StoredObject) -> Bool) -> Position {
        let run = Self.partition(runs) { isBelow($0[$0.count - 1]) }
        return Position(run: run, offset: run < runs.count ? Self.partition(runs[run], isBelow) : 0)
    }

    func count(_ part: (start: Position, end: Position)) -> Int {
        var count = 0
        forEachRun(in: part) { _, offsets in
            count += offsets.count
            return true
        }
        return count
    }

    /// Visits objects in order until `body` answers `false`. Nothing is looked at of an object itself: most are not in
    /// the processor's cache.
    func forEach(in part: (start: Position, end: Position), _ body: (StoredObject) -> Bool) {
        forEachRun(in: part) { run, offsets in
            for offset in offsets where !body(run[offset]) { return false }
            return true
        }
    }

    private func forEachRun(
        in part: (start: Position, end: Position), _ body: ([StoredObject], Range<Int>) -> Bool
    ) {
        var run = part.start.run
        var offset = part.start.offset
        while run < part.end.run || run == part.end.run && offset < part.end.offset {
            let end = run == part.end.run ? part.end.offset : runs[run].count
            if !body(runs[run], offset..<end) { return }
            run += 1
            offset = 0
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
