/// What proves to a Git server who is asking. Its description never shows a secret.
package struct Credentials: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    package enum PrivateKey: Sendable, Hashable {
        case file(String)
        /// The key itself, as PEM or OpenSSH text.
        case text(String)
    }

    package var username: String?
    package var password: String?
    /// For ssh; without one, `ssh` uses its agent and its default keys.
    package var privateKey: PrivateKey?

    package init(username: String? = nil, password: String? = nil, privateKey: PrivateKey? = nil) {
        self.username = username
        self.password = password
        self.privateKey = privateKey
    }

    package static let none = Credentials()

    /// From the (decoded) data of a Secret in the shape of Argo CD's repository secrets: `username`, `password`,
    /// `sshPrivateKey`.
    package init(secretData data: [String: String]) {
        self.init(
            username: data["username"], password: data["password"], privateKey: data["sshPrivateKey"].map { .text($0) })
    }

    /// From the environment: `MARTLET_GIT_USERNAME`, `MARTLET_GIT_PASSWORD`, or the files that
    /// `MARTLET_GIT_USERNAME_FILE`, `MARTLET_GIT_PASSWORD_FILE` and `MARTLET_GIT_SSH_KEY_FILE` name.
    ///
    /// - Throws: `GitError` of kind `notPermitted` when a named file cannot be read.
    package init(environment: [String: String]) throws(GitError) {
        username = try Self.value("MARTLET_GIT_USERNAME", environment)
        password = try Self.value("MARTLET_GIT_PASSWORD", environment)
        privateKey = environment["MARTLET_GIT_SSH_KEY_FILE"].map { .file($0) }
    }

    private static func value(_ name: String, _ environment: [String: String]) throws(GitError) -> String? {
        if let value = environment[name] { return value }
        guard let path = environment["\(name)_FILE"] else { return nil }
        let bytes: [UInt8]
        do {
            bytes = try FileSystem.contents(of: path, limit: 64 << 10)
        } catch {
            throw GitError(.notPermitted, "\(name)_FILE: \(error.message)")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return String(text.prefix { !$0.isNewline })
    }

    package var description: String {
        let parts = [username.map { _ in "username" }, password.map { _ in "password" }, privateKey.map { _ in "key" }]
        return "Credentials(\(parts.compactMap(\.self).joined(separator: ", ")))"
    }

    package var debugDescription: String { description }
    package var customMirror: Swift.Mirror { Swift.Mirror(self, children: []) }

    /// `text` with every secret in it blotted out.
    func redact(_ text: String) -> String {
        guard let password, !password.isEmpty else { return text }
        return text.replacing(password, with: "<redacted>")
    }

    /// These, with gaps filled from what stood in the URL.
    func completed(from url: RemoteURL) -> Credentials {
        var result = self
        result.username = username ?? url.user
        result.password = password ?? url.password
        return result
    }
}
