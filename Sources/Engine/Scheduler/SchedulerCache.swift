package import Kinds
import Model

/// A node with what is placed on it.
package struct NodeInfo: Sendable {
    package var node: Node
    var allocatable: ResourceAmounts
    var pods: [String: PodInfo] = [:]
    var requested = ResourceAmounts()
    var assumedRequested = ResourceAmounts()

    package var name: String { node.metadata.name }

    package init(_ node: Node, pods: [PodInfo] = []) {
        self.node = node
        allocatable = ResourceAmounts(node.status.allocatable.isEmpty ? node.status.capacity : node.status.allocatable)
        for pod in pods { add(pod) }
    }

    mutating func add(_ info: PodInfo) {
        pods[info.pod.metadata.uid] = info
        requested = requested + info.request
        assumedRequested = assumedRequested + info.assumedRequest
    }

    mutating func remove(_ uid: String) {
        guard let info = pods.removeValue(forKey: uid) else { return }
        requested = requested - info.request
        assumedRequested = assumedRequested - info.assumedRequest
    }
}

/// All nodes with their pods, kept current by single changes, so that placing one pod does not cost reading all of
/// them.
package struct SchedulerCache: Sendable {
    private var infos: [String: NodeInfo] = [:]
    /// By pod UID: where each counted pod is.
    private var places: [String: String] = [:]
    /// Pods whose node is not known (yet).
    private var strays: [String: [String: PodInfo]] = [:]

    package init() {}

    /// In the order of their names.
    package var nodes: [NodeInfo] { infos.values.sorted { $0.name < $1.name } }

    package mutating func set(_ node: Node) {
        let name = node.metadata.name
        let pods = infos[name]?.pods ?? strays.removeValue(forKey: name) ?? [:]
        infos[name] = NodeInfo(node, pods: Array(pods.values))
    }

    package mutating func remove(node name: String) {
        guard let info = infos.removeValue(forKey: name) else { return }
        if !info.pods.isEmpty { strays[name] = info.pods }
    }

    /// Counts the pod on its node, or no longer when it has ended.
    package mutating func set(_ pod: Pod) {
        remove(pod: pod.metadata.uid)
        let name = pod.spec.nodeName
        if name.isEmpty || pod.isTerminal { return }
        places[pod.metadata.uid] = name
        let info = PodInfo(pod)
        if infos[name] == nil {
            strays[name, default: [:]][pod.metadata.uid] = info
        } else {
            infos[name]?.add(info)
        }
    }

    package mutating func remove(pod uid: String) {
        guard let name = places.removeValue(forKey: uid) else { return }
        infos[name]?.remove(uid)
        strays[name]?[uid] = nil
        if strays[name]?.isEmpty == true { strays[name] = nil }
    }

    package func contains(pod uid: String) -> Bool { places[uid] != nil }
}
