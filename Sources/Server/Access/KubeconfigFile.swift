import FoundationEssentials
import Logging
package import Model

/// The file with which `kubectl` and Martlet's own verbs find a server and get in.
package enum KubeconfigFile {
    /// With what the file's holder gets in.
    package enum Credentials: Sendable {
        case token(AccessToken)
        /// Both in PEM.
        case certificate(String, key: String)

        fileprivate var user: JSON {
            switch self {
            case .token(let token): ["token": .string(token.secret)]
            case .certificate(let certificate, let key):
                [
                    "client-certificate-data": .string(Data(certificate.utf8).base64EncodedString()),
                    "client-key-data": .string(Data(key.utf8).base64EncodedString()),
                ]
            }
        }
    }

    /// The document for one server, in the form of `v1` Config.
    ///
    /// - Parameters:
    ///   - authority: the certificates, in PEM, that vouch for the server.
    ///   - user: what the file calls the user of the credentials.
    package static func document(
        server: String, authority: String, credentials: Credentials, user: String = "martlet"
    ) -> JSON {
        let name: JSON = "martlet"
        let cluster: JSON = [
            "server": .string(server),
            "certificate-authority-data": .string(Data(authority.utf8).base64EncodedString()),
        ]
        return [
            "apiVersion": "v1", "kind": "Config", "current-context": name, "preferences": [:],
            "clusters": [["name": name, "cluster": cluster]],
            "users": [["name": .string(user), "user": credentials.user]],
            "contexts": [
                ["name": name, "context": ["cluster": name, "user": .string(user), "namespace": "default"]]
            ],
        ]
    }

    /// A document with a certificate of its own for a user, signed by the authority in a service's data directory. The
    /// server's address is that of the kubeconfig which the service wrote there.
    ///
    /// - Parameter directory: the data directory.
    /// - Throws: `CertificateFault` when there is no authority, or no kubeconfig.
    package static func document(
        for user: String, groups: [String], lifetime: Duration, directory: String, at now: Timestamp
    ) throws(CertificateFault) -> JSON {
        let path = "\(directory)/kubeconfig"
        let server: String
        do {
            let bytes = try PrivateFile.read(path) ?? []
            let document = try YAML.documents(bytes, file: path).first?.value
            guard let text = document?["clusters"]?[0]?[path: ["cluster", "server"]]?.string else {
                throw CertificateFault("\(path) names no server; start 'martlet serve' once first")
            }
            server = text
        } catch let fault as CertificateFault {
            throw fault
        } catch {
            throw CertificateFault("\(error)")
        }
        let folder = CertificateFolder(path: "\(directory)/pki", logger: Logger(label: "martlet.pki"))
        let (authority, client) = try folder.clientCertificate(user: user, groups: groups, for: lifetime, at: now)
        return Self.document(
            server: server, authority: authority,
            credentials: .certificate(client.certificateText, key: client.keyText), user: user)
    }

    /// Writes the file for its owner alone, whole or not at all.
    package static func write(
        server: String, authority: String, token: AccessToken, to path: String
    ) throws(PrivateFile.Failure) {
        let document = document(server: server, authority: authority, credentials: .token(token))
        try PrivateFile.write(Array(YAML.text(document).utf8), to: path)
    }
}
