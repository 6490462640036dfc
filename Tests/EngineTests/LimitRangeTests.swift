import Cluster
import Kinds
import Model
import Testing

@testable import Engine

/// What LimitRanges do to pods and claims (semantics-workloads K10).
@Suite("LimitRange admission") struct LimitRangeTests {
    private static func range(_ limits: JSON..., named name: String = "limits") -> JSON {
        [
            "apiVersion": "v1", "kind": "LimitRange", "metadata": ["name": .string(name), "namespace": "default"],
            "spec": ["limits": .array(limits)],
        ]
    }

    private static func container(_ name: String, requests: JSON? = nil, limits: JSON? = nil) -> JSON {
        var container: JSON = ["name": .string(name), "image": "web:1"]
        if let requests { container[path: ["resources", "requests"]] = requests }
        if let limits { container[path: ["resources", "limits"]] = limits }
        return container
    }

    private static func pod(_ containers: [JSON], initial: [JSON] = []) -> JSON {
        var pod = Sample.pod("p")
        pod[path: ["spec", "containers"]] = .array(containers)
        if !initial.isEmpty { pod[path: ["spec", "initContainers"]] = .array(initial) }
        return pod
    }

    private static func claim(_ storage: String) -> JSON {
        [
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": ["name": "c", "namespace": "default"],
            "spec": [
                "accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": .string(storage)]],
            ],
        ]
    }

    // MARK: Defaults

    @Test("K10: what containers and init containers leave out is filled in, and told in an annotation")
    func defaults() async throws {
        let test = try await TestRegistry()
        let warnings = RequestWarnings()
        try await test.create(
            Self.range(
                [
                    "type": "Container", "default": ["cpu": "500m", "memory": "500Mi"],
                    "defaultRequest": ["cpu": "100m", "memory": "200Mi"],
                ]), WriteOptions(fieldManager: "test", warnings: warnings))
        #expect(warnings.all == [], "something acts on it")
        let made = try await test.create(
            Self.pod(
                [Self.container("a"), Self.container("b", requests: ["cpu": "300m"], limits: ["memory": "300Mi"])],
                initial: [Self.container("i", requests: ["cpu": "1m", "memory": "1Mi"])]))
        let spec = made.view(as: Pod.self).spec
        let resources = (spec.containers + spec.initContainers).map(\.resources.json)
        #expect(
            resources == [
                ["requests": ["cpu": "100m", "memory": "200Mi"], "limits": ["cpu": "500m", "memory": "500Mi"]],
                // The memory's request is its limit, as for any pod.
                ["requests": ["cpu": "300m", "memory": "300Mi"], "limits": ["memory": "300Mi", "cpu": "500m"]],
                ["requests": ["cpu": "1m", "memory": "1Mi"], "limits": ["cpu": "500m", "memory": "500Mi"]],
            ])
        #expect(
            made.metadata.annotations["kubernetes.io/limit-ranger"]
                == "LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a; "
                + "cpu limit for container b; cpu, memory limit for init container i")
    }

    @Test("K10: another namespace's ranges, and one that is gone, do nothing; a changed one counts at once")
    func follows() async throws {
        let test = try await TestRegistry()
        func request(of name: String) async throws -> JSON? {
            let pod = Self.pod([Self.container("a")]).with(["metadata", "name"], .string(name))
            let made = try await test.create(pod)
            return made.view(as: Pod.self).spec.containers[0].json[path: ["resources", "requests", "cpu"]]
        }
        try await test.create(Sample.namespace("other"))
        let range = Self.range(["type": "Container", "defaultRequest": ["cpu": "100m"]])
        try await test.create(range.with(["metadata", "namespace"], "other"))
        #expect(try await request(of: "p0") == nil)
        let made = try await test.create(range)
        #expect(try await request(of: "p1") == "100m")
        let changed = try await test.update(
            made.with(["spec", "limits"], [["type": "Container", "defaultRequest": ["cpu": "50m"]]]))
        #expect(try await request(of: "p2") == "50m")
        try await test.delete(changed.key)
        let pod = try await test.get(Pod.key("p2", in: "default"))
        #expect(pod.metadata.annotations["kubernetes.io/limit-ranger"] != nil, "what was filled in stays")
        #expect(try await request(of: "p3") == nil)
    }

    // MARK: Limits

    struct Case: Sendable, CustomTestStringConvertible {
        var limit: JSON
        var object: JSON
        /// `nil`: it is taken.
        var why: String?
        var testDescription: String { why ?? "taken: \(object.text())" }
    }

    static let cases: [Case] = [
        Case(
            limit: ["type": "Container", "max": ["cpu": "1"]],
            object: pod([container("a", limits: ["cpu": "2"])]),
            why: "maximum cpu usage per Container is 1, but limit is 2"),
        Case(
            limit: ["type": "Container", "max": ["cpu": "1"]],
            object: pod([container("a", limits: ["cpu": "1"])]), why: nil),
        Case(
            limit: ["type": "Container", "min": ["memory": "64Mi"]],
            object: pod([container("a", requests: ["memory": "32Mi"])]),
            why: "minimum memory usage per Container is 64Mi, but request is 32Mi"),
        Case(
            limit: ["type": "Container", "min": ["cpu": "100m"], "max": ["cpu": "1"]],
            object: pod(
                [container("a", requests: ["cpu": "50m"], limits: ["cpu": "2"])],
                initial: [container("i", limits: ["cpu": "3"])]),
            why: "[minimum cpu usage per Container is 100m, but request is 50m, maximum cpu usage per Container is 1, "
                + "but limit is 2, maximum cpu usage per Container is 1, but limit is 3]"),
        Case(
            limit: ["type": "Container", "max": ["cpu": "1"]],
            object: pod([container("a", limits: ["cpu": "2"]), container("b", limits: ["cpu": "2"])]),
            why: "maximum cpu usage per Container is 1, but limit is 2"),
        Case(
            limit: ["type": "Container", "maxLimitRequestRatio": ["cpu": "2"]],
            object: pod([container("a", requests: ["cpu": "300m"], limits: ["cpu": "1"])]),
            why: "cpu max limit to request ratio per Container is 2, but provided ratio is 3.333333"),
        Case(
            limit: ["type": "Container", "maxLimitRequestRatio": ["cpu": "2"]],
            object: pod([container("a", requests: ["cpu": "500m"], limits: ["cpu": "1"])]), why: nil),
        Case(
            limit: ["type": "Container", "maxLimitRequestRatio": ["cpu": "2"]], object: pod([container("a")]),
            why: "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0"),
        Case(
            limit: ["type": "Container", "maxLimitRequestRatio": ["cpu": "2"]],
            object: pod([container("a", requests: ["cpu": "1"])]),
            why: "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0"),
        Case(
            limit: ["type": "Pod", "max": ["cpu": "1"]],
            object: pod([container("a", limits: ["cpu": "600m"]), container("b", limits: ["cpu": "600m"])]),
            why: "maximum cpu usage per Pod is 1, but limit is 1200m"),
        Case(
            limit: ["type": "Pod", "max": ["cpu": "1"]], object: pod([container("a")]),
            why: "maximum cpu usage per Pod is 1.  No limit is specified"),
        Case(
            limit: ["type": "Pod", "min": ["cpu": "1"]], object: pod([container("a")]),
            why: "minimum cpu usage per Pod is 1.  No request is specified"),
        Case(
            limit: ["type": "Pod", "min": ["cpu": "1"]],
            object: pod([container("a", requests: ["cpu": "400m"]), container("b", requests: ["cpu": "600m"])]),
            why: nil),
        Case(
            limit: ["type": "Pod", "max": ["cpu": "1"]],
            object: pod([container("a", limits: ["cpu": "1"])], initial: [container("i", limits: ["cpu": "2"])]),
            why: "maximum cpu usage per Pod is 1, but limit is 2"),
        Case(
            limit: ["type": "Pod", "max": ["cpu": "1"]],
            object: pod(
                [container("a", limits: ["cpu": "600m"])],
                initial: [container("s", limits: ["cpu": "600m"]).with(["restartPolicy"], "Always")]),
            why: "maximum cpu usage per Pod is 1, but limit is 1200m"),
        Case(
            limit: ["type": "PersistentVolumeClaim", "min": ["storage": "1Gi"], "max": ["storage": "5Gi"]],
            object: claim("512Mi"),
            why: "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi"),
        Case(
            limit: ["type": "PersistentVolumeClaim", "max": ["storage": "5Gi"]], object: claim("6Gi"),
            why: "maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi"),
        Case(limit: ["type": "PersistentVolumeClaim", "max": ["storage": "5Gi"]], object: claim("5Gi"), why: nil),
    ]

    @Test("K10: what is too little, too much or too unequal is refused in Kubernetes' words", arguments: cases)
    func limits(_ test: Case) async throws {
        let registry = try await TestRegistry()
        try await registry.create(Self.range(test.limit))
        guard let why = test.why else {
            try await registry.create(test.object)
            return
        }
        let error = try await registry.error { try await registry.create(test.object) }
        #expect(error.reason == .forbidden)
        let resource = test.object["kind"] == "Pod" ? "pods \"p\"" : "persistentvolumeclaims \"c\""
        #expect(error.message == "\(resource) is forbidden: \(why)")
    }

    @Test("K10: a pod that is there stays as it is, whatever is changed of it; a claim may not grow beyond the limit")
    func updates() async throws {
        let test = try await TestRegistry()
        let pod = try await test.create(Self.pod([Self.container("a", limits: ["cpu": "2"])]))
        try await test.create(
            Self.range(
                ["type": "Container", "max": ["cpu": "1"]],
                ["type": "PersistentVolumeClaim", "max": ["storage": "5Gi"]]))
        let labelled = try await test.update(pod.with(["metadata", "labels", "new"], "1"))
        #expect(labelled.metadata.annotations["kubernetes.io/limit-ranger"] == nil)
        let claim = try await test.create(Self.claim("1Gi").with(["spec", "volumeName"], "v"))
        let bound = try await test.patch(claim.key, .merge(["status": ["phase": "Bound"]]), .status)
        let error = try await test.error {
            try await test.update(bound.with(["spec", "resources", "requests", "storage"], "6Gi"))
        }
        #expect(
            error.message
                == "persistentvolumeclaims \"c\" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, "
                + "but request is 6Gi")
    }
}
