import Cluster
import Kinds
import Model
import Testing

@testable import Engine

/// What a pod is worth (semantics-workloads K13).
@Suite("Priority admission") struct PriorityTests {
    static let classes: [(spec: [String: JSON], priority: Int64, policy: String)] = [
        ([:], 0, "PreemptLowerPriority"), (["priority": 0], 0, "PreemptLowerPriority"),
        (["priorityClassName": "polite"], 7, "Never"),
        (["priorityClassName": "polite", "priority": 7, "preemptionPolicy": "Never"], 7, "Never"),
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

    private static func priorityClass(_ name: String, _ value: Int64, _ members: [String: JSON] = [:]) -> JSON {
        var json: JSON = [
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": ["name": .string(name)],
            "value": .int(value),
        ]
        for (key, value) in members { json[key] = value }
        return json
    }

    @Test("K13: the priority is that of the class, else zero", arguments: classes)
    func resolves(spec: [String: JSON], priority: Int64, policy: String) async throws {
        let test = try await TestRegistry()
        let warnings = RequestWarnings()
        try await test.create(
            Self.priorityClass("polite", 7, ["preemptionPolicy": "Never"]),
            WriteOptions(fieldManager: "test", warnings: warnings))
        #expect(warnings.all == [], "something acts on it")
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
            ["priority": 1000],
            "the integer value of priority (1000) must not be provided in pod spec; priority admission controller "
                + "computed 0 from the given PriorityClass name"
        ),
        (
            ["preemptionPolicy": "Never"],
            "the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission "
                + "controller computed PreemptLowerPriority from the given PriorityClass name"
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
        try await test.create(Self.priorityClass("five", 5))
        let created = try await test.create(pod(["priorityClassName": "five"]))
        let without = created.with(["spec", "priority"], nil).with(["spec", "preemptionPolicy"], nil)
        let kept = try await test.update(without.with(["metadata", "labels", "new"], "1"))
        #expect(kept.json[path: ["spec", "priority"]] == 5)
        #expect(kept.json[path: ["spec", "preemptionPolicy"]] == "PreemptLowerPriority")
        let error = try await test.error { try await test.update(kept.with(["spec", "priority"], 6)) }
        #expect(error.reason == .invalid)
        #expect(error.message.contains("pod updates may not change fields other than"))
    }

    @Test("K13: the default class is that of pods which name none, by name; a second one is refused")
    func globalDefault() async throws {
        let test = try await TestRegistry()
        let usual = try await test.create(Self.priorityClass("usual", 10, ["globalDefault": true]))
        let made = try await test.create(pod([:]))
        #expect(made.json[path: ["spec", "priorityClassName"]] == "usual")
        #expect(made.json[path: ["spec", "priority"]] == 10)
        let why =
            "priorityclasses.scheduling.k8s.io \"second\" is forbidden: PriorityClass usual is already marked as "
            + "default. Only one default can exist"
        let second = try await test.error {
            try await test.create(Self.priorityClass("second", 5, ["globalDefault": true]))
        }
        #expect(second.reason == .forbidden && second.message == why)
        let plain = try await test.create(Self.priorityClass("second", 5))
        let later = try await test.error { try await test.update(plain.with(["globalDefault"], true)) }
        #expect(later.reason == .forbidden && later.message == why)
        let other = try await test.update(usual.with(["description"], "what is usual"))
        try await test.delete(other.key)
        let without = try await test.create(pod([:]).with(["metadata", "name"], "later"))
        #expect(without.json[path: ["spec", "priority"]] == 0)
    }

    @Test("K13: of several defaults, which two writers can make at once, the lowest counts")
    func lowestDefault() {
        let classes = PriorityClasses([
            Self.priorityClass("high", 9, ["globalDefault": true]), Self.priorityClass("b", 3, ["globalDefault": true]),
            Self.priorityClass("a", 3, ["globalDefault": true]), Self.priorityClass("low", 1),
        ])
        #expect(classes.globalDefault?.name == "a")
    }

    @Test("K13: the system's classes are objects, made once, and cannot be deleted")
    func systemClasses() async throws {
        let test = try await TestRegistry()
        try await test.registry.ensureSystemObjects()
        try await test.registry.ensureSystemObjects()
        let query = ListQuery(PriorityClasses.kind)
        #expect(
            try await test.registry.list(query).items.map(\.metadata.name)
                == ["system-cluster-critical", "system-node-critical"])
        let key = ObjectKey(kind: PriorityClasses.kind, namespace: "", name: "system-node-critical")
        let error = try await test.error { try await test.delete(key) }
        #expect(error.reason == .forbidden)
        #expect(
            error.message
                == "priorityclasses.scheduling.k8s.io \"system-node-critical\" is forbidden: this is a system priority "
                + "class and cannot be deleted")
        try await test.create(Self.priorityClass("own", 1))
        _ = try await test.registry.deleteCollection(query, options: DeleteOptions())
        #expect(try await test.registry.list(query).items.count == 2)
    }
}
