internal import Glibc
internal import Kinds
package import Model

/// One node that this machine stands for; a machine may stand for several, which share its capacity.
package struct LogicalNode: Hashable, Sendable {
    package var name: String
    package var address: String
    package var capacity: [String: Quantity]
    package var labels: [String: String]

    package init(
        name: String, address: String = "127.0.0.1", capacity: [String: Quantity], labels: [String: String] = [:]
    ) {
        self.name = name
        self.address = address
        self.capacity = capacity
        self.labels = labels
    }

    /// `count` nodes named `base`, or `base-0`, `base-1` … when they are several, each with its share of this machine.
    package static func nodes(_ count: Int, named base: String) -> [LogicalNode] {
        let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let bytes = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
        let capacity: [String: Quantity] = [
            "cpu": Quantity(milli: Int64(processors) * 1000 / Int64(count)),
            "memory": Quantity(bytes / Int64(count) / 1024 * 1024, format: .binarySI),
            "pods": Quantity(110), "ephemeral-storage": Quantity(freeBytes() / Int64(count), format: .binarySI),
        ]
        return (0..<count).map { index in
            LogicalNode(name: count == 1 ? base : "\(base)-\(index)", capacity: capacity)
        }
    }

    private static func freeBytes() -> Int64 {
        var info = statvfs()
        guard statvfs("/", &info) == 0 else { return 0 }
        return Int64(info.f_bavail) * Int64(info.f_frsize)
    }

    /// This machine's name, as a node may be called.
    package static var hostName: String {
        var info = utsname()
        uname(&info)
        let bytes = withUnsafeBytes(of: &info.nodename) { Array($0.prefix { $0 != 0 }) }
        let name = String(decoding: bytes, as: UTF8.self).lowercased()
            .map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" }
        return name.isEmpty ? "martlet" : String(name)
    }

    /// `amd64` or `arm64`, as Kubernetes names architectures.
    static var architecture: String {
        var info = utsname()
        uname(&info)
        let bytes = withUnsafeBytes(of: &info.machine) { Array($0.prefix { $0 != 0 }) }
        switch String(decoding: bytes, as: UTF8.self) {
        case "x86_64": return "amd64"
        case "aarch64": return "arm64"
        case let other: return other
        }
    }

    static var kernel: String {
        var info = utsname()
        uname(&info)
        return String(decoding: withUnsafeBytes(of: &info.release) { Array($0.prefix { $0 != 0 }) }, as: UTF8.self)
    }
}

/// What a node says of itself (G1, G2, pure).
enum NodeReport {
    static let leaseSeconds = 40
    static let leaseNamespace = "kube-node-lease"
    static let renewInterval = Duration.seconds(10)
    static let statusInterval = Duration.seconds(300)

    /// The node as it is to be in the cluster, keeping what others have put there.
    static func node(_ node: LogicalNode, over live: Node?, version: String, now: Timestamp) -> Node {
        var object = live ?? Node(named: node.name)
        var labels = object.metadata.labels
        labels["kubernetes.io/hostname"] = node.name
        labels["kubernetes.io/os"] = "linux"
        labels["kubernetes.io/arch"] = LogicalNode.architecture
        for (key, value) in node.labels { labels[key] = value }
        object.metadata.labels = labels
        object.status = status(node, over: object.status, version: version, now: now)
        return object
    }

    /// The machine's resources, and the extended ones (`example.com/gpu`) that somebody has published for the node.
    private static func capacity(_ node: LogicalNode, over live: NodeStatus) -> [String: Quantity] {
        live.capacity.filter { $0.key.contains("/") }.merging(node.capacity) { _, ours in ours }
    }

    /// Whether somebody has published resources that pods may not use yet.
    static func lacksResources(_ live: Node) -> Bool {
        live.status.capacity.contains { $0.key.contains("/") && live.status.allocatable[$0.key] != $0.value }
    }

    private static func status(
        _ node: LogicalNode, over live: NodeStatus, version: String, now: Timestamp
    ) -> NodeStatus {
        var status = live
        status.capacity = capacity(node, over: live)
        status.allocatable = status.capacity
        status.json["addresses"] = [
            ["type": "InternalIP", "address": .string(node.address)],
            ["type": "Hostname", "address": .string(node.name)],
        ]
        status.json["nodeInfo"] = [
            "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": .string(LogicalNode.kernel),
            "osImage": "Linux", "containerRuntimeVersion": .string("martlet://\(version)"),
            "kubeletVersion": "v1.36.0", "kubeProxyVersion": "", "operatingSystem": "linux",
            "architecture": .string(LogicalNode.architecture),
        ]
        let conditions = [
            ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ]
        let others = live.conditions.filter { old in !conditions.contains { $0.0 == old.type } }
        status.conditions =
            others
            + conditions.map { type, value, reason, message in
                let old = live.conditions.first { $0.type == type }
                var condition = NodeCondition()
                condition.type = type
                condition.status = value
                condition.reason = reason
                condition.message = message
                condition.lastHeartbeatTime = now
                condition.lastTransitionTime = old?.status == value ? old?.lastTransitionTime ?? now : now
                return condition
            }
        return status
    }

    static func lease(_ node: LogicalNode, over live: Lease?, now: Timestamp) -> Lease {
        var lease = live ?? Lease(named: node.name, in: leaseNamespace)
        lease.spec.holderIdentity = node.name
        lease.spec.leaseDurationSeconds = leaseSeconds
        lease.spec.renewTime = MicroTimestamp(now)
        return lease
    }
}
