import Cluster
import Kinds
import Model
import Reconciler

/// What admission asks of the pods of a rehearsal (semantics-workloads K12, K13; semantics-api J10) and neither
/// revision makes: without a live state nobody can say that it is not there, so it is taken for granted.
struct AssumedObjects {
    /// ServiceAccounts, PriorityClasses and RuntimeClasses, in the order of their keys.
    let objects: [Object]

    init(_ scenario: Scenario) {
        guard scenario.start.isEmpty else {
            objects = []
            return
        }
        let manifests = [scenario.base, scenario.target].compactMap(\.self).flatMap(\.objects)
        let made = Set(manifests.map(\.key))
        var assumed: [ObjectKey: Object] = [:]
        for manifest in manifests {
            guard let spec = Self.podSpec(of: manifest.object.json) else { continue }
            let named = [
                Self.account(spec, in: manifest.key.namespace), Self.priorityClass(spec), Self.runtimeClass(spec),
            ]
            for object in named.compactMap(\.self) where !made.contains(object.key) { assumed[object.key] = object }
        }
        objects = assumed.values.sorted { $0.key < $1.key }
    }

    var remarks: [String] {
        objects.map { "\($0.key): taken for granted, as pods name it and the manifests do not hold it" }
    }

    private static func podSpec(of object: JSON) -> PodSpec? {
        guard let json = object["kind"] == "Pod" ? object["spec"] : object[path: ["spec", "template", "spec"]] else {
            return nil
        }
        return PodSpec(viewing: json)
    }

    private static func account(_ spec: PodSpec, in namespace: String) -> Object? {
        guard let name = spec.serviceAccountName, !name.isEmpty, name != "default" else { return nil }
        return Object(viewing: ServiceAccount(named: name, in: namespace).json)
    }

    private static func priorityClass(_ spec: PodSpec) -> Object? {
        guard let name = spec.priorityClassName, !name.isEmpty, SystemPriorityClass.values[name] == nil else {
            return nil
        }
        return Object(viewing: [
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": ["name": .string(name)],
            "value": .int(Int64(spec.priority ?? 0)),
            "preemptionPolicy": .string(spec.preemptionPolicy ?? "PreemptLowerPriority"),
        ])
    }

    private static func runtimeClass(_ spec: PodSpec) -> Object? {
        guard let name = spec.runtimeClassName, !name.isEmpty else { return nil }
        var json: JSON = [
            "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": ["name": .string(name)],
            "handler": .string(name),
        ]
        // A pod may not have another overhead than its class.
        if let overhead = spec.json["overhead"] { json["overhead"] = ["podFixed": overhead] }
        return Object(viewing: json)
    }
}
