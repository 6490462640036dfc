import Kinds
import Model
import TestServers
import Testing

/// `rehearse`: its options, what it refuses, and what it never shows.
@Suite("The command line: rehearsals", .serialized, .blocking, .runningService)
struct CommandLineRehearseTests {
    private func expect(
        _ line: String, _ code: Int32, _ says: String..., hides: [String] = [],
        location: SourceLocation = #_sourceLocation
    ) throws {
        let answer = try CommandLineStage.current().shell(line)
        #expect(answer.code == code, "\(line): \(answer)", sourceLocation: location)
        for word in says { #expect(answer.text.contains(word), "\(line): \(answer)", sourceLocation: location) }
        for word in hides { #expect(!answer.text.contains(word), "\(line): \(answer)", sourceLocation: location) }
    }

    private static let secrets = ["hunter", "aHVudGVy"]

    @Test("the live state and a working copy, in every format, without the values of Secrets")
    func live() throws {
        let stage = try CommandLineStage.current()
        try expect("martlet rehearse", 0, "rehearsing as Application web", "from the live state: healthy")
        try stage.write("web/secret.yaml", CommandLineStage.secret("hunter3"))
        try stage.write(
            "web/deployment.yaml", Manifests.deployment(["--version-text", "v2"], extra: CommandLineStage.prepare))
        for (format, word) in [
            ("text", "2 changed: Secret default/web, Deployment.apps default/web"),
            ("json", "\"outcome\": \"Healthy\""),
            ("markdown", "### Rehearsal: healthy after"), ("svg", "<polyline"),
        ] {
            try expect("martlet rehearse web -o \(format)", 0, word, hides: Self.secrets)
        }
        try expect("martlet rehearse web --fail web=pull", 1, "rolled back", "ErrImagePull", hides: Self.secrets)
        try expect("martlet rehearse --app web --revision main", 0, "healthy")
        try expect("martlet rehearse --app wbe", 2, "there is no Application martlet/wbe")
        try expect("martlet rehearse web --seeds 3 --seed 5", 0, "3 seeds: 3 healthy")
        // Nothing of it has happened.
        try expect("martlet diff web -o summary", 1, "2 to change")
    }

    @Test("an empty cluster, or a folder, needs no service")
    func alone() throws {
        let stage = try CommandLineStage.current()
        try stage.write("before/web.yaml", Manifests.deployment(["v1"]))
        try stage.write("after/web.yaml", Manifests.deployment(["v2"]))
        let node = "--node 4,8Gi --data-dir /nosuch"
        try expect("martlet rehearse after --from empty \(node)", 0, "from an empty cluster: healthy", "1 created")
        try expect("martlet rehearse after --from before \(node)", 0, "from the manifests in before", "1 changed")
        try expect("martlet rehearse after --from before \(node) --fail web=probe", 1, "failed its readiness probe")
        try expect(
            "martlet rehearse after --from before \(node) --ready-delay web=9s --ready-delay 1s", 0,
            "ready after 9.0s (given)")
        try expect(
            "martlet rehearse after --from before \(node) --pull-delay 20s", 0, "images pulled in 20.0s", "healthy")
        try expect("martlet rehearse after --from before \(node) --fail web=crash@3s", 1, "crashed 3 times")
        try expect("martlet rehearse after --from empty -n elsewhere \(node)", 0, "Deployment.apps elsewhere/web")
        try expect("martlet rehearse after --from before --limit 1s \(node)", 1, "not finished after")
    }

    @Test("what cannot be rehearsed is refused with what would be right")
    func refused() throws {
        let node = "--node 4,8Gi"
        try CommandLineStage.current().write("after/web.yaml", Manifests.deployment(["v2"]))
        try expect("martlet rehearse after --from nosuch", 2, "there is no such folder; write live, empty or a folder")
        try expect("martlet rehearse nosuch --from empty", 2, "there is no such file or folder")
        try expect(
            "martlet rehearse after --from empty \(node) --fail wbe", 2, "no workload \"wbe\"; there are: web")
        try expect("martlet rehearse after --from empty --app web", 2, "--app needs the live state")
        try expect("martlet rehearse --seeds 0", 2, "--seeds: 0 is not from 1 to 1000")
        try expect("martlet rehearse --limit soon", 2, "\"soon\" is no duration")
        for (option, message) in [
            ("--node 4", "write the CPU and the memory, parted by a comma, as in 4,8Gi"),
            ("--node 0,8Gi", "\"0\" is no amount of CPU above zero; write one like 4 or 500m"),
            ("--node 4,much", "\"much\" is no amount of memory above zero; write one like 8Gi or 512Mi"),
            ("--fail web=fire", "\"fire\" is no way to fail; there are: crash, crash@30s, probe, pull"),
            ("--fail web=prob", "\"prob\" is no way to fail; did you mean \"probe\"?"),
            ("--fail web=crash@soon", "\"soon\" is no duration; write one like crash@30s or crash@5m"),
            ("--fail =probe", "no workload is named; write web or web=probe"),
            ("--fail web --fail web=pull", "--fail: given twice for web; leave one out"),
            ("--ready-delay soon", "\"soon\" is no duration; write 5s or 1m30s, or web=5s for one workload"),
            ("--ready-delay 1s --ready-delay 2s", "--ready-delay: given twice for all workloads; leave one out"),
            ("--pull-delay web=25h", "25h is more than a day (24h)"), ("--from", "error: "),
        ] {
            try expect("martlet rehearse \(option)", 2, message)
        }
        try expect("martlet rehearse --data-dir /nosuch", 2, "start 'martlet serve' first")
    }
}
