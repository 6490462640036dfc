/// The stored keys in order, so that a list costs what it answers.
///
/// Each kind has its keys in sorted runs of bounded length. All parts are copy-on-write values: a snapshot is a
/// reference, and a write beside a live snapshot copies one run and the list of runs.
struct KeyIndex: Sendable {
    struct Name: Hashable, Comparable, Sendable {
        var namespace: String
        var name: String

        static func < (left: Self, right: Self) -> Bool {
            left.namespace == right.namespace ? left.name < right.name : left.namespace < right.namespace
        }
    }

    private var kinds: [String: SortedNames] = [:]

    mutating func insert(_ key: StoreKey) {
        kinds[key.kind, default: SortedNames()].insert(Name(namespace: key.namespace, name: key.name))
    }

    mutating func remove(_ key: StoreKey) {
        kinds[key.kind]?.remove(Name(namespace: key.namespace, name: key.name))
        if kinds[key.kind]?.isEmpty == true { kinds[key.kind] = nil }
    }

    /// The kinds that have objects, sorted.
    var kindNames: [String] { kinds.keys.sorted() }

    func count(kind: String, namespace: String?) -> Int {
        guard let names = kinds[kind] else { return 0 }
        guard let namespace else { return names.count }
        var count = 0
        names.forEach(from: Name(namespace: namespace, name: "")) { name in
            guard name.namespace == namespace else { return false }
            count += 1
            return true
        }
        return count
    }

    /// Visits names of a kind in order until `body` answers `false`.
    func forEach(kind: String, namespace: String?, after: Name?, _ body: (Name) -> Bool) {
        guard let names = kinds[kind] else { return }
        var start = after
        if let namespace {
            let first = Name(namespace: namespace, name: "")
            start = after.map { max($0, first) } ?? first
        }
        names.forEach(from: start) { name in
            if let namespace, name.namespace != namespace { return false }
            return name == after ? true : body(name)
        }
    }
}

/// Sorted names in runs of at most `runLimit`.
struct SortedNames: Sendable {
    static let runLimit = 256

    private var runs: [[KeyIndex.Name]] = []
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func insert(_ name: KeyIndex.Name) {
        guard !runs.isEmpty else {
            runs = [[name]]
            count = 1
            return
        }
        let run = min(Self.partition(runs) { $0[$0.count - 1] < name }, runs.count - 1)
        let position = Self.partition(runs[run]) { $0 < name }
        if position < runs[run].count, runs[run][position] == name { return }
        runs[run].insert(name, at: position)
        count += 1
        if runs[run].count > Self.runLimit {
            let upper = Array(runs[run][(Self.runLimit / 2)...])
            runs[run].removeSubrange((Self.runLimit / 2)...)
            runs.insert(upper, at: run + 1)
        }
    }

    mutating func remove(_ name: KeyIndex.Name) {
        let run = Self.partition(runs) { $0[$0.count - 1] < name }
        guard run < runs.count else { return }
        let position = Self.partition(runs[run]) { $0 < name }
        guard position < runs[run].count, runs[run][position] == name else { return }
        runs[run].remove(at: position)
        count -= 1
        if runs[run].isEmpty { runs.remove(at: run) }
    }

    /// Visits names in order, from the first that is not below `start`, until `body` answers `false`.
    func forEach(from start: KeyIndex.Name?, _ body: (KeyIndex.Name) -> Bool) {
        var run = 0
        var position = 0
        if let start {
            run = Self.partition(runs) { $0[$0.count - 1] < start }
            if run < runs.count { position = Self.partition(runs[run]) { $0 < start } }
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
