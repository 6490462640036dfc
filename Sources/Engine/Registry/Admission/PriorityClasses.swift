import Cluster
import Kinds
import Model

/// What pods are worth by the names of their classes (K13).
struct PriorityClasses: StoredPolicy {
    static let kind = GroupKind(group: "scheduling.k8s.io", kind: "PriorityClass")

    struct Class: Hashable {
        var name: String
        var value: Int64
        var preemptionPolicy: String
    }

    private var byName: [String: Class]
    /// That of pods which name none: of several the one of the lowest value.
    private(set) var globalDefault: Class?

    init(_ objects: [JSON]) {
        // Those of the system hold even before there are objects of them.
        let all = Self.system + objects
        byName = Dictionary(all.map(Self.class(of:)).map { ($0.name, $0) }) { $1 }
        globalDefault = objects.filter { $0["globalDefault"]?.bool == true }.map(Self.class(of:))
            .min { ($0.value, $0.name) < ($1.value, $1.name) }
    }

    subscript(name: String) -> Class? { byName[name] }

    private static func `class`(of object: JSON) -> Class {
        Class(
            name: object[path: ["metadata", "name"]]?.string ?? "", value: object["value"]?.int ?? 0,
            preemptionPolicy: object["preemptionPolicy"]?.string ?? "PreemptLowerPriority")
    }

    /// The classes that every cluster has.
    static let system: [JSON] = [
        system(
            "system-node-critical",
            "Used for system critical pods that must not be moved from their current node."),
        system(
            "system-cluster-critical",
            "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."
        ),
    ]

    private static func system(_ name: String, _ description: String) -> JSON {
        guard let value = SystemPriorityClass.values[name] else { preconditionFailure("\(name) has a value") }
        return [
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": ["name": .string(name)],
            "value": .int(value), "description": .string(description), "preemptionPolicy": "PreemptLowerPriority",
        ]
    }

    static func isSystem(_ key: ObjectKey) -> Bool {
        key.kind == kind && system.contains { $0[path: ["metadata", "name"]]?.string == key.name }
    }
}

extension Admission {
    /// Priority: a pod is worth what its class is worth, or the default one, or nothing.
    static func prioritized(_ pod: JSON, _ classes: PriorityClasses) throws(APIError) -> JSON {
        var pod = pod
        let name = pod[path: ["spec", "priorityClassName"]]?.string ?? ""
        let found = name.isEmpty ? classes.globalDefault : classes[name]
        if found == nil, !name.isEmpty { throw forbidden(pod, "no PriorityClass with name \(name) was found") }
        let computed = found ?? .init(name: "", value: 0, preemptionPolicy: "PreemptLowerPriority")
        if let asked = pod[path: ["spec", "priority"]]?.int, asked != computed.value {
            throw forbidden(
                pod,
                "the integer value of priority (\(asked)) must not be provided in pod spec; priority admission "
                    + "controller computed \(computed.value) from the given PriorityClass name")
        }
        if let asked = pod[path: ["spec", "preemptionPolicy"]]?.string, asked != computed.preemptionPolicy {
            throw forbidden(
                pod,
                "the string value of PreemptionPolicy (\(asked)) must not be provided in pod spec; priority admission "
                    + "controller computed \(computed.preemptionPolicy) from the given PriorityClass name")
        }
        if !computed.name.isEmpty { pod[path: ["spec", "priorityClassName"]] = .string(computed.name) }
        pod[path: ["spec", "priority"]] = .int(computed.value)
        pod[path: ["spec", "preemptionPolicy"]] = .string(computed.preemptionPolicy)
        return pod
    }

    /// Priority: no second class is to be the default.
    ///
    /// - Parameter isNew: whether the class is created.
    static func checkDefault(_ object: JSON, isNew: Bool, _ classes: PriorityClasses) throws(APIError) {
        guard object["globalDefault"]?.bool == true, let present = classes.globalDefault,
            isNew || present.name != object[path: ["metadata", "name"]]?.string
        else { return }
        throw forbidden(
            object, "PriorityClass \(present.name) is already marked as default. Only one default can exist",
            resource: "priorityclasses", group: PriorityClasses.kind.group)
    }
}
