import Cluster
import Engine
import Kinds
import Logging
import Model
import Testing

/// semantics-workloads K9: quotas over a running engine, as Kubernetes' conformance tests look at them.
@Suite("Quotas", .timeLimit(.minutes(1)))
struct QuotaTests {
    static func quota(_ name: String, _ hard: JSON, _ rest: JSON = [:]) -> JSON {
        var spec: JSON = ["hard": hard]
        for member in rest.object ?? JSONObject() { spec[member.key] = member.value }
        return [
            "apiVersion": "v1", "kind": "ResourceQuota",
            "metadata": ["name": .string(name), "namespace": "default"], "spec": spec,
        ]
    }

    static let key = key("q")
    static func key(_ name: String) -> ObjectKey { ResourceQuota.key(name, in: "default") }

    /// Waits until a quota says what is used: `pods=1,services=0`; the names in order.
    private static func wait(_ stage: CustomRegistry, _ name: String = "q", used: String) async throws {
        _ = try await stage.wait(for: key(name)) { object -> Bool? in
            guard let status = object?.view(as: ResourceQuota.self).status, !status.hard.isEmpty else { return nil }
            let text = status.used.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
            return text == used ? true : nil
        }
    }

    private static func object(_ version: String, _ kind: String, _ name: String, _ rest: JSON = [:]) -> JSON {
        var object: JSON = [
            "apiVersion": .string(version), "kind": .string(kind),
            "metadata": ["name": .string(name), "namespace": "default"],
        ]
        for member in rest.object ?? JSONObject() { object[member.key] = member.value }
        return object
    }

    private static let template: JSON = [
        "metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "c", "image": "i"]]],
    ]

    static let lives: [(JSON, JSON, String, String)] = [
        (["configmaps": 9], Sample.configMap("a"), "configmaps=0", "configmaps=1"),
        (["secrets": 9], object("v1", "Secret", "a"), "secrets=0", "secrets=1"),
        (
            ["services": 9, "services.nodeports": 9], Sample.service("a", spec: ["type": "NodePort"]),
            "services=0,services.nodeports=0", "services=1,services.nodeports=1"
        ),
        (
            ["count/replicasets.apps": 9],
            object(
                "apps/v1", "ReplicaSet", "a",
                [
                    "spec": ["replicas": 0, "selector": ["matchLabels": ["app": "web"]], "template": template]
                ]), "count/replicasets.apps=0", "count/replicasets.apps=1"
        ),
        (
            ["replicationcontrollers": 9],
            object(
                "v1", "ReplicationController", "a",
                [
                    "spec": ["replicas": 0, "selector": ["app": "web"], "template": template]
                ]), "replicationcontrollers=0", "replicationcontrollers=1"
        ),
        (
            ["persistentvolumeclaims": 9, "requests.storage": "9Gi"],
            object(
                "v1", "PersistentVolumeClaim", "a",
                [
                    "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "2Gi"]]]
                ]), "persistentvolumeclaims=0,requests.storage=0", "persistentvolumeclaims=1,requests.storage=2Gi"
        ),
        (["pods": 9, "count/pods": 9], Sample.pod("a"), "count/pods=0,pods=0", "count/pods=1,pods=1"),
    ]

    @Test("K9: a quota captures the life of an object: promptly counted, reserved, and freed", arguments: lives)
    func life(_ hard: JSON, _ object: JSON, _ before: String, _ after: String) async throws {
        try await CustomRegistry.run { stage in
            _ = try await stage.create(Self.quota("q", hard))
            try await Self.wait(stage, used: before)
            let created = try await stage.create(object)
            // Reserved with the object, by nobody who comes later.
            try await Self.wait(stage, used: after)
            _ = try await stage.registry.delete(
                created.key, DeleteOptions(gracePeriodSeconds: 0, propagation: .background))
            try await Self.wait(stage, used: before)
        }
    }

