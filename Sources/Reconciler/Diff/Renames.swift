import Kinds
import Model

/// Recognises objects that go on under another name: generated ones whose name follows their content, and those that
/// somebody renamed or moved to another namespace without any other change.
enum Renames {
    /// The differences with each pair of a deletion and a creation that belong together as one.
    ///
    /// - Complexity: linear in the number of differences.
    static func paired(_ differences: [ObjectDifference]) -> [ObjectDifference] {
        var byName: [Name: [Int]] = [:]
        var byContent: [JSON: [Int]] = [:]
        for (position, difference) in differences.enumerated() where difference.change == .deleted {
            if let name = Name(difference.key) { byName[name, default: []].append(position) }
            if let content = content(difference.unmasked.old) { byContent[content, default: []].append(position) }
        }
        guard !byName.isEmpty || !byContent.isEmpty else { return differences }
        var taken: Set<Int> = []
        func take(_ candidates: [Int]?) -> Int? {
            guard let found = candidates?.first(where: { !taken.contains($0) }) else { return nil }
            taken.insert(found)
            return found
        }
        let paired = differences.map { difference in
            guard difference.change == .created,
                let before = take(Name(difference.key).flatMap { byName[$0] })
                    ?? take(content(difference.unmasked.new).flatMap { byContent[$0] })
            else { return difference }
            return ObjectDifference(from: differences[before], to: difference)
        }
        return paired.enumerated().filter { !taken.contains($0.offset) }.map(\.element)
    }

    /// All but the name, of an object that has more than that.
    private static func content(_ object: JSON?) -> JSON? {
        guard var object else { return nil }
        object[path: ["metadata", "name"]] = nil
        object[path: ["metadata", "namespace"]] = nil
        let members = object.object?.map(\.key) ?? []
        return members.contains { !["apiVersion", "kind", "metadata"].contains($0) } ? object : nil
    }

    /// A name without the hash of the content that Kustomize puts behind it.
    private struct Name: Hashable {
        var kind: GroupKind
        var namespace: String
        var base: String

        /// The letters of such a hash.
        private static let alphabet = Set("bcdfghkmt2456789".utf8)
        private static let length = 10

        init?(_ key: ObjectKey) {
            let name = Array(key.name.utf8)
            guard name.count > Self.length + 1, name[name.count - Self.length - 1] == UInt8(ascii: "-"),
                name.suffix(Self.length).allSatisfy(Self.alphabet.contains)
            else { return nil }
            kind = key.kind
            namespace = key.namespace
            base = String(decoding: name.dropLast(Self.length + 1), as: UTF8.self)
        }
    }
}
