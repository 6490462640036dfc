package import Kinds
import Model

/// What an Application asks for, read once into values that need no further checking.
package struct ApplicationSettings: Hashable, Sendable {
    /// What happens to a revision that turned out to be unhealthy (DESIGN, the rollout verdict, 4).
    package enum Rollback: String, Sendable, CaseIterable {
        /// The last healthy revision is synced whole.
        case commit
        /// Only the failed Deployment's pod template goes back.
        case workload
        case off
    }

    package var rollback = Rollback.commit
    /// How long everything must stay healthy before a revision counts as healthy.
    package var bakeTime = Duration.seconds(10)
    /// How long a rollout may go without progress.
    package var healthTimeout = Duration.seconds(600)
    package var isAutomated = false
    package var prunes = false
    package var selfHeals = false
    package var allowsEmpty = false
    package var createsNamespace = false
    package var isSuspended = false
    /// How often a sync that failed is tried again, and after which delays (Argo CD's defaults).
    package var retryLimit = 5
    package var retryDelay = Duration.seconds(5)
    package var retryFactor = 2
    package var retryMaximum = Duration.seconds(180)
    package var historyLimit = 10
    package var namespace = "default"
    package var ignoreDifferences: [ResourceIgnoreDifferences] = []

    package init() {}
}

/// An Application that says something Martlet cannot do as said.
package struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    package var field: String
    package var message: String
    package var description: String { "\(field): \(message)" }
}

extension ApplicationSettings {
    package static let rollbackAnnotation = "martlet.dev/rollback"
    package static let bakeTimeAnnotation = "martlet.dev/bake-time"
    package static let healthTimeoutAnnotation = "martlet.dev/health-timeout"
    package static let suspendAnnotation = "martlet.dev/suspend"
    package static let refreshAnnotation = "argocd.argoproj.io/refresh"

    package init(_ application: Application) throws(SettingsError) {
        self.init()
        let annotations = application.metadata.annotations
        try Self.checkNames(annotations)
        bakeTime = try Self.duration(Self.bakeTimeAnnotation, annotations) ?? bakeTime
        healthTimeout = try Self.duration(Self.healthTimeoutAnnotation, annotations) ?? healthTimeout
        isSuspended = annotations[Self.suspendAnnotation] == "true"
        if let text = annotations[Self.rollbackAnnotation] {
            guard let policy = Rollback(rawValue: text) else {
                let choices = Rollback.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
                throw Self.annotationError(Self.rollbackAnnotation, "\"\(text)\" is none of \(choices)")
            }
            rollback = policy
        }
        guard let source = application.spec.source, !source.repoURL.isEmpty else {
            throw SettingsError(field: "spec.source.repoURL", message: "an Application needs a repository to follow")
        }
        try Self.checkDestination(application.spec.destination)
        if let namespace = application.spec.destination.namespace, !namespace.isEmpty { self.namespace = namespace }
        try Self.check(application.spec.destination)
        try readSyncPolicy(application.spec.syncPolicy)
        historyLimit = application.spec.revisionHistoryLimit ?? historyLimit
        ignoreDifferences = application.spec.ignoreDifferences
        if let index = ignoreDifferences.firstIndex(where: { !$0.jqPathExpressions.isEmpty }) {
            throw SettingsError(
                field: "spec.ignoreDifferences[\(index)].jqPathExpressions",
                message: "jq expressions are not evaluated; use jsonPointers or managedFieldsManagers")
        }
    }

    /// A misspelt annotation would silently leave its default in force.
    private static func checkNames(_ annotations: [String: String]) throws(SettingsError) {
        let known = [rollbackAnnotation, bakeTimeAnnotation, healthTimeoutAnnotation, suspendAnnotation]
        for name in annotations.keys.sorted() where name.hasPrefix("martlet.dev/") && !known.contains(name) {
            let hint = Spelling.nearest(to: name, among: known).map { "did you mean \"\($0)\"?" }
            throw annotationError(
                name, "there is no such annotation; \(hint ?? "there are: \(known.joined(separator: ", "))")")
        }
    }

