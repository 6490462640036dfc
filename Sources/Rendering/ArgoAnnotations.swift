import Model

/// What Argo CD's annotations on a manifest ask of a sync. Those that are not carried out are faults of the manifest: a
/// sync that passed over them would do something that nobody meant.
enum ArgoAnnotations {
    /// Options for one object that are honoured, or are how Martlet always syncs.
    private static let syncOptions: Set<String> = [
        "Prune=false", "Prune=true", "Delete=false", "Delete=true", "ServerSideApply=true", "Validate=true",
        "PruneLast=true", "Replace=false", "Force=false",
    ]

    /// - Returns: the annotation's name, and why it cannot stay.
    static func fault(in annotations: JSON) -> (name: String, message: String)? {
        for member in annotations.object ?? JSONObject() where member.key.hasPrefix("argocd.argoproj.io/") {
            guard let value = member.value.string, let message = fault(member.key, value) else { continue }
            return (member.key, "the annotation \(member.key): \(message)")
        }
        return nil
    }

    private static func fault(_ name: String, _ value: String) -> String? {
        switch name {
        case "argocd.argoproj.io/sync-wave" where value != "0":
            return "sync waves are not carried out yet, objects are applied in the order of their kinds: remove it"
        case "argocd.argoproj.io/hook": return "hooks are not run yet: remove it, or exclude this file"
        case "argocd.argoproj.io/ignore-healthcheck" where value == "true":
            return "the health of every object counts: remove it"
        case "argocd.argoproj.io/sync-options":
            let options = value.split(separator: ",").map { $0.drop { $0 == " " } }
            guard let unknown = options.first(where: { !syncOptions.contains(String($0)) }) else { return nil }
            return "\"\(unknown)\" is not carried out: use one of \(syncOptions.sorted().joined(separator: ", "))"
        default: return nil
        }
    }
}
