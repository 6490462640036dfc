import Cluster
import Kinds
import Logging
import Model
import Store
import Synchronization
import Testing

@testable import Engine

@Suite("The node, over a real registry")
struct NodeAgentTests {
    /// A cluster with a node agent that runs while `body` does.
    private func withNode(
        _ runtime: any PodRuntime, registry: Registry? = nil, tokens: (any TokenSource)? = nil,
        _ body: @escaping @Sendable (Registry) async throws -> Void
    ) async throws {
        let registry = try registry ?? Self.registry()
        for name in ["default", "kube-node-lease"] {
            let key = Namespace.key(name)
            if let found = try? await registry.get(key), found.metadata.name == name { continue }
            _ = try await registry.create(
                Object(viewing: Namespace(named: name).json), options: WriteOptions(fieldManager: "test"))
        }
        let agent = NodeAgent(
            cluster: registry, runtime: runtime, clock: SystemClock(),
            nodes: [LogicalNode(name: "node", capacity: ["cpu": Quantity(4), "pods": Quantity(110)])],
            addresses: try #require(PodAddresses(range: "127.77.0.0/24")))
        registry.attach(logs: agent.logs)
        if let tokens {
            agent.attach(tokens: tokens)
            registry.giveTokens()
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await agent.run()
                } catch is CancellationError {
                    // The end of the test.
                }
            }
            if let simulated = runtime as? SimulatedRuntime {
                group.addTask {
                    do {
                        try await simulated.run()
                    } catch is CancellationError {
                        // The end of the test.
                    }
                }
            }
            group.addTask { try await body(registry) }
            try await group.next()
            group.cancelAll()
        }
    }

    private static func registry() throws -> Registry {
        let addresses = try #require(AddressRange("127.96.0.0/16"))
        return Registry(
            store: try Store(persistence: MemoryPersistence()), clock: SystemClock(), random: SplitMix64(seed: 7),
            configuration: .init(serviceAddresses: addresses))
    }

    private func create(
        _ container: JSON, annotations: [String: String] = [:], asksForAccess: Bool = false, in registry: Registry
    ) async throws {
        var pod = Pod(named: "web", in: "default")
        pod.metadata.annotations = annotations
        pod.json["spec"] = [
            "nodeName": "node", "terminationGracePeriodSeconds": 2, "containers": [container],
        ]
        if asksForAccess { pod.json[path: ["spec", "automountServiceAccountToken"]] = true }
        _ = try await registry.create(Object(viewing: pod.json), options: WriteOptions(fieldManager: "test"))
    }

    private func pod(_ registry: Registry) async throws -> Pod? {
        do throws(APIError) {
            return try await registry.get(Pod.key("web", in: "default")).view()
        } catch  where error.reason == .notFound {
            return nil
        }
    }

    private func isReady(_ registry: Registry) async throws -> Bool {
        try await pod(registry)?.isReady == true
    }

    private let image: JSON = ["name": "web", "image": "any"]

    @Test("G1, G2: a node registers, is ready and renews its lease")
    func registers() async throws {
        try await withNode(SimulatedRuntime(clock: SystemClock())) { registry in
            let isReady = try await eventually {
                let nodes = try await registry.list(ListQuery(Node.kind.groupKind)).items
                let node: Node? = nodes.first?.view()
                return node?.status.conditions.contains { $0.type == "Ready" && $0.status == "True" } == true
                    && node?.status.allocatable["cpu"] == Quantity(4)
            }
            #expect(isReady)
            let hasLease = try await eventually {
                !(try await registry.list(ListQuery(Lease.kind.groupKind)).items.isEmpty)
            }
            #expect(hasLease)
        }
    }

    @Test("a pod becomes ready, and when it is deleted its containers stop before it goes")
    func lives() async throws {
        try await withNode(SimulatedRuntime(clock: SystemClock())) { registry in
            try await create(image, in: registry)
            #expect(try await eventually { try await isReady(registry) })
            let ready = try #require(try await pod(registry))
            #expect(ready.status.phase == "Running")
            #expect(ready.status.podIP.hasPrefix("127.77.0."))
            #expect(ready.status.hostIP == "127.0.0.1")
            #expect(try await deleted(registry))
        }
    }

    @Test("an image that stands for nothing is told with what would map it")
    func unknownImage() async throws {
        try await TemporaryDirectory.with { directory in
            let runtime = try ProcessRuntime(
                .init(directory: directory, executable: ProcessRuntimeTests.supervisor))
            try await withNode(runtime) { registry in
                try await create(["name": "web", "image": "nginx:1"], in: registry)
                let isTold = try await eventually {
                    let waiting = try await pod(registry)?.status.containerStatuses.first?.state.waiting
                    return waiting?.reason == "ErrImagePull" && waiting?.message?.contains("--image nginx=") == true
                }
                #expect(isTold)
                let hasEvent = try await eventually {
                    try await registry.list(ListQuery(Event.kind.groupKind)).items.contains {
                        let event: Event = $0.view()
                        return event.reason == "Failed" && event.message == "Error: ErrImagePull"
                    }
                }
                #expect(hasEvent)
                #expect(try await deleted(registry))
            }
        }
    }

    private func deleted(_ registry: Registry) async throws -> Bool {
        _ = try await registry.delete(Pod.key("web", in: "default"), options: DeleteOptions())
        return try await eventually { try await pod(registry) == nil }
    }

    @Test("processes run, write logs, get ConfigMaps in their environment, outlive the agent, and go when deleted")
    func runsProcesses() async throws {
        try await TemporaryDirectory.with { directory in
            let registry = try Self.registry()
            let first = try ProcessRuntime(.init(directory: directory, executable: ProcessRuntimeTests.supervisor))
            let container: JSON = [
                "name": "web", "image": "any", "command": ["/bin/sh", "-c"],
                "args": ["echo at $POD_IP $COLOR; trap 'echo bye; exit 0' TERM; while :; do sleep 0.01; done"],
                "envFrom": [["configMapRef": ["name": "colors"]]],
                "readinessProbe": ["exec": ["command": ["sh", "-c", "test $COLOR = red"]], "periodSeconds": 1],
            ]
            try await withNode(first, registry: registry) { registry in
                try await create(container, in: registry)
                let waits = try await eventually {
                    try await pod(registry)?.status.containerStatuses.first?.state.waiting?.reason
                        == "CreateContainerConfigError"
                }
                #expect(waits)
                var map = ConfigMap(named: "colors", in: "default")
                map.data = ["COLOR": "red"]
                _ = try await registry.create(Object(viewing: map.json), options: WriteOptions(fieldManager: "test"))
                #expect(try await eventually { try await isReady(registry) })
            }
            await first.disconnect()
            let before = try #require(try await pod(registry))
            let mark = "MARTLET_CONTAINER_ID=\(before.metadata.uid)/"
            #expect(!processes(marked: mark).isEmpty)

            let second = try ProcessRuntime(.init(directory: directory, executable: ProcessRuntimeTests.supervisor))
            try await withNode(second, registry: registry) { registry in
                // Served as soon as the new agent knows the pod.
                let isKnown = await eventually {
                    let query = LogQuery(namespace: "default", pod: "web")
                    return (try? await registry.logs(query)) != nil
                }
                #expect(isKnown)
                var text = ""
                for try await chunk in try await registry.logs(LogQuery(namespace: "default", pod: "web")) {
                    text += String(decoding: chunk, as: UTF8.self)
                }
                #expect(text == "at \(before.status.podIP) red\n")
                let after = try #require(try await pod(registry))
                #expect(after.status.containerStatuses.first?.restartCount == 0)
                #expect(after.isReady)
                #expect(after.condition("Ready")?.lastTransitionTime == before.condition("Ready")?.lastTransitionTime)
                #expect(try await deleted(registry))
            }
            #expect(processes(marked: mark).isEmpty)
            #expect(PodFiles.names(in: directory) == [])
        }
    }

    @Test("what is left of pods that the cluster does not know is removed")
    func removesUnknown() async throws {
        try await TemporaryDirectory.with { directory in
            let runtime = try ProcessRuntime(.init(directory: directory, executable: ProcessRuntimeTests.supervisor))
            let uid = "stray-" + String(directory.suffix(6))
            try await runtime.open(PodSandbox(uid: uid, namespace: "x", name: "y", node: "node")) {}
            let launch = ContainerLaunch(
                id: ContainerID("c", attempt: 0), arguments: ["sleep", "1000"], environment: ["PATH=/usr/bin:/bin"])
            try await runtime.start(launch, in: uid)
            let mark = "MARTLET_CONTAINER_ID=\(uid)/"
            #expect(processes(marked: mark).count == 1)
            await runtime.disconnect()
            try await withNode(runtime) { _ in
                #expect(await eventually { PodFiles.names(in: directory).isEmpty })
            }
            #expect(processes(marked: mark).isEmpty)
        }
    }

    /// Numbers its tokens; each but the last is to be replaced a moment after it was issued.
    private final class AgingTokens: TokenSource {
        private let issued = Mutex<[TokenRequest]>([])

        var requests: [TokenRequest] { issued.withLock { $0 } }

        func issue(_ request: TokenRequest, for account: ObjectKey) async throws(APIError) -> IssuedToken {
            let count = issued.withLock { list in
                list.append(request)
                return list.count
            }
            let life = Duration.seconds(request.expirationSeconds)
            let used = count < 3 ? life * 4 / 5 - .milliseconds(100) : .zero
            return IssuedToken(
                secret: "\(account.namespace)/\(account.name) \(count)", expiration: SystemClock().now + life - used)
        }
    }

    @Test("a pod finds its token in the volume that was added, bound to it, and another in its place in time")
    func tokens() async throws {
        try await TemporaryDirectory.with { directory in
            let runtime = try ProcessRuntime(.init(directory: directory, executable: ProcessRuntimeTests.supervisor))
            let tokens = AgingTokens()
            let script =
                "until grep -q 'default/default 3' $MARTLET_SERVICE_ACCOUNT/token; do sleep 0.01; done; "
                + "echo $(cat $MARTLET_SERVICE_ACCOUNT/namespace $MARTLET_SERVICE_ACCOUNT/ca.crt); sleep 1000"
            try await withNode(runtime, tokens: tokens) { registry in
                try await create(
                    ["name": "web", "image": "any", "command": ["sh", "-c", .string(script)]], asksForAccess: true,
                    in: registry)
                // The pod comes before the certificate does, as in a new namespace.
                var map = ConfigMap(named: "kube-root-ca.crt", in: "default")
                map.data = ["ca.crt": " trust"]
                _ = try await registry.create(Object(viewing: map.json), options: WriteOptions(fieldManager: "test"))
                let isRenewed = await eventually {
                    // It need not be there yet.
                    guard let pod = try? await pod(registry) else { return false }
                    let path = runtime.logPath(of: ContainerID("web", attempt: 0), in: pod.metadata.uid) ?? ""
                    return String(decoding: PodFiles.read(path) ?? [], as: UTF8.self).contains("default trust")
                }
                #expect(isRenewed)
                let uid = try await pod(registry)?.metadata.uid ?? ""
                let bound = TokenRequest.BoundObject(apiVersion: "v1", kind: "Pod", name: "web", uid: uid)
                let request = TokenRequest(expirationSeconds: 3607, boundObject: bound)
                #expect(tokens.requests == [request, request, request])
                let events = try await registry.list(ListQuery(Event.kind.groupKind)).items
                #expect(!events.contains { $0.json["reason"] == "FailedMount" })
                #expect(try await deleted(registry))
            }
        }
    }
}
