import GitSource
import Kinds
import Model
import TestTrees
import Testing

@testable import Rendering

private func map(_ name: String, _ namespace: String? = nil, data: String = "a") -> String {
    """
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: \(name)
    \(namespace.map { "  namespace: \($0)" } ?? "  labels: {}")
    data:
      key: "\(data)"

    """
}

private func render(_ texts: [String: String], _ options: RenderingOptions = RenderingOptions(recurse: true)) throws
    -> Manifests
{
    try Renderer().render(MemoryTree(texts), options)
}

@Suite struct RendererTests {
    @Test("manifests come from .yaml, .yml and .json files; other files are passed over")
    func files() throws {
        let json = #"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}"#
        let manifests = try render([
            "a.yaml": map("a"), "b.yml": map("b"), "c.json": json, "README.md": "# hello", "d.yaml.bak": "{{",
            "e.txt": "}",
            "empty.yaml": "", "empty.json": " \n", "comment.yaml": "# nothing\n---\n---\n",
        ])
        #expect(manifests.manifests.map(\.key.name) == ["a", "b", "c"])
        #expect(manifests.errors.isEmpty)
        #expect(manifests.count == 3)
    }

    @Test("the documents of a file and the items of Lists become objects of their own, with their places")
    func documentsAndLists() throws {
        let text = """
            # a comment
            ---
            \(map("first"))---
            apiVersion: v1
            kind: List
            items:
              - apiVersion: v1
                kind: ConfigMap
                metadata: {name: second}
              - apiVersion: v1
                kind: List
                items:
                  - {apiVersion: v1, kind: Namespace, metadata: {name: third}}
            ---
            apiVersion: v1
            kind: ConfigMapList
            items:
              - metadata: {name: fourth}
            """
        let manifests = try render(["a.yaml": text]).manifests
        #expect(
            manifests.map(\.key.description) == [
                "ConfigMap default/first", "ConfigMap default/second", "Namespace third", "ConfigMap default/fourth",
            ])
        #expect(manifests.map(\.source.mark.description) == ["3:1", "14:5", "20:9", "25:5"])
        #expect(manifests[3].object.kind.kind == "ConfigMap")
    }

    @Test("namespaced objects without a namespace get the destination's; cluster-scoped ones get none")
    func namespaces() throws {
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: team, namespace: stray}\n"
        let options = RenderingOptions(namespace: "team")
        let manifests = try render(["a.yaml": map("a"), "b.yaml": map("b", "other"), "c.yaml": namespace], options)
        #expect(
            manifests.manifests.map(\.key.description) == ["ConfigMap team/a", "ConfigMap other/b", "Namespace team"])
        #expect(manifests.manifests.map { $0.object.json[path: ["metadata", "namespace"]] } == ["team", "other", nil])
        #expect(manifests.manifests.allSatisfy { $0.object.key == $0.key })
    }

    @Test("only the path is rendered, with directories below it by option, and patterns relative to it")
    func selection() throws {
        let texts = [
            "app/a.yaml": map("a"), "app/sub/b.yaml": map("b"), "app/sub/c.json": "{", "other/d.yaml": map("d"),
        ]
        func names(_ options: RenderingOptions) throws -> [String] {
            try render(texts, options).manifests.map(\.key.name)
        }
        #expect(try names(RenderingOptions(path: "app/")) == ["a"])
        #expect(try names(RenderingOptions(path: "app", recurse: true)) == ["a", "b"])
        #expect(try names(RenderingOptions(path: "app", recurse: true, include: Glob("sub/*"))) == ["b"])
        #expect(try names(RenderingOptions(path: "app", recurse: true, exclude: Glob("{sub/*,x}"))) == ["a"])
        #expect(try names(RenderingOptions(path: "app/sub/b.yaml")) == ["b"])
        #expect(throws: GitError.self) { try names(RenderingOptions(path: "nope")) }
    }

    @Test(
        "each fault is told with its place and what would be right, and hides no other file",
        arguments: [
            ("a: [", "bad.yaml:", ""),
            ("kind: ConfigMap\nmetadata: {name: x}\n", "bad.yaml:1:1:", "apiVersion must be set"),
            ("apiVersion: v1\nmetadata: {name: x}\n", "bad.yaml:1:1:", "kind must be set"),
            ("apiVersion: 1\nkind: ConfigMap\n", "bad.yaml:1:13:", "must be a string, not of type integer"),
            (
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels: {}\n", "bad.yaml:3:1:",
                "metadata.name must be set"
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: x-\n", "bad.yaml:3:1:",
                "generateName gives another"
            ),
            ("- a\n- b\n", "bad.yaml:1:1:", "not of type array"),
            ("apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: x}\n", "bad.yaml:1:1:", "kind: Deployment?"),
            ("apiVersion: v1\nkind: Deployment\nmetadata: {name: x}\n", "bad.yaml:1:1:", "apiVersion: apps/v1"),
            ("apiVersion: v1\nkind: List\nitems: [{kind: Pod}]\n", "bad.yaml:3:9:", "apiVersion must be set"),
            ("apiVersion: v1\nkind: ConfigMap\nkind: ConfigMap\n", "bad.yaml:3:1:", "kind"),
            (Self.annotated("argocd.argoproj.io/sync-wave: \"1\""), "bad.yaml:5:", "sync waves are not carried out"),
            (Self.annotated("argocd.argoproj.io/hook: PreSync"), "bad.yaml:5:", "hooks are not run"),
            (
                annotated("argocd.argoproj.io/sync-options: Prune=false, Replace=true"), "bad.yaml:5:",
                "\"Replace=true\""
            ),
        ])
    func faults(text: String, place: String, words: String) throws {
        let manifests = try render(["bad.yaml": text, "good.yaml": map("good")])
        #expect(manifests.manifests.map(\.key.name) == ["good"])
        let error = try #require(manifests.errors.first)
        #expect(manifests.errors.count == 1)
        #expect(error.description.hasPrefix(place) && error.description.contains(words), "\(error)")
    }

    static func annotated(_ line: String) -> String {
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  annotations:\n    \(line)\n  name: x\n"
    }

    @Test("annotations of Argo CD that are carried out, or ask for nothing, are no faults")
    func honouredAnnotations() throws {
        let lines = [
            "argocd.argoproj.io/sync-wave: \"0\"", "argocd.argoproj.io/sync-options: Prune=false,ServerSideApply=true",
            "argocd.argoproj.io/sync-options: Delete=false", "example.com/hook: PreSync",
        ]
        for line in lines { #expect(try render(["a.yaml": Self.annotated(line)]).errors.isEmpty, "\(line)") }
    }

    @Test("malformed JSON and text that is not UTF-8 are told with their place")
    func malformedText() throws {
        var tree = MemoryTree(["a.json": "{\n  \"kind\": }"])
        tree.texts["b.yaml"] = Array("kind: \"".utf8) + [0xFF, 0xFE] + Array("\"\n".utf8)
        let errors = try Renderer().render(tree, RenderingOptions()).errors
        #expect(errors.map(\.file) == ["a.json", "b.yaml"])
        #expect(errors[0].line == 2 && errors[0].column == 11)
        #expect(errors[1].message.contains("UTF-8"))
    }

    @Test("an object that two files define is an error that names both places, and the first stands")
    func duplicates() throws {
        let manifests = try render([
            "a.yaml": map("same", data: "1"), "b.yaml": map("other") + "---\n" + map("same", data: "2"),
            "c.yaml": map("twice") + "---\n" + map("twice"),
        ])
        #expect(
            manifests.errors.map(\.description) == [
                "b.yaml:9:1: ConfigMap default/same is already defined at a.yaml:1:1: remove one of the two",
                "c.yaml:9:1: ConfigMap default/twice is already defined at c.yaml:1:1: remove one of the two",
            ])
        #expect(manifests.manifests.map(\.key.name) == ["same", "other", "twice"])
        #expect(manifests[ConfigMap.key("same", in: "default")]?.source.file == "a.yaml")
    }

    @Test("directories of Kustomize below the path, and of Helm, are refused, and their files not taken for manifests")
    func foreignLayouts() throws {
        let texts = [
            "a.yaml": map("a"), "k/kustomization.yaml": "resources: [b.yaml]", "k/b.yaml": map("b"),
            "h/Chart.yaml": "name: h",
            "h/templates/c.yaml": "{{ template }}",
        ]
        let manifests = try render(texts)
        #expect(manifests.manifests.map(\.key.name) == ["a"])
        #expect(manifests.errors.map(\.file) == ["h/Chart.yaml", "k/kustomization.yaml"])
        #expect(manifests.errors[1].message.contains("has a kustomization of its own"))
        let excluded = try render(texts, RenderingOptions(recurse: true, exclude: Glob("{k,h}/*")))
        #expect(excluded.errors.isEmpty && excluded.count == 1)
    }

    @Test("kinds that the repository defines itself are known, with their scope")
    func definedKinds() throws {
        let definition = """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: widgets.example.com}
            spec: {group: example.com, scope: Cluster, names: {kind: Widget}}
            """
        let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n"
        let kinds = KnownKinds(version: 1, isNamespaced: { $0.kind == "CustomResourceDefinition" ? false : nil })
        let both = try Renderer().render(
            MemoryTree(["a.yaml": widget, "crd.yaml": definition]), RenderingOptions(), kinds: kinds)
        #expect(both.manifests.map(\.key.description).first == "Widget.example.com w")
        let alone = try Renderer().render(MemoryTree(["a.yaml": widget]), RenderingOptions(), kinds: kinds)
        #expect(alone.errors.map(\.message) == ["w: there is no kind Widget in example.com/v1"])
    }

    @Test("a field's place is found in YAML, in Lists and in JSON, and the nearest one for a missing field")
    func marks() throws {
        let pod = """
            apiVersion: v1
            kind: Pod
            metadata:
              name: p
            spec:
              containers:
                - name: web
                  image: echo
                  foo: bar
            """
        let json =
            "{\"apiVersion\": \"v1\", \"kind\": \"Pod\",\n \"metadata\": {\"name\": \"j\"},\n \"spec\": {\"x\": 1}}"
        let list =
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: l}\n  spec: {x: 1}\n"
        let manifests = try render(["a.yaml": "---\n" + pod, "j.json": json, "l.yaml": list])
        let all = manifests.manifests
        #expect(manifests.mark(of: "spec.containers[0].foo", in: all[0]) == Mark(line: 10, column: 7))
        #expect(manifests.mark(of: "spec.containers[0].ports", in: all[0]).line == 8)
        #expect(manifests.mark(of: "spec.x", in: all[1]).line == 3)
        #expect(manifests.mark(of: "spec.x", in: all[2]) == Mark(line: 7, column: 10))
        let error = manifests.error(
            #"unknown field "spec.containers[0].foo""#, at: "spec.containers[0].foo", in: all[0])
        #expect(error.description == #"a.yaml:10:7: unknown field "spec.containers[0].foo""#)
    }

    @Test("submodules and broken links among the manifests are errors, and the files beside them are rendered")
    func treeFaults() throws {
        var tree = MemoryTree(["a.yaml": map("a")])
        tree.faults = [
            GitError(.symlink, "link.yaml leads nowhere", path: "link.yaml"),
            GitError(.symlink, "notes.txt leads nowhere", path: "notes.txt"),
        ]
        let manifests = try Renderer().render(tree, RenderingOptions())
        #expect(manifests.errors.map(\.message) == ["link.yaml leads nowhere"] && manifests.count == 1)
    }

    @Test(
        "patterns match as Argo CD's do",
        arguments: [
            ("*.yaml", "a.yaml", true), ("*.yaml", "sub/a.yaml", true), ("?.yaml", "ab.yaml", false),
            ("{*.yml,*.yaml}", "a.yml", true), ("{a,b/*}.yaml", "b/c.yaml", true), ("[a-c].yaml", "b.yaml", true),
            ("[!a-c].yaml", "b.yaml", false), ("sub/*", "sub/", true), ("sub/*", "other/a", false),
            (#"\*.yaml"#, "a.yaml", false),
            ("**/b.yaml", "x/y/b.yaml", true), ("", "a", false), ("a{,b}c", "ac", true),
        ])
    func globs(pattern: String, path: String, matches: Bool) throws {
        #expect(try Glob(pattern).matches(path) == matches)
    }

    @Test("a pattern that is not closed is refused", arguments: ["[a", "{a,b", "a}"])
    func malformedGlobs(pattern: String) {
        #expect(throws: GlobError.self) { try Glob(pattern) }
    }
}

