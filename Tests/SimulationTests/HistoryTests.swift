import Cluster
import Glibc
import Kinds
import Model
import SimulationKit
import Store
import Synchronization
import TestServers
import Testing

/// How many seeds a run takes: few in every `make test`, many in `make soak`.
enum Seeds {
    static let isSoak = getenv("MARTLET_SOAK") != nil

    /// `MARTLET_SEED=26` plays one seed alone, to look into it, and `MARTLET_SEED=26-80` those.
    static func first(_ few: UInt64, soak many: UInt64) -> ClosedRange<UInt64> {
        let asked = getenv("MARTLET_SEED").map { String(cString: $0).split(separator: "-").compactMap { UInt64($0) } }
        if let asked, let first = asked.first, let last = asked.last, first <= last { return first...last }
        return 1...(isSoak ? many : few)
    }
}

/// Everything real but time, storage and containers: whole histories of a Deployment.
@Suite("Histories of a Deployment on a simulated machine", .blocking)
struct HistoryTests {
    enum Deed: CaseIterable {
        case good, bad, scale, pause, resume, undo, crashEngine
        case killPod, loseNode, loseNodeForLong

        /// What costs no pod by itself.
        static let harmless: [Deed] = [.good, .good, .good, .bad, .bad, .scale, .pause, .resume, .undo, .crashEngine]
    }

    /// A machine, what is done to it, and what it must keep to.
    private struct World: Sendable {
        /// Every write, in order; kept only where it is asked for.
        let log: WriteLog?

        var machine: SimulatedMachine
        var shop: Shop
        var seed: UInt64
        let promise = Promise()

        init(seed: UInt64, nodes: Int, log: WriteLog? = nil) {
            self.log = log
            self.seed = seed
            shop = Shop(seed: seed)
            machine = SimulatedMachine(clock: VirtualClock(), nodes: nodes, seed: seed)
        }

        func run(
            _ body: @escaping @Sendable (inout SplitMix64) async throws -> Void
        ) throws -> Simulation.Outcome<Void> {
            try Simulation.run(
                seed: seed, clock: machine.clock,
                observe: {
                    guard let snapshot = machine.snapshot else { return }
                    log?.note(snapshot)
                    try promise.check(snapshot)
                }
            ) { _ in
                try await machine.run {
                    var random = SplitMix64(seed: seed &* 31)
                    let template = Shop.template("web:1", .good, using: &random)
                    _ = try await machine.cluster().create(shop.deployment(template), options: Shop.options)
                    try await machine.wait(until: Shop.isComplete)
                    try await body(&random)
                }
            }
        }

        func perform(_ deed: Deed, _ step: Int, using random: inout SplitMix64) async throws {
            let cluster = try await machine.cluster()
            let clock = machine.clock
            switch deed {
            case .good:
                try await Shop.setTemplate(Shop.template("web:\(step)", .good, using: &random), in: cluster)
            case .bad:
                let version = Shop.Version.bad.randomElement(using: &random) ?? .unready
                try await Shop.setTemplate(Shop.template("web:\(step)", version, using: &random), in: cluster)
            case .scale: try await Shop.scale(to: Int.random(in: 0...6, using: &random), in: cluster)
            case .pause: try await Shop.pause(true, in: cluster)
            case .resume: try await Shop.pause(false, in: cluster)
            case .undo: try await Shop.undo(in: cluster)
            case .crashEngine:
                try await machine.crash(downtime: .milliseconds(Int.random(in: 0...60_000, using: &random)))
            case .killPod:
                guard let pod = machine.snapshot?.all(Pod.self).randomElement(using: &random) else { return }
                promise.disturb()
                do throws(APIError) {
                    _ = try await cluster.delete(pod.key, options: DeleteOptions())
                } catch {
                    // It may have gone by itself.
                    guard error.reason == .notFound else { throw error }
                }
                promise.calm()
            case .loseNode, .loseNodeForLong:
                let agent = machine.agent(of: Int.random(in: 0..<2, using: &random))
                promise.disturb()
                agent.stop()
                try await clock.sleep(
                    for: .seconds(Int.random(in: deed == .loseNode ? 1...80 : 300...500, using: &random)))
                agent.start()
                // The pods are reported as not ready until the node is believed again.
                try await clock.sleep(for: .seconds(20))
                promise.calm()
            }
        }

