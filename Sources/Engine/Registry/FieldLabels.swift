import Cluster
import Kinds
import Model
import Store

/// The fields that field selectors may name (D9), and what they read as.
struct FieldLabels {
    let kind: GroupKind
    let selector: FieldSelector

    private static let everyKind: Set<String> = ["metadata.name", "metadata.namespace"]

    private static let byKind: [GroupKind: Set<String>] = [
        Pod.kind.groupKind: [
            "spec.nodeName", "spec.host", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
            "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
        ],
        Node.kind.groupKind: ["spec.unschedulable"],
        Namespace.kind.groupKind: ["status.phase"],
        Secret.kind.groupKind: ["type"],
        Service.kind.groupKind: ["spec.clusterIP", "spec.type"],
        ReplicaSet.kind.groupKind: ["status.replicas"],
        ReplicationController.kind.groupKind: ["status.replicas"],
        job: ["status.successful"],
        certificateRequest: ["spec.signerName"],
        Event.kind.groupKind: [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
            "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
            "reportingComponent", "source", "type",
        ],
        reportedEvent: [
            "regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion",
            "regarding.resourceVersion", "regarding.fieldPath", "reason", "reportingController", "type",
        ],
    ]

    private static let reportedEvent = GroupKind(group: "events.k8s.io", kind: "Event")
    private static let certificateRequest = GroupKind(
        group: "certificates.k8s.io", kind: "CertificateSigningRequest")
    private static let job = GroupKind(group: "batch", kind: "Job")

    /// - Throws: `.badRequest` for a field that is not indexed (D10).
    init(_ selector: FieldSelector, of strategy: KindStrategy) throws(APIError) {
        let kind = strategy.type.kind.groupKind
        let known = Self.byKind[kind] ?? Set(strategy.type.custom?.selectableFields ?? [])
        for requirement in selector.requirements
        where !known.contains(requirement.path) && !Self.everyKind.contains(requirement.path) {
            let message =
                known.isEmpty && strategy.type.custom == nil
                ? "\"\(requirement.path)\" is not a known field selector: "
                    + "only \"metadata.name\", \"metadata.namespace\""
                : "field label not supported: \(requirement.path)"
            throw APIError(.badRequest, message)
        }
        self.kind = kind
        self.selector = selector
    }

    func matches(_ object: JSON) -> Bool {
        selector.requirements.allSatisfy {
            value(of: $0.path, in: object).hasSameBytes(as: $0.value) != $0.isNegated
        }
    }

    private func value(of path: String, in object: JSON) -> String {
        switch (kind, path) {
        case (Pod.kind.groupKind, "spec.host"): text(["spec", "nodeName"], object)
        case (Pod.kind.groupKind, "spec.hostNetwork"): text(["spec", "hostNetwork"], object, or: "false")
        case (Pod.kind.groupKind, "status.podIPs"):
            object[path: ["status", "podIPs"]]?.array?.compactMap { $0["ip"]?.string }.joined(separator: ",") ?? ""
        case (Node.kind.groupKind, "spec.unschedulable"): text(["spec", "unschedulable"], object, or: "false")
        case (Self.job, "status.successful"): text(["status", "succeeded"], object, or: "0")
        case (_, "status.replicas"): text(["status", "replicas"], object, or: "0")
        case (Event.kind.groupKind, "source"):
            text(["source", "component"], object, or: text(["reportingComponent"], object))
        default: text(path.split(separator: ".").map(String.init), object)
        }
    }

    /// A scalar's text; an absent field reads as `absent`.
    private func text(_ path: [String], _ object: JSON, or absent: String = "") -> String {
        switch object[path: path] {
        case .string(let text): text.isEmpty ? absent : text
        case .int(let value): String(value)
        case .bool(let value): String(value)
        default: absent
        }
    }
}

/// Which objects a query is about: labels and fields together.
struct ObjectFilter {
    let labels: Selector
    let fields: FieldLabels

    private let strategy: KindStrategy

    init(_ query: ListQuery, _ strategy: KindStrategy) throws(APIError) {
        self.strategy = strategy
        labels = query.labels
        fields = try FieldLabels(query.fields, of: strategy)
    }

    var isEmpty: Bool { labels.isEmpty && fields.selector.isEmpty }

    /// Fields are looked at in the version that the query speaks.
    func matches(_ stored: StoredObject) -> Bool {
        if isEmpty { return true }
        return matches(fields.selector.isEmpty ? stored.json : strategy.served(stored.json) ?? stored.json)
    }

    private func matches(_ object: JSON) -> Bool {
        if !fields.selector.isEmpty, !fields.matches(object) { return false }
        return labels.isEmpty || labels.matches(object["metadata"]?["labels"])
    }
}
