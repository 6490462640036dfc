import FoundationEssentials
import Kinds
import Model
import Rehearsal
import TestServers
import Testing

@Suite("What a rehearsal reports", .blocking)
struct ReportTests {
    private static let changed = [
        Shop.deployment(image: "web:2"), Shop.configMap("settings", "new"), Shop.configMap("fresh", "one"),
        Shop.budget(minAvailable: 3),
    ]
    private static let base = [
        Shop.deployment(image: "web:1"), Shop.configMap("settings", "old"), Shop.configMap("gone", "one"),
        Shop.budget(minAvailable: 3),
    ]

    private func report(_ scenario: Scenario, seeds: ClosedRange<UInt64> = 7...7) throws -> RehearsalReport {
        try RehearsalReport(playing: scenario, origin: "the tests", seeds: seeds)
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

    @Test("a healthy rollout, in every format")
    func healthy() throws {
        let report = try report(Shop.scenario(from: Self.base, to: Self.changed))
        try expect(report.text(width: 80), isGolden: "healthy.txt")
        try expect(report.json.text(.indented), isGolden: "healthy.json")
        try expect(report.markdown, isGolden: "healthy.md")
        try expect(report.svg, isGolden: "healthy.svg")
    }

    @Test("a failure, how it is noticed, and the rollback", arguments: FailureMode.allCases)
    func failure(mode: FailureMode) throws {
        let failure = InjectedFailure(workload: "web", mode: mode)
        let report = try report(Shop.scenario(from: Self.base, to: Self.changed, failing: [failure]))
        try expect(report.text(width: 80), isGolden: "fail-\(mode.rawValue).txt")
        if mode == .crash { try expect(report.json.text(.indented), isGolden: "fail-crash.json") }
    }

    @Test("a budget that the strategy does not keep, and nodes that do not hold the surge")
    func limits() throws {
        let target = [Shop.deployment(image: "web:2", surge: 0, unavailable: 1), Shop.budget(minAvailable: 3)]
        try expect(
            report(Shop.scenario(from: Self.base, to: target)).text(width: 80), isGolden: "budget.txt")
        let small = Shop.node(cpu: "350m")
        try expect(
            report(Shop.scenario(to: [Shop.deployment(image: "web:2")], nodes: [small])).text(width: 80),
            isGolden: "full-node.txt")
    }

    @Test("of several seeds the worst is shown, and all are summed up")
    func seeds() throws {
        let report = try report(Shop.scenario(), seeds: 1...6)
        #expect(report.runs.count == 6)
        let longest = report.runs.map(\.recording.duration).max()
        #expect(report.recording.duration == longest, "all end healthy, so the slowest is the worst")
        #expect(report.text(width: 80).contains("6 seeds: 6 healthy"))
    }
}
