import Model

/// Where a cluster is and how to get in: one context of a kubeconfig, with its files not yet read.
package struct ClusterAccess: Hashable, Sendable {
    /// The text itself, or the file that holds it.
    package enum Source: Hashable, Sendable {
        case data([UInt8])
        case file(String)
    }

    package enum Credentials: Hashable, Sendable {
        case none
        case token(String)
        /// Read at each request, since such tokens are replaced from time to time.
        case tokenFile(String)
        case certificate(Source, key: Source)
        case basic(user: String, password: String)
    }

    /// The base URL, without a slash at its end.
    package var server: String
    package var credentials: Credentials
    package var certificateAuthority: Source?
    package var skipsCertificateVerification: Bool
    /// The name to verify the server's certificate against, where it is not the URL's.
    package var serverName: String?
    /// The namespace of the context; `default` when it names none.
    package var namespace: String

    package init(
        server: String, credentials: Credentials = .none, certificateAuthority: Source? = nil,
        skipsCertificateVerification: Bool = false, serverName: String? = nil, namespace: String = "default"
    ) {
        self.server = server
        self.credentials = credentials
        self.certificateAuthority = certificateAuthority
        self.skipsCertificateVerification = skipsCertificateVerification
        self.serverName = serverName
        self.namespace = namespace
    }
}

/// Why a kubeconfig cannot be used: which file, and what would be right.
package struct KubeconfigError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    package var description: String { message }
}

extension ClusterAccess {
    /// Reads a kubeconfig (`v1` Config).
    ///
    /// - Parameters:
    ///   - path: names the file in errors; relative paths in it count from its folder.
    ///   - context: instead of `current-context`.
    package init(kubeconfig text: [UInt8], path: String, context: String? = nil) throws(KubeconfigError) {
        let document: JSON
        do {
            let documents = try YAML.documents(text, file: path)
            guard let first = documents.first else {
                throw KubeconfigError(message: "\(path) is empty: expected a kubeconfig")
            }
            document = first.value
        } catch let error as YAMLError {
            throw KubeconfigError(message: "\(error)")
        } catch let error as KubeconfigError {
            throw error
        } catch {
            throw KubeconfigError(message: "\(path): \(error)")
        }
        let reader = KubeconfigReader(document: document, path: path)
        guard let name = context ?? document["current-context"]?.string, !name.isEmpty else {
            throw KubeconfigError(message: "\(path) has no current-context: name one with --context")
        }
        let chosen = try reader.entry("contexts", name, "context")
        let cluster = try reader.entry("clusters", try reader.text(chosen, "cluster", of: "context \(name)"), "cluster")
        var user: JSON = [:]
        if let name = try reader.text(chosen, "user") { user = try reader.entry("users", name, "user") }
        var server = try reader.text(cluster, "server", of: "its cluster")
        while server.hasSuffix("/") { server.removeLast() }
        guard server.hasPrefix("http://") || server.hasPrefix("https://") else {
            throw KubeconfigError(message: "\(path): the server \(server) is no http or https URL")
        }
        if try reader.text(cluster, "proxy-url") != nil {
            throw KubeconfigError(message: "\(path): proxy-url is not supported")
        }
        self.init(
            server: server, credentials: try reader.credentials(user),
            certificateAuthority: try reader.source(cluster, "certificate-authority"),
            skipsCertificateVerification: try reader.flag(cluster, "insecure-skip-tls-verify"),
            serverName: try reader.text(cluster, "tls-server-name"),
            namespace: try reader.text(chosen, "namespace") ?? "default")
    }
}

private struct KubeconfigReader {
    let document: JSON
    let path: String

    func entry(_ list: String, _ name: String, _ member: String) throws(KubeconfigError) -> JSON {
        let entries = document[list]?.array ?? []
        guard let entry = entries.first(where: { $0["name"]?.string == name })?[member] else {
            let known = entries.compactMap { $0["name"]?.string }.joined(separator: ", ")
            throw KubeconfigError(
                message: "\(path): \(list) has no \"\(name)\"" + (known.isEmpty ? "" : "; there are: \(known)"))
        }
        return entry
    }

    func text(_ node: JSON, _ member: String, of owner: String) throws(KubeconfigError) -> String {
        guard let text = try text(node, member) else {
            throw KubeconfigError(message: "\(path): \(owner) has no \(member)")
        }
        return text
    }

    /// `nil` for what is absent or empty, as everywhere in Kubernetes' own types.
    func text(_ node: JSON, _ member: String) throws(KubeconfigError) -> String? {
        switch node[member] {
        case nil, .null: return nil
        case .string(let text): return text.isEmpty ? nil : text
        case let other?:
            // Not what it is: it may be a secret.
            let kind = other.bool == nil ? "number, list or map" : "true or false"
            throw KubeconfigError(
                message: "\(path): \(member) is a \(kind): a text is expected; put it in quotes if it is one")
        }
    }

    func flag(_ node: JSON, _ member: String) throws(KubeconfigError) -> Bool {
        switch node[member] {
        case nil, .null: return false
        case .bool(let flag): return flag
        default: throw KubeconfigError(message: "\(path): \(member) must be true or false, without quotes")
        }
    }

    /// `<member>-data` in base64, or the file `<member>`.
    func source(_ node: JSON, _ member: String) throws(KubeconfigError) -> ClusterAccess.Source? {
        if let text = try text(node, member + "-data") {
            // White space may come of how the text was folded.
            guard let bytes = Base64.decode(text.filter { !$0.isWhitespace }) else {
                throw KubeconfigError(message: "\(path): \(member)-data is not base64")
            }
            return .data(bytes)
        }
        return try text(node, member).map { .file(resolved($0)) }
    }

    private func resolved(_ file: String) -> String {
        guard !file.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return file }
        return path[...slash] + file
    }

    func credentials(_ user: JSON) throws(KubeconfigError) -> ClusterAccess.Credentials {
        // Of the two the file holds the newer one (Kubernetes' AuthInfo).
        if let file = try text(user, "tokenFile") { return .tokenFile(resolved(file)) }
        if let token = try text(user, "token") { return .token(token) }
        if let certificate = try source(user, "client-certificate") {
            guard let key = try source(user, "client-key") else {
                throw KubeconfigError(message: "\(path): the user has a client-certificate but no client-key")
            }
            return .certificate(certificate, key: key)
        }
        if let name = try text(user, "username") {
            return .basic(user: name, password: try text(user, "password") ?? "")
        }
        for plugin in ["exec", "auth-provider"] where user[plugin] != nil {
            throw KubeconfigError(
                message: "\(path): the user gets credentials from \"\(plugin)\", which is not supported: "
                    + "use a token, e.g. of `kubectl create token`")
        }
        return .none
    }
}
