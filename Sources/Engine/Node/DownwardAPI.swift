internal import Kinds
internal import Model

/// What a pod may be told about itself (I12).
enum DownwardAPI {
    static func value(
        ofField path: String, in pod: Pod, _ context: PodContext
    ) throws(ConfigurationFault) -> String {
        switch path {
        case "metadata.name": return pod.metadata.name
        case "metadata.namespace": return pod.metadata.namespace
        case "metadata.uid": return pod.metadata.uid
        case "metadata.labels": return formatted(pod.metadata.labels)
        case "metadata.annotations": return formatted(pod.metadata.annotations)
        case "spec.nodeName": return pod.spec.nodeName
        case "spec.serviceAccountName": return pod.spec.serviceAccountName ?? "default"
        case "status.hostIP", "status.hostIPs": return context.hostIP
        case "status.podIP", "status.podIPs": return context.podIP
        default:
            if let key = subscripted(path, "metadata.labels") { return pod.metadata.labels[key] ?? "" }
            if let key = subscripted(path, "metadata.annotations") { return pod.metadata.annotations[key] ?? "" }
            throw ConfigurationFault("unsupported fieldPath: \(path)")
        }
    }

    /// The key in `metadata.labels['key']`.
    private static func subscripted(_ path: String, _ map: String) -> String? {
        guard path.hasPrefix(map + "['"), path.hasSuffix("']") else { return nil }
        return String(path.dropFirst(map.count + 2).dropLast(2))
    }

    /// A whole map as a file: one `key="value"` a line.
    private static func formatted(_ map: [String: String]) -> String {
        map.sorted { $0.key < $1.key }.map { "\($0.key)=\(quoted($0.value))" }.joined(separator: "\n")
    }

    static func value(
        ofResource reference: ResourceFieldSelector, for container: Container?, in pod: Pod, _ context: PodContext
    ) throws(ConfigurationFault) -> String {
        let all = pod.spec.containers + pod.spec.initContainers
        guard let container = reference.containerName.map({ name in all.first { $0.name == name } }) ?? container
        else { throw ConfigurationFault("container \(reference.containerName ?? "") not found") }
        let parts = reference.resource.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0] == "limits" || parts[0] == "requests" else {
            throw ConfigurationFault("unsupported container resource: \(reference.resource)")
        }
        let limits = container.resources.limits
        let given = parts[0] == "limits" ? limits : container.resources.requests
        // A limit that is absent is what the node has; a request defaults to the limit, and else to nothing.
        let fallback = parts[0] == "limits" ? context.allocatable[parts[1]] : limits[parts[1]]
        let value = given[parts[1]] ?? fallback ?? .zero
        let divisor = reference.divisor.map(\.nanos) ?? 0
        let unit: Int128 = divisor > 0 ? divisor : 1_000_000_000
        return String((value.nanos + unit - 1) / unit)
    }
}
