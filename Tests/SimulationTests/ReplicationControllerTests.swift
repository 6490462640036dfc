import Cluster
import Engine
import Kinds
import Model
import SimulationKit
import Store
import Testing

/// What Kubernetes' conformance tests ask of ReplicationControllers and of the garbage collector about them.
@Suite("ReplicationControllers in a cluster") struct ReplicationControllerTests {
    private static let options = WriteOptions(fieldManager: "test")
    private static let key = ReplicationController.key("web", in: "default")

    private static func controller(_ name: String = "web", replicas: Int64 = 3) -> Object {
        Object(viewing: [
            "apiVersion": "v1", "kind": "ReplicationController",
            "metadata": ["name": .string(name), "namespace": "default"],
            "spec": [
                "replicas": .int(replicas), "selector": ["app": "web"],
                "template": [
                    "metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "c", "image": "c:1"]]],
                ],
            ],
        ])
    }

    private static func pods(_ store: Store) -> [Pod] {
        store.snapshot.all(Pod.self).filter { !$0.metadata.isBeingDeleted }
    }

    private static func controller(in store: Store) -> ReplicationController? {
        store.snapshot.all(ReplicationController.self).first { $0.metadata.name == "web" }
    }

    private static func isUp(_ replicas: Int, _ store: Store) -> Bool {
        let status = controller(in: store)?.status
        return status?.replicas == replicas && status?.availableReplicas == replicas
    }

    private static func play(
        _ body: @escaping @Sendable (_ world: SimulatedCluster, _ store: Store) async throws -> Void
    ) throws {
        let store = try Store(persistence: .memory)
        _ = try Simulation.run(seed: 3) { clock in
            let world = SimulatedCluster(store: store, clock: clock, nodes: 1, seed: 3)
            try await world.run { try await body(world, store) }
        }
    }

