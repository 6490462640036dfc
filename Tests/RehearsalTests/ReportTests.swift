import FoundationEssentials
import Kinds
import Model
import TestServers
import Testing

@testable import Rehearsal

/// What is said of a recording. The recordings are made by hand, so that the words stay as they are whatever the engine
/// does.
@Suite("What a rehearsal reports", .blocking)
struct ReportTests {
    private static let web = Deployment.key("web", in: "default")

    private static func samples(_ table: [(Double, old: Int, new: Int, ready: Int, leaving: Int)]) -> [Recording.Sample]
    {
        table.map { at, old, new, ready, leaving in
            let counts = Recording.Counts(old: old, new: new, ready: ready, available: ready, leaving: leaving)
            return Recording.Sample(at: .milliseconds(Int64(at * 1000)), counts: counts)
        }
    }

    private static func step(_ at: Int64, _ kind: Recording.StepKind) -> Recording.Step {
        Recording.Step(at: .milliseconds(at), kind: kind)
    }

    /// One surge pod after the other.
    private static var healthy: Recording {
        var recording = Recording(outcome: .healthy)
        var record = Recording.WorkloadRecord(key: web)
        record.samples = samples([
            (0, 3, 0, 3, 0), (0.2, 3, 1, 3, 0), (2.5, 3, 1, 4, 0), (2.5, 2, 1, 3, 1), (2.6, 2, 2, 3, 1),
            (5, 2, 2, 4, 0), (5, 1, 2, 3, 1), (5.1, 1, 3, 3, 1), (8, 1, 3, 4, 0), (8, 0, 3, 3, 1), (9, 0, 3, 3, 0),
        ])
        (record.promise, record.lowest, record.lowestAt) = (3, 3, .zero)
        recording.workloads = [record]
        recording.steps = [
            step(0, .verdict(phase: "Judging", revision: "two", message: "")),
            step(0, .synced(ConfigMap.key("fresh", in: "default"), .created)), step(0, .synced(web, .changed)),
            step(0, .synced(ConfigMap.key("gone", in: "default"), .pruned)), step(8000, .rolledOut(web)),
            step(18000, .verdict(phase: "Healthy", revision: "two", message: "")),
        ]
        recording.startLoad = Recording.Load(pods: 3, cpu: 300, memory: 192 << 20)
        recording.peakLoad = Recording.Load(pods: 5, cpu: 500, memory: 320 << 20)
        recording.endLoad = recording.startLoad
        recording.duration = .seconds(18)
        return recording
    }

    /// It breaks everything that can be broken.
    private static var failed: Recording {
        let why = "Deployment.apps default/web: container <web> of pod web-1 crashed 3 times\n| last words"
        var recording = Recording(outcome: .rolledBack(why))
        var record = Recording.WorkloadRecord(key: web)
        record.samples = samples([
            (0, 3, 0, 3, 0), (0, 3, 1, 3, 0), (4, 3, 1, 2, 0), (75, 3, 0, 2, 0), (100, 3, 0, 3, 0),
        ])
        (record.promise, record.lowest, record.lowestAt, record.brokenAt) = (3, 2, .seconds(4), .seconds(4))
        record.sign = Recording.FailureSign(at: .seconds(1), text: "container web ended with exit code 1")
        recording.workloads = [record]
        recording.steps = [
            step(0, .verdict(phase: "Judging", revision: "two", message: "")), step(0, .synced(web, .changed)),
            step(0, .synced(ConfigMap.key("gone", in: "default"), .pruned)),
            step(75000, .verdict(phase: "RollingBack", revision: "one", message: why)),
            step(75000, .synced(ConfigMap.key("gone", in: "default"), .recreated)), step(75000, .synced(web, .changed)),
            step(100_000, .verdict(phase: "RolledBack", revision: "one", message: "")),
        ]
        recording.startLoad = Recording.Load(pods: 3, cpu: 300, memory: 192 << 20)
        recording.peakLoad = Recording.Load(pods: 4, cpu: 400, memory: 256 << 20)
        recording.endLoad = recording.startLoad
        recording.waiting = [
            Recording.Waiting(
                workload: web, pods: 3, longest: .seconds(74), placed: 1, remaining: 1,
                reason: "0/1 nodes are available: 1 Insufficient cpu.")
        ]
        recording.budgets = [
            Recording.BudgetViolation(
                budget: PodDisruptionBudget.key("web", in: "default"), at: .seconds(4), healthy: 2, desired: 3)
        ]
        recording.duration = .seconds(100)
        return recording
    }

    private static func report(_ recording: Recording) -> RehearsalReport {
        RehearsalReport(
            Shop.scenario(), origin: "the tests", runs: [RehearsalReport.Run(seed: 7, recording: recording)])
    }

    /// Compares with a file; what differs is left beside the temporary files, to be looked at and taken over.
    private func expect(
        _ text: String, isGolden name: String, location: SourceLocation = #_sourceLocation
    ) throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/\(name)").path
        let golden = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
        guard text != golden else { return }
        let new = FileManager.default.temporaryDirectory.appending(path: "martlet-golden-\(name)")
        try Data(text.utf8).write(to: new)
        Issue.record("\(name) differs; it is now \(new.path)", sourceLocation: location)
    }

    @Test("a healthy rollout and a rollback, in every format", arguments: ["healthy", "failed"])
    func formats(name: String) throws {
        let report = Self.report(name == "healthy" ? Self.healthy : Self.failed)
        try expect(report.text(width: 80), isGolden: "\(name).txt")
        try expect(report.json.text(.indented) + "\n", isGolden: "\(name).json")
        try expect(report.markdown, isGolden: "\(name).md")
        try expect(report.svg, isGolden: "\(name).svg")
    }

    @Test("the drawing hides no dip, however short")
    func dips() {
        let samples = Self.samples([(0, 3, 0, 3, 0), (12, 3, 0, 1, 0), (12.001, 3, 0, 3, 0)])
        let series = ReplicaSeries(samples, until: .seconds(100), columns: 20)
        #expect(series.ready.min() == 1 && series.ready.filter { $0 == 1 }.count == 1)
        #expect(series.old == Array(repeating: 3, count: 20))
    }

    @Test("a report of many objects and workloads names some and counts the rest")
    func many() {
        var recording = Self.healthy
        recording.workloads = (0..<40).map { index in
            var record = Recording.WorkloadRecord(key: Deployment.key("web-\(index)", in: "default"))
            record.samples = recording.workloads[0].samples
            return record
        }
        recording.steps = (0..<50).map { Self.step(0, .synced(ConfigMap.key("map-\($0)", in: "default"), .created)) }
        let text = Self.report(recording).text(width: 80)
        #expect(text.contains("ConfigMap default/map-19 and 30 more"))
        #expect(text.contains("28 more workloads not drawn"))
    }

    @Test("the worse of two plays is the one that ends worse, else breaks a promise, else takes longer")
    func worst() {
        var (broken, long) = (Self.healthy, Self.healthy)
        broken.workloads[0].brokenAt = .seconds(1)
        broken.workloads[0].lowest = 2
        long.duration = .seconds(500)
        let ordered = [Self.healthy, long, broken, Self.failed]
        for (index, better) in ordered.enumerated() {
            for worse in ordered[(index + 1)...] {
                #expect(RehearsalReport.isWorse(worse, better) && !RehearsalReport.isWorse(better, worse))
            }
        }
    }
}
