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
        guard let name = defaultClass.name, claim[path: ["spec", "storageClassName"]] == nil,
            claim[path: ["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"]] == nil
        else { return claim }
        var claim = claim
        claim[path: ["spec", "storageClassName"]] = .string(name)
        return claim
    }

    /// DefaultIngressClass, likewise.
    static func classed(ingress: JSON, _ defaultClass: DefaultIngressClass) -> JSON {
        guard let name = defaultClass.name, ingress[path: ["spec", "ingressClassName"]] == nil,
            ingress[path: ["metadata", "annotations", "kubernetes.io/ingress.class"]] == nil
        else { return ingress }
        var ingress = ingress
        ingress[path: ["spec", "ingressClassName"]] = .string(name)
        return ingress
    }
}
