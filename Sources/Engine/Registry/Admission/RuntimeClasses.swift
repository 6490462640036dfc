import Cluster
import Kinds
import Model

/// What pods take on with the runtime class that they name (J10).
struct RuntimeClasses: StoredPolicy {
    static let kind = GroupKind(group: "node.k8s.io", kind: "RuntimeClass")

    private let byName: [String: JSON]

    init(_ objects: [JSON]) {
        byName = Dictionary(
            objects.map { ($0[path: ["metadata", "name"]]?.string ?? "", $0) }, uniquingKeysWith: { $1 })
    }

    subscript(name: String) -> JSON? { byName[name] }

    fileprivate static func texts(_ map: JSON?) -> [(key: String, value: String)] {
        (map?.object.map(Array.init) ?? []).map { ($0.key, $0.value.string ?? "") }
    }
}

extension Admission {
    /// RuntimeClass: a pod has the overhead of its class, and goes where the class's pods may go.
    static func running(_ pod: JSON, by classes: RuntimeClasses) throws(APIError) -> JSON {
        guard let found = try runtimeClass(of: pod, classes) else { return pod }
        var pod = pod
        if let overhead = found[path: ["overhead", "podFixed"]] {
            if pod[path: ["spec", "overhead"]] != nil { try checkOverhead(pod, of: found) }
            pod[path: ["spec", "overhead"]] = overhead
        }
        guard let scheduling = found["scheduling"] else { return pod }
        for (label, value) in RuntimeClasses.texts(scheduling["nodeSelector"]) {
            let path = ["spec", "nodeSelector", label]
            if let own = pod[path: path]?.string, own != value {
                throw forbidden(
                    pod,
                    "conflict: runtimeClass.scheduling.nodeSelector[\(label)] = \(value); "
                        + "pod.spec.nodeSelector[\(label)] = \(own)")
            }
            pod[path: path] = .string(value)
        }
        let more = PodSpec(viewing: scheduling).tolerations
        if !more.isEmpty {
            let own = PodSpec(viewing: pod["spec"] ?? [:]).tolerations
            pod[path: ["spec", "tolerations"]] = .array(merged(own + more).map(\.json))
        }
        return pod
    }

    /// RuntimeClass: a pod's overhead is that of its class, of none if the class has none.
    static func checkOverhead(_ pod: JSON, _ classes: RuntimeClasses) throws(APIError) {
        guard let found = try runtimeClass(of: pod, classes), found["overhead"] != nil else {
            guard pod[path: ["spec", "overhead"]] != nil else { return }
            throw forbidden(
                pod, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
        }
        try checkOverhead(pod, of: found)
    }

    private static func checkOverhead(_ pod: JSON, of found: JSON) throws(APIError) {
        let defined = PodSpec(viewing: ["overhead": found[path: ["overhead", "podFixed"]] ?? [:]]).overhead
        guard PodSpec(viewing: pod["spec"] ?? [:]).overhead != defined else { return }
        throw forbidden(pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
    }

    private static func runtimeClass(of pod: JSON, _ classes: RuntimeClasses) throws(APIError) -> JSON? {
        guard let name = pod[path: ["spec", "runtimeClassName"]]?.string else { return nil }
        guard let found = classes[name] else {
            throw forbidden(pod, "pod rejected: RuntimeClass \(JSON.string(name).text()) not found")
        }
        return found
    }

    // MARK: Tolerations

    /// Without those that another one covers; of equal ones the first stays.
    private static func merged(_ all: [Toleration]) -> [Toleration] {
        var kept: [Toleration] = []
        for (index, toleration) in all.enumerated() {
            let isCovered =
                kept.contains { $0.covers(toleration) }
                || all[(index + 1)...].contains { $0 != toleration && $0.covers(toleration) }
            if !isCovered { kept.append(toleration) }
        }
        return kept
    }
}

extension Toleration {
    /// Whether it tolerates all that another one does.
    fileprivate func covers(_ other: Toleration) -> Bool {
        if self == other { return true }
        if !(key ?? "").isEmpty, key != other.key { return false }
        if !(effect ?? "").isEmpty, effect != other.effect { return false }
        if effect == "NoExecute", let limit = tolerationSeconds {
            guard let seconds = other.tolerationSeconds, seconds <= limit else { return false }
        }
        return self.operator == "Exists" || (other.operator == "Equal" && other.value == value)
    }
}
