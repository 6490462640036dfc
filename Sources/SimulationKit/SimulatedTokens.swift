import Cluster
import Model

/// Issues texts in the place of tokens, as nobody in a simulation looks into them; accounts are taken for granted.
struct SimulatedTokens: TokenSource {
    let clock: any WallClock

    func issue(_ request: TokenRequest, for account: ObjectKey) async throws(APIError) -> IssuedToken {
        IssuedToken(
            secret: "token of \(account.namespace)/\(account.name)",
            expiration: clock.now + .seconds(request.expirationSeconds))
    }
}