    @Test("K9: what exceeds a quota is refused, and taken again once something is freed or the quota grows or goes")
    func refuses() async throws {
        try await CustomRegistry.run { stage in
            let registry = stage.registry
            _ = try await stage.create(Self.quota("q", ["configmaps": 1]))
            try await Self.wait(stage, used: "configmaps=0")
            try await registry.create(Sample.configMap("a"))
            let error = try await registry.error { try await registry.create(Sample.configMap("b")) }
            #expect(error.reason == .forbidden)
            #expect(
                error.message
                    == "configmaps \"b\" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=1, "
                    + "limited: configmaps=1")
            try await registry.delete(ConfigMap.key("a", in: "default"))
            try await Self.wait(stage, used: "configmaps=0")
            try await registry.create(Sample.configMap("b"))
            try await registry.patch(Self.key, .merge(["spec": ["hard": ["configmaps": 2]]]))
            _ = try await stage.wait(for: Self.key) { object -> Bool? in
                object?.view(as: ResourceQuota.self).status.hard["configmaps"] == Quantity(2) ? true : nil
            }
            try await registry.create(Sample.configMap("c"))
            _ = try await registry.error { try await registry.create(Sample.configMap("d")) }
            try await registry.delete(Self.key)
            try await registry.create(Sample.configMap("d"))
        }
    }

    @Test("K9: a dry run is checked and reserves nothing; an update that uses more is checked, by every verb")
    func dryRunsAndUpdates() async throws {
        try await CustomRegistry.run { stage in
            let registry = stage.registry
            _ = try await stage.create(Self.quota("q", ["services.nodeports": 1, "configmaps": 0]))
            try await Self.wait(stage, used: "configmaps=0,services.nodeports=0")
            var dry = TestRegistry.options
            dry.dryRun = true
            try await registry.create(Sample.service("a", spec: ["type": "NodePort"]), dry)
            _ = try await registry.error { try await registry.create(Sample.configMap("a"), dry) }
            try await Self.wait(stage, used: "configmaps=0,services.nodeports=0")
            let service = try await registry.create(Sample.service("a"))
            try await registry.patch(service.key, .merge(["spec": ["type": "NodePort"]]))
            try await Self.wait(stage, used: "configmaps=0,services.nodeports=1")
            let two: JSON = ["spec": ["ports": [["name": "a", "port": 1], ["name": "b", "port": 2]]]]
            let error = try await registry.error { try await registry.patch(service.key, .merge(two)) }
            #expect(error.reason == .forbidden)
            try await registry.patch(service.key, .merge(["spec": ["type": "ClusterIP"]]))
            try await Self.wait(stage, used: "configmaps=0,services.nodeports=0")
            try await registry.patch(service.key, .merge(two))
        }
    }

    @Test("K9: terminating and best-effort pods are told apart, and a pod that ends frees what it used")
    func scopes() async throws {
        try await CustomRegistry.run { stage in
            let registry = stage.registry
            _ = try await stage.create(Self.quota("ends", ["pods": 5], ["scopes": ["Terminating"]]))
            _ = try await stage.create(Self.quota("stays", ["pods": 5], ["scopes": ["NotTerminating"]]))
            _ = try await stage.create(Self.quota("idle", ["pods": 5], ["scopes": ["BestEffort"]]))
            for name in ["ends", "stays", "idle"] { try await Self.wait(stage, name, used: "pods=0") }
            var pod = Sample.pod("a")
            pod[path: ["spec", "activeDeadlineSeconds"]] = 3600
            pod[path: ["spec", "containers"]] = [
                ["name": "main", "image": "i", "resources": ["requests": ["cpu": "1"], "limits": ["cpu": "1"]]]
            ]
            let created = try await registry.create(pod)
            try await Self.wait(stage, "ends", used: "pods=1")
            for name in ["stays", "idle"] { try await Self.wait(stage, name, used: "pods=0") }
            let other = try await registry.create(Sample.pod("b"))
            for name in ["ends", "stays", "idle"] { try await Self.wait(stage, name, used: "pods=1") }
            // A pod whose time becomes limited changes quotas.
            try await registry.patch(other.key, .merge(["spec": ["activeDeadlineSeconds": 60]]))
            try await Self.wait(stage, "ends", used: "pods=2")
            try await Self.wait(stage, "stays", used: "pods=0")
            var ended: Pod = try await registry.get(created.key).view()
            ended.status.phase = "Succeeded"
            try await registry.update(Object(viewing: ended.json), .status)
            try await Self.wait(stage, "ends", used: "pods=1")
        }
    }

    @Test("K9: objects of custom kinds are counted, from before the kind was followed as well")
    func customKinds() async throws {
        try await CustomRegistry.run { stage in
            _ = try await stage.create(Self.quota("q", ["count/widgets.example.com": 1]))
            try await stage.define(Widgets.definition())
            try await Self.wait(stage, used: "count/widgets.example.com=0")
            _ = try await stage.create(Widgets.widget("a"))
            let error = try await stage.error { try await stage.create(Widgets.widget("b")) }
            #expect(error.message.hasPrefix("widgets.example.com \"b\" is forbidden: exceeded quota: q, "))
            _ = try await stage.registry.delete(Widgets.key("a"))
            try await Self.wait(stage, used: "count/widgets.example.com=0")
        }
    }

    @Test("K9: a status that somebody else wrote is put right when the quota is counted again")
    func resyncs() async throws {
        try await CustomRegistry.run { stage in
            let registry = stage.registry
            _ = try await stage.create(Self.quota("q", ["configmaps": 5]))
            try await Self.wait(stage, used: "configmaps=0")
            try await registry.patch(Self.key, .merge(["status": ["used": ["configmaps": 3]]]), .status)
            let status = try await registry.get(Self.key).view(as: ResourceQuota.self).status
            #expect(status.used["configmaps"] == Quantity(3))
            registry.clock.advance(by: .seconds(301))
            try await Self.wait(stage, used: "configmaps=0")
        }
    }

    @Test("a new quota comes without the warning that nothing acts on it")
    func acts() async throws {
        let registry = try await TestRegistry()
        var options = TestRegistry.options
        let warnings = RequestWarnings()
        options.warnings = warnings
        try await registry.create(Self.quota("q", ["pods": 1]), options)
        #expect(warnings.all == [])
    }
}
