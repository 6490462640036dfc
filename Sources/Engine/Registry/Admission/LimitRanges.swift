import Cluster
import Kinds
import Model

/// The limit ranges of every namespace (K10).
struct LimitRanges: StoredPolicy {
    static let kind = LimitRange.kind.groupKind

    private var byNamespace: [String: [[Limit]]] = [:]

    /// One element of `spec.limits`.
    struct Limit {
        var type: String
        /// Each by the resource's name, in order.
        var minimum: [(name: String, amount: Quantity)]
        var maximum: [(name: String, amount: Quantity)]
        var ratio: [(name: String, amount: Quantity)]
        var requests: JSONObject
        var limits: JSONObject
    }

    init(_ objects: [JSON]) {
        for object in objects {
            let range = LimitRange(viewing: object)
            byNamespace[range.metadata.namespace, default: []].append(range.spec.limits.map(Self.limit))
        }
    }

    /// Those of one LimitRange after another.
    subscript(namespace: String) -> [[Limit]] { byNamespace[namespace] ?? [] }

    private static func limit(_ item: LimitRangeItem) -> Limit {
        func ordered(_ amounts: [String: Quantity]) -> [(name: String, amount: Quantity)] {
            amounts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        }
        return Limit(
            type: item.type, minimum: ordered(item.min), maximum: ordered(item.max),
            ratio: ordered(item.maxLimitRequestRatio), requests: item.json["defaultRequest"]?.object ?? JSONObject(),
            limits: item.json["default"]?.object ?? JSONObject())
    }
}

extension Admission {
    // MARK: Defaults

    /// LimitRanger: a pod whose containers ask for what they left out, and say so in an annotation.
    static func limited(_ pod: JSON, by ranges: LimitRanges) -> JSON {
        var pod = pod
        for range in ranges[namespace(of: pod)] {
            let defaults = range.filter { $0.type == "Container" }
            var remarks: [String] = []
            for (list, name) in [("containers", "container"), ("initContainers", "init container")] {
                guard var containers = pod[path: ["spec", list]]?.array else { continue }
                for index in containers.indices { fill(&containers[index], called: name, defaults, &remarks) }
                pod[path: ["spec", list]] = .array(containers)
            }
            if remarks.isEmpty { continue }
            pod[path: ["metadata", "annotations", "kubernetes.io/limit-ranger"]] = .string(
                "LimitRanger plugin set: " + remarks.joined(separator: "; "))
        }
        return pod
    }

    private static func fill(
        _ container: inout JSON, called type: String, _ defaults: [LimitRanges.Limit], _ remarks: inout [String]
    ) {
        let name = container["name"]?.string ?? ""
        for (list, word) in [("requests", "request"), ("limits", "limit")] {
            var set: [String] = []
            for limit in defaults {
                for amount in list == "requests" ? limit.requests : limit.limits
                where container[path: ["resources", list, amount.key]] == nil {
                    container[path: ["resources", list, amount.key]] = amount.value
                    set.append(amount.key)
                }
            }
            guard !set.isEmpty else { continue }
            remarks.append("\(set.sorted().joined(separator: ", ")) \(word) for \(type) \(name)")
        }
    }

    // MARK: Limits

    /// LimitRanger: refuses a pod or claim that asks for less or more than a LimitRange of its namespace allows; with
    /// everything that the first of them has against it.
    static func checkLimits(_ object: JSON, of kind: GroupKind, _ ranges: LimitRanges) throws(APIError) {
        for range in ranges[namespace(of: object)] {
            let faults = range.flatMap { limit in
                requirements(of: object, kind, under: limit.type).flatMap { $0.faults(under: limit) }
            }
            var messages: [String] = []
            for fault in faults where !messages.contains(fault) { messages.append(fault) }
            guard let first = messages.first else { continue }
            throw forbidden(
                object, messages.count == 1 ? first : "[\(messages.joined(separator: ", "))]",
                resource: kind == Pod.kind.groupKind ? "pods" : "persistentvolumeclaims")
        }
    }

