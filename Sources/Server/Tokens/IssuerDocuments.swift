import Model

/// By which others check tokens of ServiceAccounts without asking (OpenID Connect Discovery).
struct IssuerDocuments: Sendable {
    static let configurationPath = "/.well-known/openid-configuration"
    static let keysPath = "/openid/v1/jwks"

    /// Whether a path names one of the two, with or without a slash behind it.
    static func isOne(_ path: String) -> Bool {
        let name = path.hasSuffix("/") ? String(path.dropLast()) : path
        return name == configurationPath || name == keysPath
    }

    let key: TokenKey
    /// Where the server is found, as `127.0.0.1:7443`.
    let serverAddress: String

    var configuration: JSON {
        [
            "issuer": .string(ServiceAccountTokens.issuer),
            "jwks_uri": .string("https://\(serverAddress)\(Self.keysPath)"),
            "response_types_supported": ["id_token"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [.string(TokenKey.algorithm)],
        ]
    }

    /// The public keys (RFC 7517).
    var keys: JSON { ["keys": [key.published]] }

    func configurationAnswer() -> Answer { answer(configuration, "application/json") }
    func keysAnswer() -> Answer { answer(keys, "application/jwk-set+json") }

    /// Keys may be kept for an hour, as Kubernetes has it.
    private func answer(_ document: JSON, _ contentType: String) -> Answer {
        Answer(
            code: 200, contentType: contentType, headers: [("Cache-Control", "public, max-age=3600")],
            body: .bytes(document.encoded()))
    }
}