    /// Argo CD's names of the cluster that it runs in are this one's; another's objects must not end up here.
    private static func checkDestination(_ destination: ApplicationDestination) throws(SettingsError) {
        if let server = destination.server, !["", "https://kubernetes.default.svc"].contains(server) {
            throw SettingsError(
                field: "spec.destination.server",
                message: "\(server) is another cluster; leave it out, or write https://kubernetes.default.svc")
        }
        if let name = destination.name, !["", "in-cluster"].contains(name) {
            throw SettingsError(
                field: "spec.destination.name",
                message: "\"\(name)\" is another cluster; leave it out, or write in-cluster")
        }
    }

    private mutating func readSyncPolicy(_ policy: SyncPolicy?) throws(SettingsError) {
        if let automated = policy?.automated {
            isAutomated = automated.enabled ?? true
            prunes = automated.prune ?? false
            selfHeals = automated.selfHeal ?? false
            allowsEmpty = automated.allowEmpty ?? false
        }
        try readSyncOptions(policy?.syncOptions ?? [])
        if policy?.managedNamespaceMetadata != nil {
            throw SettingsError(
                field: "spec.syncPolicy.managedNamespaceMetadata",
                message: "labels and annotations of a namespace are not managed; keep a Namespace in the repository")
        }
        guard let retry = policy?.retry else { return }
        retryLimit = retry.limit ?? retryLimit
        let field = "spec.syncPolicy.retry.backoff"
        retryDelay = try Self.duration(retry.backoff?.duration, field: "\(field).duration") ?? retryDelay
        retryMaximum = try Self.duration(retry.backoff?.maxDuration, field: "\(field).maxDuration") ?? retryMaximum
        retryFactor = max(1, retry.backoff?.factor ?? retryFactor)
    }

    /// Argo CD's sync options that are how Martlet always syncs, or that turn something off that it never does.
    private static let matteringNothing: Set<String> = [
        "CreateNamespace=false", "ServerSideApply=true", "Validate=true", "ApplyOutOfSyncOnly=true",
        "FailOnSharedResource=true", "PruneLast=true", "PrunePropagationPolicy=background", "Replace=false",
        "Force=false",
    ]

    private mutating func readSyncOptions(_ options: [String]) throws(SettingsError) {
        for (index, option) in options.enumerated() {
            if option == "CreateNamespace=true" {
                createsNamespace = true
            } else if !Self.matteringNothing.contains(option) {
                let known = (Self.matteringNothing.sorted() + ["CreateNamespace=true"]).joined(separator: ", ")
                throw SettingsError(
                    field: "spec.syncPolicy.syncOptions[\(index)]",
                    message: "\"\(option)\" is not carried out; remove it, or use one of \(known)")
            }
        }
    }

    /// There is one cluster: the one whose API holds the Application.
    private static func check(_ destination: ApplicationDestination) throws(SettingsError) {
        if let server = destination.server, !["", "https://kubernetes.default.svc"].contains(server) {
            throw SettingsError(
                field: "spec.destination.server",
                message: "\"\(server)\" is another cluster; remove it, or use https://kubernetes.default.svc")
        }
        if let name = destination.name, !["", "in-cluster"].contains(name) {
            throw SettingsError(
                field: "spec.destination.name", message: "\"\(name)\" is another cluster; remove it, or use in-cluster")
        }
    }

    /// The delay before attempt number `attempt` (1 is the first retry).
    package func retryDelay(beforeAttempt attempt: Int) -> Duration {
        var delay = retryDelay
        for _ in 1..<max(1, attempt) where delay < retryMaximum { delay *= retryFactor }
        return min(delay, retryMaximum)
    }

    private static func duration(_ name: String, _ annotations: [String: String]) throws(SettingsError) -> Duration? {
        try duration(annotations[name], field: "metadata.annotations[\(name)]")
    }

    private static func duration(_ text: String?, field: String) throws(SettingsError) -> Duration? {
        guard let text else { return nil }
        guard let duration = DurationText.parse(text) else {
            throw SettingsError(field: field, message: "\"\(text)\" is no duration; write one like \"30s\" or \"5m\"")
        }
        return duration
    }

    private static func annotationError(_ name: String, _ message: String) -> SettingsError {
        SettingsError(field: "metadata.annotations[\(name)]", message: message)
    }
}
