import CLibgit2

/// One commit, as far as people are told of it.
package struct Commit: Sendable, Hashable {
    package struct Signature: Sendable, Hashable {
        package var name: String
        package var email: String
        /// Seconds since 1970-01-01T00:00:00Z.
        package var seconds: Int64
        /// Minutes east of UTC at which it was written.
        package var offsetMinutes: Int
    }

    package var sha: ObjectID
    package var tree: ObjectID
    package var parents: [ObjectID]
    package var author: Signature
    package var committer: Signature
    /// The whole message, at most 64 KiB of it.
    package var message: String

    /// The message's first line.
    package var subject: String { String(message.prefix { !$0.isNewline }) }

    init(_ commit: OpaquePointer) {
        sha = ObjectID(libgit2.commit_id(commit))
        tree = ObjectID(libgit2.commit_tree_id(commit))
        parents = (0..<libgit2.commit_parentcount(commit)).map { ObjectID(libgit2.commit_parent_id(commit, $0)) }
        author = Signature(libgit2.commit_author(commit))
        committer = Signature(libgit2.commit_committer(commit))
        let text = libgit2.commit_message(commit).map { String(cString: $0) } ?? ""
        message = String(decoding: text.utf8.prefix(64 << 10), as: UTF8.self)
    }
}

extension Commit.Signature {
    fileprivate init(_ signature: UnsafePointer<git_signature>?) {
        guard let signature = signature?.pointee else {
            self.init(name: "", email: "", seconds: 0, offsetMinutes: 0)
            return
        }
        self.init(
            name: signature.name.map { String(cString: $0) } ?? "",
            email: signature.email.map { String(cString: $0) } ?? "",
            seconds: signature.when.time, offsetMinutes: Int(signature.when.offset))
    }
}
