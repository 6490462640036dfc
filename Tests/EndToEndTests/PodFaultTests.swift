import Cluster
import FoundationEssentials
import Kinds
import Model
import TestServers
import Testing

/// Pods that misbehave: each ends or is bounded as Kubernetes would have it, and the others do not notice.
@Suite("Pods that misbehave", .serialized, .blocking)
struct PodFaultTests {
    /// A Deployment of one pod that runs a shell script.
    private static func script(_ script: String, grace: Int = 1) -> String {
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 1
          selector:
            matchLabels:
              app: web
          template:
            metadata:
              labels:
                app: web
            spec:
              terminationGracePeriodSeconds: \(grace)
              containers:
                - name: web
                  image: any
                  command: [sh, -c, \(JSON.string(script).text())]
        """
    }

    /// A Deployment of one pod with a variable from a ConfigMap or Secret that is not there.
    private static func referring(to kind: String) -> String {
        Manifests.deployment(
            [], replicas: 1,
            extra: """
                          env:
                            - name: VALUE
                              valueFrom:
                                \(kind)KeyRef:
                                  name: absent
                                  key: value
                """)
    }

    /// A number that no other process of this machine has in its command line.
    private static func mark() -> Int { Int.random(in: 1_000_000_000..<2_000_000_000) }

    // One service for all of them: what certainly fails is certain only after ten seconds each.
    @Test("one ignores SIGTERM, one forks daemons, one floods its log, one exits at once, two miss what they refer to")
    func misbehave() async throws {
        try await Stage.with { stage in
            let (stubborn, forks, flood) = (Self.mark(), Self.mark(), Self.mark())
            try stage.write(
                "stubborn/web.yaml", Self.script("trap '' TERM; while :; do sleep 0.1; done; # \(stubborn)", grace: 2))
            try stage.write(
                "forks/web.yaml",
                Self.script(
                    "setsid sleep \(forks) & (setsid sh -c 'sleep \(forks) & sleep \(forks)' &) ; "
                        + "(env -i setsid sleep \(forks) &) ; exec sleep \(forks)"))
            try stage.write(
                "flood/web.yaml",
                Self.script(
                    "yes \(String(repeating: "0123456789", count: 20)) | head -c 100000000; echo; echo the end; "
                        + "exec sleep \(flood)"))
            try stage.write("exits/web.yaml", Self.script("exec sleep 1000"))
            try stage.write("map/web.yaml", Self.referring(to: "configMap"))
            try stage.write("secret/web.yaml", Self.referring(to: "secret"))
            for name in ["stubborn", "forks"] {
                try stage.write("\(name)/marker.yaml", Manifests.configMap("marker", "one"))
            }
            let first = try stage.push("they run")
            try await stage.launch([])
            let names = ["stubborn", "forks", "flood", "exits"]
            for name in names + ["map", "secret"] { try await stage.follow(name) }
            for name in names { try await stage.waitForHealthy(first, name) }
            try await missing(stage, at: first)
            try await stage.eventually("it has forked") { stage.processes(running: "sleep \(forks)").count >= 5 }

            try stage.write("exits/web.yaml", Self.script("echo last words >&2; exit 3"))
            for name in ["stubborn", "forks"] { try stage.git("rm", "-q", "\(name)/web.yaml") }
            let clock = ContinuousClock()
            let start = clock.now
            let second = try stage.push("they are to go")
            for name in ["stubborn", "forks"] { try await stage.waitForHealthy(second, name) }
            try await stage.eventually("a pod goes with all that it forked") {
                stage.processes(running: String(forks)).isEmpty
            }
            try await stage.eventually("SIGKILL follows SIGTERM") {
                stage.processes(running: String(stubborn)).isEmpty
            }
            let took = clock.now - start
            #expect(took >= .seconds(2) && took < .seconds(25), "\(took) with a grace of 2 s")
            try await stage.waitForEvent("Normal Killing: Stopping container web", in: "stubborn")
            try await stage.eventually("the pods are gone") {
                let stubborn = try await stage.pods(in: "stubborn")
                let forks = try await stage.pods(in: "forks")
                return stubborn.isEmpty && forks.isEmpty
            }

            try await flooded(stage)
            try await crashLoop(stage, good: first, bad: second)
            try await missed(stage, at: second)
        }
    }

    /// Whether pods that miss their configuration say so in Kubernetes' words, and start when it comes.
    private func missing(_ stage: Stage, at revision: String) async throws {
        for (name, message) in [("map", "configmap \"absent\" not found"), ("secret", "secret \"absent\" not found")] {
            try await stage.eventually("\(name) waits for its configuration") {
                let waiting = try await stage.pods(in: name).first?.status.containerStatuses.first?.state.waiting
                return waiting?.reason == "CreateContainerConfigError" && waiting?.message == message
            }
            try await stage.waitForEvent("Warning Failed: Error: \(message)", in: name)
        }
        // Before the verdict is certain.
        try await stage.apply(Manifests.configMap("absent", "one"), in: "map")
        try await stage.waitForHealthy(revision, "map")
    }

    /// Whether a pod that missed its Secret for long is judged, and taken back when the Secret comes.
    private func missed(_ stage: Stage, at revision: String) async throws {
        let held = try await stage.waitForHeld(revision, "secret")
        #expect(held.reason == "CreateContainerConfigError")
        #expect(held.message?.contains("secret \"absent\" not found") == true, "\(held.message ?? "")")
        try await stage.apply(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: absent\nstringData:\n  value: hidden\n", in: "secret")
        try await stage.eventually("what recovers by itself is taken back") {
            let rollout = try await stage.rollout("secret")
            return rollout.phase == "Healthy" && rollout.revision == revision && rollout.held.isEmpty
        }
        #expect(!stage.log.contains("hidden"))
    }

    /// Whether the log of the flood is bounded, and its end is there.
    private func flooded(_ stage: Stage) async throws {
        let pod = try #require(try await stage.pods(in: "flood").first)
        try await stage.eventually("the flood is over") {
            let result = try stage.martlet("logs", pod.metadata.name, "-n", "flood", "--tail", "1")
            return result.code == 0 && result.output.hasSuffix("the end\n")
        }
        let folder = "\(stage.data)/pods/\(pod.metadata.uid)/logs/web"
        var sizes: [Int] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            sizes.append(try FileManager.default.attributesOfItem(atPath: "\(folder)/\(file)")[.size] as? Int ?? 0)
        }
        // The kubelet's bounds: five files of 10 MiB; a line may stand across the limit of each.
        #expect(sizes.count == 5, "\(sizes)")
        #expect(sizes.allSatisfy { $0 <= 10 << 20 + 64 << 10 }, "\(sizes)")
    }

    /// Whether a pod that exits at once is restarted ever more slowly, judged, and rolled back.
    private func crashLoop(_ stage: Stage, good: String, bad: String) async throws {
        let held = try await stage.waitForHeld(bad, "exits")
        #expect(held.reason == "CrashLoopBackOff")
        #expect(held.message?.contains("crashed 3 times, last with exit code 3") == true, "\(held.message ?? "")")
        try await stage.waitForEvent(
            "Warning BackOff: Back-off restarting failed container web in pod web-", in: "exits")
        try await stage.eventually("the last healthy commit is back") {
            let rollout = try await stage.rollout("exits")
            return rollout.phase == "RolledBack" && rollout.revision == good
        }
        let pods = try await stage.pods(in: "exits").filter { $0.metadata.deletionTimestamp == nil }
        #expect(pods.count == 1)
        #expect(pods.first?.status.containerStatuses.first?.restartCount == 0)
    }
}
