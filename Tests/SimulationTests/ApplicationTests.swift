import Cluster
import Kinds
import Logging
import Model
import Reconciler
import SimulationKit
import Store
import TestServers
import Testing

/// The whole of Martlet but Git and processes: commits in, verdicts out, under crashes, outages and drift.
@Suite("Applications on a simulated machine", .blocking)
struct ApplicationTests {
    private struct World: Sendable {
        static let foreign = ["note", "lent"]
        static let key = Application.key("shop", in: "default")

        let seed: UInt64
        let machine: SimulatedMachine
        let shop: Shop
        let repository = ScriptedRepository()
        let reconciler = Part()
        let promise = Promise()
        let verdicts: VerdictObserver

        init(seed: UInt64) {
            self.seed = seed
            shop = Shop(seed: seed, largest: 4)
            verdicts = VerdictObserver(repository)
            let clock = VirtualClock()
            let (repository, reconciler) = (repository, reconciler)
            machine = SimulatedMachine(
                clock: clock, nodes: 1, seed: seed,
                companions: [
                    { life in
                        var logger = Logger(label: "martlet.simulation")
                        logger.logLevel = .critical
                        let quiet = logger
                        try await reconciler.run {
                            try await Reconciler(
                                cluster: life.registry, clock: clock, source: repository, logger: quiet,
                                interval: .seconds(60), seed: seed &+ UInt64(life.number)
                            ).run()
                        }
                    }
                ])
        }

        func run(_ body: @escaping @Sendable (inout SplitMix64) async throws -> Void) throws {
            _ = try Simulation.run(
                seed: seed, clock: machine.clock,
                observe: {
                    guard let snapshot = machine.snapshot else { return }
                    try promise.check(snapshot)
                    try verdicts.check(snapshot)
                }
            ) { _ in
                try await machine.run {
                    var random = SplitMix64(seed: seed &* 17)
                    try await prepare()
                    try await body(&random)
                }
            }
        }

        private func prepare() async throws {
            let cluster = try await machine.cluster()
            for name in Self.foreign {
                var map = ConfigMap(named: name, in: "default")
                map.json["data"] = ["text": "do not touch"]
                if name == "lent" {
                    map.metadata.annotations = ["argocd.argoproj.io/tracking-id": "other:/ConfigMap:default/lent"]
                }
                _ = try await cluster.create(Object(viewing: map.json), options: Shop.options)
            }
            let application: JSON = [
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
                "metadata": [
                    "name": "shop", "namespace": "default", "annotations": ["martlet.dev/bake-time": "3s"],
                ],
                "spec": [
                    "project": "default",
                    "source": ["repoURL": "https://git.example.com/shop.git", "path": ".", "targetRevision": "main"],
                    "destination": ["namespace": "default"],
                    "syncPolicy": ["automated": ["prune": true, "selfHeal": true]],
                ],
            ]
            _ = try await cluster.create(Object(viewing: application), options: Shop.options)
        }

        func push(_ version: Shop.Version, isValid: Bool = true, using random: inout SplitMix64) {
            let name = "commit-\(repository.commits.count + 1)"
            var deployment = shop.deployment(Shop.template("web:\(name)", version, using: &random)).json
            if !isValid { deployment[path: ["spec", "replicaz"]] = 3 }
            var files = ["deployment.yaml": deployment.text()]
            files["settings.yaml"] = Self.map("settings", name)
            if Int.random(in: 0..<3, using: &random) == 0 { files["extra.yaml"] = Self.map("extra", name) }
            repository.push(
                .init(name: name, version: version, isValid: isValid, files: files), isTold: Bool.random(using: &random)
            )
        }

        private static func map(_ name: String, _ text: String) -> String {
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: \(name)\ndata:\n  text: \(text)\n"
        }

        /// A person, meddling. Sizes are left alone, so that the Deployment's bounds are what Git says.
        func drift(using random: inout SplitMix64) async throws {
            let cluster = try await machine.cluster()
            let settings = ConfigMap.key("settings", in: "default")
            do throws(APIError) {
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    _ = try await cluster.patch(
                        settings, .merge(["data": ["text": "by hand"]]), subresource: nil, options: Shop.options)
                case 1: _ = try await cluster.delete(settings, options: DeleteOptions())
                case 2:
                    let name = JSON.string("web:by-hand")
                    let patch: JSON = [
                        ["op": "replace", "path": "/spec/template/spec/containers/0/image", "value": name]
                    ]
                    _ = try await cluster.patch(Shop.key, .json(patch), subresource: nil, options: Shop.options)
                default:
                    _ = try await cluster.patch(
                        Shop.key, .merge(["spec": ["paused": true]]), subresource: nil, options: Shop.options)
                    _ = try await cluster.patch(
                        Shop.key, .merge(["spec": ["paused": .null]]), subresource: nil, options: Shop.options)
                }
            } catch {
                // Not there yet, or gone: then there is nothing to meddle with.
                guard error.reason == .notFound || error.reason == .invalid else { throw error }
            }
        }

