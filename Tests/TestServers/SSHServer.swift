import Glibc

/// An sshd of our own on 127.0.0.1, with fresh host and user keys, that ends with the object.
package final class SSHServer {
    package static var isInstalled: Bool {
        access("/usr/sbin/sshd", X_OK) == 0 && access("/usr/bin/ssh-keygen", X_OK) == 0
    }

    package let port: Int
    package let user: String
    package let userKey: String
    package let knownHosts: String
    private let folder: String
    private let pid: pid_t

    package init(in directory: String) {
        let folder = "\(directory)/sshd"
        self.folder = folder
        user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "root"
        userKey = "\(folder)/user"
        knownHosts = "\(folder)/known_hosts"
        // sshd, started by root, insists on this directory.
        if getuid() == 0 { mkdir("/run/sshd", 0o755) }
        run(["mkdir", "-p", folder])
        for name in ["host", "other", "user", "stranger"] {
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", "\(folder)/\(name)"])
        }
        run(["cp", "\(folder)/user.pub", "\(folder)/authorized_keys"])
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        let port = listenOnLoopback(listener)
        close(listener)
        self.port = port
        writeFile(
            "\(folder)/config",
            """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(folder)/host
            AuthorizedKeysFile \(folder)/authorized_keys
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin yes
            PidFile none

            """)
        let log = open("\(folder)/log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let none = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let command = ["/usr/sbin/sshd", "-D", "-e", "-f", "\(folder)/config"]
        pid = spawn(command, environment: ["PATH=/usr/bin:/bin"], input: none, output: log, errors: log)
        close(log)
        close(none)
        let isReady = eventually { run(["cat", "\(folder)/log"]).text.contains("Server listening") }
        precondition(isReady, "sshd does not start: \(run(["cat", "\(folder)/log"]).text)")
        trust("host")
    }

    deinit {
        kill(pid, SIGTERM)
        var status: CInt = 0
        waitpid(pid, &status, 0)
    }

    /// Makes `known_hosts` hold the named key, or nothing.
    package func trust(_ key: String?) {
        let line = key.map { "[127.0.0.1]:\(port) \(run(["cat", "\(folder)/\($0).pub"]).text)" } ?? ""
        writeFile(knownHosts, line)
    }

    package func key(_ name: String) -> String { "\(folder)/\(name)" }

    package func url(_ path: String) -> String { "ssh://\(user)@127.0.0.1:\(port)\(path)" }
}

/// `openssl s_server` with a certificate that it signed itself. It speaks TLS, and no Git.
package final class TLSServer {
    package let port: Int
    private let pid: pid_t

    package static let isInstalled = run(["sh", "-c", "command -v openssl"]).status == 0

    package init(in directory: String) {
        let (key, certificate) = ("\(directory)/tls.key", "\(directory)/tls.crt")
        let request = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
        let made = run(["sh", "-c", "\(request) -keyout \(key) -out \(certificate)"])
        precondition(made.status == 0, "openssl makes no certificate: \(made.text)")
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        let port = listenOnLoopback(listener)
        close(listener)
        self.port = port
        let log = open("\(directory)/tls.log", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        let none = open("/dev/null", O_RDONLY | O_CLOEXEC)
        pid = spawn(
            ["openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-key", key, "-cert", certificate, "-www"],
            environment: ["PATH=/usr/bin:/bin"], input: none, output: log, errors: log)
        close(log)
        close(none)
        let isReady = eventually { run(["cat", "\(directory)/tls.log"]).text.contains("ACCEPT") }
        precondition(isReady, "openssl does not start: \(run(["cat", "\(directory)/tls.log"]).text)")
    }

    deinit {
        kill(pid, SIGTERM)
        var status: CInt = 0
        waitpid(pid, &status, 0)
    }
}
