import Cluster
import Engine
import Kinds
import Model
import Reconciler
import Rehearsal

/// What `rehearse` plays: the state, the Application and the revisions that its options mean.
enum RehearsalSubject {
    /// - Returns: the scenario, and in words what it begins with.
    static func scenario(_ command: Rehearse) async throws -> (Scenario, origin: String) {
        var (scenario, origin) = try await beginning(command)
        scenario.failures = command.fail.map(\.failure)
        scenario.limit = DurationText.parse(command.limit) ?? scenario.limit
        scenario.delays = command.delays
        scenario.pullDelays = command.pullDelays
        scenario.delays.history = scenario.application.status.rollout?.slowestStartMilliseconds
            .map { .milliseconds($0) }
        scenario.delays.learn(from: scenario.start.filter { $0.key.kind == Pod.kind.groupKind }.map { $0.view() })
        try scenario.target.requireSound()
        try scenario.base?.requireSound()
        return (scenario, origin)
    }

    private static func beginning(_ command: Rehearse) async throws -> (Scenario, String) {
        let extra = command.node.enumerated().map { $1.node(named: "node-\($0)") }
        switch command.from {
        case "live": return (try await live(command, extra), "the live state")
        case "empty": return (try await alone(command, base: nil, extra), "an empty cluster")
        case let folder:
            guard let local = try LocalManifests(folder, path: "") else {
                throw CommandError("--from \(folder): there is no such folder; write live, empty or a folder")
            }
            let namespace = command.manifests.namespace ?? "default"
            let base = try await ManifestLoader().render(
                local, ApplicationSource(local.path), namespace: namespace, revision: nil)
            return (try await alone(command, base: base, extra), "the manifests in \(folder)")
        }
    }

    /// Without a cluster: manifests alone.
    private static func alone(
        _ command: Rehearse, base: DesiredState?, _ extra: [LogicalNode]
    ) async throws -> Scenario {
        if command.app != nil {
            throw CommandError("--app needs the live state, in which the Application is; leave out --from")
        }
        let namespace = command.manifests.namespace ?? "default"
        let target = try await ManifestLoader().load(
            command.manifests, namespace: namespace, revision: command.manifests.revision)
        var base = base
        // Nodes of the given state are what pods run on, not what is deployed.
        let given = base?.objects.filter { $0.key.kind == Node.kind.groupKind }.map { $0.object.view(as: Node.self) }
        base?.objects.removeAll { $0.key.kind == Node.kind.groupKind }
        if base?.revision == target.revision { base?.revision += " (before)" }
        var nodes = (given ?? []).map(logical) + extra
        if nodes.isEmpty { nodes = LogicalNode.nodes(1, named: LogicalNode.hostName) }
        return Scenario(
            nodes: nodes, application: Scenario.application(named: "rehearsal", in: namespace), base: base,
            target: target)
    }

    /// From what a cluster holds.
    private static func live(_ command: Rehearse, _ extra: [LogicalNode]) async throws -> Scenario {
        let cluster = try command.connection.connect()
        let start = try await LiveCluster.objects(of: cluster)
        let nodes = start.filter { $0.key.kind == Node.kind.groupKind }.map { $0.view(as: Node.self) }
            .filter { $0.status.conditions.contains { $0.type == "Ready" && $0.status == "True" } }
        let loader = ManifestLoader(cluster: cluster)
        guard let application = try await application(command, cluster) else {
            let namespace = command.manifests.namespace ?? "default"
            return Scenario(
                start: start, nodes: nodes.map(logical) + extra,
                application: Scenario.application(named: "rehearsal", in: namespace),
                target: try await loader.load(
                    command.manifests, namespace: namespace, revision: command.manifests.revision))
        }
        let namespace = try ApplicationSettings(application).namespace
        var source = application.spec.source ?? ApplicationSource()
        var base: DesiredState?
        if let healthy = application.status.rollout?.lastHealthyRevision {
            source.targetRevision = healthy
            base = try await loader.load(source, namespace)
        }
        let target = try await target(command, application, loader, namespace)
        return Scenario(
            start: start, nodes: nodes.map(logical) + extra, application: application, base: base, target: target)
    }

    private static func target(
        _ command: Rehearse, _ application: Application, _ loader: ManifestLoader, _ namespace: String
    ) async throws -> DesiredState {
        var source = application.spec.source ?? ApplicationSource()
        let options = command.manifests
        if options.location != nil || command.app == nil, let local = try options.local() {
            return try await loader.render(
                local, DiffSubject.source(of: application, in: local), namespace: namespace, revision: options.revision)
        }
        if let location = options.location { source.repoURL = location }
        if let path = options.path { source.path = path }
        source.targetRevision = options.revision ?? source.targetRevision
        return try await loader.load(source, namespace)
    }

    /// The Application that is meant, if one is.
    private static func application(_ command: Rehearse, _ cluster: any Cluster) async throws -> Application? {
        if let name = command.app { return try await DiffSubject.application(name, in: command.appNamespace, cluster) }
        guard command.manifests.namespace == nil, !command.manifests.recurse,
            let local = try command.manifests.local()
        else { return nil }
        let found = try await DiffSubject.applications(in: local, cluster)
        guard found.count < 2 else {
            let names = found.map(\.metadata.name).sorted().joined(separator: ", ")
            throw CommandError("several Applications follow this repository: choose one with --app: \(names)")
        }
        if let one = found.first {
            printError("rehearsing as Application \(one.metadata.name), which follows this repository")
        }
        return found.first
    }

    /// A node with what it has for pods.
    private static func logical(_ node: Node) -> LogicalNode {
        var capacity = node.status.allocatable.isEmpty ? node.status.capacity : node.status.allocatable
        if capacity["pods"] == nil { capacity["pods"] = Quantity(110) }
        return LogicalNode(name: node.metadata.name, capacity: capacity, labels: node.metadata.labels)
    }
}

/// Everything that a cluster holds and a rehearsal can play.
enum LiveCluster {
    private static let left: Set<String> = ["Event", "Lease"]

    /// - Throws: what the cluster answers; a state that could be read in part only would be rehearsed wrongly.
    static func objects(of cluster: any Cluster) async throws -> [Object] {
        let definitions = try await cluster.list(ListQuery(CustomResourceDefinition.kind.groupKind)).items
        let groups = Set(definitions.compactMap { $0.json[path: ["spec", "group"]]?.string })
        var objects = definitions
        for type in try await cluster.resourceTypes().preferred
        where type.verbs.contains("list") && !left.contains(type.kind.kind)
            && type.kind.groupKind != CustomResourceDefinition.kind.groupKind
        {
            let strategy = Catalog.builtIn.strategy(for: type.kind.groupKind)
            guard strategy != nil || groups.contains(type.kind.group) else { continue }
            // As it is stored, since it is put into a store.
            let query = ListQuery(type.kind.groupKind, version: strategy?.storage.version)
            objects += try await cluster.list(query).items
        }
        return objects.sorted { $0.key < $1.key }
    }
}

extension ApplicationSource {
    fileprivate init(_ path: String) {
        self.init()
        self.path = path
    }
}
