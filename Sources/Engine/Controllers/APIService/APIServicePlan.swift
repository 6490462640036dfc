package import Kinds
package import Model

/// Which APIServices there are to be: one for each version of a group that is served here (Kubernetes'
/// `kube-apiserver-autoregistration`).
///
/// Those of the built-in kinds are made when the service starts, and then are anybody's; those of definitions come and
/// go with them. A label says which are which; what does not have it is somebody else's.
package enum APIServicePlan {
    package static let kind = GroupKind(group: "apiregistration.k8s.io", kind: "APIService")
    package static let label = "kube-aggregator.kubernetes.io/automanaged"

    package enum Management: String, Hashable, Sendable {
        case onStart = "onstart"
        case always = "true"
    }

    package enum Action: Hashable, Sendable {
        case create(JSON)
        /// With the version that was looked at.
        case update(JSON)
        case delete(ObjectKey, uid: String)
    }

    /// - Parameters:
    ///   - definitions: all there are; what they serve is registered, be its names accepted or not.
    ///   - present: all APIServices.
    ///   - isStart: whether this is the first look of the service.
    package static func decide(
        builtIn: [ResourceType], definitions: [CustomResourceDefinition], present: [Object], isStart: Bool
    ) -> [Action] {
        let wanted = wanted(builtIn, definitions)
        let known = Dictionary(present.map { ($0.metadata.name, $0) }) { first, _ in first }
        var actions: [Action] = []
        for (name, service) in wanted.sorted(by: { $0.key < $1.key }) {
            let isDue = isStart || service.management == .always
            guard let object = known[name] else {
                if isDue { actions.append(.create(service.json(named: name))) }
                continue
            }
            guard let management = management(of: object), isStart || management == .always else { continue }
            if let changed = service.changing(object.json) { actions.append(.update(changed)) }
        }
        for object in present where wanted[object.metadata.name] == nil && !object.metadata.isBeingDeleted {
            guard let management = management(of: object), isStart || management == .always else { continue }
            actions.append(.delete(object.key, uid: object.metadata.uid))
        }
        return actions
    }

    private static func management(of object: Object) -> Management? {
        object.metadata.labels[label].flatMap(Management.init(rawValue:))
    }

    // MARK: What is wanted

    private struct Wanted {
        var group: String
        var version: String
        var priority: (group: Int64, version: Int64)
        var management: Management

        /// Without what Kubernetes' own types leave out.
        private var spec: JSON {
            var spec: JSON = [:]
            if !group.isEmpty { spec["group"] = .string(group) }
            spec["groupPriorityMinimum"] = .int(priority.group)
            spec["version"] = .string(version)
            spec["versionPriority"] = .int(priority.version)
            return spec
        }

        func json(named name: String) -> JSON {
            [
                "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                "metadata": [
                    "name": .string(name), "labels": [.init(stringLiteral: label): .string(management.rawValue)],
                ],
                "spec": spec,
            ]
        }

        /// - Returns: `nil` for what is as it is to be.
        func changing(_ object: JSON) -> JSON? {
            guard object["spec"] != spec else { return nil }
            var changed = object
            changed["spec"] = spec
            changed[path: ["metadata", "labels", label]] = .string(management.rawValue)
            return changed
        }
    }

    /// By their names.
    private static func wanted(
        _ builtIn: [ResourceType], _ definitions: [CustomResourceDefinition]
    ) -> [String: Wanted] {
        var wanted: [String: Wanted] = [:]
        for definition in definitions {
            let group = definition.json[path: ["spec", "group"]]?.string ?? ""
            for version in definition.json[path: ["spec", "versions"]]?.array ?? [] where version["served"] == true {
                let name = version["name"]?.string ?? ""
                wanted["\(name).\(group)"] = Wanted(
                    group: group, version: name, priority: Priorities.ofDefinitions, management: .always)
            }
        }
        // The group of APIServices themselves has none, as in Kubernetes.
        for kind in builtIn.map(\.kind) where kind.group != Self.kind.group {
            wanted["\(kind.version).\(kind.group)"] = Wanted(
                group: kind.group, version: kind.version, priority: Priorities.of(kind), management: .onStart)
        }
        return wanted
    }
}

/// How much clients prefer groups and their versions to others: Kubernetes' own numbers.
private enum Priorities {
    static let ofDefinitions: (Int64, Int64) = (1000, 100)

    private static let groups: [String: Int64] = [
        "": 18000, "apps": 17800, "events.k8s.io": 17750, "authentication.k8s.io": 17700,
        "authorization.k8s.io": 17600, "autoscaling": 17500, "batch": 17400, "certificates.k8s.io": 17300,
        "networking.k8s.io": 17200, "policy": 17100, "rbac.authorization.k8s.io": 17000, "storage.k8s.io": 16800,
        "apiextensions.k8s.io": 16700, "admissionregistration.k8s.io": 16700, "scheduling.k8s.io": 16600,
        "coordination.k8s.io": 16500, "node.k8s.io": 16300, "discovery.k8s.io": 16200,
        "flowcontrol.apiserver.k8s.io": 16100, "internal.apiserver.k8s.io": 16000, "resource.k8s.io": 15900,
    ]

    /// Of versions that have another than 15.
    private static let versions: [String: Int64] = [
        "/v1": 1, "autoscaling/v2": 30, "flowcontrol.apiserver.k8s.io/v1": 21,
    ]

    static func of(_ kind: GroupVersionKind) -> (Int64, Int64) {
        guard let group = groups[kind.group] else { return ofDefinitions }
        return (group, versions["\(kind.group)/\(kind.version)"] ?? 15)
    }
}