    /// What of an object a limit of this type is about.
    private static func requirements(of object: JSON, _ kind: GroupKind, under type: String) -> [Requirements] {
        switch (kind.kind, type) {
        case ("Pod", "Container"):
            let spec = PodSpec(viewing: object["spec"] ?? [:])
            return (spec.containers + spec.initContainers).map { Requirements($0) }
        case ("Pod", "Pod"): return [Requirements(PodSpec(viewing: object["spec"] ?? [:]))]
        case ("PersistentVolumeClaim", "PersistentVolumeClaim"):
            return [Requirements(PersistentVolumeClaim(viewing: object))]
        default: return []
        }
    }

    private static func namespace(of object: JSON) -> String {
        object[path: ["metadata", "namespace"]]?.string ?? ""
    }
}

/// What a container, pod or claim asks for and may use at most.
private struct Requirements {
    var requests: [String: Quantity]
    /// `nil` where there are none by nature: a claim has requests alone.
    var limits: [String: Quantity]?

    init(_ container: Container) {
        (requests, limits) = (container.resources.requests, container.resources.limits)
    }

    init(_ claim: PersistentVolumeClaim) {
        (requests, limits) = (claim.spec.resources.requests, nil)
    }

    init(_ pod: PodSpec) {
        requests = Self.total(pod, own: pod.resources?.requests ?? [:]) { $0.resources.requests }
        limits = Self.total(pod, own: pod.resources?.limits ?? [:]) { $0.resources.limits }
    }

    /// What the containers have together (H4); what the pod says as a whole goes first.
    private static func total(
        _ pod: PodSpec, own: [String: Quantity], _ amounts: (Container) -> [String: Quantity]
    ) -> [String: Quantity] {
        pod.total(
            amounts, from: [:], sum: { $0.merging($1, uniquingKeysWith: +) },
            larger: { $0.merging($1) { $0 < $1 ? $1 : $0 } }
        ).merging(own) { $1 }
    }

    func faults(under limit: LimitRanges.Limit) -> [String] {
        let type = limit.type
        return limit.minimum.compactMap { minimumFault("minimum \($0.name) usage per \(type) is \($0.amount)", $0) }
            + limit.maximum.compactMap { maximumFault("maximum \($0.name) usage per \(type) is \($0.amount)", $0) }
            + (limits == nil ? [] : limit.ratio).compactMap {
                ratioFault("\($0.name) max limit to request ratio per \(type) is \($0.amount)", $0)
            }
    }

    private typealias Bound = (name: String, amount: Quantity)

    private func minimumFault(_ rule: String, _ least: Bound) -> String? {
        guard let request = requests[least.name] else { return "\(rule).  No request is specified" }
        if request < least.amount { return "\(rule), but request is \(request)" }
        guard let limit = limits?[least.name], limit < least.amount else { return nil }
        return "\(rule), but limit is \(limit)"
    }

    private func maximumFault(_ rule: String, _ most: Bound) -> String? {
        if let limits {
            guard let limit = limits[most.name] else { return "\(rule).  No limit is specified" }
            if most.amount < limit { return "\(rule), but limit is \(limit)" }
        } else if requests[most.name] == nil {
            return "\(rule).  No request is specified"
        }
        guard let request = requests[most.name], most.amount < request else { return nil }
        return "\(rule), but request is \(request)"
    }

    private func ratioFault(_ rule: String, _ most: Bound) -> String? {
        guard let request = requests[most.name], request != .zero else {
            return "\(rule), but no request is specified or request is 0"
        }
        guard let limit = limits?[most.name], limit != .zero else {
            return "\(rule), but no limit is specified or limit is 0"
        }
        let ratio = Double(limit.nanos) / Double(request.nanos)
        guard ratio * 1000 > Double(most.amount.milliValue) else { return nil }
        return "\(rule), but provided ratio is \(ratio.sixDecimals)"
    }
}
