import Cluster
import Kinds
import Model

/// Issues texts in the place of tokens, as nobody in a simulation looks into them.
struct SimulatedTokens: TokenSource {
    let cluster: any Cluster
    let clock: any WallClock

    /// - Throws: `.notFound` when the account is not there.
    func issue(_ request: TokenRequest, for account: ObjectKey) async throws(APIError) -> IssuedToken {
        _ = try await cluster.get(account)
        return IssuedToken(
            secret: "token of \(account.namespace)/\(account.name)",
            expiration: clock.now + .seconds(request.expirationSeconds))
    }
}
