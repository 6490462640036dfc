import ArgumentParser
import Cluster
import FoundationEssentials
import Kinds
import Model

/// `martlet demo`: the whole story on this machine, every step checked.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", _superCommandName: "martlet",
        abstract: "Play the story of a good commit, a bad one, drift and a crash, in a temporary directory.",
        discussion: "Exit codes: 0 when every step came true, 2 when one did not.")

    @Option(help: ArgumentHelp("The folder that holds the examples.", valueName: "dir"))
    var examples = "examples-repo"

    @Flag(help: "Leave the service running and say how to talk to it.")
    var keep = false

    func run() async throws {
        let stage = try DemoStage(examples: examples)
        do {
            try await play(on: stage)
        } catch {
            stage.say("\nThe demo stopped: \(error)")
            stage.showLog()
            await stage.close()
            throw ExitCode(2)
        }
        if keep {
            stage.explainHowToContinue()
        } else {
            await stage.close()
            stage.say("Everything came true. Nothing is left running or on disk.")
        }
    }

    private func play(on stage: DemoStage) async throws {
        try await firstSync(stage)
        try await diff(stage)
        try await goodCommit(stage)
        try await badCommit(stage)
        try await fix(stage)
        try await drift(stage)
        try await prune(stage)
        try await crash(stage)
    }

    // MARK: - The steps

    private func firstSync(_ stage: DemoStage) async throws {
        stage.step(1, "A Git repository, and a service that follows it")
        try stage.makeRepository()
        try await stage.startService()
        stage.say("martlet serve is ready; it follows \(stage.remote)")
        stage.step(2, "The first sync")
        try await stage.waitForHealthy(try stage.head())
        let pods = try await stage.pods()
        try stage.expect(pods.count == 3 && pods.allSatisfy(\.isReady), "three replicas of web are ready")
        let answer = try await stage.get()
        try stage.expect(answer.contains("v1"), "the Service answers: \(answer)")
    }

    private func diff(_ stage: DemoStage) async throws {
        stage.step(3, "A dry run: what would an edit change?")
        try stage.edit("web/deployment.yaml", "\"v1\"", "\"v2\"")
        let result = try stage.martlet(["diff", "web", "--app", "web", "--color", "never"])
        for line in result.output.split(separator: "\n") { stage.say("    \(line)") }
        try stage.expect(result.code == 1, "martlet diff exits 1")
        let changes = result.output.split(separator: "\n").filter {
            ($0.hasPrefix("+") && !$0.hasPrefix("+++")) || ($0.hasPrefix("-") && !$0.hasPrefix("---"))
        }
        try stage.expect(
            changes.count == 2 && changes[0].contains("v1") && changes[1].contains("v2"), "it shows exactly that edit")
    }

    private func goodCommit(_ stage: DemoStage) async throws {
        stage.step(4, "A good commit, under load")
        let revision = try stage.push("web: version 2")
        let report = try await stage.underLoad { try await stage.waitForHealthy(revision) }
        try stage.expect(report.failures == 0, "\(report.requests) requests through the Service, none failed")
        try stage.expect(try await stage.get().contains("v2"), "the new version answers")
    }

    private func badCommit(_ stage: DemoStage) async throws {
        stage.step(5, "A bad commit: the new version never becomes ready")
        let good = try stage.head()
        try stage.edit("web/deployment.yaml", "\"v2\"]", "\"v3\", \"--ready\", \"false\"]")
        try stage.edit("web/configmap.yaml", "hello from Git", "hello from a bad commit")
        let bad = try stage.push("web: version 3, which is broken")
        let started = ContinuousClock().now
        let report = try await stage.underLoad {
            try await stage.wait("the rollback", seconds: 90) {
                let rollout = try await stage.application().status.rollout
                return rollout?.phase == "RolledBack" && rollout?.revision == good
            }
        }
        let took = started.duration(to: ContinuousClock().now)
        stage.say("judged and rolled back after \(took.components.seconds) s; the progress deadline is 600 s")
        try stage.expect(report.failures == 0, "\(report.requests) requests through the Service, none failed")
        let held = try await stage.application().status.rollout?.held.first { $0.revision == bad }
        try stage.expect(held != nil, "commit \(bad.prefix(12)) is held: \(held?.reason ?? "")")
        stage.say("    \(held?.message ?? "")")
        try stage.expect(try await stage.get().contains("v2"), "version 2 answers")
        let greeting = try await stage.configuration()
        try stage.expect(greeting == "hello from Git", "configuration went back together with the code")
    }

    private func fix(_ stage: DemoStage) async throws {
        stage.step(6, "The fix")
        try stage.edit("web/deployment.yaml", "\"v3\", \"--ready\", \"false\"]", "\"v4\"]")
        let revision = try stage.push("web: version 4, which works")
        let report = try await stage.underLoad { try await stage.waitForHealthy(revision) }
        try stage.expect(report.failures == 0, "\(report.requests) requests through the Service, none failed")
        try stage.expect(try await stage.get().contains("v4"), "version 4 answers")
    }

    private func drift(_ stage: DemoStage) async throws {
        stage.step(7, "Somebody edits the live object by hand")
        try await stage.suspend(true)
        try await stage.patchDeployment(["spec": ["replicas": 5]])
        let result = try stage.martlet(["diff", "--app", "web", "--color", "never"])
        for line in result.output.split(separator: "\n") { stage.say("    \(line)") }
        try stage.expect(result.code == 1 && result.output.contains("replicas"), "martlet diff shows the drift")
        try await stage.suspend(false)
        try await stage.wait("three replicas again", seconds: 60) {
            let deployment = try await stage.deployment()
            let pods = try await stage.pods()
            return deployment.spec.replicas == 3 && pods.count == 3
        }
        try stage.expect(true, "the drift is healed: three replicas again")
    }

    private func prune(_ stage: DemoStage) async throws {
        stage.step(8, "A manifest is deleted")
        try stage.expect(try await stage.exists(ConfigMap.key("feature-flags", in: "default")), "feature-flags exists")
        try stage.git(["rm", "-q", "web/extra.yaml"])
        let revision = try stage.push("web: feature flags are gone")
        try await stage.waitForHealthy(revision)
        let exists = try await stage.exists(ConfigMap.key("feature-flags", in: "default"))
        try stage.expect(!exists, "feature-flags is pruned")
    }

    private func crash(_ stage: DemoStage) async throws {
        stage.step(9, "kill -9 in the middle of a rolling update")
        try stage.edit("web/deployment.yaml", "\"v4\"]", "\"v5\"]")
        let revision = try stage.push("web: version 5")
        try await stage.wait("the rolling update to be halfway", seconds: 30) {
            let status = try await stage.deployment().status
            return (1...2).contains(status.updatedReplicas ?? 0) && status.replicas ?? 0 > status.updatedReplicas ?? 0
        }
        stage.freezeService()
        let before = stage.processes()
        stage.killService()
        // A pod that was told to end just before may end; the three that must be available may not.
        let running = stage.processes().intersection(before)
        try stage.expect(running.count >= 6, "killed; the pods' \(running.count) processes run on")
        try await stage.startService()
        try await stage.waitForHealthy(revision)
        try stage.expect(try await stage.get().contains("v5"), "version 5 answers")
        try await stage.wait("old processes to be gone", seconds: 30) { stage.processes().count == 6 }
        let pods = try await stage.pods()
        try stage.expect(
            pods.count == 3 && pods.allSatisfy(\.isReady),
            "three pods, three containers and their supervisors: none leaked, none doubled")
    }
}

extension Pod {
    fileprivate var isReady: Bool { status.conditions.contains { $0.type == "Ready" && $0.status == "True" } }
}
