import Kinds
import Model
import Testing

@Suite("Status and specification are kept apart, and generations counted")
struct PreparationTests {
    private func stored(_ object: JSON) throws -> JSON {
        let strategy = try object.strategy
        return strategy.prepareForCreate(strategy.defaulted(object))
    }

    @Test("C7, C14: creation drops the status and starts the generation")
    func create() throws {
        let object = Manifests.deployment.setting(".status.replicas", 9).setting(".metadata.generation", 7)
        let created = try stored(object)
        #expect(created["status"] == [:])
        #expect(created.value(at: ".metadata.generation") == 1)
        #expect(try stored(Manifests.configMap).value(at: ".metadata.generation") == nil)
    }

    @Test("a Node keeps the status it comes with; a Namespace gets phase and finalizer")
    func exceptions() throws {
        #expect(try stored(Manifests.node).value(at: ".status.capacity.cpu") == "4")
        let namespace = try stored(Manifests.namespace)
        #expect(namespace["status"] == ["phase": "Active"])
        #expect(namespace.value(at: ".spec.finalizers") == ["kubernetes"])
    }

    static let changes: [(JSON, String, JSON, Int64?)] = [
        (Manifests.deployment, ".spec.replicas", 3, 2),
        (Manifests.deployment, ".metadata.annotations", ["a": "b"], 2),
        (Manifests.deployment, ".metadata.labels", ["a": "b"], 1),
        (Manifests.replicaSet, ".metadata.annotations", ["a": "b"], 1),
        (Manifests.replicaSet, ".spec.replicas", 3, 2),
        (Manifests.pod, ".spec.containers.0.image", "web:2", 2),
        (Manifests.service, ".spec.selector", ["a": "b"], nil),
        (Manifests.endpointSlice, ".endpoints", [], 2),
        (Manifests.application, ".spec.source.path", "other", 2),
        (Manifests.application, ".operation", ["sync": ["revision": "main"]], 2),
        (Manifests.application, ".metadata.annotations", ["a": "b"], 1),
        (Manifests.namespace, ".metadata.labels", ["a": "b"], nil),
    ]

    @Test("C14, A2: the generation counts changes of the specification", arguments: changes)
    func generation(object: JSON, path: String, value: JSON, expected: Int64?) throws {
        let strategy = try object.strategy
        let old = try stored(object)
        let same = strategy.prepareForUpdate(strategy.defaulted(object), from: old, subresource: nil)
        #expect(same.value(at: ".metadata.generation") == old.value(at: ".metadata.generation"))
        let new = strategy.prepareForUpdate(
            strategy.defaulted(object.setting(path, value)), from: old, subresource: nil)
        #expect(new.value(at: ".metadata.generation")?.int == expected)
    }

    @Test("C13: an update keeps the status; /status keeps everything else")
    func separation() throws {
        let strategy = try Manifests.deployment.strategy
        let old = try stored(Manifests.deployment).setting(".status.replicas", 1)
        let changed = old.setting(".spec.replicas", 5).setting(".status.replicas", 4).setting(".metadata.labels.a", "b")
        let main = strategy.prepareForUpdate(changed, from: old, subresource: nil)
        #expect(main.value(at: ".status.replicas") == 1)
        #expect(main.value(at: ".spec.replicas") == 5)
        let status = strategy.prepareForUpdate(changed, from: old, subresource: "status")
        #expect(status.value(at: ".status.replicas") == 4)
        #expect(status["spec"] == old["spec"])
        #expect(status.value(at: ".metadata.labels") == nil)
        #expect(status.value(at: ".metadata.generation") == 1)
    }

    @Test("C13: a custom resource's /status changes no metadata")
    func customStatus() throws {
        let strategy = try Manifests.application.strategy
        let old = try stored(Manifests.application)
        let changed = old.setting(".metadata.labels", ["a": "b"]).setting(".status.sync", ["status": "Synced"])
        let new = strategy.prepareForUpdate(changed, from: old, subresource: "status")
        #expect(new.value(at: ".metadata.labels") == nil)
        #expect(new.value(at: ".status.sync.status") == "Synced")
    }

    @Test("C19, C26: only /finalize changes a Namespace's finalizers")
    func finalize() throws {
        let strategy = try Manifests.namespace.strategy
        let old = try stored(Manifests.namespace)
        let emptied = old.setting(".spec.finalizers", nil)
        #expect(strategy.prepareForUpdate(emptied, from: old, subresource: nil)["spec"] == old["spec"])
        let finalized = strategy.prepareForUpdate(emptied, from: old, subresource: "finalize")
        #expect(finalized.value(at: ".spec.finalizers") == nil)
    }

    @Test("H1: a gated pod says so")
    func gated() throws {
        let pod = try stored(Manifests.pod.setting(".spec.schedulingGates", [["name": "wait"]]))
        #expect(pod.value(at: ".status.conditions.0.reason") == "SchedulingGated")
    }
}