@Suite struct IncrementalTests {
    @Test("a commit that changes one of many files parses that one, and gives what rendering anew gives")
    func oneOfMany() async throws {
        let repository = TestRepository()
        let files = (0..<500).map { ("app/d\($0 % 7)/m\($0).yaml", map("m\($0)")) }
        let before = try await repository.commit(Dictionary(uniqueKeysWithValues: files))
        let renderer = Renderer()
        let options = RenderingOptions(path: "app", recurse: true)
        let first = try renderer.render(before, options)
        #expect(first.count == 500 && first.errors.isEmpty)
        // Contents that are equal are parsed once; these all differ.
        #expect(renderer.cache.parses == 500)

        let after = try await repository.commit(["app/d3/m3.yaml": map("m3", data: "new"), "README.md": "hello"])
        let second = try renderer.render(after, options, previous: first)
        #expect(renderer.cache.parses == 501)
        #expect(second.keysChanged(since: first) == [ConfigMap.key("m3", in: "default")])
        #expect(second.manifests == (try Renderer().render(after, options).manifests))

        let unrelated = try await repository.commit(["README.md": "bye"])
        let third = try renderer.render(unrelated, options, previous: second)
        #expect(renderer.cache.parses == 501 && third.keysChanged(since: second).isEmpty)
    }

