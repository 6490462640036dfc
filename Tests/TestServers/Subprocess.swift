import Glibc

/// A temporary directory that goes with its last reference.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() {
        var template = Array("/tmp/martlet-git-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit { run(["rm", "-rf", path]) }
}

package struct RunResult {
    package var status: Int32
    package var output: [UInt8]
    package var text: String { String(decoding: output, as: UTF8.self) }
}

/// Starts a program; its output goes to the file descriptors given.
package func spawn(
    _ command: [String], environment: [String], input: Int32, output: Int32, errors: Int32
) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, errors, 2)
    // The pool's threads block signals, and a child would inherit that: it could not be asked to end.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let arguments = command.map { strdup($0) } + [nil]
    let variables = environment.map { strdup($0) } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var pid: pid_t = 0
    let failure = posix_spawnp(&pid, command[0], &actions, &attributes, arguments, variables)
    precondition(failure == 0, "cannot start \(command): \(String(cString: strerror(failure)))")
    return pid
}

/// Runs a program to its end, away from the user's own Git configuration.
@discardableResult
package func run(_ command: [String], environment extra: [String] = [], input: [UInt8] = []) -> RunResult {
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    let base = [
        "PATH=\(path)", "HOME=/nonexistent", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
        "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
    ]
    let source = anonymousFile(input)
    let sink = anonymousFile([])
    defer {
        close(source)
        close(sink)
    }
    let pid = spawn(command, environment: base + extra, input: source, output: sink, errors: sink)
    var status: CInt = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    lseek(sink, 0, SEEK_SET)
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while case let count = read(sink, &chunk, chunk.count), count > 0 { output.append(contentsOf: chunk[..<count]) }
    return RunResult(status: status & 0x7F == 0 ? status >> 8 & 0xFF : -1, output: output)
}

private func anonymousFile(_ bytes: [UInt8]) -> CInt {
    var template = Array("/tmp/martlet-io-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    precondition(descriptor >= 0, "cannot make a temporary file")
    unlink(template)
    var offset = 0
    while offset < bytes.count {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + offset, bytes.count - offset) }
        precondition(count > 0, "cannot write a temporary file")
        offset += count
    }
    lseek(descriptor, 0, SEEK_SET)
    return descriptor
}

package func writeFile(_ path: String, _ text: String) {
    run(["mkdir", "-p", String(path[..<path.lastIndex(of: "/")!])])
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    precondition(descriptor >= 0, "cannot write \(path)")
    let bytes = Array(text.utf8)
    precondition(write(descriptor, bytes, bytes.count) == bytes.count)
    close(descriptor)
}

/// Waits until `condition` holds, at most ten seconds.
package func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<2_000 {
        if condition() { return true }
        usleep(5_000)
    }
    return false
}

/// The same where other tasks need the thread meanwhile.
package func comesTrue(_ condition: () async -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < end {
        if await condition() { return true }
        // Between two looks.
        try await Task.sleep(for: .milliseconds(5))
    }
    return await condition()
}

/// A small file system in memory, unmounted with the object.
package final class SmallDisk {
    package static let isPossible =
        run([
            "sh", "-c", "d=$(mktemp -d) && mount -t tmpfs -o size=64k none $d && umount $d; s=$?; rmdir $d; exit $s",
        ]).status == 0

    private let path: String

    package init(at path: String, kibibytes: Int = 96) {
        self.path = path
        run(["mkdir", "-p", path])
        remount(["mount", "-t", "tmpfs", "-o", "size=\(kibibytes)k", "none", path])
    }

    package func grow() { remount(["mount", "-o", "remount,size=64m", path]) }
    package func setReadOnly(_ isReadOnly: Bool) {
        remount(["mount", "-o", "remount,\(isReadOnly ? "ro" : "rw")", path])
    }

    private func remount(_ command: [String]) {
        let result = run(command)
        precondition(result.status == 0, "cannot mount: \(result.text)")
    }

    deinit { run(["umount", "-l", path]) }
}
