import Kinds
import Testing

@testable import martlet

@Suite("Which revision is meant where none is named")
struct RevisionChoiceTests {
    private static func held(_ revision: String, replacedBy other: String?) -> HeldRevision {
        var held = HeldRevision()
        (held.revision, held.rolledBackTo) = (revision, other)
        return held
    }

    @Test(
        "a retry is of what the deployed revision stands in for, or of what is named; never of what was replaced",
        arguments: [
            (nil, "good", "bad"), (nil, "stuck", "stuck"), (nil, "newer", nil), ("ol", "newer", "older"),
            ("zzz", "good", nil),
        ])
    func retry(prefix: String?, deployed: String, expected: String?) {
        let held = [
            Self.held("older", replacedBy: "first"), Self.held("bad", replacedBy: "good"),
            Self.held("stuck", replacedBy: nil),
        ]
        #expect(AppRetry.choice(among: held, prefix, deployed: deployed)?.revision == expected)
    }

    @Test(
        "two dots between revisions are a range; paths, URLs and three dots are none",
        arguments: [
            ("main..feature", "main", "feature"), ("main..", "main", nil),
            ("v1.0..v1.1", "v1.0", "v1.1"), ("HEAD~2..HEAD", "HEAD~2", "HEAD"), ("main...feature", nil, nil),
            ("../web", nil, nil), ("a/../b", nil, nil), ("https://example.com/a..b", nil, nil), ("main", nil, nil),
        ] as [(String, String?, String?)])
    func ranges(text: String, old: String?, new: String?) {
        let range = RevisionRange(text)
        #expect(range?.old == old && range?.new == new)
    }

    @Test(
        "a rollback is to the last healthy revision, or from that one to the last that is not held",
        arguments: [("d", "b", "b"), ("b", "b", "d"), ("d", nil, "b"), ("d", "c", "b")])
    func rollback(deployed: String, healthy: String?, expected: String) {
        var status = ApplicationStatus()
        status.history = ["a", "b", "c", "d"].enumerated().map { index, revision in
            var entry = RevisionHistory()
            (entry.id, entry.revision) = (index, revision)
            return entry
        }
        var rollout = RolloutStatus()
        (rollout.revision, rollout.lastHealthyRevision) = (deployed, healthy)
        rollout.held = [Self.held("c", replacedBy: nil)]
        status.rollout = rollout
        #expect(AppRollback.lastGood(of: status)?.revision == expected)
    }
}
