import Cluster
import Kinds
import Model
import Testing

@testable import Engine

@Suite("APIServices follow what is served")
struct APIServiceTests {
    private static let definition: JSON = [
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": ["name": "gadgets.example.com"],
        "spec": [
            "group": "example.com", "scope": "Namespaced",
            "names": ["plural": "gadgets", "singular": "gadget", "kind": "Gadget", "listKind": "GadgetList"],
            "versions": [
                ["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": ["type": "object"]]],
                ["name": "v2", "served": false, "storage": false, "schema": ["openAPIV3Schema": ["type": "object"]]],
            ],
        ],
    ]

    /// What of a plan one must know.
    private static func names(_ actions: [APIServicePlan.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .create(let json): "create \(json[path: ["metadata", "name"]]?.string ?? "")"
            case .update(let json): "update \(json[path: ["metadata", "name"]]?.string ?? "")"
            case .delete(let key, _): "delete \(key.name)"
            }
        }
    }

    private static func plan(_ present: [Object], definitions: [JSON] = [], isStart: Bool = true) -> [String] {
        names(
            APIServicePlan.decide(
                builtIn: Catalog.builtIn.types.filter { ["", "apps", "autoscaling"].contains($0.kind.group) },
                definitions: definitions.map { CustomResourceDefinition(viewing: $0) }, present: present,
                isStart: isStart))
    }

    private static func service(_ name: String, _ label: String?, priority: Int64 = 1000) -> Object {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var json: JSON = [
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": ["name": .string(name)],
            "spec": [
                "group": .string(parts[1]), "groupPriorityMinimum": .int(priority), "version": .string(parts[0]),
                "versionPriority": 100,
            ],
        ]
        if let label {
            json[path: ["metadata", "labels"]] = ["kube-aggregator.kubernetes.io/automanaged": .string(label)]
        }
        return Object(viewing: json)
    }

    @Test("at the start there is one for each version of a group, with Kubernetes' labels and priorities")
    func start() {
        let actions = APIServicePlan.decide(
            builtIn: Catalog.builtIn.types, definitions: [CustomResourceDefinition(viewing: Self.definition)],
            present: [], isStart: true)
        let made = actions.compactMap { action -> JSON? in
            if case .create(let json) = action { json } else { nil }
        }
        func service(_ name: String) -> JSON? { made.first { $0[path: ["metadata", "name"]]?.string == name } }
        #expect(service("v1.")?["spec"] == ["groupPriorityMinimum": 18000, "version": "v1", "versionPriority": 1])
        #expect(
            service("v2.autoscaling")?["spec"] == [
                "group": "autoscaling", "groupPriorityMinimum": 17500, "version": "v2", "versionPriority": 30,
            ])
        let label = ["metadata", "labels", "kube-aggregator.kubernetes.io/automanaged"]
        #expect(service("v1.apps")?[path: label] == "onstart")
        #expect(service("v1.example.com")?[path: label] == "true")
        #expect(service("v1.example.com")?[path: ["spec", "groupPriorityMinimum"]] == 1000)
        #expect(service("v2.example.com") == nil, "it is not served")
        #expect(service("v1.apiregistration.k8s.io") == nil)
        #expect(made.count == Set(Catalog.builtIn.types.map { "\($0.kind.version).\($0.kind.group)" }).count)
    }

    @Test("what is there and labelled is kept at the start alone, what definitions define always; other is nobody's")
    func management() {
        let all = ["v1.", "v1.apps", "v1.autoscaling", "v2.autoscaling"]
        #expect(Self.plan([]) == all.map { "create \($0)" })
        #expect(Self.plan([], isStart: false) == [])
        #expect(Self.plan([], definitions: [Self.definition], isStart: false) == ["create v1.example.com"])
        let own = [Self.service("v1.example.com", nil, priority: 7)]
        #expect(Self.plan(own, definitions: [Self.definition], isStart: false) == [], "somebody else's")
        let changed = [Self.service("v1.example.com", "true", priority: 7)]
        #expect(Self.plan(changed, definitions: [Self.definition], isStart: false) == ["update v1.example.com"])
        #expect(Self.plan(changed, isStart: false) == ["delete v1.example.com"], "its definition is gone")
        let old = [Self.service("v1beta1.apps", "onstart"), Self.service("v1.apps", "onstart")]
        #expect(Self.plan(old, isStart: false) == [])
        #expect(
            Self.plan(old) == [
                "create v1.", "update v1.apps", "create v1.autoscaling", "create v2.autoscaling", "delete v1beta1.apps",
            ])
    }

    @Test("once a plan is carried out nothing is left to do")
    func settled() {
        let definitions = [CustomResourceDefinition(viewing: Self.definition)]
        let present = APIServicePlan.decide(
            builtIn: Catalog.builtIn.types, definitions: definitions, present: [], isStart: true
        ).compactMap { action -> Object? in
            if case .create(let json) = action { Object(viewing: json) } else { nil }
        }
        #expect(
            APIServicePlan.decide(
                builtIn: Catalog.builtIn.types, definitions: definitions, present: present, isStart: true) == [])
    }

    @Test("they are there, available, and come and go with definitions")
    func controller() async throws {
        let test = try await TestRegistry()
        let controller = APIServiceController(cluster: test.registry, clock: test.clock)
        let key = { ObjectKey(kind: APIServicePlan.kind, namespace: "", name: $0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await controller.run() }
            try await RegistryGarbageTests.until { try await test.exists(key("v1.apps")) }
            let apps = try await test.get(key("v1.apps"))
            #expect(apps.json[path: ["status", "conditions"]]?[0]?["reason"] == "Local")
            try await test.create(Self.definition)
            try await RegistryGarbageTests.until { try await test.exists(key("v1.example.com")) }
            try await test.delete(key("v1.example.com"))
            try await RegistryGarbageTests.until { try await test.exists(key("v1.example.com")) }
            let definition = ObjectKey(
                kind: CustomResourceDefinition.kind.groupKind, namespace: "", name: "gadgets.example.com")
            try await test.delete(definition)
            if try await test.exists(definition) {
                // Nobody here empties it, which its finalizer waits for.
                var stored = try await test.get(definition)
                stored.json[path: ["metadata", "finalizers"]] = nil
                try await test.update(stored)
            }
            try await RegistryGarbageTests.until { try await !test.exists(key("v1.example.com")) }
            #expect(try await test.exists(key("v1.apps")))
            group.cancelAll()
        }
    }
}
