import Cluster
import Kinds
import Model

/// The admission rules that are built in (J10), as functions of the object and what they ask of the store.
enum Admission {
    private static let undeletableNamespaces: Set<String> = ["default", "kube-system", "kube-public"]

    /// NamespaceLifecycle: nothing is created in a namespace that is not there, or going.
    static func checkNamespace(
        _ namespace: JSON?, named name: String, for type: ResourceType, object: String
    ) throws(APIError) {
        guard let namespace else { throw .notFound("namespaces", name: name) }
        guard namespace[path: ["metadata", "deletionTimestamp"]] != nil else { return }
        throw APIError(
            .forbidden,
            "\(type.qualifiedPlural) \"\(object)\" is forbidden: unable to create new content in namespace \(name) "
                + "because it is being terminated",
            details: APIError.Details(
                name: object, group: type.kind.group, kind: type.plural,
                causes: [
                    APIError.Cause(
                        reason: "NamespaceTerminating", message: "namespace \(name) is being terminated",
                        field: "metadata.namespace")
                ]))
    }

    private static let evictingTaints = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]

    /// DefaultTolerationSeconds: a pod outlasts five minutes of its node's absence (G6).
    static func tolerating(_ pod: JSON) -> JSON {
        var tolerations = pod[path: ["spec", "tolerations"]]?.array ?? []
        for taint in evictingTaints where !tolerations.contains(where: { tolerates($0, taint) }) {
            tolerations.append(
                ["key": .string(taint), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300])
        }
        var pod = pod
        pod[path: ["spec", "tolerations"]] = .array(tolerations)
        return pod
    }

    private static func tolerates(_ toleration: JSON, _ taint: String) -> Bool {
        let key = toleration["key"]?.string ?? ""
        let effect = toleration["effect"]?.string ?? ""
        return (key == taint || key.isEmpty) && (effect == "NoExecute" || effect.isEmpty)
    }

    /// A request for a certificate says whose it is, whatever it said.
    private static func requested(_ object: JSON, by requester: Requester?) -> JSON {
        let text = { (text: String?) -> JSON? in text.flatMap { $0.isEmpty ? nil : .string($0) } }
        var object = object
        object.change("spec") { spec in
            spec["username"] = text(requester?.name)
            spec["uid"] = text(requester?.uid)
            let groups = requester?.groups ?? []
            spec["groups"] = groups.isEmpty ? nil : .array(groups.map(JSON.string))
            let extra = (requester?.extra ?? [:]).sorted { $0.key < $1.key }
            let members = extra.map { JSONObject.Member(key: $0.key, value: .array($0.value.map(JSON.string))) }
            spec["extra"] = members.isEmpty ? nil : .object(JSONObject(members))
        }
        return object
    }

    // MARK: All of them

    /// What is created, as the rules that change objects leave it (J10).
    ///
    /// - Parameters:
    ///   - uid: that it will have.
    ///   - requester: whose request it is.
    static func admitting(
        _ object: JSON, kind: GroupKind, uid: String, _ policies: AdmissionPolicies, from requester: Requester?
    ) throws(APIError) -> JSON {
        switch (kind.kind, kind.group) {
        case ("Pod", ""):
            let namespace = object[path: ["metadata", "namespace"]]?.string ?? ""
            let limited = limited(object, by: policies.limitRanges.current)
            let accounted = try accounted(limited, uid: uid, givesTokens: policies.givesTokens) {
                policies.serviceAccount($0, in: namespace)
            }
            let tolerating = tolerating(try prioritized(accounted, policies.priorityClasses.current))
            return try running(tolerating, by: policies.runtimeClasses.current)
        case ("PersistentVolumeClaim", ""): return classed(claim: object, policies.storageClasses.current)
        case ("CertificateSigningRequest", "certificates.k8s.io"): return requested(object, by: requester)
        case ("Ingress", "networking.k8s.io"): return classed(ingress: object, policies.ingressClasses.current)
        default: return object
        }
    }

    /// The rules that only refuse, once the object is valid (J10).
    ///
    /// - Parameter old: the object before, in an update.
    static func check(_ object: JSON, from old: JSON?, kind: GroupKind, _ policies: AdmissionPolicies) throws(APIError)
    {
        switch (kind.kind, kind.group) {
        case ("Pod", "") where old == nil:
            try checkLimits(object, of: kind, policies.limitRanges.current)
            try checkOverhead(object, policies.runtimeClasses.current)
        case ("PersistentVolumeClaim", "") where old?[path: ["metadata", "deletionTimestamp"]] == nil:
            try checkLimits(object, of: kind, policies.limitRanges.current)
        case ("PriorityClass", PriorityClasses.kind.group):
            try checkDefault(object, isNew: old == nil, policies.priorityClasses.current)
        default: break
        }
    }

    static func forbidden(_ object: JSON, _ why: String, resource: String = "pods", group: String = "") -> APIError {
        let name = object[path: ["metadata", "name"]]?.string ?? ""
        let qualified = group.isEmpty ? resource : "\(resource).\(group)"
        return APIError(
            .forbidden, "\(qualified) \"\(name)\" is forbidden: \(why)",
            details: APIError.Details(name: name, group: group, kind: resource))
    }

    /// Why an object stays whatever a request says.
    static func refusalToDelete(_ key: ObjectKey) -> String? {
        if key.kind == Namespace.kind.groupKind, undeletableNamespaces.contains(key.name) {
            return "this namespace may not be deleted"
        }
        return PriorityClasses.isSystem(key) ? "this is a system priority class and cannot be deleted" : nil
    }
}
