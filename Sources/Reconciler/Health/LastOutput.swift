import Cluster
import Model

/// What a container said before it failed: often the whole reason (DESIGN, the verdict, rule 3).
enum LastOutput {
    private static let lines = 5
    private static let longest = 512

    /// `; its last output: …`, or nothing when there is none to be had.
    static func text(of container: Rollout.ContainerReference, in cluster: any Cluster) async -> String {
        // A container that was just started again may not have said anything yet.
        for previous in [false, true] {
            let output = await read(container, previous: previous, cluster)
            if !output.isEmpty { return "; its last output: \(output)" }
        }
        return ""
    }

    private static func read(
        _ container: Rollout.ContainerReference, previous: Bool, _ cluster: any Cluster
    ) async -> String {
        let query = LogQuery(
            namespace: container.namespace, pod: container.pod, container: container.container, previous: previous,
            tailLines: lines)
        var bytes: [UInt8] = []
        do {
            for try await chunk in try await cluster.logs(query) {
                bytes = Array((bytes + chunk).suffix(4 * longest))
            }
        } catch {
            // The log is gone, or there is no earlier one: the failure stands without it.
            return ""
        }
        let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").joined(separator: " | ")
        return String(text.suffix(longest))
    }
}
