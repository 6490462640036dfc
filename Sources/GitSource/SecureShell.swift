import CLibgit2
import Glibc

/// Git over ssh, spoken through the OpenSSH client as Git itself does.
///
/// libssh2, which libgit2 would use, has none of: RSA keys with SHA-2 signatures (before its 1.11, so not on Debian
/// 12), the host key type that `known_hosts` holds, `~/.ssh/config`, or an end to a silent connection.
final class SecureShell {
    private let transfer: Transfer
    private var process: ChildProcess?
    /// The open stream; libgit2 frees it.
    private var stream: UnsafeMutablePointer<git_smart_subtransport_stream>?

    private init(transfer: Transfer) {
        self.transfer = transfer
    }

    // MARK: The transport that libgit2 sees

    /// libgit2's transport callback for ssh URLs.
    static func makeTransport(
        _ output: UnsafeMutablePointer<UnsafeMutablePointer<git_transport>?>?, _ owner: OpaquePointer?
    ) -> CInt {
        var definition = git_smart_subtransport_definition(
            callback: { output, _, _ in
                guard let output, let transfer = Transfer.current?.transfer else { return -1 }
                output.pointee = SecureShell(transfer: transfer).makeSubtransport()
                return 0
            }, rpc: 0, param: nil)
        return libgit2.transport_smart(output, owner, &definition)
    }

    private func makeSubtransport() -> UnsafeMutablePointer<git_smart_subtransport> {
        let whole = UnsafeMutablePointer<martlet_git_subtransport>.allocate(capacity: 1)
        whole.initialize(to: martlet_git_subtransport())
        whole.pointee.owner = Unmanaged.passRetained(self).toOpaque()
        whole.pointee.parent.action = { output, subtransport, _, service in
            guard let output, let shell = SecureShell.owner(subtransport) else { return -1 }
            return shell.open(output, subtransport, service)
        }
        whole.pointee.parent.close = { subtransport in
            SecureShell.owner(subtransport)?.end()
            return 0
        }
        whole.pointee.parent.free = { subtransport in
            guard let subtransport else { return }
            let whole = UnsafeMutableRawPointer(subtransport).assumingMemoryBound(to: martlet_git_subtransport.self)
            let shell = Unmanaged<SecureShell>.fromOpaque(whole.pointee.owner).takeRetainedValue()
            shell.end()
            whole.deallocate()
        }
        return UnsafeMutableRawPointer(whole).assumingMemoryBound(to: git_smart_subtransport.self)
    }

    private static func owner(_ subtransport: UnsafeMutablePointer<git_smart_subtransport>?) -> SecureShell? {
        guard let subtransport else { return nil }
        let whole = UnsafeMutableRawPointer(subtransport).assumingMemoryBound(to: martlet_git_subtransport.self)
        return Unmanaged<SecureShell>.fromOpaque(whole.pointee.owner).takeUnretainedValue()
    }

    private func open(
        _ output: UnsafeMutablePointer<UnsafeMutablePointer<git_smart_subtransport_stream>?>,
        _ subtransport: UnsafeMutablePointer<git_smart_subtransport>?, _ service: git_smart_service_t
    ) -> CInt {
        // The second action of a fetch goes on in the stream of the first; libgit2 insists on the same one.
        if service != GIT_SERVICE_UPLOADPACK_LS, let stream {
            output.pointee = stream
            return 0
        }
        end()
        guard start() else { return -1 }
        let whole = UnsafeMutablePointer<martlet_git_substream>.allocate(capacity: 1)
        whole.initialize(to: martlet_git_substream())
        whole.pointee.owner = Unmanaged.passRetained(self).toOpaque()
        whole.pointee.parent.subtransport = subtransport
        whole.pointee.parent.read = { stream, buffer, size, count in
            guard let shell = SecureShell.owner(of: stream), let buffer, let count else { return -1 }
            return shell.read(into: buffer, size, count)
        }
        whole.pointee.parent.write = { stream, bytes, count in
            guard let shell = SecureShell.owner(of: stream), let bytes else { return -1 }
            return shell.write(bytes, count)
        }
        whole.pointee.parent.free = { stream in
            guard let stream else { return }
            let whole = UnsafeMutableRawPointer(stream).assumingMemoryBound(to: martlet_git_substream.self)
            let shell = Unmanaged<SecureShell>.fromOpaque(whole.pointee.owner).takeRetainedValue()
            if shell.stream == stream { shell.stream = nil }
            whole.deallocate()
        }
        stream = UnsafeMutableRawPointer(whole).assumingMemoryBound(to: git_smart_subtransport_stream.self)
        output.pointee = stream
        return 0
    }

    private static func owner(of stream: UnsafeMutablePointer<git_smart_subtransport_stream>?) -> SecureShell? {
        guard let stream else { return nil }
        let whole = UnsafeMutableRawPointer(stream).assumingMemoryBound(to: martlet_git_substream.self)
        return Unmanaged<SecureShell>.fromOpaque(whole.pointee.owner).takeUnretainedValue()
    }

