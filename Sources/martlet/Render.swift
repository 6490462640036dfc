import ArgumentParser
import Kinds
import Model
import Reconciler
import Rendering
import Validation

struct Render: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render", _superCommandName: "martlet",
        abstract: "Print the manifests of a folder or repository, as they would be applied.",
        usage: "martlet render [<options>] [<location>]",
        discussion: """
            A directory with a kustomization is built as 'kubectl kustomize' builds it, with --recurse each one that \
            no other builds on; bases in other repositories are fetched. -n says where objects go that name no \
            namespace.

            Exit codes: 0 rendered, 2 an error; all faults are listed.
            """)

    @OptionGroup var manifests: ManifestOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("Print as json or yaml.", valueName: "format"))
    var output = OutputFormat.yaml
    @Flag(help: "Print the values of Secrets instead of asterisks.")
    var showSecrets = false

    func run() async throws {
        if let built = try await built() { return show(built) }
        let state = try await ManifestLoader().load(
            manifests, namespace: manifests.namespace ?? "default", revision: manifests.revision)
        try state.requireSound()
        show(state.objects.map(\.object))
    }

    private func show(_ objects: [Object]) {
        let objects = objects.map { showSecrets ? $0.json : SecretMask.masked($0.json) }
        switch output {
        case .yaml: print(YAML.text(documents: objects), terminator: "")
        case .json: print(output.text(["apiVersion": "v1", "kind": "List", "items": .array(objects)]))
        }
    }

    /// What a directory with a kustomization builds, in its order and of whatever kinds; `nil` for other folders.
    private func built() async throws -> [Object]? {
        guard let local = try manifests.local() else { return nil }
        let options = RenderingOptions(path: local.path, namespace: manifests.namespace ?? "")
        let tree = try local.tree(at: manifests.revision)
        let renderer = Renderer(kustomizer: local.kustomizer)
        // Which kinds have namespaces matters only for giving them one.
        let kinds = manifests.namespace == nil ? KnownKinds(version: -2) { _ in true } : .any
        let parts = try await ManifestLoader().fetchingBases { remotes in
            manifests.recurse
                ? try renderer.renderRepository(tree, options, kinds: kinds, remotes: remotes)
                : [try renderer.render(tree, options, kinds: kinds, remotes: remotes)]
        }
        guard parts.contains(where: { $0.builtPath != nil }) else { return nil }
        // The same object in two overlays is no fault.
        let faults = parts.flatMap(\.errors).filter { $0.reason != .duplicate }
        if !faults.isEmpty { throw CommandError(faults.map(\.description).joined(separator: "\n")) }
        return parts.flatMap(\.allManifests).map(\.object)
    }
}

extension DesiredState {
    /// - Parameter revision: told with the faults, where they could be of one or another.
    /// - Throws: all faults, one a line, when there are any.
    func requireSound(at revision: String? = nil) throws {
        if !faults.isEmpty { throw CommandError(faults: faults, at: revision) }
    }
}
