import Cluster
import GitSource
import Kinds
import Model

/// What to show a Git remote: a repository Secret in the cluster (Argo CD's label and keys), else the environment.
struct RepositoryCredentials: Sendable {
    static let label = "argocd.argoproj.io/secret-type"

    /// `nil` for a verb that needs no cluster.
    var cluster: (any Cluster)?

    @Sendable
    func credentials(_ url: RemoteURL) async throws -> Credentials {
        if let cluster {
            let query = ListQuery(
                Secret.kind.groupKind, namespace: "martlet", labels: Selector(labels: [Self.label: "repository"]))
            for object in try await cluster.list(query).items {
                let data = Self.decoded(object.view())
                if data["url"] == url.description { return Credentials(secretData: data) }
            }
        }
        return try Credentials(environment: Connection.currentEnvironment)
    }

    private static func decoded(_ secret: Secret) -> [String: String] {
        secret.data.compactMapValues { value in
            Base64.decode(value).map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
