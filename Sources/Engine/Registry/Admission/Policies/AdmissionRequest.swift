import Cluster
import Kinds
import Model

/// A write as admission policies see it (J10).
struct AdmissionRequest: Sendable {
    enum Operation: String, Sendable {
        case create = "CREATE"
        case update = "UPDATE"
        case delete = "DELETE"
    }

    var operation: Operation
    /// Of the resource that the request's path names.
    var type: ResourceType
    /// What is written, which for some subresources is a kind of its own: a Scale, an Eviction.
    var kind: GroupVersionKind
    /// Empty for the object itself.
    var subresource = ""
    var name: String
    /// Of a Namespace that is there already, its own name.
    var namespace: String
    /// As it is to be; `nil` when it is deleted.
    var object: JSON?
    /// As it is; `nil` when it is created.
    var oldObject: JSON?
    /// CreateOptions, UpdateOptions or DeleteOptions.
    var options: JSON
    var isDryRun: Bool
    var requester: Requester

    private static let namespaces = GroupVersionKind(group: "", version: "v1", kind: "Namespace")

    /// - Parameters:
    ///   - object: as the request leaves it, in the version of the type.
    ///   - old: as it is.
    init(
        _ operation: Operation, _ type: ResourceType, object: JSON?, old: JSON?, dryRun: Bool, by requester: Requester?,
        options: JSON
    ) {
        self.operation = operation
        self.type = type
        kind = type.kind
        self.object = object
        oldObject = old
        isDryRun = dryRun
        self.requester = requester ?? .system
        self.options = options
        let metadata = (object ?? old)?["metadata"] ?? [:]
        name = metadata["name"]?.string ?? ""
        namespace = metadata["namespace"]?.string ?? ""
        if isNamespace, operation != .create { namespace = name }
    }

    /// Whether it is about a Namespace, which is within itself and yet has none.
    var isNamespace: Bool { type.kind == Self.namespaces }

    /// Kinds that are never judged, or nobody could repair a policy that refuses everything.
    private static let exempt: Set<String> = [
        "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration",
    ]

    static func isExempt(_ kind: GroupKind) -> Bool {
        kind.group == "admissionregistration.k8s.io" && exempt.contains(kind.kind)
    }

    /// Which resource it is, in which version.
    var resource: ResourceVersion {
        ResourceVersion(group: type.kind.group, version: type.kind.version, plural: type.plural)
    }

    /// What expressions know as `request`.
    ///
    /// - Parameter match: as what the policy's rules chose the request.
    func json(as match: PolicyMatch) -> JSON {
        var request: JSON = [
            "kind": Self.json(match.kind), "resource": match.resource.json, "requestKind": Self.json(kind),
            "requestResource": resource.json, "operation": .string(operation.rawValue),
            "userInfo": Self.json(requester),
            "dryRun": .bool(isDryRun), "options": options,
        ]
        // What is empty is left out, as in Kubernetes' own type.
        for (member, text) in [
            ("subResource", subresource), ("requestSubResource", subresource), ("name", name),
            ("namespace", namespace),
        ] where !text.isEmpty {
            request[member] = .string(text)
        }
        return request
    }

    private static func json(_ kind: GroupVersionKind) -> JSON {
        ["group": .string(kind.group), "version": .string(kind.version), "kind": .string(kind.kind)]
    }

    private static func json(_ requester: Requester) -> JSON {
        var info: JSON = ["username": .string(requester.name)]
        if !requester.uid.isEmpty { info["uid"] = .string(requester.uid) }
        if !requester.groups.isEmpty { info["groups"] = .array(requester.groups.map(JSON.string)) }
        for (key, values) in requester.extra.sorted(by: { $0.key < $1.key }) {
            info[path: ["extra", key]] = .array(values.map(JSON.string))
        }
        return info
    }
}

/// A resource in one of its versions.
struct ResourceVersion: Hashable, Sendable {
    var group: String
    var version: String
    var plural: String

    var json: JSON { ["group": .string(group), "version": .string(version), "resource": .string(plural)] }
}

/// As what a policy's rules chose a request.
struct PolicyMatch: Hashable, Sendable {
    var resource: ResourceVersion
    var kind: GroupVersionKind
}

extension WriteOptions {
    /// What expressions know as `request.options`.
    ///
    /// - Parameter kind: `CreateOptions` or `UpdateOptions`.
    func json(as kind: String) -> JSON {
        var json: JSON = ["kind": .string(kind), "apiVersion": "meta.k8s.io/v1"]
        if dryRun { json["dryRun"] = ["All"] }
        if !fieldManager.isEmpty { json["fieldManager"] = .string(fieldManager) }
        json["fieldValidation"] = .string(fieldValidation.rawValue)
        return json
    }
}

extension DeleteOptions {
    /// What expressions know as `request.options`.
    var json: JSON {
        var json: JSON = ["kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"]
        if let gracePeriodSeconds { json["gracePeriodSeconds"] = .int(Int64(gracePeriodSeconds)) }
        if let propagation { json["propagationPolicy"] = .string(propagation.rawValue) }
        if let uid { json[path: ["preconditions", "uid"]] = .string(uid) }
        if let resourceVersion { json[path: ["preconditions", "resourceVersion"]] = .string(resourceVersion) }
        if dryRun { json["dryRun"] = ["All"] }
        return json
    }
}