        func step(using random: inout SplitMix64) async throws {
            let clock = machine.clock
            switch Int.random(in: 0..<13, using: &random) {
            case 0...3: push(.good, using: &random)
            case 4...6: push(Shop.Version.bad.randomElement(using: &random) ?? .unready, using: &random)
            case 7: push(.good, isValid: false, using: &random)
            case 8: try await drift(using: &random)
            case 9: reconciler.restart()
            case 10:
                reconciler.stop()
                try await clock.sleep(for: .milliseconds(Int.random(in: 1...40_000, using: &random)))
                reconciler.start()
            case 11: try await machine.crash(downtime: .milliseconds(Int.random(in: 1...60_000, using: &random)))
            default:
                repository.setReachable(false)
                try await clock.sleep(for: .seconds(Int.random(in: 1...90, using: &random)))
                if Bool.random(using: &random) { reconciler.restart() }
                try await clock.sleep(for: .seconds(Int.random(in: 1...30, using: &random)))
                repository.setReachable(true)
            }
            let longest = Bool.random(using: &random) ? 3000 : 90_000
            try await clock.sleep(for: .milliseconds(Int.random(in: 1...longest, using: &random)))
        }

        /// Whether the verdict on the newest commit is in, and the cluster shows what it says.
        func isSettled(_ snapshot: Snapshot) -> Bool {
            guard let head = repository.head,
                let application = snapshot.all(Application.self).first, let rollout = application.status.rollout,
                let revision = rollout.revision, let shown = repository.commit(revision)
            else { return false }
            if head.isGood {
                guard rollout.phase == "Healthy", revision == head.name else { return false }
            } else if let last = rollout.lastHealthyRevision {
                guard rollout.phase == "RolledBack", revision == last, rollout.rolledBackFrom != nil,
                    rollout.held.contains(where: { $0.revision == head.name })
                else { return false }
            } else {
                return rollout.phase == "Degraded" && rollout.held.contains { $0.revision == head.name }
            }
            let maps = Dictionary(
                uniqueKeysWithValues: snapshot.all(ConfigMap.self).filter { $0.metadata.namespace == "default" }
                    .map { ($0.metadata.name, $0.json[path: ["data", "text"]]?.string ?? "") })
            return Shop.isComplete(snapshot) && maps["settings"] == revision
                && maps["extra"] == (shown.files["extra.yaml"] == nil ? nil : revision)
                && snapshot.all(Deployment.self).first?.spec.template.spec.containers.first?.image == "web:\(revision)"
        }
    }

    private func play(_ world: World, steps: Int, last: Shop.Version?) throws {
        let foreign = { @Sendable (snapshot: Snapshot) in
            snapshot.all(ConfigMap.self).filter { World.foreign.contains($0.metadata.name) }.map(\.json)
        }
        try world.run { random in
            let before = world.machine.snapshot.map(foreign)
            world.push(Int.random(in: 0..<4, using: &random) == 0 ? .unready : .good, using: &random)
            for _ in 0..<steps { try await world.step(using: &random) }
            if let last { world.push(last, using: &random) }
            do {
                try await world.machine.wait(atMost: .seconds(7200), until: world.isSettled)
            } catch {
                let status = world.machine.snapshot?.all(Application.self).first?.status
                throw VerdictObserver.Broken(
                    description: "not settled on \(world.repository.head?.name ?? "nothing"): "
                        + "\(status?.rollout?.json.text() ?? ""), \(status?.conditions.map { $0.json.text() } ?? [])")
            }
            #expect(world.machine.snapshot.map(foreign) == before, "what is not the Application's was touched")
        }
    }

    @Test(
        "commits good and bad, restarts, outages and drift: the newest good commit ends up live, nothing foreign is touched",
        arguments: Seeds.first(5, soak: 400))
    func histories(seed: UInt64) throws {
        let world = World(seed: seed)
        try play(world, steps: 8, last: nil)
        #expect(world.verdicts.trials > 0)
    }

    @Test("a good commit after any history is where it ends", arguments: Seeds.first(2, soak: 200))
    func endsGood(seed: UInt64) throws {
        let world = World(seed: seed &+ 9000)
        try play(world, steps: 5, last: .good)
        #expect(world.verdicts.phase == "Healthy")
    }

    @Test("a bad last commit is rolled back once, and stays held across restarts", arguments: Shop.Version.bad)
    func endsBad(version: Shop.Version) throws {
        let world = World(seed: 4711)
        try world.run { random in
            world.push(.good, using: &random)
            try await world.machine.wait(until: world.isSettled)
            world.push(version, using: &random)
            try await world.machine.wait(until: world.isSettled)
            // Nobody knows Git's answer after this restart; the rollback is remembered nevertheless.
            world.repository.setReachable(false)
            world.reconciler.restart()
            try await world.machine.clock.sleep(for: .seconds(200))
            #expect(world.verdicts.phase == "RolledBack")
            world.repository.setReachable(true)
            try await world.machine.crash(downtime: .seconds(10))
            try await world.machine.clock.sleep(for: .seconds(200))
            try await world.machine.wait(until: world.isSettled)
        }
        #expect(world.verdicts.rollbacks == 1)
        #expect(world.verdicts.trials == 3)
    }

    @Test("a sync that is asked for waits for Git alone: the verdict goes on, and restarts do not forget it")
    func slowRequest() throws {
        let world = World(seed: 23)
        try world.run { random in
            world.push(.good, using: &random)
            try await world.machine.wait(until: world.isSettled)
            world.push(.unready, using: &random)
            try await world.machine.wait { _ in world.verdicts.phase == "Judging" }
            world.repository.hang("commit-1")
            let request: JSON = ["operation": ["sync": ["revision": "commit-1"]]]
            _ = try await world.machine.cluster().patch(
                World.key, .merge(request), subresource: nil, options: Shop.options)
            try await world.machine.wait(until: world.isSettled)
            world.reconciler.restart()
            try await world.machine.clock.sleep(for: .seconds(200))
            let waiting = world.machine.snapshot?.all(Application.self).first
            #expect(waiting?.json["operation"] != nil)
            world.repository.answer("commit-1")
            try await world.machine.wait { snapshot in
                let application = snapshot.all(Application.self).first
                let answer = application?.status.operationState
                return application?.json["operation"] == nil && answer?.phase == "Succeeded"
                    && answer?.operation.sync?.revision == "commit-1"
            }
        }
        #expect(world.verdicts.rollbacks == 1)
    }

    @Test("a request takes the place of one that still waits for Git, and a suspension makes its answer worth nothing")
    func replacedRequest() throws {
        let world = World(seed: 29)
        @Sendable func ask(for revision: String) async throws {
            let operation: JSON = ["sync": ["revision": .string(revision)]]
            let patch: JSON = [["op": "add", "path": "/operation", "value": operation]]
            _ = try await world.machine.cluster().patch(
                World.key, .json(patch), subresource: nil, options: Shop.options)
        }
        @Sendable func waitForSync(of revision: String) async throws {
            try await world.machine.wait { snapshot in
                let application = snapshot.all(Application.self).first
                let answer = application?.status.operationState
                return application?.json["operation"] == nil && answer?.syncResult?.revision == revision
                    && answer?.operation.sync != nil
            }
        }
        @Sendable func suspend(_ isSuspended: Bool) async throws {
            let value: JSON = isSuspended ? "true" : .null
            let patch: JSON = ["metadata": ["annotations": ["martlet.dev/suspend": value]]]
            _ = try await world.machine.cluster().patch(
                World.key, .merge(patch), subresource: nil, options: Shop.options)
        }
        try world.run { random in
            for _ in 0..<2 {
                world.push(.good, using: &random)
                try await world.machine.wait(until: world.isSettled)
            }
            world.repository.hang("commit-2")
            try await ask(for: "commit-2")
            try await world.machine.clock.sleep(for: .seconds(5))
            try await ask(for: "commit-1")
            try await world.machine.clock.sleep(for: .seconds(5))
            world.repository.answer("commit-2")
            try await waitForSync(of: "commit-1")

            world.repository.hang("newest")
            try await ask(for: "newest")
            try await world.machine.clock.sleep(for: .seconds(5))
            try await suspend(true)
            world.repository.answer("newest")
            try await world.machine.clock.sleep(for: .seconds(100))
            world.push(.good, using: &random)
            try await suspend(false)
            try await waitForSync(of: "commit-3")
        }
    }

    @Test(
        "a deleted Application takes along what it created if it has Argo CD's finalizer, else nothing; never what is foreign",
        arguments: [true, false])
    func deletion(isCascading: Bool) throws {
        let world = World(seed: 815)
        try world.run { random in
            world.push(.good, using: &random)
            try await world.machine.wait(until: world.isSettled)
            let cluster = try await world.machine.cluster()
            if isCascading {
                let patch: JSON = ["metadata": ["finalizers": ["resources-finalizer.argocd.argoproj.io"]]]
                _ = try await cluster.patch(World.key, .merge(patch), subresource: nil, options: Shop.options)
            }
            _ = try await cluster.delete(World.key, options: DeleteOptions())
            try await world.machine.wait { snapshot in
                snapshot.all(Application.self).isEmpty
                    && (!isCascading || snapshot.all(Pod.self).filter(\.isReplica).isEmpty)
            }
            try await world.machine.clock.sleep(for: .seconds(120))
            let snapshot = try #require(world.machine.snapshot)
            let names = Set(
                snapshot.all(ConfigMap.self).map(\.metadata).filter { $0.namespace == "default" }.map(\.name))
            #expect(names.isSuperset(of: World.foreign) && names.contains("settings") != isCascading)
            #expect(snapshot.all(Deployment.self).isEmpty == isCascading)
            #expect(snapshot.all(Pod.self).filter(\.isReplica).isEmpty == isCascading)
        }
    }
}
