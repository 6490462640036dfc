import Foundation
import Glibc

/// A temporary directory, on a disk, that is gone with its owner.
final class BenchDirectory: Sendable {
    let path: String

    init() {
        // Not /tmp, which may be no disk.
        path = "/var/tmp/martlet-bench-\(UInt32.random(in: 0 ... .max))"
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            fatalError("no temporary directory: \(error)")
        }
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("\(path) could not be removed: \(error)")
        }
    }

    func write(_ name: String, _ text: String) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// What a program did.
    struct Run {
        var code: Int32
        /// Of both streams.
        var output: String
        /// From before its start until its end.
        var elapsed: Duration
    }

    /// Runs a program to its end.
    ///
    /// Started as directly as can be: what starting costs is the same for both sides of a ratio, and makes it smaller.
    @discardableResult
    func run(_ arguments: [String], input: String? = nil) throws -> Run {
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { throw BenchError("no pipe: \(errno)") }
        defer { close(pipe[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input { try write("input", input) }
        posix_spawn_file_actions_addopen(&actions, 0, input == nil ? "/dev/null" : "\(path)/input", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
        posix_spawn_file_actions_adddup2(&actions, pipe[1], 2)
        for descriptor in pipe { posix_spawn_file_actions_addclose(&actions, descriptor) }
        // env changes the directory and then becomes the program.
        let command = ["env", "-C", path] + arguments
        var pointers = command.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        let start = ContinuousClock().now
        let failure = posix_spawnp(&pid, command[0], &actions, nil, &pointers, environ)
        close(pipe[1])
        guard failure == 0 else { throw BenchError("cannot start \(arguments[0]): error \(failure)") }
        let text = try FileHandle(fileDescriptor: pipe[0]).readToEnd() ?? Data()
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return Run(
            code: status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F),
            output: String(decoding: text, as: UTF8.self), elapsed: ContinuousClock().now - start)
    }

    /// The most memory that a program had at once, in megabytes.
    ///
    /// By way of a small process: what this one has would count for every program that it starts itself.
    func memory(_ arguments: [String]) throws -> Double {
        let script = """
            import resource, subprocess, sys
            subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
            """
        let result = try run(["python3", "-c", script] + arguments)
        guard result.code == 0, let kilobytes = Double(result.output.prefix { !$0.isNewline }) else {
            throw BenchError("\(arguments): \(result.output.prefix(500))")
        }
        return kilobytes * 1024 / 1e6
    }

    /// Runs Git, which must succeed.
    @discardableResult
    func git(_ arguments: String..., input: String? = nil) throws -> String {
        let settings = ["-c", "user.name=bench", "-c", "user.email=bench@martlet.invalid"]
        let result = try run(["git"] + settings + arguments, input: input)
        guard result.code == 0 else { throw BenchError("git \(arguments): \(result.output)") }
        return String(result.output.prefix { !$0.isNewline })
    }
}

struct BenchError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

extension Duration {
    var milliseconds: Double { self / .milliseconds(1) }
}
