import FoundationEssentials
package import Model

/// The file with which `kubectl` and Martlet's own verbs find a server and get in.
package enum KubeconfigFile {
    /// The document for one server, in the form of `v1` Config.
    ///
    /// - Parameter authority: the certificates, in PEM, that vouch for the server.
    package static func document(
        server: String, authority: String, token: AccessToken, name: String = "martlet"
    ) -> JSON {
        let cluster: JSON = [
            "server": .string(server),
            "certificate-authority-data": .string(Data(authority.utf8).base64EncodedString()),
        ]
        return [
            "apiVersion": "v1", "kind": "Config", "current-context": .string(name), "preferences": [:],
            "clusters": [["name": .string(name), "cluster": cluster]],
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

    /// Writes the file for its owner alone, whole or not at all.
    package static func write(
        server: String, authority: String, token: AccessToken, to path: String
    ) throws(PrivateFile.Failure) {
        let document = document(server: server, authority: authority, token: token)
        try PrivateFile.write(Array(YAML.text(document).utf8), to: path)
    }
}
