import Glibc

@testable import GitSource

/// A repository made by the real Git.
final class TestRepository {
    let path: String
    private var mirror: GitSource.Mirror?

    init() {
        var template = Array("/tmp/martlet-rendering-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        git("init", "--quiet", "--initial-branch=main", "\(path)/work")
    }

    deinit { run(["rm", "-rf", path]) }

    func commit(_ files: [String: String], removing: [String] = []) async throws -> Snapshot {
        for (name, text) in files {
            let file = "\(path)/work/\(name)"
            run(["mkdir", "-p", String(file[..<file.lastIndex(of: "/")!])])
            let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            precondition(descriptor >= 0)
            let bytes = Array(text.utf8)
            precondition(write(descriptor, bytes, bytes.count) == bytes.count)
            close(descriptor)
        }
        for name in removing { run(["rm", "-r", "\(path)/work/\(name)"]) }
        git("-C", "\(path)/work", "add", "--all")
        git("-C", "\(path)/work", "commit", "--quiet", "--allow-empty", "--message", "a commit")
        let mirror = try mirror ?? Mirror(of: try RemoteURL("\(path)/work"), in: "\(path)/data")
        self.mirror = mirror
        return try await mirror.snapshot(.head)
    }

    private func git(_ arguments: String...) {
        run(["git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "gc.auto=0"] + arguments)
    }

    private func run(_ command: [String]) {
        let search = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        let environment = [
            "PATH=\(search)", "HOME=/nonexistent", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
        ]
        let arguments = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup($0) } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var pid: pid_t = 0
        precondition(posix_spawnp(&pid, command[0], nil, nil, arguments, variables) == 0, "cannot run \(command)")
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        precondition(status == 0, "\(command) failed")
    }
}
