package import Kinds
import Model

extension Health {
    package static func of(_ pod: Pod) -> Health {
        let statuses = pod.status.initContainerStatuses + pod.status.containerStatuses
        if pod.spec.restartPolicy ?? "Always" == "Always", let fault = statuses.lazy.compactMap(Self.waitingFault).first
        {
            return Health(.degraded, fault)
        }
        switch pod.status.phase {
        case "Succeeded": return Health(.healthy)
        case "Failed": return Health(.degraded, pod.status.message ?? pod.status.reason ?? lastWords(of: statuses))
        case "Running":
            guard pod.spec.restartPolicy ?? "Always" == "Always" else { return Health(.progressing) }
            if pod.isReady { return Health(.healthy) }
            if let stopped = statuses.first(where: { !$0.ready && $0.lastState.terminated != nil }) {
                return Health(.degraded, "container \(stopped.name) restarted and is not ready")
            }
            return Health(.progressing)
        default: return Health(.progressing)
        }
    }

    /// Which container failed, and what it left as its termination message.
    private static func lastWords(of statuses: [ContainerStatus]) -> String {
        for status in statuses {
            guard let end = status.state.terminated, end.exitCode != 0 else { continue }
            let said = (end.message ?? "").split(whereSeparator: \.isNewline).joined(separator: " | ")
            // `Error` says no more than the exit code.
            let why = said.isEmpty && end.reason != "Error" ? end.reason ?? "" : said
            return "container \"\(status.name)\" failed with exit code \(end.exitCode)"
                + (why.isEmpty ? "" : ": \(why)")
        }
        return ""
    }

    private static func waitingFault(_ status: ContainerStatus) -> String? {
        guard let waiting = status.state.waiting, let reason = waiting.reason else { return nil }
        guard reason.hasPrefix("Err") || reason.hasSuffix("Error") || reason.hasSuffix("BackOff") else { return nil }
        return waiting.message ?? reason
    }
}

extension Pod {
    package var isReady: Bool {
        status.conditions.contains { $0.type == "Ready" && $0.status == "True" }
    }
}
