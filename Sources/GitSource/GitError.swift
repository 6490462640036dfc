/// What went wrong with a repository: what, where, and what would be right. Never carries a secret.
package struct GitError: Error, Hashable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable {
        /// The URL or the revision cannot be read as one.
        case invalidURL, invalidRevision
        case repositoryNotFound, emptyRepository
        /// No such branch, tag or commit; or a short SHA that fits several commits.
        case revisionNotFound, ambiguousRevision
        case authenticationFailed, hostKeyUnknown, hostKeyMismatch, certificateUntrusted
        /// The host cannot be reached; the connection broke; it took too long.
        case unreachable, interrupted, timedOut
        /// A bound was passed: bytes received, a file's size, the number of files.
        case tooLarge
        case diskFull, notPermitted
        /// The mirror's, or the remote's, own data cannot be read.
        case damaged
        case pathNotFound, submodule, lfsPointer, symlink
        /// A program that is needed (`ssh`) is not installed, or the protocol is none that Martlet speaks.
        case unsupported
        /// libgit2 failed in a way that has no better name here.
        case other
    }

    package var kind: Kind
    package var message: String
    /// The path inside the repository that the error is about, where it is about one.
    package var path: String?

    package init(_ kind: Kind, _ message: String, path: String? = nil) {
        self.kind = kind
        self.message = message
        self.path = path
    }

    package var description: String { message }

    /// Whether the same attempt may succeed later with nothing changed on our side.
    package var isTransient: Bool {
        switch kind {
        case .unreachable, .interrupted, .timedOut, .diskFull, .other: true
        default: false
        }
    }
}

/// The candidate that was most likely meant: at most a third of the letters differ; `nil` when none is that near.
func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
    var best: (distance: Int, name: String)?
    for candidate in candidates.lazy.prefix(10_000) {
        let distance = editDistance(name, candidate)
        if distance <= max(1, name.utf8.count / 3), distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    return best?.name
}

/// Letters to insert, delete, replace, or swap with their neighbour (optimal string alignment).
private func editDistance(_ left: String, _ right: String) -> Int {
    let left = Array(left.utf8.prefix(256))
    let right = Array(right.utf8.prefix(256))
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (position, byte) in left.enumerated() {
        var row = [position + 1]
        for (column, other) in right.enumerated() {
            var best = min(last[column] + (byte == other ? 0 : 1), last[column + 1] + 1, row[column] + 1)
            if position > 0, column > 0, byte == right[column - 1], left[position - 1] == other {
                best = min(best, beforeLast[column - 1] + 1)
            }
            row.append(best)
        }
        beforeLast = last
        last = row
    }
    return last[right.count]
}
