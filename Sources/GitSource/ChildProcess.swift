import CLibgit2
import Glibc

/// A private key that only exists in memory, readable by programs we start through `/proc`.
final class SecretFile {
    private let descriptor: CInt
    let path: String

    init(_ text: String) throws(GitError) {
        let descriptor = memfd_create("key", martlet_mfd_cloexec)
        guard descriptor >= 0 else {
            throw GitError(.other, "cannot keep the ssh key in memory: \(String(cString: strerror(errno)))")
        }
        self.descriptor = descriptor
        path = "/proc/\(getpid())/fd/\(descriptor)"
        // OpenSSH wants a final newline, and no one else able to read it.
        let bytes = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
        guard fchmod(descriptor, 0o600) == 0, write(descriptor, bytes, bytes.count) == bytes.count else {
            throw GitError(.other, "cannot keep the ssh key in memory: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }
}

/// A program whose standard input and output are one socket, and whose standard error is kept (its end, bounded).
final class ChildProcess {
    private static let errorLimit = 8 << 10

    private var pid: pid_t = 0
    private var socket: CInt = -1
    private var errors: CInt = -1
    private var errorBytes: [UInt8] = []
    private let key: SecretFile?

    /// - Throws: `GitError` of kind `unsupported` when the program is not installed.
    init(_ command: [String], keeping key: SecretFile?) throws(GitError) {
        self.key = key
        var pair: [CInt] = [-1, -1]
        var errorPair: [CInt] = [-1, -1]
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &pair) == 0, socketpair(AF_UNIX, kind, 0, &errorPair) == 0 else {
            throw GitError(.other, "cannot start \(command[0]): \(String(cString: strerror(errno)))")
        }
        defer {
            close(pair[1])
            close(errorPair[1])
        }
        socket = pair[0]
        errors = errorPair[0]
        let failure = Self.spawn(command, socket: pair[1], errors: errorPair[1], into: &pid)
        if failure == ENOENT {
            throw GitError(
                .unsupported,
                "ssh URLs need the OpenSSH client, and \(command[0]) is not installed: apt install openssh-client")
        }
        guard failure == 0 else {
            throw GitError(.other, "cannot start \(command[0]): \(String(cString: strerror(failure)))")
        }
    }

    deinit { end() }

    private static func spawn(_ command: [String], socket: CInt, errors: CInt, into pid: inout pid_t) -> CInt {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, socket, 0)
        posix_spawn_file_actions_adddup2(&actions, socket, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var defaults = sigset_t()
        sigemptyset(&none)
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGPIPE)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let arguments = command.map { strdup($0) } + [nil]
        let environment = environmentInEnglish().map { strdup($0) } + [nil]
        defer { (arguments + environment).forEach { free($0) } }
        return posix_spawnp(&pid, command[0], &actions, &attributes, arguments, environment)
    }

    /// Our environment, with messages in the one language that we read.
    private static func environmentInEnglish() -> [String] {
        var result = ["LC_ALL=C"]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if !text.hasPrefix("LC_ALL="), !text.hasPrefix("MARTLET_GIT_") { result.append(text) }
            next += 1
        }
        return result
    }

    /// What the program wrote to its standard error, at most the last few kilobytes.
    var errorText: String { String(decoding: errorBytes, as: UTF8.self) }

    /// Reads some bytes; 0 at the end, `nil` when it failed or `proceed` said no.
    func read(into buffer: UnsafeMutablePointer<CChar>, _ size: Int, while proceed: () -> Bool) -> Int? {
        while true {
            guard wait(for: POLLIN, while: proceed) else { return nil }
            let count = recv(socket, buffer, size, CInt(MSG_DONTWAIT))
            if count >= 0 { return count }
            if errno != EAGAIN, errno != EINTR { return nil }
        }
    }

    func write(_ bytes: UnsafePointer<CChar>, _ count: Int, while proceed: () -> Bool) -> Bool {
        var offset = 0
        while offset < count {
            guard wait(for: POLLOUT, while: proceed) else { return false }
            let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
            let sent = send(socket, bytes + offset, count - offset, flags)
            if sent > 0 { offset += sent } else if errno != EAGAIN, errno != EINTR { return false }
        }
        return true
    }

    private func wait(for events: CInt, while proceed: () -> Bool) -> Bool {
        while proceed() {
            var requests = [
                pollfd(fd: socket, events: Int16(events), revents: 0),
                pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&requests, 2, DeadlineSocket.glance)
            if ready < 0, errno != EINTR { return false }
            if requests[1].revents != 0 { collectErrors() }
            if requests[0].revents != 0 { return true }
        }
        return false
    }

    private func collectErrors() {
        var chunk = [UInt8](repeating: 0, count: 4 << 10)
        let count = Glibc.read(errors, &chunk, chunk.count)
        guard count > 0 else {
            close(errors)
            errors = -1
            return
        }
        errorBytes.append(contentsOf: chunk[..<count])
        if errorBytes.count > Self.errorLimit { errorBytes.removeFirst(errorBytes.count - Self.errorLimit) }
    }

    /// Closes the connection and waits for the program; one that lingers is asked, then made, to end.
    func end() {
        guard pid > 0 else {
            closeDescriptors()
            return
        }
        shutdown(socket, CInt(SHUT_RDWR))
        var status: CInt = 0
        var waited = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            if waited == 10 { kill(pid, SIGTERM) }
            if waited == 100 { kill(pid, SIGKILL) }
            var request = pollfd(fd: errors, events: Int16(POLLIN), revents: 0)
            if poll(&request, 1, 10) > 0, request.revents != 0, errors >= 0 { collectErrors() }
            waited += 1
        }
        pid = 0
        var request = pollfd(fd: errors, events: Int16(POLLIN), revents: 0)
        while errors >= 0, poll(&request, 1, 0) > 0 { collectErrors() }
        closeDescriptors()
    }

    private func closeDescriptors() {
        if socket >= 0 { close(socket) }
        if errors >= 0 { close(errors) }
        socket = -1
        errors = -1
    }
}
