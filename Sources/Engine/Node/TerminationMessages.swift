internal import Kinds

/// Reads what ended containers said of their end, once for each run (I17).
struct TerminationMessages {
    private static let longest = 4096
    /// Of all containers of a pod together.
    private static let longestOfPod = 12 << 10

    let uid: String
    private var known: [ContainerID: String?] = [:]

    init(uid: String) {
        self.uid = uid
    }

    /// The same state, with their messages in the ends of containers.
    mutating func completing(_ state: SandboxState, of pod: Pod, _ runtime: any PodRuntime) async -> SandboxState {
        guard case .ready(var records) = state else { return state }
        let containers = pod.spec.initContainers + pod.spec.containers
        let limit = min(Self.longest, Self.longestOfPod / max(1, containers.count))
        for index in records.indices {
            guard case .exited(var exit) = records[index].phase, !exit.isLost,
                let container = containers.first(where: { $0.name == records[index].id.name })
            else { continue }
            let id = records[index].id
            if known[id] == nil {
                let fallsBack = container.terminationMessagePolicy == "FallbackToLogsOnError" && exit.code != 0
                let message = await runtime.terminationMessage(
                    of: id, in: uid, limit: limit, fallsBackToLog: fallsBack)
                known = known.filter { $0.key.name != id.name || $0.key.attempt >= id.attempt - 1 }
                known[id] = .some(message)
            }
            exit.message = known[id] ?? nil
            records[index].phase = .exited(exit)
        }
        return .ready(records)
    }
}
