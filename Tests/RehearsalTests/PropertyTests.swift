import Cluster
import Kinds
import Model
import Rehearsal
import SimulationKit
import Store
import TestServers
import Testing

@Suite("What holds of every rehearsal", .blocking)
struct PropertyTests {
    /// Sizes, strategies and failures drawn from the seed.
    private struct Draw {
        var replicas: Int
        var surge: Int
        var unavailable: Int
        var failures: [InjectedFailure] = []

        init(_ seed: UInt64) {
            var random = SplitMix64(seed: seed)
            replicas = Int.random(in: 1...5, using: &random)
            surge = Int.random(in: 0...2, using: &random)
            unavailable = Int.random(in: surge == 0 ? 1...2 : 0...2, using: &random)
            if Bool.random(using: &random), let mode = [FailureMode.probe, .crash, .pull].randomElement(using: &random)
            {
                failures = [InjectedFailure(workload: "web", mode: mode)]
            }
        }

        func deployment(_ image: String) -> JSON {
            Shop.deployment(image: image, replicas: replicas, surge: surge, unavailable: unavailable)
        }

        var scenario: Scenario {
            Shop.scenario(from: [deployment("web:1")], to: [deployment("web:2")], failing: failures)
        }
    }

    /// The fewest pods that were up, read off the store itself between any two jobs.
    private struct Lowest {
        var promise: Int
        var last = Revision.zero
        var isArmed = false
        var lowest: Int?
        var most = 0

        mutating func look(_ snapshot: Snapshot) {
            if snapshot.revision == last { return }
            last = snapshot.revision
            let pods = snapshot.all(Pod.self).filter { $0.metadata.deletionTimestamp == nil }
            let up = pods.count { pod in
                pod.status.conditions.contains { $0.type == "Ready" && $0.status == "True" }
            }
            most = max(most, pods.count)
            if up >= promise { isArmed = true }
            if isArmed { lowest = min(lowest ?? up, up) }
        }
    }

    @Test("reports exactly the fewest available replicas that there were, and the promise is kept", arguments: 1...24)
    func lowest(seed: Int) throws {
        let draw = Draw(UInt64(seed))
        var seen = Lowest(promise: max(0, draw.replicas - draw.unavailable))
        let recording = try Rehearsal(draw.scenario, seed: UInt64(seed)).run { seen.look($0) }
        let web = try #require(recording.workloads.first { $0.key.name == "web" })
        #expect(web.promise == seen.promise)
        #expect(web.lowest == seen.lowest)
        #expect(web.brokenAt == nil && web.lowest.map { $0 >= web.promise } == true)
        #expect(web.samples.map(\.counts.total).max() == seen.most)
        #expect(seen.most <= draw.replicas + draw.surge)
        if draw.failures.isEmpty {
            #expect(recording.outcome == .healthy)
        } else {
            #expect(recording.outcome.isHealthy == false)
            #expect(web.samples.last?.counts.old == draw.replicas, "the old pods are back")
        }
    }

    /// All objects at the moment when the store had changed so often.
    private struct Moment {
        var changes: Int
        var objects: [Object] = []

        mutating func look(_ snapshot: Snapshot) {
            guard objects.isEmpty, snapshot.revision.rawValue >= changes else { return }
            objects = snapshot.kinds.flatMap { kind in snapshot.list(kind: kind).map { Object(viewing: $0.json) } }
        }
    }

    @Test("a rollout that is taken over at any moment goes on from there, and ends as it would have", arguments: 1...16)
    func takenOver(seed: Int) throws {
        var draw = Draw(UInt64(seed))
        draw.failures = []
        var changes = 0
        _ = try Rehearsal(draw.scenario, seed: UInt64(seed)).run { changes = Int($0.revision.rawValue) }
        var moment = Moment(changes: changes * (seed + 16) / 40)
        _ = try Rehearsal(draw.scenario, seed: UInt64(seed)).run { moment.look($0) }
        var live = draw.scenario
        live.start = moment.objects
        live.application = try #require(moment.objects.first { $0.kindName == "Application" }).view()
        // Another seed: the same one would draw the same names and uids again.
        let recording = try Rehearsal(live, seed: UInt64(seed + 1000)).run()
        #expect(recording.outcome == .healthy)
        let web = try #require(recording.workloads.first { $0.key.name == "web" })
        #expect(web.brokenAt == nil)
        #expect(web.samples.last?.counts.available == draw.replicas)
        #expect(recording.endLoad.pods == draw.replicas)
    }

    @Test("the same scenario and seed give the same bytes in every format, another seed another play")
    func determinism() async throws {
        func report(_ seed: UInt64) async throws -> [String] {
            let report = try await RehearsalReport(playing: Draw(3).scenario, origin: "the tests", seeds: seed...seed)
            return [report.text(width: 90), report.json.text(.indented), report.markdown, report.svg]
        }
        let first = try await report(5)
        #expect(try await report(5) == first)
        #expect(try await report(6)[1] != first[1])
    }

    @Test("time is in order, and nothing is recorded after the end")
    func order() throws {
        let recording = try Rehearsal(Draw(8).scenario, seed: 8).run()
        #expect(recording.steps.map(\.at) == recording.steps.map(\.at).sorted())
        for record in recording.workloads {
            #expect(record.samples.map(\.at) == record.samples.map(\.at).sorted())
            #expect(record.samples.allSatisfy { $0.at <= recording.duration })
        }
    }
}
