import Cluster
import Kinds
import KubernetesClient
import Model

/// What the demo asks the cluster.
extension DemoStage {
    /// Looks again and again until the condition holds; the demo's only way to wait.
    func wait(_ what: String, seconds: Int, until condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock().now.advanced(by: .seconds(seconds))
        while !(try await condition()) {
            guard ContinuousClock().now < deadline else {
                throw CommandError("waited \(seconds) s for \(what)")
            }
            // Polling is what an onlooker without a watch does; it decides nothing.
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func connected() throws -> KubernetesClient {
        guard let cluster else { throw CommandError("the service is not running") }
        return cluster
    }

    func waitForHealthy(_ revision: String) async throws {
        try await wait("revision \(revision.prefix(12)) to be healthy", seconds: 90) {
            let rollout = try await application().status.rollout
            if let held = rollout?.held.first(where: { $0.revision == revision }) {
                throw CommandError("revision \(revision.prefix(12)) was held: \(held.reason): \(held.message ?? "")")
            }
            return rollout?.phase == "Healthy" && rollout?.revision == revision
        }
        try expect(true, "revision \(revision.prefix(12)) is deployed and healthy")
    }

    /// The Application; an empty one while it does not exist yet.
    func application() async throws -> Application {
        do {
            return try await connected().get(Application.key("web", in: "martlet")).view()
        } catch let error as APIError where error.reason == .notFound {
            return Application(named: "web", in: "martlet")
        }
    }

    func deployment() async throws -> Deployment {
        try await connected().get(Deployment.key("web", in: "default")).view()
    }

    func pods() async throws -> [Pod] {
        let query = ListQuery(Pod.kind.groupKind, namespace: "default", labels: Selector(labels: ["app": "web"]))
        return try await connected().list(query).items.map { $0.view() }
    }

    func configuration() async throws -> String? {
        try await connected().get(ConfigMap.key("web", in: "default")).view(as: ConfigMap.self).data["greeting"]
    }

    func exists(_ key: ObjectKey) async throws -> Bool {
        do {
            _ = try await connected().get(key)
            return true
        } catch let error as APIError where error.reason == .notFound {
            return false
        }
    }

    func patchDeployment(_ patch: JSON) async throws {
        _ = try await connected().patch(
            Deployment.key("web", in: "default"), .merge(patch), subresource: nil,
            options: WriteOptions(fieldManager: "somebody"))
    }

    func suspend(_ isSuspended: Bool) async throws {
        let result = try martlet(["app", isSuspended ? "suspend" : "resume", "web"])
        guard result.code == 0 else { throw CommandError(result.output) }
    }

    /// Where the web Service answers.
    private func address() async throws -> (host: String, port: Int) {
        let service: Service = try await connected().get(Service.key("web", in: "default")).view()
        return (service.spec.clusterIP, service.spec.ports.first?.port ?? 0)
    }

    /// One request through the Service.
    func get() async throws -> String {
        let (host, port) = try await address()
        return try await LoadClient(host: host, port: port).once()
    }

    /// Sends requests through the Service all the while that `work` takes.
    func underLoad(_ work: () async throws -> Void) async throws -> LoadClient.Report {
        let (host, port) = try await address()
        let client = LoadClient(host: host, port: port)
        async let report = client.run()
        do {
            try await work()
        } catch {
            client.stop()
            _ = await report
            throw error
        }
        client.stop()
        return await report
    }
}
