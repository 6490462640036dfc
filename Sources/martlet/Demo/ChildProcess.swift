import FoundationEssentials
import Glibc

/// A program that the demo runs, with its output in a file.
struct ChildProcess: Sendable {
    let pid: pid_t

    /// Starts a program found on PATH (or by its path).
    init(_ arguments: [String], in directory: String, output: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // env -C changes the directory and then becomes the program.
        let command = ["env", "-C", directory] + arguments
        var pointers = command.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, command[0], &actions, nil, &pointers, environ)
        guard code == 0 else {
            throw CommandError("cannot start \(arguments[0]): \(String(cString: strerror(code)))")
        }
        self.pid = pid
    }

    /// Waits for the end and answers the exit code, or 128 plus the signal. Blocks the thread: nothing else is due.
    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    func signal(_ number: Int32) {
        kill(pid, number)
    }

    /// Runs a program to its end and answers its exit code and output.
    static func run(_ arguments: [String], in directory: String) throws -> (code: Int32, output: String) {
        let file = FileManager.default.temporaryDirectory.path + "/martlet-\(UInt64.random(in: 0 ... .max)).out"
        defer { unlink(file) }
        let process = try ChildProcess(arguments, in: directory, output: file)
        let code = process.wait()
        let output = try Data(contentsOf: URL(filePath: file))
        return (code, String(decoding: output, as: UTF8.self))
    }
}
