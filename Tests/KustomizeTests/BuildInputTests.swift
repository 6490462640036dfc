import GitSource
import Model
import Testing

@testable import Kustomize

@Suite("The inputs of a build")
struct BuildInputTests {
    private static let files = KustomizeCase(
        name: "inputs",
        text: """
            == overlay/kustomization.yaml
            resources: [../base]
            configMapGenerator: [{name: c, files: [f.txt]}]
            == overlay/f.txt
            text
            == base/kustomization.yaml
            resources: [a.yaml]
            == base/a.yaml
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: a}
            == base/unused.yaml
            unused

            """
    ).files

    private func file(_ path: String, _ text: String) -> KustomizeCase.File {
        KustomizeCase.File(path: path, bytes: Array(text.utf8))
    }

    @Test("are the files and directories that were read, and those that were looked for in vain")
    func listed() throws {
        let built = try build(CaseDirectory(Self.files), "overlay")
        #expect(
            built.inputs.keys.sorted() == [
                "base", "base/Kustomization", "base/a.yaml", "base/kustomization.yaml", "base/kustomization.yml",
                "overlay/Kustomization", "overlay/f.txt", "overlay/kustomization.yaml", "overlay/kustomization.yml",
            ])
        #expect(built.inputs["base"] == .directory)
        #expect(built.inputs["base/kustomization.yml"] == .missing)
        #expect(built.inputs["overlay/f.txt"] == .file(WorkingTree.blobID(of: Array("text\n".utf8))))
    }

    @Test(
        "tell whether a tree still gives the same",
        arguments: [
            ("base/unused.yaml", "changed", true), ("base/new.yaml", "new", true), ("base/a.yaml", "changed", false),
            ("overlay/f.txt", "changed", false), ("base/kustomization.yml", "resources: []\n", false),
        ])
    func current(_ path: String, _ text: String, _ isCurrent: Bool) throws {
        let directory = CaseDirectory(Self.files)
        let built = try build(directory, "overlay")
        #expect(built.isCurrent(in: try WorkingTree(directory.path)))
        directory.write(file(path, text))
        #expect(built.isCurrent(in: try WorkingTree(directory.path)) == isCurrent)
    }

    @Test("are parsed once for all builds that have them")
    func cached() throws {
        let directory = CaseDirectory(Self.files)
        let kustomizer = Kustomizer()
        let tree = try WorkingTree(directory.path)
        _ = try kustomizer.build(tree, "base")
        #expect(kustomizer.cache.parses == 2)
        _ = try kustomizer.build(tree, "overlay")
        #expect(kustomizer.cache.parses == 3)
    }

    @Test("give every object its place")
    func places() throws {
        let built = try build(CaseDirectory(Self.files), "overlay")
        let places = built.objects.map { "\($0.source.file):\($0.source.mark)" }
        #expect(places == ["base/a.yaml:1:1", "overlay/kustomization.yaml:2:22"])
    }
}

@Suite("A build that would never end, or be too large")
struct BuildLimitTests {
    @Test("is refused when its bases are nested too deeply")
    func depth() throws {
        let files = (0..<80).map { level in
            KustomizeCase.File(
                path: "d\(level)/kustomization.yaml",
                bytes: Array((level == 79 ? "namePrefix: p-\n" : "resources: [../d\(level + 1)]\n").utf8))
        }
        let error = #expect(throws: KustomizeError.self) { try build(CaseDirectory(files), "d0") }
        #expect(error?.message.contains("more than 64 levels") == true)
    }

    @Test("is refused when a base is built too often")
    func width() throws {
        let files = (0..<20).map { level in
            let next = "../d\(level + 1)"
            let text = level == 19 ? "namePrefix: p-\n" : "resources: [\(next), \(next)]\n"
            return KustomizeCase.File(path: "d\(level)/kustomization.yaml", bytes: Array(text.utf8))
        }
        let error = #expect(throws: KustomizeError.self) { try build(CaseDirectory(files), "d0") }
        #expect(error?.message.contains("more than 10000 directories") == true)
    }

    @Test("is refused when aliases multiply")
    func aliases() throws {
        var text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...8 {
            let before = "*a\(level - 1)"
            text += "a\(level): &a\(level) [\(Array(repeating: before, count: 10).joined(separator: ", "))]\n"
        }
        let files = [
            KustomizeCase.File(path: "kustomization.yaml", bytes: Array("resources: [a.yaml]\n".utf8)),
            KustomizeCase.File(path: "a.yaml", bytes: Array(text.utf8)),
        ]
        let error = #expect(throws: KustomizeError.self) { try build(CaseDirectory(files), "") }
        #expect(error?.description.hasPrefix("a.yaml:8:") == true, "\(error?.description ?? "")")
    }

    @Test("is refused when a value is nested too deeply")
    func nesting() throws {
        let deep = String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000)
        let files = [
            KustomizeCase.File(path: "kustomization.yaml", bytes: Array("resources: [a.yaml]\n".utf8)),
            KustomizeCase.File(
                path: "a.yaml", bytes: Array("apiVersion: v1\nkind: X\nmetadata: {name: a}\nd: \(deep)\n".utf8)),
        ]
        let error = #expect(throws: KustomizeError.self) { try build(CaseDirectory(files), "") }
        #expect(error?.message.contains("nested deeper than the limit") == true)
    }
}
