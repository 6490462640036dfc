import ArgumentParser
import Kinds
import Model
import Reconciler

struct Render: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the manifests of a folder or repository, as they would be applied.",
        usage: "martlet render [<options>] [<location>]",
        discussion: "Exit codes: 0 rendered, 2 an error; all faults are listed.")

    @OptionGroup var manifests: ManifestOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("Print as json or yaml.", valueName: "format"))
    var output = OutputFormat.yaml
    @Flag(help: "Print the values of Secrets instead of asterisks.")
    var showSecrets = false

    func run() async throws {
        let state = try await ManifestLoader().load(
            manifests, namespace: manifests.namespace ?? "default", revision: manifests.revision)
        try state.requireSound()
        let objects = state.objects.map { showSecrets ? $0.object.json : SecretMask.masked($0.object.json) }
        switch output {
        case .yaml: print(YAML.text(documents: objects), terminator: "")
        case .json: print(output.text(["apiVersion": "v1", "kind": "List", "items": .array(objects)]))
        }
    }
}

extension DesiredState {
    /// - Throws: all faults, one a line, when there are any.
    func requireSound() throws {
        if !faults.isEmpty { throw CommandError(faults.joined(separator: "\n")) }
    }
}