        /// A last good commit, and whatever it takes to let it through.
        func finish(using random: inout SplitMix64) async throws {
            let cluster = try await machine.cluster()
            try await Shop.pause(false, in: cluster)
            // What was asked to be undone in a pause is undone now, and must not undo what follows.
            try await machine.wait { snapshot in
                snapshot.all(Deployment.self).first?.metadata.annotations[Shop.undoAnnotation] == nil
            }
            try await Shop.scale(to: shop.replicas, in: cluster)
            try await Shop.setTemplate(Shop.template("web:last", .good, using: &random), in: cluster)
            do {
                try await machine.wait(until: Shop.isComplete)
            } catch {
                let objects = ["apps/Deployment", "apps/ReplicaSet", "/Pod"].flatMap { kind in
                    machine.snapshot?.list(kind: kind).map { "\($0.key): \($0.json["status"]?.text() ?? "")" } ?? []
                }
                throw Promise.Broken(description: "seed \(seed) is not complete: \(objects.joined(separator: "; "))")
            }
        }
    }

    @Test(
        "whatever is asked of a Deployment, and if the engine crashes, bounds hold at every instant and it converges",
        arguments: Seeds.first(5, soak: 400))
    func bounds(seed: UInt64) throws {
        let world = World(seed: seed, nodes: 1)
        _ = try world.run { random in
            for step in 2...9 {
                let deed = Deed.harmless.randomElement(using: &random) ?? .good
                try await world.perform(deed, step, using: &random)
                // Often the next comes before this one is through.
                try await world.machine.clock.sleep(for: .milliseconds(Int.random(in: 1...15_000, using: &random)))
            }
            try await world.finish(using: &random)
        }
        let looks = world.promise.looks
        // Where one replica is paused for most of its history, little happens.
        #expect(looks.all > 30)
        #expect(looks.floor > 20)
    }

    @Test(
        "pods killed, nodes lost and the engine crashed: it ends as it should, and there are never too many pods",
        arguments: Seeds.first(4, soak: 300))
    func faults(seed: UInt64) throws {
        let world = World(seed: seed &+ 5000, nodes: 2)
        _ = try world.run { random in
            for step in 2...7 {
                let deed = Deed.allCases.randomElement(using: &random) ?? .good
                try await world.perform(deed, step, using: &random)
                try await world.machine.clock.sleep(for: .milliseconds(Int.random(in: 1...10_000, using: &random)))
            }
            try await world.finish(using: &random)
        }
    }

    @Test("the same seed gives the same history to the last byte, another one another")
    func determinism() throws {
        func history(_ seed: UInt64) throws -> [String] {
            let log = WriteLog()
            let world = World(seed: seed, nodes: 2, log: log)
            let outcome = try world.run { random in
                try await world.perform(.bad, 2, using: &random)
                try await world.machine.clock.sleep(for: .seconds(5))
                try await world.perform(.crashEngine, 3, using: &random)
                try await world.perform(.killPod, 4, using: &random)
                try await world.finish(using: &random)
            }
            return log.lines + ["\(outcome.steps) steps, digest \(outcome.digest), \(outcome.elapsed)"]
        }
        let first = try history(77)
        let again = try history(77)
        let difference = zip(first, again).first { $0 != $1 }
        #expect(difference.map { "\($0)\n\($1)" } == nil)
        #expect(first.count == again.count)
        #expect(try history(78) != first)
    }
}

/// Every object that was written, as it was after each job.
final class WriteLog: Sendable {
    private let state = Mutex((last: Revision.zero, lines: [String]()))

    var lines: [String] { state.withLock { $0.lines } }

    func note(_ snapshot: Snapshot) {
        state.withLock { state in
            if snapshot.revision == state.last { return }
            let written = snapshot.kinds.flatMap { snapshot.list(kind: $0) }.filter { $0.revision > state.last }
                .sorted { $0.revision < $1.revision }
            state.lines += written.map { "\($0.revision) \($0.key) \(String(decoding: $0.bytes, as: UTF8.self))" }
            state.last = snapshot.revision
        }
    }
}