    @Test("whatever sequence of commits came before, the incremental result is the one from scratch")
    func sequences() async throws {
        let repository = TestRepository()
        let steps: [([String: String], [String])] = [
            (["a.yaml": map("a"), "sub/b.yaml": map("b"), "keep.yaml": map("k")], []),
            (["c.yaml": map("a")], []),
            ([:], ["a.yaml"]),
            (["sub/b.yaml": "a: [", "d.json": #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"d"}}"#], []),
            (["sub/b.yaml": map("x") + "---\n" + map("k")], []),
            (["sub/kustomization.yaml": "resources: []"], []),
            ([:], ["sub/kustomization.yaml"]),
            ([:], ["sub"]),
            (["sub": "now a file"], []),
        ]
        let renderer = Renderer()
        let options = RenderingOptions(recurse: true)
        var previous: Manifests?
        for (files, removed) in steps {
            let snapshot = try await repository.commit(files, removing: removed)
            let incremental = try renderer.render(snapshot, options, previous: previous)
            let anew = try Renderer().render(snapshot, options)
            #expect(incremental.manifests == anew.manifests)
            #expect(incremental.errors == anew.errors)
            if let previous {
                let keys = incremental.keysChanged(since: previous)
                for manifest in incremental.manifests where previous[manifest.key]?.object != manifest.object {
                    #expect(keys.contains(manifest.key))
                }
            }
            previous = incremental
        }
    }

    @Test("the cache keeps within its bound, and drops what was used longest ago")
    func bounded() throws {
        let texts = (0..<40).map { map("m\($0)") }
        let size = texts[0].utf8.count
        let cache = RenderCache(limit: size * 20)
        let renderer = Renderer(cache: cache)
        for text in texts { _ = try renderer.render(MemoryTree(["a.yaml": text]), RenderingOptions()) }
        #expect(cache.parses == 40)
        _ = try renderer.render(MemoryTree(["a.yaml": texts[39]]), RenderingOptions())
        #expect(cache.parses == 40, "the newest is kept")
        _ = try renderer.render(MemoryTree(["a.yaml": texts[0]]), RenderingOptions())
        #expect(cache.parses == 41, "the oldest is not")
    }
}
