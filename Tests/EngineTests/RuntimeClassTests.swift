import Cluster
import Kinds
import Model
import Testing

@testable import Engine

/// What pods take on with their runtime class (semantics-api J10).
@Suite("RuntimeClass admission") struct RuntimeClassTests {
    private func pod(_ spec: [String: JSON]) -> JSON {
        var pod = Sample.pod("p")
        for (key, value) in spec { pod[path: ["spec", key]] = value }
        return pod
    }

    /// Classes of every sort: `plain`, `heavy` with an overhead and `placed` with a place.
    private func registry() async throws -> TestRegistry {
        let test = try await TestRegistry()
        let parts: [(name: String, members: [String: JSON])] = [
            ("plain", [:]), ("heavy", ["overhead": ["podFixed": ["cpu": "10m", "memory": "1Mi"]]]),
            (
                "placed",
                [
                    "scheduling": [
                        "nodeSelector": ["disk": "fast"],
                        "tolerations": [
                            ["key": "a", "operator": "Exists"],
                            ["key": "b", "operator": "Equal", "value": "1", "effect": "NoSchedule"],
                        ],
                    ]
                ]
            ),
        ]
        for (name, members) in parts {
            var json: JSON = [
                "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": ["name": .string(name)],
                "handler": "h",
            ]
            for (key, value) in members { json[key] = value }
            try await test.create(json)
        }
        return test
    }

    @Test(
        "a pod has the overhead of its class",
        arguments: [
            (["runtimeClassName": "plain"], nil),
            (["runtimeClassName": "heavy"], ["cpu": "10m", "memory": "1Mi"]),
            (
                ["runtimeClassName": "heavy", "overhead": ["cpu": "0.01", "memory": "1Mi"]],
                ["cpu": "10m", "memory": "1Mi"]
            ), ([:], nil),
        ] as [([String: JSON], JSON?)])
    func overhead(spec: [String: JSON], expected: JSON?) async throws {
        let created = try await registry().create(pod(spec))
        #expect(created.json[path: ["spec", "overhead"]] == expected)
    }

    @Test("a pod goes where its class says, and tolerates what it and its class do, without what is covered")
    func scheduling() async throws {
        let created = try await registry().create(
            pod([
                "runtimeClassName": "placed", "nodeSelector": ["zone": "x"],
                "tolerations": [
                    ["key": "a", "operator": "Equal", "value": "1", "effect": "NoSchedule"],
                    ["key": "b", "operator": "Equal", "value": "1", "effect": "NoSchedule"],
                ],
            ]))
        #expect(created.json[path: ["spec", "nodeSelector"]] == ["zone": "x", "disk": "fast"])
        let tolerations = created.json[path: ["spec", "tolerations"]]?.array ?? []
        #expect(
            tolerations.filter { $0["tolerationSeconds"] == nil } == [
                ["key": "b", "operator": "Equal", "value": "1", "effect": "NoSchedule"],
                ["key": "a", "operator": "Exists"],
            ])
    }

    @Test(
        "what contradicts the class, or names none that is there, is refused",
        arguments: [
            (["runtimeClassName": "gone"], "pod rejected: RuntimeClass \"gone\" not found"),
            (
                ["runtimeClassName": "heavy", "overhead": ["cpu": "20m"]],
                "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
            ),
            (
                ["runtimeClassName": "plain", "overhead": ["cpu": "20m"]],
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            ),
            (
                ["overhead": ["cpu": "20m"]],
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            ),
            (
                ["runtimeClassName": "placed", "nodeSelector": ["disk": "slow"]],
                "conflict: runtimeClass.scheduling.nodeSelector[disk] = fast; pod.spec.nodeSelector[disk] = slow"
            ),
        ] as [([String: JSON], String)])
    func refusals(spec: [String: JSON], why: String) async throws {
        let test = try await registry()
        let error = try await test.error { try await test.create(pod(spec)) }
        #expect(error.reason == .forbidden)
        #expect(error.message == "pods \"p\" is forbidden: \(why)")
    }
}
