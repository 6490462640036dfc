import Glibc
package import Model

/// The file with which `kubectl` and Martlet's own verbs find a server and get in.
package enum KubeconfigFile {
    /// What went wrong with the file, and where.
    package struct WriteError: Error, Hashable, Sendable, CustomStringConvertible {
        package var path: String
        package var operation: String
        package var code: Int32

        package var description: String {
            "cannot \(operation) \(path): \(String(cString: strerror(code)))"
        }
    }

    /// The document for one server, in the form of `v1` Config.
    package static func document(server: String, token: AccessToken, name: String = "martlet") -> JSON {
        [
            "apiVersion": "v1", "kind": "Config", "current-context": .string(name), "preferences": [:],
            "clusters": [["name": .string(name), "cluster": ["server": .string(server)]]],
            "users": [["name": .string(name), "user": ["token": .string(token.secret)]]],
            "contexts": [
                [
                    "name": .string(name),
                    "context": [
                        "cluster": .string(name), "user": .string(name), "namespace": "default",
                    ],
                ]
            ],
        ]
    }

    /// Writes the file so that only its owner can read it (mode 0600), and so that a reader sees the old one or the new
    /// one whole.
    package static func write(server: String, token: AccessToken, to path: String) throws(WriteError) {
        let bytes = Array(YAML.text(document(server: server, token: token)).utf8)
        let temporary = "\(path).\(getpid()).new"
        let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw WriteError(path: temporary, operation: "create", code: errno) }
        var failure: WriteError?
        // The mode of a file that stood there before is not changed by open().
        if fchmod(file, 0o600) != 0 {
            failure = WriteError(path: temporary, operation: "set the mode of", code: errno)
        }
        var written = 0
        while failure == nil, written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                failure = WriteError(path: temporary, operation: "write", code: errno)
            }
        }
        if failure == nil, fsync(file) != 0 { failure = WriteError(path: temporary, operation: "sync", code: errno) }
        close(file)
        if failure == nil, rename(temporary, path) != 0 {
            failure = WriteError(path: path, operation: "replace", code: errno)
        }
        if let failure {
            unlink(temporary)
            throw failure
        }
    }
}
