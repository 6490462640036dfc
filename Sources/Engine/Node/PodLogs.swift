internal import Cluster
internal import Kinds
internal import Model

/// Reads what containers wrote, from the files that their supervisors keep.
struct PodLogs: LogSource {
    let pods: Informer
    let runtime: any PodRuntime
    let clock: any WallClock

    func logs(_ query: LogQuery) async throws(APIError) -> LogStream {
        guard let pod = pods.get(Pod.key(query.pod, in: query.namespace), as: Pod.self) else {
            throw .notFound("pods", name: query.pod)
        }
        let name = try Self.container(query, pod)
        let uid = pod.metadata.uid
        guard let anyPath = runtime.logPath(of: ContainerID(name, attempt: 0), in: uid) else {
            throw APIError(.badRequest, "the simulated runtime keeps no logs")
        }
        let folder = ProcessRuntime.parent(of: anyPath)
        let attempts = Set(PodFiles.names(in: folder).compactMap { $0.split(separator: ".").first.flatMap { Int($0) } })
        guard let latest = attempts.max() else {
            let status = (pod.status.initContainerStatuses + pod.status.containerStatuses).first { $0.name == name }
            let reason = status?.state.waiting?.reason ?? "ContainerCreating"
            throw APIError(
                .badRequest, "container \(quoted(name)) in pod \(quoted(query.pod)) is waiting to start: \(reason)")
        }
        var attempt = latest
        if query.previous {
            guard let previous = attempts.filter({ $0 < latest }).max() else {
                throw APIError(
                    .badRequest,
                    "previous terminated container \(quoted(name)) in pod \(quoted(query.pod)) not found")
            }
            attempt = previous
        }
        let id = ContainerID(name, attempt: attempt)
        let runtime = runtime
        let pods = pods
        let key = pod.key
        let reader = LogReader(path: "\(folder)/\(attempt).log", query: query, clock: clock) {
            // Only what runs can write more.
            guard pods[key]?.metadata.uid == uid, case .ready(let records) = runtime.state(of: uid) else {
                return false
            }
            return records.contains { $0.id == id && $0.phase == .running }
        }
        return LogStream { try await reader.next() }
    }

    private static func container(_ query: LogQuery, _ pod: Pod) throws(APIError) -> String {
        let names = (pod.spec.initContainers + pod.spec.containers).map(\.name)
        if let name = query.container, !name.isEmpty {
            if names.contains(name) { return name }
            throw APIError(.badRequest, "container \(name) is not valid for pod \(query.pod)")
        }
        if let name = pod.metadata.annotations["kubectl.kubernetes.io/default-container"], names.contains(name) {
            return name
        }
        if names.count == 1 { return names[0] }
        let regular = pod.spec.containers.map(\.name)
        let initial = pod.spec.initContainers.map(\.name)
        throw APIError(
            .badRequest,
            "a container name must be specified for pod \(query.pod), choose one of: "
                + "[\(regular.joined(separator: " "))]"
                + (initial.isEmpty ? "" : " or one of the init containers: [\(initial.joined(separator: " "))]"))
    }
}
