import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

/// `martlet rollout …`: what kubectl's verb of that name does, for Deployments.
struct RolloutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout", _superCommandName: "martlet", abstract: "Follow and steer a Deployment's rollout.",
        subcommands: [
            RolloutStatusCommand.self, RolloutHistory.self, RolloutUndo.self, RolloutRestart.self, RolloutPause.self,
            RolloutResume.self,
        ])
}

struct DeploymentOptions: ParsableArguments {
    @Argument(help: "The Deployment's name, with or without 'deployment/' before it.")
    var target: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The namespace.", valueName: "namespace"))
    var namespace = "default"

    @OptionGroup var connection: Connection

    /// - Throws: when another kind is named.
    func name() throws -> String {
        let parts = target.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return target }
        let type = try ResourceArgument.type(parts[0], among: Catalog.builtIn.types)
        guard type.kind == Deployment.kind else {
            throw CommandError("only Deployments have rollouts, not \(type.plural); write deployment/NAME")
        }
        return parts[1]
    }

    func key() throws -> ObjectKey { Deployment.key(try name(), in: namespace) }

    func get(_ cluster: any Cluster) async throws -> Deployment {
        let type = try ResourceArgument.type("deployments", among: Catalog.builtIn.types)
        let selection = ResourceArgument.Selection(type: type, names: [try name()])
        let (found, missing) = try await ResourceArgument.objects(selection, namespace: namespace, cluster)
        guard let object = found.first else { throw CommandError(missing.joined(separator: "\n")) }
        return object.view()
    }

    func patch(_ patch: Patch, _ cluster: any Cluster) async throws {
        _ = try await cluster.patch(
            key(), patch, subresource: nil, options: WriteOptions(fieldManager: "martlet-cli"))
    }

    /// The ReplicaSets that the Deployment controls, oldest revision first.
    func replicaSets(of deployment: Deployment, _ cluster: any Cluster) async throws -> [ReplicaSet] {
        try await cluster.list(ListQuery(ReplicaSet.kind.groupKind, namespace: namespace)).items
            .map { $0.view(as: ReplicaSet.self) }
            .filter { $0.metadata.controller?.uid == deployment.metadata.uid }
            .sorted { $0.rolloutRevision < $1.rolloutRevision }
    }
}

extension KubernetesObject {
    var rolloutRevision: Int { Int(metadata.annotations["deployment.kubernetes.io/revision"] ?? "") ?? 0 }
}

/// A25: the lines and the verdict of `rollout status`.
struct RolloutStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Follow a rollout to its end.",
        usage: "martlet rollout status [<options>] <target>",
        discussion: "Exit codes: 0 rolled out, 1 exceeded its progress deadline, 2 an error.")

    @OptionGroup var options: DeploymentOptions
    @Flag(inversion: .prefixedNo, help: "Wait for the end.")
    var watch = true

    func run() async throws {
        let cluster = try options.connection.connect()
        let name = try options.name()
        let query = ListQuery(
            Deployment.kind.groupKind, namespace: options.namespace,
            fields: FieldSelector([FieldSelector.Requirement(path: "metadata.name", value: name)]))
        _ = try await options.get(cluster)
        var said = ""
        while true {
            for try await event in try await cluster.watch(query, from: nil) {
                let object: Object
                switch event {
                case .added(let found), .modified(let found): object = found
                case .deleted: throw CommandError("deployment \"\(name)\" was deleted")
                case .bookmark: continue
                }
                let (line, isDone) = try Self.line(object.view())
                if line != said { print(line) }
                said = line
                if isDone { try await explain(object, cluster) }
                if isDone || !watch { return }
            }
            // The connection ended, not the rollout.
        }
    }

    /// What rolled out may be what an Application returned to, and not what somebody pushed.
    private func explain(_ deployment: Object, _ cluster: any Cluster) async throws {
        guard let owner = Tracking.owner(of: deployment) else { return }
        let byName = FieldSelector([FieldSelector.Requirement(path: "metadata.name", value: owner)])
        let found: [Object]
        do {
            found = try await cluster.list(ListQuery(Application.kind.groupKind, fields: byName)).items
        } catch {
            // A cluster that does not know the kind has none.
            guard error.reason == .notFound else { throw error }
            return
        }
        for application in found.map({ $0.view(as: Application.self) }) {
            guard let from = application.status.rollout?.rolledBackFrom else { continue }
            printError(
                "note: Application \(owner) was rolled back from \(PinnedRevision.short(from)), which is held; "
                    + "'martlet app get \(owner)' says why")
        }
    }

    static func line(_ deployment: Deployment) throws -> (text: String, isDone: Bool) {
        let (name, status) = (deployment.metadata.name, deployment.status)
        if deployment.metadata.generation ?? 0 > status.observedGeneration ?? 0 {
            return ("Waiting for deployment spec update to be observed...", false)
        }
        if status.conditions.contains(where: { $0.type == "Progressing" && $0.reason == "ProgressDeadlineExceeded" }) {
            printError("error: deployment \"\(name)\" exceeded its progress deadline")
            throw ExitCode(1)
        }
        let waiting = "Waiting for deployment \"\(name)\" rollout to finish: "
        let (desired, updated) = (deployment.spec.replicas ?? 1, status.updatedReplicas ?? 0)
        let (replicas, available) = (status.replicas ?? 0, status.availableReplicas ?? 0)
        if updated < desired {
            return ("\(waiting)\(updated) out of \(desired) new replicas have been updated...", false)
        }
        if replicas > updated {
            return ("\(waiting)\(replicas - updated) old replicas are pending termination...", false)
        }
        if available < updated {
            return ("\(waiting)\(available) of \(updated) updated replicas are available...", false)
        }
        return ("deployment \"\(name)\" successfully rolled out", true)
    }
}

/// A24.
struct RolloutHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "List a Deployment's revisions.",
        usage: "martlet rollout history [<options>] <target>",
        discussion: "Exit codes: 0 listed, 2 an error.")

    @OptionGroup var options: DeploymentOptions
    @Option(help: ArgumentHelp("Show this revision's pod template.", valueName: "number"))
    var revision: Int?
    @Option(name: .shortAndLong, help: ArgumentHelp("Print as json or yaml.", valueName: "format"))
    var output: OutputFormat?

    func run() async throws {
        let cluster = try options.connection.connect()
        let sets = try await options.replicaSets(of: options.get(cluster), cluster)
        if let revision {
            guard let set = sets.first(where: { $0.rolloutRevision == revision }) else {
                let known = sets.map { String($0.rolloutRevision) }.joined(separator: ", ")
                throw CommandError("unable to find the specified revision \(revision); there are: \(known)")
            }
            print((output ?? .yaml).text(output == nil ? set.spec.template.json : set.json))
            return
        }
        if let output {
            print(output.text(["apiVersion": "v1", "kind": "List", "items": .array(sets.map(\.json))]))
            return
        }
        let rows = sets.map {
            [String($0.rolloutRevision), $0.metadata.annotations["kubernetes.io/change-cause"] ?? "<none>"]
        }
        print("deployment.apps/\(try options.name())")
        print(Columns.text(["REVISION", "CHANGE-CAUSE"], rows))
    }
}
