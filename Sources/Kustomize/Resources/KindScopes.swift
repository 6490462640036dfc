import Model
import Synchronization

/// Which kinds have no namespace, as far as a build knows: the built-in ones, and what its `openapi` says of others.
///
/// One for a build, shared by all its resources: what a level chooses holds at once for those that are there already,
/// since Kustomize keeps it in a global variable (`kyaml/openapi`).
final class KindScopes: Sendable {
    private let custom = Mutex<Set<ResourceKind>>([])

    /// Whether objects of the kind certainly have no namespace: kinds that nobody knows may have one.
    func isClusterScoped(_ kind: ResourceKind) -> Bool {
        kind.isClusterScoped || custom.withLock { !$0.isEmpty && $0.contains(kind) }
    }

    /// Takes over what the paths of an OpenAPI v2 document say: a kind that is got at some path, but at none with a
    /// namespace, has none (`findNamespaceability`). Of built-in kinds nothing else is believed.
    func read(openAPI: JSON) {
        var isNamespaced: [ResourceKind: Bool] = [:]
        for member in openAPI["paths"]?.object ?? JSONObject() where member.key.hasPrefix("/") {
            guard let kind = member.value["get"]?["x-kubernetes-group-version-kind"],
                let version = kind["version"]?.string, let name = kind["kind"]?.string
            else { continue }
            let key = ResourceKind(group: kind["group"]?.string ?? "", version: version, kind: name)
            let isBelowNamespace = member.key.firstRange(of: "namespaces/{namespace}") != nil
            isNamespaced[key] = isNamespaced[key] == true || isBelowNamespace
        }
        let clusterScoped = isNamespaced.filter { !$0.value && MergeSchema.builtIn.kinds[$0.key] == nil }.keys
        custom.withLock { $0 = Set(clusterScoped) }
    }
}
