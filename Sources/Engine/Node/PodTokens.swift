internal import Cluster
internal import Kinds
internal import Model
internal import Synchronization

/// A token that a pod's volumes show.
struct ProjectedToken: Hashable, Sendable {
    /// Empty: the API server's own.
    var audience: String
    var expirationSeconds: Int

    init(_ source: ServiceAccountTokenProjection) {
        audience = source.audience ?? ""
        expirationSeconds = source.expirationSeconds ?? TokenRequest.defaultExpirationSeconds
    }

    /// Bound to the pod, so that it ends with it.
    func request(for pod: Pod) -> TokenRequest {
        TokenRequest(
            audiences: audience.isEmpty ? [] : [audience], expirationSeconds: expirationSeconds,
            boundObject: .init(
                apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: pod.metadata.uid))
    }
}

/// The tokens of a pod's volumes, and when each is to be replaced: as the kubelet does, after 80 % of its life, or a
/// day.
struct PodTokens: Sendable {
    private struct Held {
        var token: IssuedToken
        var renewal: Timestamp
    }

    private static let longestUse = Duration.seconds(86400)
    /// After so long a renewal that failed is tried again, while the token is still good.
    private static let retryDelay = Duration.seconds(60)

    private var held: [ProjectedToken: Held] = [:]

    /// Those that a pod's volumes show.
    static func wanted(by pod: Pod) -> Set<ProjectedToken> {
        var wanted: Set<ProjectedToken> = []
        for volume in APIAccess.volumes(of: pod) {
            for source in volume.projected?.sources ?? [] {
                if let token = source.serviceAccountToken { wanted.insert(ProjectedToken(token)) }
            }
        }
        return wanted
    }

    /// When the next one is to be replaced.
    var nextRenewal: Timestamp? { held.values.map(\.renewal).min() }

    /// The token that is there, unless it is to be replaced.
    func fresh(_ wanted: ProjectedToken, at now: Timestamp) -> IssuedToken? {
        held[wanted].flatMap { $0.renewal > now ? $0.token : nil }
    }

    mutating func keep(_ token: IssuedToken, for wanted: ProjectedToken) {
        let life = Duration.seconds(wanted.expirationSeconds)
        let issued = token.expiration - life
        held[wanted] = Held(token: token, renewal: issued + min(life * 4 / 5, Self.longestUse))
    }

    /// Another could not be had: the token that is there, while it is good.
    mutating func keepOld(_ wanted: ProjectedToken, at now: Timestamp) -> IssuedToken? {
        guard let old = held[wanted], old.token.expiration > now else {
            held[wanted] = nil
            return nil
        }
        held[wanted]?.renewal = now + Self.retryDelay
        return old.token
    }
}

/// Who issues tokens, once that is known.
final class AttachedTokens: Sendable {
    private let attached = Mutex<(any TokenSource)?>(nil)

    var source: (any TokenSource)? { attached.withLock { $0 } }

    func attach(_ source: any TokenSource) { attached.withLock { $0 = source } }
}
