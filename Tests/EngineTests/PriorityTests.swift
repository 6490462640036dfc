import Cluster
import Kinds
import Model
import Testing

@testable import Engine

/// What a pod is worth (semantics-workloads K13).
@Suite("Priority admission") struct PriorityTests {
    static let classes: [(spec: [String: JSON], priority: Int64, policy: String)] = [
        ([:], 0, "PreemptLowerPriority"), (["priority": 1000], 1000, "PreemptLowerPriority"),
        (["priority": -10, "preemptionPolicy": "Never"], -10, "Never"),
        (["priorityClassName": "system-cluster-critical"], 2_000_000_000, "PreemptLowerPriority"),
        (
            ["priorityClassName": "system-node-critical", "priority": 2_000_001_000], 2_000_001_000,
            "PreemptLowerPriority"
        ),
    ]

    private func pod(_ spec: [String: JSON]) -> JSON {
        var pod = Sample.pod("p")
        for (key, value) in spec { pod[path: ["spec", key]] = value }
        return pod
    }

    @Test("K13: the priority is that of the class, else the pod's own, else zero", arguments: classes)
    func resolves(spec: [String: JSON], priority: Int64, policy: String) async throws {
        let test = try await TestRegistry()
        let created = try await test.create(pod(spec))
        #expect(created.json[path: ["spec", "priority"]]?.int == priority)
        #expect(created.json[path: ["spec", "preemptionPolicy"]]?.string == policy)
    }

    static let refusals: [(spec: [String: JSON], why: String)] = [
        (["priorityClassName": "important"], "no PriorityClass with name important was found"),
        (
            ["priorityClassName": "system-node-critical", "priority": 5],
            "the integer value of priority (5) must not be provided in pod spec; priority admission controller "
                + "computed 2000001000 from the given PriorityClass name"
        ),
        (
            ["priorityClassName": "system-node-critical", "preemptionPolicy": "Never"],
            "the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission "
                + "controller computed PreemptLowerPriority from the given PriorityClass name"
        ),
        (
            ["priority": 1_000_000_001],
            "spec.priority: maximum allowed value of a user defined priority is 1000000000"
        ),
    ]

    @Test("K13: a class that is not there, and what contradicts a class, is refused", arguments: refusals)
    func refuses(spec: [String: JSON], why: String) async throws {
        let test = try await TestRegistry()
        let error = try await test.error { try await test.create(pod(spec)) }
        #expect(error.reason == .forbidden)
        #expect(error.message == "pods \"p\" is forbidden: \(why)")
    }

    @Test("K13: an update that leaves the priority out keeps it, one that changes it is refused")
    func updates() async throws {
        let test = try await TestRegistry()
        let created = try await test.create(pod(["priority": 5]))
        let without = created.with(["spec", "priority"], nil).with(["spec", "preemptionPolicy"], nil)
        let kept = try await test.update(without.with(["metadata", "labels", "new"], "1"))
        #expect(kept.json[path: ["spec", "priority"]] == 5)
        #expect(kept.json[path: ["spec", "preemptionPolicy"]] == "PreemptLowerPriority")
        let error = try await test.error { try await test.update(kept.with(["spec", "priority"], 6)) }
        #expect(error.reason == .invalid)
        #expect(error.message.contains("pod updates may not change fields other than"))
    }
}
