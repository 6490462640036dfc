package import Model

/// Who issues tokens of ServiceAccounts (semantics-api J2, J3): the API server, for its clients and for nodes.
package protocol TokenSource: Sendable {
    /// A new token of an account.
    ///
    /// - Parameter account: the ServiceAccount's key.
    /// - Throws: `.notFound` when the account, or the object that the token is to be bound to, is not there;
    ///   `.conflict` when that object has another uid; `.invalid` for a life that is too short or too long;
    ///   `.badRequest` when the token cannot be bound to such an object.
    func issue(_ request: TokenRequest, for account: ObjectKey) async throws(APIError) -> IssuedToken
}

/// What is asked of a token: the `spec` of an `authentication.k8s.io/v1` TokenRequest.
package struct TokenRequest: Hashable, Sendable {
    /// The object with which the token ends.
    package struct BoundObject: Hashable, Sendable {
        package var apiVersion: String
        /// `Pod`, `Secret` or `Node`.
        package var kind: String
        package var name: String
        /// Empty: whichever has the name.
        package var uid: String

        package init(apiVersion: String, kind: String, name: String, uid: String = "") {
            self.apiVersion = apiVersion
            self.kind = kind
            self.name = name
            self.uid = uid
        }
    }

    /// For whom it is meant; none stands for the API server itself.
    package var audiences: [String]
    /// How long it is to live.
    package var expirationSeconds: Int
    package var boundObject: BoundObject?

    /// An hour, as in Kubernetes where a request does not say it.
    package static let defaultExpirationSeconds = 3600

    package init(
        audiences: [String] = [], expirationSeconds: Int = Self.defaultExpirationSeconds,
        boundObject: BoundObject? = nil
    ) {
        self.audiences = audiences
        self.expirationSeconds = expirationSeconds
        self.boundObject = boundObject
    }
}

/// A token with the time at which its holder must have another one; it does not print itself.
package struct IssuedToken: Hashable, Sendable, CustomStringConvertible {
    package let secret: String
    package let expiration: Timestamp

    package init(secret: String, expiration: Timestamp) {
        self.secret = secret
        self.expiration = expiration
    }

    package var description: String { "IssuedToken(…, until \(expiration))" }
}
