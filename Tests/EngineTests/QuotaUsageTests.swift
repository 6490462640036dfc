import Kinds
import Model
import Testing

@testable import Engine

/// semantics-workloads K9: what objects use.
@Suite("What quotas count")
struct QuotaUsageTests {
    private static let now = Fixture.now

    private static func container(_ requests: JSON, _ limits: JSON = [:], restart: String? = nil) -> JSON {
        var container: JSON = ["name": "c", "image": "i", "resources": ["requests": requests, "limits": limits]]
        if let restart { container["restartPolicy"] = .string(restart) }
        return container
    }

    private static func pod(_ spec: JSON, _ rest: JSON = [:]) -> JSON {
        var pod: JSON = ["metadata": ["name": "p", "namespace": "shop"], "spec": spec]
        for member in rest.object ?? JSONObject() { pod[member.key] = member.value }
        return pod
    }

    struct Case: CustomTestStringConvertible {
        var text: String
        var kind: CountedKind
        var object: JSON
        var usage: String
        var testDescription: String { text }
    }

    static let pods = [
        Case(
            text: "a pod that asks for nothing is one pod", kind: .pods,
            object: pod(["containers": [container([:])]]), usage: "count/pods=1,pods=1"),
        Case(
            text: "requests count under two names, limits under one", kind: .pods,
            object: pod([
                "containers": [
                    container(["cpu": "250m", "memory": "64Mi"], ["cpu": "1", "ephemeral-storage": "2Gi"]),
                    container(["cpu": "250m", "ephemeral-storage": "1Gi"], ["memory": "1Gi"]),
                ]
            ]),
            usage: "count/pods=1,cpu=500m,ephemeral-storage=1Gi,limits.cpu=1,limits.ephemeral-storage=2Gi,"
                + "limits.memory=1Gi,memory=64Mi,pods=1,requests.cpu=500m,requests.ephemeral-storage=1Gi,"
                + "requests.memory=64Mi"),
        Case(
            text: "an init container counts only beyond what runs later", kind: .pods,
            object: pod([
                "initContainers": [container(["cpu": "700m", "memory": "1Mi"])],
                "containers": [container(["cpu": "500m", "memory": "2Mi"])],
            ]),
            usage: "count/pods=1,cpu=700m,memory=2Mi,pods=1,requests.cpu=700m,requests.memory=2Mi"),
        Case(
            text: "a sidecar runs beside all containers, and beside the init containers after it", kind: .pods,
            object: pod([
                "initContainers": [
                    container(["cpu": "900m"]), container(["cpu": "100m"], restart: "Always"),
                    container(["cpu": "850m"]),
                ],
                "containers": [container(["cpu": "500m"])],
            ]),
            usage: "count/pods=1,cpu=950m,pods=1,requests.cpu=950m"),
        Case(
            text: "what running the pod costs is added to its requests, and to limits that it has", kind: .pods,
            object: pod([
                "overhead": ["cpu": "100m", "memory": "8Mi"], "containers": [container(["cpu": "500m"], ["cpu": "1"])],
            ]),
            usage: "count/pods=1,cpu=600m,limits.cpu=1100m,memory=8Mi,pods=1,requests.cpu=600m,requests.memory=8Mi"),
        Case(
            text: "what is said of the pod as a whole goes before", kind: .pods,
            object: pod([
                "resources": ["requests": ["cpu": "2"]], "containers": [container(["cpu": "500m", "memory": "1Mi"])],
            ]),
            usage: "count/pods=1,cpu=2,memory=1Mi,pods=1,requests.cpu=2,requests.memory=1Mi"),
        Case(
            text: "huge pages count under two names, extended resources as requests", kind: .pods,
            object: pod(["containers": [container(["hugepages-2Mi": "4Mi", "example.com/gpu": 2])]]),
            usage: "count/pods=1,hugepages-2Mi=4Mi,pods=1,requests.example.com/gpu=2,requests.hugepages-2Mi=4Mi"),
        Case(
            text: "a pod that has ended frees everything but its place in the store", kind: .pods,
            object: pod(["containers": [container(["cpu": "1"])]], ["status": ["phase": "Succeeded"]]),
            usage: "count/pods=1"),
        Case(
            text: "so does one that should long have been gone", kind: .pods,
            object: pod(
                ["containers": [container(["cpu": "1"])]],
                [
                    "metadata": [
                        "name": "p", "deletionTimestamp": (now - .seconds(31)).json, "deletionGracePeriodSeconds": 30,
                    ]
                ]),
            usage: "count/pods=1"),
        Case(
            text: "but not yet one that is going", kind: .pods,
            object: pod(
                ["containers": [container([:])]],
                [
                    "metadata": [
                        "name": "p", "deletionTimestamp": (now - .seconds(29)).json, "deletionGracePeriodSeconds": 30,
                    ]
                ]),
            usage: "count/pods=1,pods=1"),
    ]

