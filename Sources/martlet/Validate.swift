import ArgumentParser
import Kinds
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
        let faults = state.faults + state.objects.flatMap(Self.faults)
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

    /// What is wrong with one object, each fault with the object's place in the repository.
    static func faults(_ desired: DesiredObject) -> [String] {
        guard let strategy = Catalog.builtIn.strategy(for: desired.object.kind) else {
            return ["\(desired.origin): \(desired.key): this kind is not known here"]
        }
        let decoding = strategy.decodingFaults(desired.object.json)
        if !decoding.isEmpty { return decoding.map { "\(desired.locate($0.path.description)): \(desired.key): \($0)" } }
        var object = strategy.defaulted(desired.object.json)
        // What an object gets when it is created; what is made of it, a Job's selector, is judged too.
        object[path: ["metadata", "uid"]] = "00000000-0000-0000-0000-000000000000"
        return strategy.validateCreate(strategy.prepareForCreate(object)).map {
            "\(desired.locate($0.path.description)): \(desired.key): \($0.message)"
        }
    }
}
