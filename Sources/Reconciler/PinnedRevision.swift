package import GitSource
package import Kustomize

/// A commit, and the commits of the bases in other repositories that it is built on: together they always give the same
/// manifests, wherever branches have moved meanwhile.
///
/// Written as the commit alone, or `COMMIT+BASE=COMMIT+…` in the order of the bases' names.
package struct PinnedRevision: Hashable, Sendable, CustomStringConvertible {
    /// A commit; in what a person asks for, any name of one.
    package var commit: String
    /// By `name(of:)`.
    package var bases: [String: ObjectID]

    package init(commit: String, bases: [String: ObjectID] = [:]) {
        self.commit = commit
        self.bases = bases
    }

    /// Reads what `description` wrote; anything else is the name of a commit, which may have a `+` too.
    package init(_ text: String) {
        self.init(commit: text)
        let parts = text.split(separator: "+", omittingEmptySubsequences: false)
        var bases: [String: ObjectID] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, pair[0].utf8.count == Self.nameLength, let id = ObjectID(String(pair[1])) else {
                return
            }
            bases[String(pair[0])] = id
        }
        if !bases.isEmpty { self.init(commit: String(parts[0]), bases: bases) }
    }

    package var description: String {
        bases.sorted { $0.key < $1.key }.reduce(commit) { "\($0)+\($1.key)=\($1.value)" }
    }

    /// For people: the beginnings of the commits.
    package var short: String {
        bases.sorted { $0.key < $1.key }.reduce(String(commit.prefix(12))) { "\($0)+\("\($1.value)".prefix(7))" }
    }

    /// The same of what `description` wrote.
    package static func short(_ revision: String) -> String { PinnedRevision(revision).short }

    private static let nameLength = 12

    /// Stands for a base as it is written: the beginning of the name that Git would give to that text, since a URL
    /// has every other sign.
    package static func name(of base: RemoteBase) -> String {
        String(WorkingTree.blobID(of: Array(base.text.utf8)).description.prefix(nameLength))
    }
}
