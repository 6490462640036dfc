import Cluster

/// Who sent a request.
struct User: Hashable, Sendable {
    var name: String
    var groups: [String]

    static let administrator = User(name: "martlet-admin", groups: ["system:masters", "system:authenticated"])
    static let anonymous = User(name: "system:anonymous", groups: ["system:unauthenticated"])
}

/// The one place where it is decided who a request is from and whether it may pass (semantics-api J1).
struct Access: Sendable {
    let token: AccessToken

    /// - Parameter authorization: the header of that name.
    /// - Throws: `.unauthorized` for a wrong token, and for none where one is needed.
    func admit(authorization: String?, to path: APIPath) throws(APIError) -> User {
        if let authorization {
            let parts = authorization.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer", token.matches(String(parts[1])) else {
                // Also where anonymous requests may pass (J1).
                throw APIError(.unauthorized, "Unauthorized")
            }
            return .administrator
        }
        switch path {
        case .health, .version: return .anonymous
        default: throw APIError(.unauthorized, "Unauthorized")
        }
    }
}
