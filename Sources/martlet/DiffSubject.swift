import Cluster
import GitSource
import Kinds
import Model
import Reconciler

/// What `diff` compares with the live state: the manifests that one Application, or nobody, would apply.
struct DiffSubject {
    /// The Application's name; empty for objects that belong to none.
    var application = ""
    var desired: DesiredState
    var settings = ApplicationSettings()
    var inventory: Set<ObjectKey> = []

    /// One of what is compared, which may turn out to be impossible.
    struct Comparison {
        /// The Application that it is made for, if any.
        var application: ObjectKey?
        var subject: () async throws -> DiffSubject

        /// A message, every line of which says whom it is about.
        func named(_ message: String) -> String {
            guard let application else { return message }
            let name = "Application \(application.namespace)/\(application.name)"
            return message.split(separator: "\n").map { "\(name): \($0)" }.joined(separator: "\n")
        }
    }

    /// What the options mean is to be compared.
    static func all(of diff: Diff, _ cluster: any Cluster) async throws -> [Comparison] {
        if let name = diff.app {
            let application = try await application(name, in: diff.appNamespace, cluster)
            return [
                Comparison(application: application.key) { try await DiffSubject(application, diff, cluster) }
            ]
        }
        // Who says where objects go, or which folders count, does not mean an Application.
        if diff.manifests.namespace == nil, !diff.manifests.recurse, let local = try diff.manifests.local() {
            let found = try await applications(in: local, cluster)
            if !found.isEmpty {
                return found.map { application in
                    Comparison(application: application.key) {
                        printError(
                            "comparing as Application \(application.metadata.name), which follows this repository")
                        return try await DiffSubject(application, local, diff.manifests.revision, cluster)
                    }
                }
            }
        }
        let desired = try await ManifestLoader(cluster: cluster).load(
            diff.manifests, namespace: diff.manifests.namespace ?? "default", revision: diff.manifests.revision)
        try desired.requireSound()
        return try await byOwner(desired, cluster).map { subject in Comparison { subject } }
    }

    static func application(_ name: String, in namespace: String, _ cluster: any Cluster) async throws -> Application {
        do {
            return try await cluster.get(Application.key(name, in: namespace)).view()
        } catch {
            guard error.reason == .notFound else { throw error }
            throw CommandError("there is no Application \(namespace)/\(name); see 'martlet app list'")
        }
    }

    /// The Applications whose manifests are the given folder's, or lie below it.
    static func applications(in local: LocalManifests, _ cluster: any Cluster) async throws -> [Application] {
        guard let copy = local.copy else { return [] }
        let all: [Application]
        do {
            all = try await cluster.list(ListQuery(Application.kind.groupKind)).items.map { $0.view() }
        } catch {
            // A cluster that does not know the kind has none.
            guard error.reason == .notFound else { throw error }
            return []
        }
        return all.filter { application in
            guard let source = application.spec.source, copy.isClone(of: source.repoURL) else { return false }
            let path = folder(source.path)
            return local.path.isEmpty || path == local.path || path.hasPrefix(local.path + "/")
        }
    }

    private static func folder(_ path: String?) -> String {
        (path ?? "").split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// Objects of other Applications are compared with their marks on, since these are not what a person asks about.
    private static func byOwner(_ desired: DesiredState, _ cluster: any Cluster) async throws -> [DiffSubject] {
        let live = try await LiveSnapshot(of: desired.objects.map(\.key), in: cluster)
        let groups = Dictionary(grouping: desired.objects) { live.object($0.key).flatMap(Tracking.owner) ?? "" }
        guard !groups.isEmpty else { return [DiffSubject(desired: desired)] }
        return groups.sorted { $0.key < $1.key }.map { owner, objects in
            var state = DesiredState(revision: desired.revision, objects: objects, faults: desired.faults)
            if !owner.isEmpty { state.mark(for: owner) }
            return DiffSubject(application: owner, desired: state)
        }
    }
}

extension DiffSubject {
    private init(following application: Application, desired: DesiredState) throws {
        self.init(desired: desired)
        self.application = application.metadata.name
        settings = try ApplicationSettings(application)
        settings.prunes = true
        inventory = application.status.inventory
        self.desired.mark(for: self.application)
    }

    /// An Application with the files of a clone in the place of its repository's.
    private init(
        _ application: Application, _ local: LocalManifests, _ revision: String?, _ cluster: any Cluster
    ) async throws {
        let state = try await ManifestLoader(cluster: cluster).render(
            local, Self.source(of: application, in: local), namespace: ApplicationSettings(application).namespace,
            revision: revision)
        try self.init(following: application, desired: state)
    }

    /// What an Application takes of files of this machine.
    static func source(of application: Application, in local: LocalManifests) -> ApplicationSource {
        var source = application.spec.source ?? ApplicationSource()
        // A folder that is not above the Application's own is meant in its place.
        if !local.path.isEmpty, !folder(source.path).hasPrefix(local.path + "/") { source.path = local.path }
        return source
    }

    /// An Application with what the options name instead of what it deployed, if anything.
    private init(_ application: Application, _ diff: Diff, _ cluster: any Cluster) async throws {
        let options = diff.manifests
        if options.location != nil, let local = try options.local() {
            try await self.init(application, local, options.revision, cluster)
            return
        }
        var source = application.spec.source ?? ApplicationSource()
        if let location = options.location { source.repoURL = location }
        if let path = options.path { source.path = path }
        // What is deployed, so that the difference is drift; --revision asks about another commit.
        let deployed = options.location == nil ? application.status.rollout?.revision : nil
        source.targetRevision = options.revision ?? deployed ?? source.targetRevision
        let namespace = try ApplicationSettings(application).namespace
        let state = try await ManifestLoader(cluster: cluster).load(source, namespace)
        try self.init(following: application, desired: state)
    }

    /// What a sync would change, found by a dry run of it.
    func differences(_ cluster: any Cluster) async throws -> (differences: [ObjectDifference], unchanged: Int) {
        try desired.requireSound()
        let live = try await LiveSnapshot(of: desired.objects.map(\.key) + inventory, in: cluster)
        let plan = SyncPlan(
            application: application, desired: desired, live: live, inventory: inventory, settings: settings)
        if !plan.objections.isEmpty { throw CommandError(plan.objections.joined(separator: "\n")) }
        let syncer = Syncer(cluster: cluster, clock: SystemClock(), settings: settings)
        let (previews, faults, _) = await syncer.preview(plan)
        if !faults.isEmpty { throw CommandError(faults.joined(separator: "\n")) }
        let rules = settings.ignoreDifferences
        let differences = previews.map { preview in
            switch preview.step {
            case .create(let desired):
                ObjectDifference(
                    key: desired.key, old: nil, new: preview.result, origin: desired.origin, ignoring: rules)
            case .apply(let desired, let live):
                ObjectDifference(
                    key: desired.key, old: live, new: preview.result, origin: desired.origin, ignoring: rules)
            case .delete(let object): ObjectDifference(key: object.key, old: object, new: nil, origin: "")
            }
        }
        return (differences, plan.unchanged)
    }
}

extension DesiredState {
    /// Marks all objects as an owner's.
    mutating func mark(for owner: String) {
        objects = objects.map { $0.with(Tracking.mark($0.object, for: owner)) }
    }
}
