/// Where a repository is: an absolute path, `file://`, `http(s)://`, `ssh://`, or `user@host:path` as scp writes it.
package struct RemoteURL: Hashable, Sendable, CustomStringConvertible {
    package enum Location: Hashable, Sendable {
        /// An absolute path on this machine.
        case local(path: String)
        case http(secure: Bool, host: String)
        case ssh(host: String, port: Int?, path: String)
    }

    package let location: Location
    /// The URL without user, password, query and fragment: safe to show and to log.
    package let description: String
    /// The user (and password) that stood in the URL; never part of `description`.
    let user: String?
    let password: String?

    /// - Throws: `GitError` of kind `invalidURL` or `unsupported`.
    package init(_ text: String) throws(GitError) {
        guard !text.isEmpty else { throw Self.invalid("a repository URL must not be empty") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) || text.hasPrefix("/") else {
            throw Self.invalid("a repository URL must not contain spaces or control characters")
        }
        if text.hasPrefix("/") {
            self.init(path: text)
        } else if let separator = text.firstRange(of: "://") {
            let scheme = text[..<separator.lowerBound].lowercased()
            try self.init(scheme: scheme, rest: text[separator.upperBound...])
        } else if let colon = text.firstIndex(of: ":"), !text[..<colon].contains("/") {
            try self.init(scpHost: text[..<colon], path: text[text.index(after: colon)...])
        } else {
            throw Self.invalid(
                "\(text) is no repository URL: use an absolute path, file://, https://, ssh:// or user@host:path")
        }
    }

    private init(location: Location, description: String, user: String?, password: String?) {
        self.location = location
        self.description = description
        self.user = user
        self.password = password
    }

    private init(path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.init(location: .local(path: path), description: path, user: nil, password: nil)
    }

    private init(scheme: String, rest: Substring) throws(GitError) {
        switch scheme {
        case "file":
            let path = rest.hasPrefix("localhost/") ? rest.dropFirst("localhost".count) : rest
            guard path.hasPrefix("/") else {
                throw Self.invalid("file://\(rest) names no absolute path: write file:///path/to/repository")
            }
            self.init(path: Self.percentDecoded(path))
        case "http", "https", "ssh", "git+ssh", "ssh+git":
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            let authority = rest[..<slash]
            let at = authority.lastIndex(of: "@")
            let hostStart = at.map { authority.index(after: $0) } ?? authority.startIndex
            let userInfo = at.map { authority[..<$0].split(separator: ":", maxSplits: 1) } ?? []
            let hostAndPort = authority[hostStart...]
            let path = rest[slash...].prefix { $0 != "?" && $0 != "#" }
            let (host, port) = try Self.split(hostAndPort)
            guard path.count > 1 else {
                throw Self.invalid("\(scheme)://\(hostAndPort) names no repository on the host")
            }
            let user = userInfo.first.map { Self.percentDecoded($0) }
            let password = userInfo.count > 1 ? Self.percentDecoded(userInfo[1]) : nil
            if scheme.hasPrefix("http") {
                self.init(
                    location: .http(secure: scheme == "https", host: host),
                    description: "\(scheme)://\(hostAndPort)\(path)", user: user, password: password)
            } else {
                self.init(
                    location: .ssh(host: host, port: port, path: Self.percentDecoded(path)),
                    description: "ssh://\(user.map { "\($0)@" } ?? "")\(hostAndPort)\(path)", user: user,
                    password: password)
            }
        default:
            throw GitError(
                .unsupported, "\(scheme):// is not supported: use an absolute path, file://, https:// or ssh://")
        }
    }

    private init(scpHost: Substring, path: Substring) throws(GitError) {
        let parts = scpHost.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let host = String(parts.last ?? "")
        guard !host.isEmpty, !host.hasPrefix("-"), !path.isEmpty else {
            throw Self.invalid("\(scpHost):\(path) is no repository URL: write user@host:path")
        }
        self.init(
            location: .ssh(host: host, port: nil, path: String(path)), description: "\(scpHost):\(path)",
            user: parts.count == 2 && !parts[0].isEmpty ? String(parts[0]) : nil, password: nil)
    }

    private static func split(_ hostAndPort: Substring) throws(GitError) -> (host: String, port: Int?) {
        var host = hostAndPort
        var port: Int?
        let afterBracket = hostAndPort.lastIndex(of: "]") ?? hostAndPort.startIndex
        if let colon = hostAndPort[afterBracket...].lastIndex(of: ":") {
            guard let number = Int(hostAndPort[hostAndPort.index(after: colon)...]), (1...65535).contains(number) else {
                throw invalid("\(hostAndPort): the port must be a number from 1 to 65535")
            }
            port = number
            host = hostAndPort[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        // A leading dash would be read as an option by ssh.
        guard !host.isEmpty, !host.hasPrefix("-") else { throw invalid("\(hostAndPort) is no host name") }
        return (String(host), port)
    }

    private static func percentDecoded(_ text: some StringProtocol) -> String {
        guard text.contains("%") else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func invalid(_ message: String) -> GitError { GitError(.invalidURL, message) }

    /// The path of a repository on this machine; `nil` for one that is reached over a network.
    package var localPath: String? {
        if case .local(let path) = location { path } else { nil }
    }
}
