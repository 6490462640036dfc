import Cluster
import Kinds
import Model
import TestServers
import Testing

/// The main job, end to end. `make demo` plays it at leisure; these tests take its steps apart.
@Suite("From a commit to a healthy rollout, and back", .serialized, .blocking)
struct StoryTests {
    @Test("a commit rolls out, a crashing one is rolled back and held, and its fix is taken at once")
    func rollsBack() async throws {
        try await Stage.with { stage in
            try stage.write("web/deployment.yaml", Manifests.deployment(["--version-text", "v1"]))
            try stage.write("web/config.yaml", Manifests.configMap("web", "one"))
            let good = try stage.push("v1")
            try await stage.start()
            try await stage.waitForHealthy(good)
            #expect(try await stage.pods().count == 2)

            try stage.write(
                "web/deployment.yaml", Manifests.deployment(["--crash-after", "100ms", "--exit-code", "7"]))
            try stage.write("web/config.yaml", Manifests.configMap("web", "two"))
            let bad = try stage.push("it crashes")
            try await stage.eventually("the bad commit is rolled back") {
                let rollout = try await stage.rollout()
                return rollout.phase == "RolledBack" && rollout.revision == good
            }
            let held = try #require(try await stage.rollout().held.first)
            #expect(held.revision == bad)
            #expect(held.reason == "CrashLoopBackOff")
            #expect(held.message?.contains("exit code 7") == true)
            let config: ConfigMap = try await #require(stage.cluster).get(ConfigMap.key("web", in: "default")).view()
            #expect(config.data["value"] == "one", "configuration and code return together")

            try stage.write("web/deployment.yaml", Manifests.deployment(["--version-text", "v2"]))
            try await stage.waitForHealthy(try stage.push("fixed"))
        }
    }

    @Test("a malformed file refuses the commit with its place, and changes nothing")
    func malformed() async throws {
        try await Stage.with { stage in
            try stage.write("web/config.yaml", Manifests.configMap("web", "one"))
            let good = try stage.push("one")
            try await stage.start()
            try await stage.waitForHealthy(good)
            try stage.write("web/config.yaml", Manifests.configMap("web", "two"))
            try stage.write("web/broken.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: [")
            let bad = try stage.push("broken")
            try await stage.eventually("the broken commit is held") {
                try await stage.rollout().held.contains { $0.revision == bad }
            }
            let held = try #require(try await stage.rollout().held.first)
            #expect(
                held.message?.contains("web/broken.yaml:4:9: the '[' is never closed; add ']'") == true,
                "\(held.message ?? "")")
            let config: ConfigMap = try await #require(stage.cluster).get(ConfigMap.key("web", in: "default")).view()
            #expect(config.data["value"] == "one")
        }
    }

    @Test("drift is healed, and what Git no longer has is pruned; what Martlet did not create stays")
    func healsAndPrunes() async throws {
        try await Stage.with { stage in
            try stage.write("web/a.yaml", Manifests.configMap("a", "one"))
            try stage.write("web/b.yaml", Manifests.configMap("b", "one"))
            try await stage.start()
            try await stage.waitForHealthy(try stage.push("two config maps"))
            let cluster = try #require(stage.cluster)
            var other = ConfigMap(named: "other", in: "default")
            other.data = ["value": "mine"]
            _ = try await cluster.create(Object(viewing: other.json), options: WriteOptions(fieldManager: "me"))
            _ = try await cluster.patch(
                ConfigMap.key("a", in: "default"), .merge(["data": ["value": "changed by hand"]]), subresource: nil,
                options: WriteOptions(fieldManager: "me"))
            try await stage.eventually("the drift is healed") {
                let object: ConfigMap = try await cluster.get(ConfigMap.key("a", in: "default")).view()
                return object.data["value"] == "one"
            }
            try stage.git("rm", "-q", "web/b.yaml")
            try await stage.waitForHealthy(try stage.push("one config map"))
            #expect(try await stage.configMapNames(in: "default") == ["a", "other"])
        }
    }
}