    @Test("B1, B7: it adopts a pod that matches, makes what is missing, and says so in its own name")
    func adopts() throws {
        try Self.play { world, store in
            let pod: JSON = [
                "apiVersion": "v1", "kind": "Pod",
                "metadata": ["name": "orphan", "namespace": "default", "labels": ["app": "web"]],
                "spec": ["containers": [["name": "c", "image": "c:1"]]],
            ]
            let orphan = try await world.registry.create(Object(viewing: pod), options: Self.options)
            let warnings = RequestWarnings()
            var options = Self.options
            options.warnings = warnings
            let made = try await world.registry.create(Self.controller(), options: options)
            #expect(warnings.all == [], "something acts on it")
            try await world.wait { Self.isUp(3, store) }
            let pods = Self.pods(store)
            #expect(pods.count == 3)
            #expect(pods.allSatisfy { $0.metadata.controller?.uid == made.metadata.uid })
            #expect(pods.contains { $0.metadata.uid == orphan.metadata.uid })
            let told = store.snapshot.all(Event.self).filter { $0.involvedObject.kind == "ReplicationController" }
            #expect(Set(told.map { $0.source.component ?? "" }) == ["replication-controller"])
            #expect(
                told.allSatisfy {
                    $0.reason == "SuccessfulCreate" && $0.message?.hasPrefix("Created pod: web-") == true
                })
        }
    }

    @Test("B1: a pod whose labels match no longer is let go, and another takes its place; /scale changes their number")
    func releases() throws {
        try Self.play { world, store in
            _ = try await world.registry.create(Self.controller(replicas: 1), options: Self.options)
            try await world.wait { Self.isUp(1, store) }
            let pod = try #require(Self.pods(store).first)
            _ = try await world.registry.patch(
                pod.key, .merge(["metadata": ["labels": ["app": "other"]]]), subresource: nil, options: Self.options)
            try await world.wait { Self.pods(store).count == 2 && Self.isUp(1, store) }
            let released = try await world.registry.get(pod.key)
            #expect(released.metadata.ownerReferences.isEmpty)
            _ = try await world.registry.patch(
                Self.key, .merge(["spec": ["replicas": 2]]), subresource: .scale, options: Self.options)
            try await world.wait { Self.isUp(2, store) }
            #expect(Self.controller(in: store)?.spec.replicas == 2)
        }
    }

    @Test(
        "E: a deletion leaves the pods unless it says otherwise; a foreground one keeps the controller until they are gone",
        arguments: [nil, PropagationPolicy.background, .foreground])
    func deletes(propagation: PropagationPolicy?) throws {
        try Self.play { world, store in
            _ = try await world.registry.create(Self.controller(), options: Self.options)
            try await world.wait { Self.isUp(3, store) }
            _ = try await world.registry.delete(Self.key, options: DeleteOptions(propagation: propagation))
            if propagation == .foreground { #expect(Self.controller(in: store)?.metadata.isBeingDeleted == true) }
            try await world.wait {
                let isGone = Self.controller(in: store) == nil
                if isGone, propagation == .foreground { #expect(store.snapshot.all(Pod.self).isEmpty) }
                return isGone
            }
            if propagation != nil { try await world.wait { store.snapshot.all(Pod.self).isEmpty } }
            try await world.clock.sleep(for: .seconds(60))
            let pods = Self.pods(store)
            #expect(pods.count == (propagation == nil ? 3 : 0))
            #expect(pods.allSatisfy { $0.metadata.ownerReferences.isEmpty })
        }
    }

    @Test("E: a pod that has another owner besides one that waits for its dependents stays")
    func sharedPods() throws {
        try Self.play { world, store in
            _ = try await world.registry.create(Self.controller(), options: Self.options)
            let other = Self.controller("other", replicas: 0).with(["spec", "selector"], ["app": "other"])
                .with(["spec", "template", "metadata", "labels"], ["app": "other"])
            let stays = try await world.registry.create(other, options: Self.options)
            try await world.wait { Self.isUp(3, store) }
            let shared = try #require(Self.pods(store).first)
            var references = shared.metadata.ownerReferences.map(\.json)
            references.append([
                "apiVersion": "v1", "kind": "ReplicationController", "name": "other",
                "uid": .string(stays.metadata.uid),
            ])
            _ = try await world.registry.patch(
                shared.key, .merge(["metadata": ["ownerReferences": .array(references)]]), subresource: nil,
                options: Self.options)
            _ = try await world.registry.delete(Self.key, options: DeleteOptions(propagation: .foreground))
            try await world.wait { Self.controller(in: store) == nil }
            try await world.clock.sleep(for: .seconds(60))
            let left = Self.pods(store)
            #expect(left.map(\.metadata.name) == [shared.metadata.name])
            #expect(left.first?.metadata.ownerReferences.map(\.name) == ["other"])
        }
    }

    @Test("B6: pods that cannot be made are a condition, until there are as many as can be made")
    func failure() throws {
        try Self.play { world, store in
            let broken = Self.controller().with(
                ["spec", "template", "spec", "priorityClassName"], "absent")
            _ = try await world.registry.create(broken, options: Self.options)
            try await world.wait { Self.controller(in: store)?.status.conditions.isEmpty == false }
            let condition = try #require(Self.controller(in: store)?.status.conditions.first)
            #expect(
                [condition.type, condition.status, condition.reason] == ["ReplicaFailure", "True", "FailedCreate"])
            #expect(condition.message?.hasSuffix("is forbidden: no PriorityClass with name absent was found") == true)
            _ = try await world.registry.patch(
                Self.key, .merge(["spec": ["template": ["spec": ["priorityClassName": .null]]]]), subresource: nil,
                options: Self.options)
            try await world.wait {
                Self.isUp(3, store) && Self.controller(in: store)?.status.conditions.isEmpty == true
            }
        }
    }

    @Test("K7: what it keeps is what a budget in percent counts from")
    func budget() throws {
        try Self.play { world, store in
            let budget: JSON = [
                "apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
                "metadata": ["name": "web", "namespace": "default"],
                "spec": ["maxUnavailable": "30%", "selector": ["matchLabels": ["app": "web"]]],
            ]
            _ = try await world.registry.create(Object(viewing: budget), options: Self.options)
            _ = try await world.registry.create(Self.controller(), options: Self.options)
            try await world.wait {
                let status = store.snapshot.all(PodDisruptionBudget.self).first?.status
                return status?.expectedPods == 3 && status?.desiredHealthy == 2 && status?.disruptionsAllowed == 1
            }
        }
    }
}

extension Object {
    fileprivate func with(_ path: [String], _ value: JSON?) -> Object {
        var changed = json
        changed[path: path] = value
        return Object(viewing: changed)
    }
}
