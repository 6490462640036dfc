import Cluster
import Engine
import Kinds
import Model
import Store
import Testing

@Suite("Registry: workloads that have ways of their own")
struct RegistryWorkloadTests {
    private static let template: JSON = [
        "metadata": ["labels": ["app": "web"]],
        "spec": ["restartPolicy": "Never", "containers": [["name": "main", "image": "web:1"]]],
    ]
    private static let jobs = GroupKind(group: "batch", kind: "Job")
    private static let job: JSON = [
        "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "report", "namespace": "default"],
        "spec": ["template": template],
    ]
    private static let controller: JSON = [
        "apiVersion": "v1", "kind": "ReplicationController", "metadata": ["name": "web", "namespace": "default"],
        "spec": ["replicas": 2, "template": template.with(["spec", "restartPolicy"], nil)],
    ]
    private static let jobKey = ObjectKey(kind: jobs, namespace: "default", name: "report")

    @Test("a Job selects its pods by the uid it was given, and applying it again changes nothing (C27)")
    func selector() async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(Self.job)
        #expect(!made.metadata.uid.isEmpty)
        let label = "batch.kubernetes.io/controller-uid"
        #expect(
            made.json[path: ["spec", "selector", "matchLabels"]] == [label: .string(made.metadata.uid)])
        #expect(
            made.json[path: ["spec", "template", "metadata", "labels", label]] == .string(made.metadata.uid))
        let again = try await registry.patch(Self.jobKey, .merge(["spec": ["template": Self.template]]))
        #expect(again.metadata.resourceVersion == made.metadata.resourceVersion)
        let suspended = try await registry.patch(Self.jobKey, .merge(["spec": ["suspend": true]]))
        #expect(suspended.metadata.generation == 2)
    }

    @Test(
        "what Jobs and ReplicationControllers made stays unless the request says otherwise (C16)",
        arguments: [job, controller])
    func orphans(object: JSON) async throws {
        let registry = try await TestRegistry()
        let made = try await registry.create(object)
        #expect(try await registry.delete(made.key).metadata.finalizers == ["orphan"])
        let other = try await registry.create(object.with(["metadata", "name"], "other"))
        try await registry.delete(other.key, DeleteOptions(propagation: .background))
        #expect(try await !registry.exists(other.key))
        let held = try await registry.create(object.with(["metadata", "name"], "held"))
        try await registry.delete(held.key, DeleteOptions(propagation: .foreground))
        #expect(try await registry.delete(held.key).metadata.finalizers == ["foregroundDeletion"])
    }

    @Test("Jobs are found by how many pods succeeded, sets by how many there are (D9)")
    func fields() async throws {
        let registry = try await TestRegistry()
        try await registry.create(Self.job)
        try await registry.create(Self.controller)
        for (kind, path) in [
            (Self.jobs, "status.successful"), (ReplicationController.kind.groupKind, "status.replicas"),
        ] {
            for (value, count) in [("0", 1), ("3", 0)] {
                let query = ListQuery(kind, fields: FieldSelector([.init(path: path, value: value)]))
                #expect(try await registry.registry.list(query).items.count == count)
            }
        }
    }
}
