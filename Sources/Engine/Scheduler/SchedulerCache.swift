package import Kinds
import Model

/// A node with what is placed on it.
package struct NodeInfo: Sendable {
    package let node: Node
    /// Asked for once per pod and constraint.
    let name: String
    let labels: [String: String]
    var allocatable: ResourceAmounts
    private(set) var pods: [String: PodInfo] = [:]
    /// Those of them that care which others are near: mostly none.
    private(set) var choosy: [String: PodInfo] = [:]
    /// Pods for which room is kept here until they can be placed (H11).
    var nominated: [String: PodInfo] = [:]
    var requested = ResourceAmounts()
    var assumedRequested = ResourceAmounts()

    package init(_ node: Node, pods: [PodInfo] = [], nominated: [PodInfo] = []) {
        self.node = node
        name = node.metadata.name
        labels = node.metadata.labels
        self.nominated = Dictionary(nominated.map { ($0.pod.metadata.uid, $0) }) { first, _ in first }
        allocatable = ResourceAmounts(node.status.allocatable.isEmpty ? node.status.capacity : node.status.allocatable)
        for pod in pods { add(pod) }
    }

    mutating func add(_ info: PodInfo) {
        let uid = info.pod.metadata.uid
        pods[uid] = info
        if info.affinity != nil { choosy[uid] = info }
        requested = requested + info.request
        assumedRequested = assumedRequested + info.assumedRequest
    }

    /// Takes another state of a pod that is here and asks for the same.
    mutating func update(_ info: PodInfo) {
        let uid = info.pod.metadata.uid
        pods[uid] = info
        if info.affinity != nil { choosy[uid] = info }
    }

    mutating func remove(_ uid: String) {
        guard let info = pods.removeValue(forKey: uid) else { return }
        choosy[uid] = nil
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
    /// By pod UID: where room is kept for which pod.
    private var nominations: [String: (node: String, info: PodInfo)] = [:]
    /// The labels of all namespaces, by name.
    package var namespaces: [String: [String: String]] = [:]

    package init() {}

    /// In the order of their names.
    package var nodes: [NodeInfo] { infos.values.sorted { $0.name < $1.name } }

    package mutating func set(_ node: Node) {
        let name = node.metadata.name
        let pods = infos[name]?.pods ?? strays.removeValue(forKey: name) ?? [:]
        let nominated = nominations.values.filter { $0.node == name }.map(\.info)
        infos[name] = NodeInfo(node, pods: Array(pods.values), nominated: nominated)
    }

    package mutating func remove(node name: String) {
        guard let info = infos.removeValue(forKey: name) else { return }
        if !info.pods.isEmpty { strays[name] = info.pods }
    }

    /// Counts the pod on its node, or no longer when it has ended.
    package mutating func set(_ pod: Pod) {
        let uid = pod.metadata.uid
        let name = pod.spec.nodeName
        let known = places[uid].flatMap { infos[$0]?.pods[uid] }
        if let known, places[uid] == name, !pod.isTerminal, known.isRead(from: pod) {
            // Most changes of a pod leave its demands and its place as they are.
            nominate(pod, on: nil)
            infos[name]?.update(known.updated(to: pod))
            return
        }
        remove(pod: uid)
        if name.isEmpty || pod.isTerminal { return }
        nominate(pod, on: nil)
        places[uid] = name
        let info = known?.updated(to: pod) ?? PodInfo(pod)
        if infos[name] == nil {
            strays[name, default: [:]][uid] = info
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

    /// Keeps room for a pod on a node, or with `nil` no more.
    package mutating func nominate(_ pod: Pod, on node: String?) {
        if nominations.isEmpty, node == nil { return }
        let uid = pod.metadata.uid
        if let known = nominations.removeValue(forKey: uid) { infos[known.node]?.nominated[uid] = nil }
        guard let node, !node.isEmpty else { return }
        let info = PodInfo(pod)
        nominations[uid] = (node, info)
        infos[node]?.nominated[uid] = info
    }

    /// Where room is kept for a pod.
    package func nomination(of uid: String) -> String? { nominations[uid]?.node }

    package func contains(pod uid: String) -> Bool { places[uid] != nil }
}
