import Cluster
import FoundationEssentials
import Glibc
import Kinds
import Model
import TestServers
import Testing

/// `kill -9` of the service: what was decided is carried on, what runs runs on, nothing is lost or done twice.
@Suite("Killed at any moment", .serialized, .blocking)
struct KillTests {
    @Test("pods run on without the service and are adopted; what ended meanwhile is known, and begun anew")
    func adopts() async throws {
        try await Stage.with { stage in
            try stage.write("web/deployment.yaml", Manifests.deployment(["--drain", "0s"]))
            let revision = try stage.push("two pods")
            try await stage.start()
            try await stage.waitForHealthy(revision)
            let before = stage.processes()
            #expect(before.count == 4, "two pods, each a supervisor and a container")
            let names = Set(try await stage.pods().map(\.metadata.name))
            let containers = stage.containers()
            stage.killService()
            #expect(stage.processes() == before)
            try await stage.start()
            try await stage.waitForHealthy(revision)
            #expect(stage.containers() == containers)
            // A supervisor that found its pod held by another one ends at once.
            try await stage.eventually("there is one supervisor for each pod") { stage.processes() == before }
            #expect(try await stage.pods().allSatisfy { $0.status.containerStatuses.first?.restartCount == 0 })

            stage.killService()
            kill(try #require(containers.min()), SIGKILL)
            try await stage.start()
            try await stage.eventually("the end of a container is seen, and it runs again") {
                let statuses = try await stage.pods().compactMap(\.status.containerStatuses.first)
                return statuses.contains {
                    $0.restartCount == 1 && $0.lastState.terminated?.exitCode == 137 && $0.ready
                }
            }
            try await stage.eventually("nothing is doubled") { stage.processes().count == 4 }

            stage.killService()
            kill(try #require(before.subtracting(containers).min()), SIGKILL)
            try await stage.eventually("a container ends with its supervisor") { stage.processes().count == 2 }
            try await stage.start()
            try await stage.eventually("the pod runs again under a new supervisor") {
                stage.processes().count == 4
            }
            try await stage.eventually("all is healthy again") {
                try await stage.application().status.health.status == "Healthy"
            }
            #expect(Set(try await stage.pods().map(\.metadata.name)) == names, "still the same pods")
        }
    }

    @Test("at random moments of rollouts and rollbacks: the same end, no pod too many, no process leaked or doubled")
    func randomMoments() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["MARTLET_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
        let rounds = environment["MARTLET_SOAK"] == nil ? 3 : 40
        var random = SplitMix64(seed: seed)
        try await Stage.with { stage in
            func commit(_ version: String, image: String = "martlet.dev/echo") throws -> String {
                let text = Manifests.deployment(["--version-text", version, "--drain", "0s"])
                try stage.write("web/deployment.yaml", text.replacing("martlet.dev/echo", with: image))
                return try stage.push(version)
            }
            var good = try commit("v0")
            try await stage.start()
            try await stage.waitForHealthy(good)
            for round in 1...rounds {
                let isGood = round == 1 || Int.random(in: 0..<3, using: &random) > 0
                let revision = try commit("v\(round)", image: isGood ? "martlet.dev/echo" : "nowhere.invalid/web:1")
                for limit in Bool.random(using: &random) ? [1_500] : [1_000, 300] {
                    // The random moment, which is what is tested.
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...limit, using: &random)))
                    stage.killService()
                    try await stage.start()
                }
                let what = Comment(rawValue: "round \(round) of seed \(seed)")
                if isGood {
                    try await stage.waitForHealthy(revision)
                    good = revision
                } else {
                    #expect(try await stage.waitForHeld(revision).reason == "ImagePullBackOff", what)
                }
                #expect(try await stage.rollout().revision == good, what)
                let active = try await stage.pods().filter { $0.metadata.deletionTimestamp == nil }
                #expect(active.count == 2, what)
                #expect(active.allSatisfy { $0.spec.containers.first?.image == "martlet.dev/echo" }, what)
                try await stage.eventually("pods that ended leave no process (round \(round) of seed \(seed))") {
                    stage.processes().count == 4
                }
                #expect(try await stage.pods().count == 2, what)
                let folders = try FileManager.default.contentsOfDirectory(atPath: "\(stage.data)/pods")
                #expect(Set(folders) == Set(active.map(\.metadata.uid)), what)
            }
        }
    }

    @Test("while syncing, while baking and while rolling back: the verdict goes on from there")
    func phases() async throws {
        try await Stage.with { stage in
            let recreate = { (image: String) in
                Manifests.deployment(["--ready-after", "1500ms", "--drain", "0s"], replicas: 1)
                    .replacing("martlet.dev/echo", with: image)
                    .replacing(
                        "    rollingUpdate:\n      maxSurge: 1\n      maxUnavailable: 0\n", with: "    type: Recreate\n"
                    )
            }
            func restart(after what: String, _ condition: (RolloutStatus) -> Bool) async throws {
                try await stage.eventually(what) { condition(try await stage.rollout()) }
                stage.killService()
                try await stage.launch([])
            }
            // Syncing: an object of this name belongs to another application, so that the sync is tried again and
            // again.
            let obstacle = ConfigMap.key("obstacle", in: "web")
            try await stage.launch([])
            try await stage.apply("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: web\n", in: "")
            try await stage.apply(
                Manifests.configMap("obstacle", "mine").replacing(
                    "  name: obstacle",
                    with: """
                          name: obstacle
                          annotations:
                            argocd.argoproj.io/tracking-id: other:/ConfigMap:web/obstacle
                        """), in: "web")
            try stage.write("web/obstacle.yaml", Manifests.configMap("obstacle", "one"))
            try stage.write("web/deployment.yaml", recreate("martlet.dev/echo"))
            let good = try stage.push("one pod")
            try await stage.follow("web", bakeTime: "2s")
            try await restart(after: "the sync is tried") { $0.phase == "Judging" && $0.attempts ?? 0 > 0 }
            #expect(try await stage.value(of: "obstacle", in: "web") == "mine")
            #expect(try await stage.pods(in: "web").isEmpty, "an obstacle keeps the whole commit back")
            _ = try await stage.connected().delete(obstacle, options: DeleteOptions())

            try await restart(after: "the commit bakes") { $0.phase == "Judging" && $0.healthySince != nil }
            let baked = try await stage.pods(in: "web").map(\.metadata.uid)
            try await stage.waitForHealthy(good)
            #expect(try await stage.pods(in: "web").map(\.metadata.uid) == baked)
            #expect(try await stage.value(of: "obstacle", in: "web") == "one")

            try stage.write("web/deployment.yaml", recreate("nowhere.invalid/web:1"))
            let bad = try stage.push("no such image")
            try await restart(after: "the commit is rolled back") { $0.phase == "RollingBack" }
            let held = try await stage.waitForHeld(bad)
            #expect(held.reason == "ImagePullBackOff")
            #expect(held.rolledBackTo == good)
            let end = try await stage.rollout()
            #expect(end.phase == "RolledBack" && end.revision == good, "\(end.phase ?? "")")
            let active = try await stage.pods(in: "web").filter { $0.metadata.deletionTimestamp == nil }
            #expect(active.map { $0.spec.containers.first?.image } == ["martlet.dev/echo"])
            try await stage.waitForEvent("Normal RolledBack: returned to revision", in: "martlet")
        }
    }
}
