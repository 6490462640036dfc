import Glibc
import TestServers

@testable import GitSource

/// A bare repository and a clone that pushes to it, made by the real Git.
final class TestRepository {
    let directory = TemporaryDirectory()
    var bare: String { "\(directory.path)/origin.git" }
    var work: String { "\(directory.path)/work" }
    var mirrors: String { "\(directory.path)/data/repositories" }

    /// - Parameter files: the first commit on `main`; none leaves the repository empty.
    init(_ files: [String: String] = ["app/web.yaml": "kind: Service\n", "README.md": "hello\n"]) {
        git(["init", "--quiet", "--bare", "--initial-branch=main", bare], in: directory.path)
        git(["init", "--quiet", "--initial-branch=main", work], in: directory.path)
        git(["remote", "add", "origin", bare])
        if !files.isEmpty { commit(files, "first commit") }
    }

    /// Writes, commits and pushes; answers the commit's SHA.
    @discardableResult
    func commit(_ files: [String: String], _ message: String = "a commit", branch: String = "main") -> String {
        for (path, text) in files { writeFile("\(work)/\(path)", text) }
        git(["add", "--all"])
        git(["commit", "--quiet", "--allow-empty", "--message", message])
        git(["push", "--quiet", "--force", "origin", "HEAD:refs/heads/\(branch)"])
        return git(["rev-parse", "HEAD"])
    }

    @discardableResult
    func git(_ arguments: [String], in folder: String? = nil) -> String {
        let settings = ["user.name=Test", "user.email=test@example.com", "protocol.file.allow=always", "gc.auto=0"]
        let result = run(["git", "-C", folder ?? work] + settings.flatMap { ["-c", $0] } + arguments)
        precondition(result.status == 0, "git \(arguments): \(result.text)")
        return String(result.text.prefix { $0 != "\n" })
    }

    func mirror(_ url: String? = nil, _ change: (inout TransferSettings) -> Void = { _ in }) throws -> GitSource.Mirror
    {
        var settings = TransferSettings()
        settings.timeout = .seconds(20)
        change(&settings)
        return Mirror(of: try RemoteURL(url ?? bare), in: mirrors, settings: settings)
    }
}

/// The error that `body` throws, as a `GitError`; `nil` when it throws none.
func gitError(_ body: () async throws -> Void) async -> GitError? {
    do {
        try await body()
        return nil
    } catch {
        return error as? GitError ?? GitError(.other, "not a GitError: \(error)")
    }
}
