import Kinds
import Model

/// The pods that an object makes, or is.
struct PodTemplate: Sendable {
    /// Where the pod's spec stands in the object.
    let path: String
    let labels: [String: String]
    let spec: JSON

    private static let ways: [GroupKind: [String]] = [
        GroupKind(group: "", kind: "Pod"): [],
        GroupKind(group: "", kind: "ReplicationController"): ["spec", "template"],
        GroupKind(group: "apps", kind: "Deployment"): ["spec", "template"],
        GroupKind(group: "apps", kind: "ReplicaSet"): ["spec", "template"],
        GroupKind(group: "apps", kind: "StatefulSet"): ["spec", "template"],
        GroupKind(group: "apps", kind: "DaemonSet"): ["spec", "template"],
        GroupKind(group: "batch", kind: "Job"): ["spec", "template"],
        GroupKind(group: "batch", kind: "CronJob"): ["spec", "jobTemplate", "spec", "template"],
    ]

    init?(of kind: GroupKind, _ object: JSON) {
        guard let way = Self.ways[kind], let template = way.isEmpty ? object : object[path: way],
            let spec = template["spec"], spec.object != nil
        else { return nil }
        path = (way + ["spec"]).joined(separator: ".")
        labels = (template[path: ["metadata", "labels"]]?.object ?? JSONObject()).reduce(into: [:]) { labels, member in
            labels[member.key] = member.value.string
        }
        self.spec = spec
    }

    /// A container with its place in the object.
    struct Container {
        var path: String
        var json: JSON
        var name: String { json["name"]?.string ?? "" }
        var portNames: Set<String> {
            Set((json["ports"]?.array ?? []).compactMap { $0["name"]?.string })
        }
    }

    /// Init containers come first, as they run first.
    var containers: [Container] { list("initContainers") + list("containers") }

    /// Those that serve: init containers only where they go on running.
    var servingContainers: [Container] {
        list("initContainers").filter { $0.json["restartPolicy"] == "Always" } + list("containers")
    }

    private func list(_ name: String) -> [Container] {
        (spec[name]?.array ?? []).enumerated().map { position, json in
            Container(path: "\(path).\(name)[\(position)]", json: json)
        }
    }

    /// Something that must be there before the pod can run.
    struct Reference {
        var kind: GroupKind
        var name: String
        /// What must be in it.
        var key: String?
        var isOptional: Bool
        /// Where it is said.
        var field: String
    }

    /// ConfigMaps and Secrets that the pod needs, with the keys that it needs of them.
    var configuration: [Reference] {
        environment + mounted
            + (spec["imagePullSecrets"]?.array ?? []).enumerated().compactMap { position, json in
                // The kubelet goes on without a pull secret that is not there.
                reference(.secret, json, "name", "\(path).imagePullSecrets[\(position)]", optional: true)
            }
    }

    private var environment: [Reference] {
        containers.flatMap { container -> [Reference] in
            let variables = (container.json["env"]?.array ?? []).enumerated().flatMap { position, variable in
                [("configMapKeyRef", GroupKind.configMap), ("secretKeyRef", GroupKind.secret)].compactMap {
                    name, kind in
                    let place = "\(container.path).env[\(position)].valueFrom.\(name)"
                    return variable["valueFrom"]?[name].flatMap {
                        reference(kind, $0, "name", place, key: $0["key"]?.string)
                    }
                }
            }
            let sources = (container.json["envFrom"]?.array ?? []).enumerated().flatMap { position, source in
                [("configMapRef", GroupKind.configMap), ("secretRef", GroupKind.secret)].compactMap { name, kind in
                    source[name].flatMap {
                        reference(kind, $0, "name", "\(container.path).envFrom[\(position)].\(name)")
                    }
                }
            }
            return sources + variables
        }
    }

    private var mounted: [Reference] {
        (spec["volumes"]?.array ?? []).enumerated().flatMap { position, volume -> [Reference] in
            let place = "\(path).volumes[\(position)]"
            var found = items(.configMap, volume["configMap"], "name", "\(place).configMap")
            found += items(.secret, volume["secret"], "secretName", "\(place).secret")
            for (number, source) in (volume["projected"]?["sources"]?.array ?? []).enumerated() {
                let place = "\(place).projected.sources[\(number)]"
                found += items(.configMap, source["configMap"], "name", "\(place).configMap")
                found += items(.secret, source["secret"], "name", "\(place).secret")
            }
            return found
        }
    }

    /// A volume of a ConfigMap or Secret: as a whole, or single keys of it.
    private func items(_ kind: GroupKind, _ json: JSON?, _ name: String, _ place: String) -> [Reference] {
        guard let json, let whole = reference(kind, json, name, place) else { return [] }
        let items = (json["items"]?.array ?? []).enumerated().compactMap { position, item -> Reference? in
            var reference = whole
            reference.key = item["key"]?.string
            reference.field = "\(place).items[\(position)].key"
            return reference
        }
        return [whole] + items
    }

    private func reference(
        _ kind: GroupKind, _ json: JSON, _ member: String, _ place: String, key: String? = nil, optional: Bool = false
    ) -> Reference? {
        guard let name = json[member]?.string, !name.isEmpty else { return nil }
        return Reference(
            kind: kind, name: name, key: key, isOptional: optional || json["optional"] == true,
            field: "\(place).\(key == nil ? member : "key")")
    }
}

extension GroupKind {
    static let configMap = GroupKind(group: "", kind: "ConfigMap")
    static let secret = GroupKind(group: "", kind: "Secret")
    static let service = GroupKind(group: "", kind: "Service")
    static let serviceAccount = GroupKind(group: "", kind: "ServiceAccount")
    static let claim = GroupKind(group: "", kind: "PersistentVolumeClaim")
    static let deployment = GroupKind(group: "apps", kind: "Deployment")
    static let statefulSet = GroupKind(group: "apps", kind: "StatefulSet")
    static let ingress = GroupKind(group: "networking.k8s.io", kind: "Ingress")
    static let autoscaler = GroupKind(group: "autoscaling", kind: "HorizontalPodAutoscaler")
    static let priorityClass = GroupKind(group: "scheduling.k8s.io", kind: "PriorityClass")
    static let budget = GroupKind(group: "policy", kind: "PodDisruptionBudget")
    static let roleBinding = GroupKind(group: "rbac.authorization.k8s.io", kind: "RoleBinding")
    static let clusterRoleBinding = GroupKind(group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding")
    static let application = GroupKind(group: "argoproj.io", kind: "Application")
}