    // MARK: The client process

    private func start() -> Bool {
        guard case .ssh(let host, let port, let path) = transfer.url.location else { return false }
        var key: SecretFile?
        do {
            var command = [transfer.settings.secureShell] + Self.options(transfer.settings)
            switch transfer.credentials.privateKey {
            case .file(let file): command += ["-i", file, "-o", "IdentitiesOnly=yes"]
            case .text(let text):
                let file = try SecretFile(text)
                command += ["-i", file.path, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]
                key = file
            case nil: break
            }
            if let port { command += ["-p", String(port)] }
            if let user = transfer.credentials.username { command += ["-l", user] }
            command += ["--", host, "git-upload-pack \(Self.quoted(path))"]
            process = try ChildProcess(command, keeping: key)
            return true
        } catch {
            transfer.refuse(error.kind, error.message)
            return false
        }
    }

    static func options(_ settings: TransferSettings) -> [String] {
        var options = [
            "BatchMode=yes", "ClearAllForwardings=yes", "ServerAliveInterval=15", "ServerAliveCountMax=3",
            "ConnectTimeout=\(max(1, settings.connectTimeout.components.seconds))",
        ]
        if settings.insecureIgnoreHostKey {
            options += ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null"]
        } else {
            options.append("StrictHostKeyChecking=yes")
            if let file = settings.knownHostsFile {
                options += ["UserKnownHostsFile=\"\(file)\"", "GlobalKnownHostsFile=/dev/null"]
            }
        }
        return options.flatMap { ["-o", $0] }
    }

    /// The path as one word for the shell at the other end.
    static func quoted(_ path: String) -> String {
        "'" + path.replacing("'", with: "'\\''") + "'"
    }

    private func end() {
        guard let process else { return }
        process.end()
        transfer.diagnostics += process.errorText
        self.process = nil
    }

    private func read(into buffer: UnsafeMutablePointer<CChar>, _ size: Int, _ count: UnsafeMutablePointer<Int>) -> CInt
    {
        guard let process, let received = process.read(into: buffer, size, while: { transfer.mayContinue() }) else {
            return broken("the ssh connection broke while reading")
        }
        if received > 0 { transfer.noteActivity() }
        count.pointee = received
        return 0
    }

    private func write(_ bytes: UnsafePointer<CChar>, _ count: Int) -> CInt {
        guard let process, process.write(bytes, count, while: { transfer.mayContinue() }) else {
            return broken("the ssh connection broke while writing")
        }
        transfer.noteActivity()
        return 0
    }

    private func broken(_ message: String) -> CInt {
        _ = libgit2.error_set_str(CInt(GIT_ERROR_NET.rawValue), message)
        return -1
    }

    // MARK: What ssh said

    /// The meaning of ssh's (and the remote Git's) messages; `nil` when there is none.
    static func error(from diagnostics: String, url: RemoteURL) -> GitError? {
        guard case .ssh(let host, let port, _) = url.location else { return nil }
        let lines = diagnostics.split(separator: "\n").map { $0.filter { $0 != "\r" } }
        func first(_ signs: String...) -> String? {
            lines.first { line in signs.contains { line.says($0) } }.map { String($0) }
        }
        let scan = "ssh-keyscan \(port.map { "-p \($0) " } ?? "")\(host)"
        if first("IDENTIFICATION HAS CHANGED", "host key for") != nil {
            return GitError(
                .hostKeyMismatch,
                "the ssh host key of \(host) is not the one in known_hosts: someone may be listening, or the server "
                    + "was reinstalled; if so, replace its line (see `\(scan)`)")
        }
        if first("Host key verification failed", "host key is known for") != nil {
            return GitError(
                .hostKeyUnknown,
                "the ssh host key of \(host) is not in known_hosts: check it and add the output of `\(scan)`")
        }
        if let line = first("Permission denied", "Too many authentication failures") {
            return GitError(
                .authenticationFailed,
                "\(url) refuses the ssh key: add the public key there, or configure another (\(line))")
        }
        if let line = first("does not appear to be a git", "not found", "No such file", "does not exist") {
            if line.says("command not found") || line.says("git-upload-pack: ") {
                return GitError(.unsupported, "\(host) cannot run git-upload-pack: \(line)")
            }
            if !line.says("Identity file") {
                return GitError(.repositoryNotFound, "\(url) does not exist or is not visible to this key: \(line)")
            }
        }
        if let line = first("resolve hostname", "refused", "No route", "timed out", "unreachable") {
            return GitError(.unreachable, "cannot reach \(host): \(line)")
        }
        if let line = first("Connection closed", "Connection reset", "Broken pipe", "closed by remote") {
            return GitError(.interrupted, "the connection to \(host) broke: \(line)")
        }
        return nil
    }
}

extension StringProtocol {
    fileprivate func says(_ sign: String) -> Bool {
        // ssh runs with LC_ALL=C, so its words are known.
        lowercased().contains(sign.lowercased())
    }
}
