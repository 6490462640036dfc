import Cluster
import FoundationEssentials
import Kinds
import Model
import Reconciler

extension Serve {
    /// The Applications that the options ask for, one per `--repo`.
    func applications() -> [Application] {
        repo.indices.map { index in
            let name = value(appName, index) ?? Self.name(of: repo[index])
            var application = Application(named: name, in: "martlet")
            if let bakeTime { application.metadata.annotations[ApplicationSettings.bakeTimeAnnotation] = bakeTime }
            var source = ApplicationSource()
            source.repoURL = Self.absolute(repo[index])
            source.path = value(path, index) ?? "."
            source.targetRevision = value(revision, index) ?? "HEAD"
            application.spec.source = source
            application.spec.project = "default"
            application.spec.destination.namespace = value(destination, index) ?? "default"
            var automated = SyncPolicyAutomated()
            automated.prune = true
            automated.selfHeal = true
            var policy = SyncPolicy()
            policy.automated = automated
            policy.syncOptions = ["CreateNamespace=true"]
            application.spec.syncPolicy = policy
            return application
        }
    }

    private func value(_ list: [String], _ index: Int) -> String? { list.indices.contains(index) ? list[index] : nil }

    /// `https://host/team/site.git` is called `site`, made fit for an object's name.
    static func name(of url: String) -> String {
        let last = url.split(whereSeparator: { "/:".contains($0) }).last.map(String.init) ?? "app"
        let base = last.hasSuffix(".git") ? String(last.dropLast(4)) : last
        let safe = base.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        let name = String(String(safe).drop { $0 == "-" }.prefix(53))
        return name.isEmpty ? "app" : String(name.reversed().drop { $0 == "-" }.reversed())
    }

    /// A relative path is meant from where the command was given, not from where the service will stand.
    static func absolute(_ url: String) -> String {
        guard !url.contains("://"), !url.contains(":"), !url.hasPrefix("/") else { return url }
        return URL(filePath: url).standardizedFileURL.path
    }
}
