import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", _superCommandName: "martlet",
        abstract: "Print what a pod's containers wrote.", usage: "martlet logs [<options>] <target>",
        discussion: """
            Of several containers it is the first, or the one that the pod's annotation
            kubectl.kubernetes.io/default-container names, unless -c says which. With -f, pods that a Deployment or \
            Service gets later are followed, too.

            Exit codes: 0 printed, 2 an error.
            """)

    @Argument(help: "A pod's name, or TYPE/NAME of something that has pods: deployment/web.")
    var target: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The namespace.", valueName: "namespace"))
    var namespace = "default"
    @Option(name: .shortAndLong, help: ArgumentHelp("Which container, if there are several.", valueName: "name"))
    var container: String?
    @Flag(name: .shortAndLong, help: "Go on printing what comes.")
    var follow = false
    @Flag(name: .shortAndLong, help: "The run before the present one.")
    var previous = false
    @Flag(help: "Print each line's time.")
    var timestamps = false
    @Option(help: ArgumentHelp("Only the last so many lines.", valueName: "lines"))
    var tail: Int?
    @Option(help: ArgumentHelp("Only what is younger than this: 10s, 5m, 1h.", valueName: "time"))
    var since: String?

    @OptionGroup var connection: Connection

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail: \(tail) is no number of lines; use 0 or more") }
        if let since, DurationText.parse(since) == nil {
            throw ValidationError("--since: \"\(since)\" is no duration; try 5m")
        }
        if follow, previous { throw ValidationError("--previous has ended: it cannot be followed") }
    }

    func run() async throws {
        let cluster = try connection.connect()
        if follow { endWithReader() }
        let parts = target.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            do {
                try await printLog(of: target, prefix: "", cluster)
            } catch let error as APIError {
                guard error.reason == .notFound, try await isDeployment(target, cluster) else { throw error }
                throw CommandError("\(error.message); for the pods of the Deployment write deployment/\(target)")
            }
            return
        }
        let type = try ResourceArgument.type(parts[0], among: try await cluster.resourceTypes().preferred)
        if type.kind.groupKind == Pod.kind.groupKind {
            try await printLog(of: parts[1], prefix: "", cluster)
            return
        }
        let query = try await pods(of: parts[1], type, cluster)
        if follow {
            try await followAll(query, cluster)
        } else {
            let names = try await cluster.list(query).items.map(\.metadata.name)
            guard !names.isEmpty else { throw CommandError("\(target) has no pods") }
            try await printAll(names, cluster)
        }
    }

    private func isDeployment(_ name: String, _ cluster: any Cluster) async throws -> Bool {
        let byName = FieldSelector([FieldSelector.Requirement(path: "metadata.name", value: name)])
        let query = ListQuery(Deployment.kind.groupKind, namespace: namespace, fields: byName)
        return try await !cluster.list(query).items.isEmpty
    }

    /// The container that is meant where none is named, as kubectl chooses it.
    private func defaultContainer(
        of pod: String, _ saysWhich: Bool, _ cluster: any Cluster
    ) async throws -> String? {
        let pod: Pod = try await cluster.get(Pod.key(pod, in: namespace)).view()
        let names = pod.spec.containers.map(\.name)
        let named = pod.metadata.annotations["kubectl.kubernetes.io/default-container"]
        if let named, names.contains(named) { return named }
        let others = names.dropFirst() + pod.spec.initContainers.map { "\($0.name) (init)" }
        if saysWhich, let first = names.first, !others.isEmpty {
            printError("the log of container \(first); there are also, for -c: \(others.joined(separator: ", "))")
        }
        return names.first
    }

    /// The logs of several pods; one that has none yet keeps nobody from reading the others'.
    private func printAll(_ pods: [String], _ cluster: any Cluster) async throws {
        var faults: [APIError] = []
        for pod in pods {
            do {
                let prefix = pods.count > 1 ? "[\(pod)] " : ""
                try await printLog(of: pod, prefix: prefix, saysWhich: pod == pods.first, cluster)
            } catch let error as APIError {
                guard error.reason == .notFound || error.reason == .badRequest else { throw error }
                faults.append(error)
                if pods.count > 1 { printError("[\(pod)] \(error.message)") }
            }
        }
        guard let fault = faults.last, faults.count == pods.count else { return }
        throw pods.count > 1 ? CommandError("none of \(target)'s pods has such a log") : fault
    }

    /// - Parameter saysWhich: points the other containers out, where none is named.
    private func printLog(
        of pod: String, prefix: String, saysWhich: Bool = true, _ cluster: any Cluster
    ) async throws {
        let start = since.flatMap(DurationText.parse).map { SystemClock().now - $0 }
        let container =
            if let container { container as String? } else { try await defaultContainer(of: pod, saysWhich, cluster) }
        let query = LogQuery(
            namespace: namespace, pod: pod, container: container, follow: follow, previous: previous,
            timestamps: timestamps, tailLines: tail, since: start)
        for try await chunk in try await cluster.logs(query) {
            var text = String(decoding: chunk, as: UTF8.self)
            if !prefix.isEmpty {
                text = text.split(separator: "\n", omittingEmptySubsequences: true).map { "\(prefix)\($0)\n" }.joined()
            }
            print(text, terminator: "")
        }
    }

    /// The pods that something selects.
    private func pods(of name: String, _ type: ResourceType, _ cluster: any Cluster) async throws -> ListQuery {
        let object = try await cluster.get(
            ObjectKey(kind: type.kind.groupKind, namespace: type.isNamespaced ? namespace : "", name: name))
        let selector = object.json[path: ["spec", "selector"]]
        let labels = (selector?["matchLabels"] ?? selector)?.object ?? JSONObject()
        guard !labels.isEmpty else {
            throw CommandError("\(target) selects no pods; name a pod, or a Deployment, ReplicaSet or Service")
        }
        return ListQuery(
            Pod.kind.groupKind, namespace: namespace,
            labels: Selector(labels: labels.reduce(into: [:]) { $0[$1.key] = $1.value.string ?? "" }))
    }

    /// Follows every pod from when its container has started, those to come included.
    private func followAll(_ query: ListQuery, _ cluster: any Cluster) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            var followed: Set<String> = []
            while true {
                for try await event in try await cluster.watch(query, from: nil) {
                    switch event {
                    case .added(let object), .modified(let object):
                        let pod = object.view(as: Pod.self)
                        guard hasStarted(pod), followed.insert(pod.metadata.uid).inserted else { continue }
                        let isFirst = followed.count == 1
                        group.addTask { try await followLog(of: pod.metadata.name, saysWhich: isFirst, cluster) }
                    case .deleted, .bookmark: continue
                    }
                }
            }
        }
    }

    private func followLog(of pod: String, saysWhich: Bool, _ cluster: any Cluster) async throws {
        do {
            try await printLog(of: pod, prefix: "[\(pod)] ", saysWhich: saysWhich, cluster)
        } catch let error as APIError {
            // One pod that went away is no reason to stop following the others.
            guard error.reason == .notFound || error.reason == .badRequest else { throw error }
            printError("[\(pod)] \(error.message)")
        }
    }

    private func hasStarted(_ pod: Pod) -> Bool {
        pod.status.containerStatuses.contains { status in
            (container == nil || status.name == container)
                && (status.state.running != nil || status.state.terminated != nil || status.restartCount > 0)
        }
    }
}