    private static func service(_ spec: JSON) -> JSON { ["spec": spec] }
    private static let ports: JSON = [["port": 80], ["port": 443, "nodePort": 30443]]

    static let others = [
        Case(
            text: "a Service of its own address", kind: .services,
            object: service(["type": "ClusterIP", "ports": ports]),
            usage: "count/services=1,services=1,services.loadbalancers=0,services.nodeports=0"),
        Case(
            text: "each port of a NodePort", kind: .services, object: service(["type": "NodePort", "ports": ports]),
            usage: "count/services=1,services=1,services.loadbalancers=0,services.nodeports=2"),
        Case(
            text: "a load balancer has node ports, too", kind: .services,
            object: service(["type": "LoadBalancer", "ports": ports]),
            usage: "count/services=1,services=1,services.loadbalancers=1,services.nodeports=2"),
        Case(
            text: "unless it does without; then those that are named count", kind: .services,
            object: service(["type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "ports": ports]),
            usage: "count/services=1,services=1,services.loadbalancers=1,services.nodeports=1"),
        Case(
            text: "a claim, its storage, and both of its class", kind: .claims,
            object: ["spec": ["storageClassName": "gold", "resources": ["requests": ["storage": "5Gi"]]]],
            usage: "count/persistentvolumeclaims=1,gold.storageclass.storage.k8s.io/persistentvolumeclaims=1,"
                + "gold.storageclass.storage.k8s.io/requests.storage=5Gi,persistentvolumeclaims=1,requests.storage=5Gi"),
        Case(
            text: "what is allocated, if that is more", kind: .claims,
            object: [
                "spec": ["resources": ["requests": ["storage": "5Gi"]]],
                "status": ["allocatedResources": ["storage": "7Gi"]],
            ],
            usage: "count/persistentvolumeclaims=1,persistentvolumeclaims=1,requests.storage=7Gi"),
        Case(
            text: "whole bytes of storage", kind: .claims,
            object: ["spec": ["resources": ["requests": ["storage": "1500m"]]]],
            usage: "count/persistentvolumeclaims=1,persistentvolumeclaims=1,requests.storage=2"),
    ]

    @Test("K9: a pod uses", arguments: pods)
    func usageOfPods(_ test: Case) {
        #expect("\(test.kind.usage(of: test.object, now: Self.now))" == test.usage)
    }

    @Test("K9: services and claims use", arguments: others)
    func usageOfOthers(_ test: Case) {
        #expect("\(test.kind.usage(of: test.object, now: Self.now))" == test.usage)
    }

    @Test(
        "K9: every kind in a namespace is counted by its resource's name, some under a second one",
        arguments: [
            ("v1", "ConfigMap", "configmaps=1,count/configmaps=1"), ("v1", "Secret", "count/secrets=1,secrets=1"),
            ("v1", "ReplicationController", "count/replicationcontrollers=1,replicationcontrollers=1"),
            ("v1", "ResourceQuota", "count/resourcequotas=1,resourcequotas=1"),
            ("apps/v1", "ReplicaSet", "count/replicasets.apps=1"), ("batch/v1", "Job", "count/jobs.batch=1"),
        ])
    func countsObjects(_ version: String, _ kind: String, _ usage: String) throws {
        let type = try #require(
            Catalog.builtIn.types.first { $0.kind == GroupVersionKind(apiVersion: version, kind: kind) })
        #expect("\(try #require(CountedKind(type)).usage(of: [:], now: Self.now))" == usage)
    }

    @Test("K9: neither Events, nor questions, nor what is in no namespace is counted")
    func ignores() {
        let ignored = ["Event", "Namespace", "Node", "LocalSubjectAccessReview"]
        let types = Catalog.builtIn.types.filter { ignored.contains($0.kind.kind) }
        #expect(Set(types.map(\.kind.kind)) == Set(ignored))
        #expect(types.allSatisfy { CountedKind($0) == nil })
    }

    // MARK: Scopes

    private static let plain: JSON = ["containers": [container([:])]]

    private static func with(_ name: String, _ value: JSON) -> JSON {
        var spec = plain
        spec[name] = value
        return spec
    }

    private static let burstable: JSON = ["containers": [container(["cpu": "1"])]]
    private static let abroad = with(
        "affinity",
        [
            "podAntiAffinity": [
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    ["weight": 1, "podAffinityTerm": ["topologyKey": "zone", "namespaceSelector": [:]]]
                ]
            ]
        ])
    private static let athome = with(
        "affinity",
        ["podAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": [["topologyKey": "zone"]]]])

    static let scopes: [(String, JSON, Bool)] = [
        ("Terminating", with("activeDeadlineSeconds", 0), true), ("Terminating", plain, false),
        ("NotTerminating", plain, true), ("NotTerminating", with("activeDeadlineSeconds", 5), false),
        ("BestEffort", plain, true), ("BestEffort", burstable, false),
        ("NotBestEffort", burstable, true), ("NotBestEffort", plain, false),
        ("PriorityClass", with("priorityClassName", "high"), true), ("PriorityClass", plain, false),
        ("CrossNamespacePodAffinity", abroad, true), ("CrossNamespacePodAffinity", athome, false),
        ("CrossNamespacePodAffinity", plain, false), ("VolumeAttributesClass", plain, false),
    ]

    @Test("K9: a scope covers the pods that its name says", arguments: scopes)
    func covers(_ scope: String, _ spec: JSON, _ isCovered: Bool) {
        var quota = ResourceQuota(named: "q", in: "shop")
        quota.spec.scopes = [scope]
        #expect(quota.covers(Self.pod(spec), of: .pods) == isCovered)
        // A quota with a scope says nothing of other kinds.
        #expect(!quota.covers([:], of: .services))
        #expect(!quota.covers([:], of: .objects(names: ["configmaps"])))
    }

    @Test(
        "K9: a scope selector compares the class",
        arguments: [
            ("In", ["high", "low"], [true, false, false]), ("NotIn", ["high"], [false, true, true]),
            ("Exists", [], [true, true, false]), ("DoesNotExist", [], [false, false, true]),
        ])
    func selects(_ operation: String, _ values: [String], _ expected: [Bool]) {
        func quota(_ scope: String) -> ResourceQuota {
            var requirement = ScopedResourceSelectorRequirement()
            requirement.scopeName = scope
            requirement.operator = operation
            requirement.values = values
            var selector = ScopeSelector()
            selector.matchExpressions = [requirement]
            var quota = ResourceQuota(named: "q", in: "shop")
            quota.spec.scopeSelector = selector
            return quota
        }
        let pods = ["high", "other", ""].map { Self.pod(Self.with("priorityClassName", .string($0))) }
        #expect(pods.map { quota("PriorityClass").covers($0, of: .pods) } == expected)
        let claims: [JSON] = [
            ["spec": ["volumeAttributesClassName": "other"], "status": ["currentVolumeAttributesClassName": "high"]],
            ["spec": ["volumeAttributesClassName": "other"]], ["spec": [:]],
        ]
        // One that has one class and is to get another is in the scope of each.
        let known = operation == "NotIn" ? [true, true, true] : expected
        #expect(claims.map { quota("VolumeAttributesClass").covers($0, of: .claims) } == known)
    }
}
