package import Kinds
import Model

/// What every namespace has, decided from what is there: the ServiceAccount of pods that name none, and the certificate
/// of the authority that vouches for the API server (J4).
package enum NamespaceDefaultsPlan {
    package static let serviceAccount = "default"
    package static let authority = "kube-root-ca.crt"

    package enum Action: Hashable, Sendable {
        case createServiceAccount(ServiceAccount)
        case createAuthority(ConfigMap)
        case updateAuthority(ConfigMap)
    }

    private static let describedAs = "kubernetes.io/description"
    private static let description = "The authority that signs the API server's certificate."

    /// - Parameters:
    ///   - certificate: the authority's, in PEM; `nil` while nobody serves the API.
    /// - Returns: nothing for a namespace that goes.
    package static func decide(
        _ namespace: Namespace, serviceAccount: ServiceAccount?, authority: ConfigMap?, certificate: String?
    ) -> [Action] {
        guard !namespace.metadata.isBeingDeleted else { return [] }
        var actions: [Action] = []
        if serviceAccount == nil {
            actions.append(
                .createServiceAccount(ServiceAccount(named: Self.serviceAccount, in: namespace.metadata.name)))
        }
        guard let certificate else { return actions }
        if var authority {
            if authority.data == ["ca.crt": certificate] { return actions }
            authority.data = ["ca.crt": certificate]
            actions.append(.updateAuthority(authority))
        } else {
            var created = ConfigMap(named: Self.authority, in: namespace.metadata.name)
            created.metadata.annotations = [describedAs: description]
            created.data = ["ca.crt": certificate]
            actions.append(.createAuthority(created))
        }
        return actions
    }
}
