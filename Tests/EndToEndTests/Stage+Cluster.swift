import Cluster
import Kinds
import KubernetesClient
import Model
import Testing

/// What a test sees of the cluster, and waits for.
extension Stage {
    /// Waits until the condition holds; the bound only ends a test that has failed.
    func eventually(_ what: String, seconds: Int = 60, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock().now.advanced(by: .seconds(seconds))
        while !(try await condition()) {
            guard ContinuousClock().now < deadline else {
                throw Failure(description: "it never came true that \(what)")
            }
            // Between two looks; the condition decides, not the time.
            try await Task.sleep(for: .milliseconds(25))
        }
    }

    func connected() throws -> any Cluster {
        guard let cluster else { throw Failure(description: "the service was not started") }
        return cluster
    }

    // MARK: - Applications

    /// Creates an Application that follows a folder of the repository and deploys to a namespace of its own name.
    func follow(
        _ name: String, path: String? = nil, repository: String? = nil, revision: String = "main",
        bakeTime: String = "200ms", retry: String = "300ms", _ edit: (inout Application) -> Void = { _ in }
    ) async throws {
        var application = Application(named: name, in: "martlet")
        application.metadata.annotations["martlet.dev/bake-time"] = bakeTime
        var source = ApplicationSource()
        source.repoURL = repository ?? remote
        source.path = path ?? name
        source.targetRevision = revision
        application.spec.source = source
        application.spec.project = "default"
        application.spec.destination.namespace = name
        var automated = SyncPolicyAutomated()
        automated.prune = true
        automated.selfHeal = true
        var policy = SyncPolicy()
        policy.automated = automated
        policy.syncOptions = ["CreateNamespace=true"]
        var strategy = RetryStrategy()
        strategy.limit = 100
        var backoff = RetryBackoff()
        backoff.duration = retry
        backoff.factor = 1
        strategy.backoff = backoff
        policy.retry = strategy
        application.spec.syncPolicy = policy
        edit(&application)
        _ = try await connected().create(
            Object(viewing: application.json), options: WriteOptions(fieldManager: "me"))
    }

    func application(_ name: String = "web") async throws -> Application {
        do {
            return try await connected().get(Application.key(name, in: "martlet")).view()
        } catch let error as APIError {
            guard error.reason == .notFound else { throw error }
            return Application(named: name, in: "martlet")
        }
    }

    func rollout(_ name: String = "web") async throws -> RolloutStatus {
        try await application(name).status.rollout ?? RolloutStatus()
    }

    /// The message of a condition of an Application; `nil` when it does not hold.
    func condition(_ type: String, of name: String = "web") async throws -> String? {
        try await application(name).status.conditions.first { $0.type == type }?.message
    }

    /// Waits for a condition whose message holds `text`; answers the message.
    @discardableResult
    func waitForCondition(_ type: String, of name: String = "web", containing text: String) async throws -> String {
        var last: String?
        do {
            try await eventually("\(name) has the condition \(type) with \"\(text)\"", seconds: 30) {
                last = try await condition(type, of: name)
                return last?.contains(text) == true
            }
        } catch let failure as Failure {
            throw Failure(description: "\(failure.description), but \(last ?? "it has none")")
        }
        return last ?? ""
    }

    func waitForHealthy(_ revision: String, _ name: String = "web") async throws {
        try await eventually("\(revision) is healthy as \(name)") {
            let rollout = try await rollout(name)
            if let held = rollout.held.first(where: { $0.revision == revision }) {
                throw Failure(description: "\(revision) is held: \(held.reason): \(held.message ?? "")")
            }
            return rollout.phase == "Healthy" && rollout.revision == revision
        }
    }

    /// Waits until a revision is held; answers why.
    @discardableResult
    func waitForHeld(_ revision: String, _ name: String = "web") async throws -> HeldRevision {
        var found: HeldRevision?
        try await eventually("\(revision) is held by \(name)") {
            let rollout = try await rollout(name)
            if rollout.phase == "Healthy", rollout.revision == revision {
                throw Failure(description: "\(revision) became healthy as \(name)")
            }
            found = rollout.held.first { $0.revision == revision }
            return found != nil && rollout.phase != "RollingBack"
        }
        return try #require(found)
    }

    // MARK: - Objects

    func pods(in namespace: String = "default") async throws -> [Pod] {
        try await connected().list(ListQuery(Pod.kind.groupKind, namespace: namespace)).items.map { $0.view() }
    }

    func configMapNames(in namespace: String) async throws -> [String] {
        let query = ListQuery(ConfigMap.kind.groupKind, namespace: namespace)
        // The authority's certificate is in every namespace.
        return try await connected().list(query).items.map(\.metadata.name).filter { $0 != "kube-root-ca.crt" }
    }

    /// `data.value` of a ConfigMap; `nil` when there is none of that name.
    func value(of name: String, in namespace: String) async throws -> String? {
        do {
            let map: ConfigMap = try await connected().get(ConfigMap.key(name, in: namespace)).view()
            return map.data["value"]
        } catch let error as APIError {
            guard error.reason == .notFound else { throw error }
            return nil
        }
    }

    /// Creates or changes an object by hand.
    func apply(_ manifest: String, in namespace: String) async throws {
        for document in try YAML.documents(Array(manifest.utf8), file: "manifest") {
            var object = document.value
            object[path: ["metadata", "namespace"]] = .string(namespace)
            _ = try await connected().patch(
                Object(viewing: object).key, .apply(object, force: true), subresource: nil,
                options: WriteOptions(fieldManager: "me"))
        }
    }

    /// Events as `Type Reason: message`.
    func events(in namespace: String) async throws -> [String] {
        let objects = try await connected().list(ListQuery(Event.kind.groupKind, namespace: namespace)).items
        return objects.map { object in
            let event: Event = object.view()
            return "\(event.type ?? "") \(event.reason ?? ""): \(event.message ?? "")"
        }
    }

    func waitForEvent(_ text: String, in namespace: String) async throws {
        var last: [String] = []
        do {
            try await eventually("there is the event \(text)", seconds: 30) {
                last = try await events(in: namespace)
                return last.contains { $0.contains(text) }
            }
        } catch let failure as Failure {
            throw Failure(description: "\(failure.description), only:\n\(last.joined(separator: "\n"))")
        }
    }
}
