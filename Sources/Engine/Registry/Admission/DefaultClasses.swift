import Model

/// The StorageClass of claims that name none.
struct DefaultStorageClass: StoredPolicy {
    static let kind = GroupKind(group: "storage.k8s.io", kind: "StorageClass")
    let name: String?

    init(_ objects: [JSON]) {
        name = DefaultClass.name(
            among: objects,
            marked: ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"])
    }
}

/// The IngressClass of Ingresses that name none.
struct DefaultIngressClass: StoredPolicy {
    static let kind = GroupKind(group: "networking.k8s.io", kind: "IngressClass")
    let name: String?

    init(_ objects: [JSON]) {
        name = DefaultClass.name(among: objects, marked: ["ingressclass.kubernetes.io/is-default-class"])
    }
}

private enum DefaultClass {
    /// Of several classes the newest is the default, of those as old as each other the first by name (J10).
    static func name(among objects: [JSON], marked annotations: [String]) -> String? {
        let marked = objects.filter { object in
            let values = object[path: ["metadata", "annotations"]]
            return annotations.contains { values?[$0]?.string == "true" }
        }
        // RFC 3339 in UTC: the texts of the times are in the order of the times.
        let keys = marked.map { object in
            let metadata = object["metadata"]
            return (time: metadata?["creationTimestamp"]?.string ?? "", name: metadata?["name"]?.string ?? "")
        }
        return keys.min { $0.time == $1.time ? $0.name < $1.name : $0.time > $1.time }?.name
    }
}

extension Admission {
    /// DefaultStorageClass: a claim that asks for no class, also not for the empty one, gets the default one.
    static func classed(claim: JSON, _ defaultClass: DefaultStorageClass) -> JSON {
        classed(claim, defaultClass.name, field: "storageClassName", old: "volume.beta.kubernetes.io/storage-class")
    }

    /// DefaultIngressClass, likewise.
    static func classed(ingress: JSON, _ defaultClass: DefaultIngressClass) -> JSON {
        classed(ingress, defaultClass.name, field: "ingressClassName", old: "kubernetes.io/ingress.class")
    }

    /// - Parameter annotation: where a class was named before there was a field for it.
    private static func classed(
        _ object: JSON, _ defaultClass: String?, field: String, old annotation: String
    ) -> JSON {
        guard let defaultClass, object[path: ["spec", field]] == nil,
            object[path: ["metadata", "annotations", annotation]] == nil
        else { return object }
        var object = object
        object[path: ["spec", field]] = .string(defaultClass)
        return object
    }
}
