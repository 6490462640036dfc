import GitSource
import Kinds
import Kustomize
import Model
import TestTrees
import Testing

@testable import Rendering

@Suite("A path with a kustomization")
struct KustomizeRenderingTests {
    private static let files = [
        "app/overlay/kustomization.yaml": """
        namePrefix: p-
        resources: [../base]
        configMapGenerator: [{name: generated, literals: [a=1]}]

        """,
        "app/base/kustomization.yaml": "resources: [a.yaml]\n",
        "app/base/a.yaml": "# a comment\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n",
        "other.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n",
    ]
    private let options = RenderingOptions(path: "app/overlay", namespace: "there")

    @Test("is built, each object with its namespace and the place of the file that it came from")
    func built() throws {
        let manifests = try Renderer().render(MemoryTree(Self.files), options)
        #expect(manifests.errors.isEmpty)
        let shown = manifests.manifests.map { "\($0.key) \($0.source.file):\($0.source.mark)" }
        #expect(
            shown.sorted() == [
                "ConfigMap there/p-a app/base/a.yaml:2:1",
                "ConfigMap there/p-generated-\(hash(manifests)) app/overlay/kustomization.yaml:3:22",
            ])
    }

    /// The end of the generated name.
    private func hash(_ manifests: Manifests) -> Substring {
        manifests.manifests.map(\.key.name).filter { $0.hasPrefix("p-generated-") }.first?.suffix(10) ?? ""
    }

    @Test("is looked for without names to suggest being looked for")
    func noSuggestions() throws {
        let tree = WatchedTree(SilentTree())
        #expect(try tree.locationIfPresent(of: "kustomization.yaml") == nil)
        #expect(throws: GitError.self) { try tree.location(of: "kustomization.yaml") }
    }

    /// Has nothing, and is at a loss when asked for it by who needs it.
    private struct SilentTree: FileTree {
        var label: String { "nothing" }

        func files(under path: String, recursive: Bool) throws(GitError) -> FileListing { FileListing() }
        func location(of path: String) throws(GitError) -> TreeLocation {
            throw GitError(.damaged, "asked for \(path)")
        }
        func locationIfPresent(of path: String) throws(GitError) -> TreeLocation? { nil }
        func content(of file: FileEntry, limit: Int) throws(GitError) -> [UInt8] { [] }
    }

    @Test("that is wrong gives the fault with its place, and no objects")
    func faulty() throws {
        var files = Self.files
        files["app/overlay/kustomization.yaml"] = "namePrefix: p-\nresource: [../base]\n"
        let manifests = try Renderer().render(MemoryTree(files), options)
        #expect(manifests.manifests.isEmpty)
        #expect(
            manifests.errors.map(\.description) == [
                "app/overlay/kustomization.yaml:2:1: resource: there is no such field; did you mean resources?"
            ])
    }

    @Test("names the repository of a base that has to be fetched, and is built with its tree")
    func remote() throws {
        let text = "resources: [\"https://example.com/org/repo//base\"]\n"
        let tree = MemoryTree(["kustomization.yaml": text])
        let renderer = Renderer()
        let first = try renderer.render(tree, RenderingOptions())
        guard case .needs(let base) = first.form else {
            Issue.record("the base is not asked for")
            return
        }
        #expect(first.errors.count == 1)
        let brought = MemoryTree([
            "base/kustomization.yaml": "resources: [a.yaml]", "base/a.yaml": Self.files["other.yaml"] ?? "",
        ])
        let second = try renderer.render(tree, RenderingOptions(), remotes: [base: brought])
        #expect(second.errors.isEmpty)
        #expect(second.manifests.map(\.key.name) == ["other"])
    }

    @Test("is built again when a file that it read has changed, and only then")
    func incremental() async throws {
        let repository = TestRepository()
        let renderer = Renderer()
        var previous = try renderer.render(try await repository.commit(Self.files), options)
        let steps: [(files: [String: String], removed: [String], isBuilt: Bool)] = [
            (["other.yaml": "changed"], [], false),
            (["app/base/unused.yaml": "unused"], [], false),
            (["app/base/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n"], [], true),
            (["app/base/kustomization.yml": "resources: []\n"], [], true),
            ([:], ["app/base/kustomization.yml"], true),
            (["app/overlay/kustomization.yaml": "resources: [../base]\n"], [], true),
            ([:], ["app/overlay/kustomization.yaml"], true),
        ]
        for (number, step) in steps.enumerated() {
            let snapshot = try await repository.commit(
                step.files.merging(["keep/\(number)": ""]) { first, _ in first }, removing: step.removed)
            let anew = Result { try Renderer().render(snapshot, options) }
            guard case .success(let anew) = anew else { continue }
            let next = try renderer.render(snapshot, options, previous: previous)
            #expect(next.manifests == anew.manifests, "step \(number)")
            #expect(next.errors == anew.errors, "step \(number)")
            let isSame = next.keysChanged(since: previous).isEmpty && next.errors == previous.errors
            #expect(isSame != step.isBuilt, "step \(number)")
            previous = next
        }
    }

    @Test("gives an object another fingerprint when the overlay changes it, although its file is the same")
    func content() throws {
        var files = Self.files
        let before = try Renderer().render(MemoryTree(files), options)
        files["app/overlay/kustomization.yaml"]? += "commonLabels: {new: label}\n"
        let after = try Renderer().render(MemoryTree(files), options)
        let key = ConfigMap.key("p-a", in: "there")
        #expect(before[key]?.source == after[key]?.source)
        #expect(before[key]?.content != after[key]?.content)
    }
}
