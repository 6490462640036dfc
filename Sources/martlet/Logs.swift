import ArgumentParser
import Cluster
import Glibc
import Kinds
import Model

struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what a pod's containers wrote.",
        discussion: "TARGET is a pod's name, or TYPE/NAME of something that has pods: deployment/web.")

    @Argument(help: "A pod, or TYPE/NAME of what controls pods.")
    var target: String

    @Option(name: .shortAndLong, help: "The namespace.")
    var namespace = "default"
    @Option(name: .shortAndLong, help: "Which container, if there are several.")
    var container: String?
    @Flag(name: .shortAndLong, help: "Go on printing what comes.")
    var follow = false
    @Flag(name: .shortAndLong, help: "The run before the present one.")
    var previous = false
    @Flag(help: "Print each line's time.")
    var timestamps = false
    @Option(help: "Only the last so many lines.")
    var tail: Int?

    @OptionGroup var connection: Connection

    func run() async throws {
        let cluster = try connection.connect()
        let pods = try await pods(cluster)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for pod in pods {
                group.addTask { try await self.printLog(of: pod, prefix: pods.count > 1, cluster) }
                // Without following, one after the other reads better than mixed.
                if !follow { try await group.next() }
            }
            try await group.waitForAll()
        }
    }

    private func printLog(of pod: String, prefix: Bool, _ cluster: any Cluster) async throws {
        let query = LogQuery(
            namespace: namespace, pod: pod, container: container, follow: follow, previous: previous,
            timestamps: timestamps, tailLines: tail)
        for try await chunk in try await cluster.logs(query) {
            var text = String(decoding: chunk, as: UTF8.self)
            if prefix {
                text = text.split(separator: "\n", omittingEmptySubsequences: true).map { "[\(pod)] \($0)\n" }.joined()
            }
            writeAll(text, to: STDOUT_FILENO)
        }
    }

    /// The names of the pods meant.
    private func pods(_ cluster: any Cluster) async throws -> [String] {
        let parts = target.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return [target] }
        let type = try ResourceArgument.type(parts[0], among: try await cluster.resourceTypes())
        if type.kind.groupKind == Pod.kind.groupKind { return [parts[1]] }
        let object = try await cluster.get(
            ObjectKey(kind: type.kind.groupKind, namespace: namespace, name: parts[1]))
        let selector = object.json[path: ["spec", "selector"]]
        let labels = (selector?["matchLabels"] ?? selector)?.object ?? JSONObject()
        guard !labels.isEmpty else { throw CommandError("\(target) selects no pods") }
        let query = ListQuery(
            Pod.kind.groupKind, namespace: namespace,
            labels: Selector(labels: labels.reduce(into: [:]) { $0[$1.key] = $1.value.string ?? "" }))
        let names = try await cluster.list(query).items.map(\.metadata.name)
        guard !names.isEmpty else { throw CommandError("\(target) has no pods") }
        return names
    }
}
