import ArgumentParser
import Model
import Reconciler

struct Validate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check manifests without a running service: syntax, fields, types and Kubernetes' own rules.",
        usage: "martlet validate [<options>] [<location>]",
        discussion: "Exit codes: 0 all is well, 1 something is wrong with a manifest, 2 it could not be checked.")

    @OptionGroup var manifests: ManifestOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("Print as json or yaml.", valueName: "format"))
    var output: OutputFormat?

    func run() async throws {
        let state = try await ManifestLoader().load(
            manifests, namespace: manifests.namespace ?? "default", revision: manifests.revision)
        let faults = state.faults + state.objects.flatMap(OfflineValidation(state.objects).faults)
        if let output {
            print(
                output.text(["objects": .int(Int64(state.objects.count)), "faults": .array(faults.map { .string($0) })])
            )
        } else {
            for fault in faults { print(fault) }
            if faults.isEmpty {
                let count = state.objects.count
                print(count == 1 ? "1 object is valid" : "\(count) objects are valid")
            }
        }
        if !faults.isEmpty { throw ExitCode(1) }
    }
}
