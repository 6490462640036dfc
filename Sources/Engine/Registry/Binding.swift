import Cluster
import Kinds
import Model

/// The assignment of a pod to a node (`pods/binding`, H10 of the scheduler's rules, L5).
enum Binding {
    static let kind = GroupVersionKind(group: "", version: "v1", kind: "Binding")

    /// What assigns a pod to a node, as an object.
    static func json(of pod: ObjectKey, to node: String) -> JSON {
        [
            "apiVersion": "v1", "kind": "Binding",
            "metadata": ["name": .string(pod.name), "namespace": .string(pod.namespace)],
            "target": ["kind": "Node", "name": .string(node)],
        ]
    }

    /// The node that a request names: a `v1` Binding names it in `target`, a Pod in its spec.
    static func node(of request: JSON) -> String? {
        let name =
            request["kind"]?.string == "Binding" ? request["target"]?["name"] : request[path: ["spec", "nodeName"]]
        return name?.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The pod on its node; a pod that is going, gated or assigned already cannot be bound.
    static func bound(_ object: JSON, to node: String, now: Timestamp) throws(APIError) -> JSON {
        let pod = Pod(viewing: object)
        let name = pod.metadata.name
        if pod.metadata.isBeingDeleted {
            throw .conflict("pods", name: name, because: "pod \(name) is being deleted, cannot be assigned to a host")
        }
        if let current = object[path: ["spec", "nodeName"]]?.string, !current.isEmpty {
            throw .conflict("pods", name: name, because: "pod \(name) is already assigned to node \"\(current)\"")
        }
        if !(object[path: ["spec", "schedulingGates"]]?.array ?? []).isEmpty {
            throw .conflict("pods", name: name, because: "pod \(name) has non-empty .spec.schedulingGates")
        }
        var bound = object
        bound[path: ["spec", "nodeName"]] = .string(node)
        bound[path: ["status", "nominatedNodeName"]] = nil
        var conditions = bound[path: ["status", "conditions"]]?.array ?? []
        let scheduled: JSON = [
            "type": "PodScheduled", "status": "True", "lastProbeTime": .null, "lastTransitionTime": now.json,
        ]
        if let position = conditions.firstIndex(where: { $0["type"] == "PodScheduled" }) {
            conditions[position] = scheduled
        } else {
            conditions.append(scheduled)
        }
        bound[path: ["status", "conditions"]] = .array(conditions)
        return bound
    }
}
