import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

/// A23.
struct RolloutUndo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Go back to an earlier revision.",
        usage: "martlet rollout undo [<options>] <target>",
        discussion: "Exit codes: 0 gone back, 2 an error.")

    @OptionGroup var options: DeploymentOptions
    @Option(help: ArgumentHelp("Which one (default: the one before the present).", valueName: "number"))
    var toRevision: Int?
    @Flag(help: "Only show what would change.")
    var dryRun = false

    func run() async throws {
        let cluster = try options.connection.connect()
        let deployment = try await options.get(cluster)
        let name = deployment.metadata.name
        if deployment.spec.paused == true {
            throw CommandError(
                "you cannot rollback a paused deployment; resume it first with 'martlet rollout resume \(name)' and try again"
            )
        }
        let sets = try await options.replicaSets(of: deployment, cluster)
        // As with kubectl, 0 asks for no certain one.
        let wanted = toRevision == 0 ? nil : toRevision
        let target = wanted.map { number in sets.first { $0.rolloutRevision == number } } ?? sets.dropLast().last
        guard let target else {
            throw CommandError(
                wanted.map { number in
                    "unable to find specified revision \(number) in history; there are: "
                        + sets.map { String($0.rolloutRevision) }.joined(separator: ", ")
                } ?? "no rollout history found for deployment \"\(name)\"")
        }
        var template = target.spec.template
        template.metadata.labels["pod-template-hash"] = nil
        if template.json == deployment.spec.template.json {
            print(
                "deployment.apps/\(name) skipped rollback (current template already matches revision \(target.rolloutRevision))"
            )
            return
        }
        let revision = target.rolloutRevision
        if dryRun {
            let (old, new) = (YAML.text(deployment.spec.template.json), YAML.text(template.json))
            print("deployment.apps/\(name) would go back to revision \(revision) (dry run)")
            print(TextDiff(from: old, to: new).text(from: "present", to: "revision \(revision)"), terminator: "")
            return
        }
        try await options.patch(.json([["op": "replace", "path": "/spec/template", "value": template.json]]), cluster)
        print("deployment.apps/\(name) rolled back to revision \(revision)")
        if let owner = Tracking.owner(of: Object(viewing: deployment.json)) {
            printError(
                "note: Application \(owner) keeps this Deployment as Git says and may undo this; to go back for good, "
                    + "use 'martlet app rollback \(owner)'")
        }
    }
}

/// A24.
struct RolloutRestart: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Replace all pods by new ones.",
        usage: "martlet rollout restart [<options>] <target>",
        discussion: "Exit codes: 0 restarted, 2 an error.")

    @OptionGroup var options: DeploymentOptions

    func run() async throws {
        let cluster = try options.connection.connect()
        let deployment = try await options.get(cluster)
        if deployment.spec.paused == true {
            throw CommandError("can't restart paused deployment (run rollout resume first)")
        }
        let annotation: JSON = ["kubectl.kubernetes.io/restartedAt": .string(SystemClock().now.description)]
        let patch: JSON = ["spec": ["template": ["metadata": ["annotations": annotation]]]]
        try await options.patch(.merge(patch), cluster)
        print("deployment.apps/\(deployment.metadata.name) restarted")
    }
}

struct RolloutPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stop rolling out changes.",
        usage: "martlet rollout pause [<options>] <target>",
        discussion: "Exit codes: 0 paused, 2 an error.")

    @OptionGroup var options: DeploymentOptions

    func run() async throws {
        let cluster = try options.connection.connect()
        if try await options.get(cluster).spec.paused == true {
            throw CommandError("deployment \"\(try options.name())\" is already paused")
        }
        try await options.patch(.merge(["spec": ["paused": true]]), cluster)
        print("deployment.apps/\(try options.name()) paused")
    }
}

struct RolloutResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Roll out changes again.",
        usage: "martlet rollout resume [<options>] <target>",
        discussion: "Exit codes: 0 resumed, 2 an error.")

    @OptionGroup var options: DeploymentOptions

    func run() async throws {
        let cluster = try options.connection.connect()
        if try await options.get(cluster).spec.paused != true {
            throw CommandError("deployment \"\(try options.name())\" is not paused")
        }
        try await options.patch(.merge(["spec": ["paused": .null]]), cluster)
        print("deployment.apps/\(try options.name()) resumed")
    }
}
