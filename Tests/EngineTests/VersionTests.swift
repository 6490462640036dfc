import Cluster
import Engine
import Kinds
import Model
import Testing

@Suite("Kinds in several versions")
struct VersionTests {
    static let autoscaler: JSON = [
        "apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler",
        "metadata": ["name": "web", "namespace": "default"],
        "spec": [
            "maxReplicas": 5, "targetCPUUtilizationPercentage": 70,
            "scaleTargetRef": ["apiVersion": "apps/v1", "kind": "Deployment", "name": "web"],
        ],
    ]
    static let key = ObjectKey(
        kind: GroupKind(group: "autoscaling", kind: "HorizontalPodAutoscaler"), namespace: "default", name: "web")

    @Test("an autoscaler written in v1 is read in v2, and the other way round")
    func autoscalers() async throws {
        let registry = try await TestRegistry()
        let created = try await registry.create(Self.autoscaler)
        #expect(created.apiVersion == "autoscaling/v1")
        #expect(created.json[path: ["spec", "minReplicas"]] == 1)
        #expect(created.json[path: ["spec", "targetCPUUtilizationPercentage"]] == 70)
        // Clients of v1 want these numbers also where no controller has written any.
        #expect(created.json["status"] == ["currentReplicas": 0, "desiredReplicas": 0])
        #expect(created.metadata.managedFields.map(\.apiVersion) == ["autoscaling/v1"])
        let read = try await registry.get(Self.key)
        #expect(read.apiVersion == "autoscaling/v2")
        #expect(
            read.json[path: ["spec", "metrics"]] == [
                [
                    "type": "Resource",
                    "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 70]],
                ]
            ])
        let memory: JSON = [
            "type": "Resource",
            "resource": ["name": "memory", "target": ["type": "AverageValue", "averageValue": "1Gi"]],
        ]
        try await registry.patch(Self.key, .json([["op": "add", "path": "/spec/metrics/-", "value": memory]]))
        let old = try await registry.registry.get(Self.key, version: "v1")
        #expect(old.json[path: ["spec", "targetCPUUtilizationPercentage"]] == 70)
        #expect(old.json[path: ["spec", "metrics"]] == nil)
        #expect(
            old.metadata.annotations["autoscaling.alpha.kubernetes.io/metrics"]
                == #"[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]"#)
        var changed = old
        changed.json[path: ["spec", "maxReplicas"]] = 6
        try await registry.update(changed)
        let after = try await registry.get(Self.key)
        #expect(after.json[path: ["spec", "metrics"]]?.array?.count == 2)
        #expect(after.json[path: ["spec", "metrics"]]?[1] == memory)
        #expect(after.metadata.annotations.isEmpty)
        #expect(after.json[path: ["status", "currentReplicas"]] == nil)
        #expect(try await registry.registry.get(Self.key, version: "v1").json["status"] == old.json["status"])
        let list = try await registry.registry.list(ListQuery(Self.key.kind, version: "v1"))
        #expect(list.items.map(\.apiVersion) == ["autoscaling/v1"])
    }

    @Test("an autoscaler of v1 is judged by what it stands for")
    func judged() async throws {
        let registry = try await TestRegistry()
        var wrong = Self.autoscaler
        wrong[path: ["spec", "maxReplicas"]] = 0
        let object = wrong
        let error = try await registry.error { try await registry.create(object) }
        #expect(error.reason == .invalid)
        #expect(error.message.contains("spec.maxReplicas: Invalid value: 0: must be greater than 0"))
    }

    static let event: JSON = [
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": ["name": "one", "namespace": "default"],
        "eventTime": "2026-01-31T12:00:00.000000Z", "reportingController": "example.com/controller",
        "reportingInstance": "one", "action": "Look", "reason": "Looked", "note": "it was looked at", "type": "Normal",
        "regarding": ["kind": "Pod", "name": "web", "namespace": "default"],
    ]
    static let reported = GroupKind(group: "events.k8s.io", kind: "Event")

    @Test("Events of both groups are the same objects under other names (L1)")
    func events() async throws {
        let registry = try await TestRegistry()
        let watch = try await registry.registry.watch(ListQuery(Self.reported), from: nil)
        let created = try await registry.create(Self.event)
        #expect(created.json["note"] == "it was looked at")
        let core = try await registry.get(Event.key("one", in: "default"))
        #expect(core.apiVersion == "v1")
        #expect(core.json["message"] == "it was looked at")
        #expect(core.json["reportingComponent"] == "example.com/controller")
        #expect(core.json[path: ["involvedObject", "name"]] == "web")
        try await registry.create([
            "apiVersion": "v1", "kind": "Event", "metadata": ["name": "two", "namespace": "default"],
            "involvedObject": ["kind": "Pod", "name": "db", "namespace": "default"], "message": "old", "count": 2,
        ])
        let selector = try FieldSelector(parsing: "regarding.name=db")
        let list = try await registry.registry.list(ListQuery(Self.reported, fields: selector))
        #expect(list.items.map(\.metadata.name) == ["two"])
        #expect(list.items.first?.json["deprecatedCount"] == 2)
        var seen: [String] = []
        for try await event in watch {
            if case .added(let object) = event {
                #expect(object.apiVersion == "events.k8s.io/v1")
                seen.append(object.metadata.name)
            }
            if seen.count == 2 { break }
        }
        #expect(seen == ["one", "two"])
    }

    static let refusals: [(member: String, value: JSON?, message: String)] = [
        ("eventTime", nil, "eventTime: Required value"), ("action", nil, "action: Required value"),
        (
            "reason", .string(String(repeating: "r", count: 129)),
            "reason: Invalid value: \"\": can have at most 128 characters"
        ),
        (
            "note", .string(String(repeating: "n", count: 1025)),
            "message: Invalid value: \"\": can have at most 1024 characters"
        ),
        ("type", "Strange", "type: Invalid value: \"\": has invalid value: Strange"),
        ("deprecatedCount", 3, "count: Invalid value: \"\": needs to be unset"),
        (
            "series", ["count": 1, "lastObservedTime": "2026-01-31T12:00:00.000000Z"],
            "series.count: Invalid value: \"\": should be at least 2"
        ),
    ]

    @Test("the newer group is strict about what Events say (L2)", arguments: refusals.indices)
    func strictEvents(index: Int) async throws {
        let registry = try await TestRegistry()
        let row = Self.refusals[index]
        let event = Self.event.with([row.member], row.value)
        let error = try await registry.error { try await registry.create(event) }
        #expect(error.reason == .invalid)
        #expect(error.message.contains(row.message), "\(error.message)")
    }

    @Test("of an Event nothing but its series changes in the newer group (L2)")
    func frozenEvents() async throws {
        let registry = try await TestRegistry()
        let created = try await registry.create(Self.event)
        var repeated = created
        repeated.json["series"] = ["count": 2, "lastObservedTime": "2026-01-31T12:05:00.000000Z"]
        let updated = try await registry.update(repeated)
        var changed = updated
        changed.json["note"] = "other"
        let wrong = changed
        let error = try await registry.error { try await registry.update(wrong) }
        #expect(error.message.contains("message: Invalid value: \"other\": field is immutable"))
    }
}
