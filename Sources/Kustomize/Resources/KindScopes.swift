import Model
import Synchronization

/// Which kinds have no namespace, as far as a build knows: the built-in ones, and what its `openapi` says of others.
///
/// One for a build, shared by all its resources: what a level chooses holds at once for those that are there already,
/// since Kustomize keeps it in a global variable (`kyaml/openapi`).
final class KindScopes: Sendable {
    private struct State {
        var clusterScoped: Set<ResourceKind> = []
        var needsBuiltIn = false
    }

    private let state = Mutex(State())

    /// Whether the built-in schemas have come into use: Kustomize reads them for the first merge, or once it is asked
    /// about a kind that is not in its table, and they stay where an `openapi` is chosen after that.
    var usesBuiltIn: Bool { state.withLock(\.needsBuiltIn) }

    func useBuiltIn() { state.withLock { $0.needsBuiltIn = true } }

    /// To be told of every resource that is read.
    func note(_ kind: ResourceKind) {
        if !kind.isClusterScoped, MergeSchema.builtIn.kinds[kind] == nil { useBuiltIn() }
    }

    /// Whether objects of the kind certainly have no namespace: kinds that nobody knows may have one.
    func isClusterScoped(_ kind: ResourceKind) -> Bool {
        kind.isClusterScoped || state.withLock { !$0.clusterScoped.isEmpty && $0.clusterScoped.contains(kind) }
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
        state.withLock { $0.clusterScoped = Set(clusterScoped) }
    }
}
