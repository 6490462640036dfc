import Cluster
import Glibc
import Kinds
import Model
import TestServers
import Testing

/// `diff`, and the verbs that change something, each first as a dry run.
@Suite("The command line: differences and steering", .serialized, .blocking, .runningService)
struct CommandLineDiffTests {
    private func expect(
        _ line: String, _ code: Int32, _ says: String..., hides: [String] = [],
        location: SourceLocation = #_sourceLocation
    ) throws {
        let answer = try CommandLineStage.current().shell(line)
        #expect(answer.code == code, "\(line): \(answer)", sourceLocation: location)
        for word in says { #expect(answer.text.contains(word), "\(line): \(answer)", sourceLocation: location) }
        for word in hides { #expect(!answer.text.contains(word), "\(line): \(answer)", sourceLocation: location) }
    }

    /// What an edit of one argument and of a Secret looks like.
    static let edit = """
        --- Secret default/web
        +++ Secret default/web  web/secret.yaml:1
        @@ -7,4 +7,4 @@
             argocd.argoproj.io/tracking-id: web:/Secret:default/web
         type: Opaque
         data:
        -  password: '******** (before)'
        +  password: '******** (after)'
        --- Deployment.apps default/web
        +++ Deployment.apps default/web  web/deployment.yaml:1
        @@ -26,7 +26,7 @@
                 image: martlet.dev/echo
                 args:
                 - --version-text
        -        - v1
        +        - v2
                 ports:
                 - name: http
                   containerPort: 8080

        """

    @Test("diff of a working copy shows exactly its edit, from any folder of it, in every format")
    func differs() throws {
        let stage = try CommandLineStage.current()
        try expect("martlet diff . -o summary", 0, "0 to create, 0 to change, 0 to delete, 4 unchanged")
        try stage.write(
            "web/deployment.yaml", Manifests.deployment(["--version-text", "v2"], extra: CommandLineStage.prepare))
        try stage.write("web/secret.yaml", CommandLineStage.secret("hunter3"))
        for line in ["diff", "diff .", "diff web", "diff --app web .", "diff --app web web"] {
            let answer = try stage.shell("martlet \(line) 2>/dev/null")
            #expect(answer.code == 1)
            #expect(answer.text == Self.edit, "\(line)")
        }
        try expect("cd web && martlet diff -o summary", 1, "~ Deployment.apps default/web (+1 -1)", "2 to change")
        try expect("martlet diff . 2>&1 >/dev/null", 1, "comparing as Application web")
        try expect(
            "martlet diff . -o markdown", 1, "| modified | `Secret default/web` | web/secret.yaml:1 |", "```diff")
        let json = try JSON(decoding: [UInt8](stage.shell("martlet diff -o json 2>/dev/null").text.utf8))
        #expect(json["differences"]?.array?.count == 2)
        #expect(json[path: ["unchanged"]] == .int(2))
        try expect("martlet diff -o json", 1, hides: ["hunter", "aHVudGVy"])
        try expect("martlet diff --color always", 1, "\u{1B}[32m+        - v2\u{1B}[0m")
        try expect("TERM=xterm env -u NO_COLOR script -qec 'martlet diff' /dev/null", 1, "\u{1B}[32m")
        try expect("TERM=xterm NO_COLOR=1 script -qec 'martlet diff' /dev/null", 1, hides: ["\u{1B}"])
        try expect("martlet app diff web", 0)
        // Against other revisions, which needs no service.
        for revision in ["HEAD", "main", "origin/main"] {
            let answer = try stage.shell("martlet diff web --against \(revision)", "MARTLET_DATA_DIR=/nosuch")
            #expect(answer.code == 1)
            #expect(answer.text.contains("-        - v1\n+        - v2\n"), "\(answer)")
            #expect(!answer.text.contains("hunter"))
        }
        try expect("martlet diff web --revision HEAD --against origin/main", 0)
        try expect("martlet diff web --against orign/main", 2, "did you mean \"origin/main\"?")
        try expect("martlet diff . --against main", 2, "folders below it have some: name one of them, or add --recurse")
        try expect("martlet diff . --against main --recurse -o summary", 1, "2 to change")
        try expect("martlet diff $REMOTE --path web", 0)
        try expect("martlet diff file://$REMOTE --path web --revision main", 0)
        try expect("martlet diff file://$REMOTE --path web --revision nosuch", 2, "its branches are: main")
        try expect("martlet diff $REMOTE --path nosuch", 2, "the path \"nosuch\" does not exist")
        try expect("martlet diff /etc/hostname", 2, "there are no manifests")
        try expect("martlet diff $ROOT/data --against HEAD", 2, "is in no Git repository")
        try stage.git("checkout", "-q", "web")
        // What the Application would prune belongs to the difference.
        try expect("mv web/config.yaml $ROOT && martlet diff", 1, "--- ConfigMap default/web\n+++ /dev/null")
        try stage.git("checkout", "-q", "web")
    }

    @Test("sync applies once, and prunes only what its set applied")
    func syncs() throws {
        let stage = try CommandLineStage.current()
        try stage.write("once/a.yaml", Manifests.configMap("a", "one"))
        try stage.write("once/b.yaml", Manifests.configMap("b", "one"))
        try expect("martlet sync once --set extra --dry-run", 0, "ConfigMap default/a created (dry run)")
        try expect("martlet get cm a", 2)
        try expect("martlet sync once --set extra", 0, "ConfigMap default/a created\nConfigMap default/b created\n")
        try expect("martlet sync once --set extra", 0, "ConfigMap default/a unchanged")
        try expect("rm once/b.yaml; martlet sync once --set extra", 0, "ConfigMap default/b not pruned")
        try expect("martlet sync once --set extra --prune --dry-run", 0, "ConfigMap default/b pruned (dry run)")
        try expect("martlet get cm b -o name", 0)
        try expect(
            "martlet sync once --set extra --prune", 0, "pruning ConfigMap default/b\n", "ConfigMap default/b pruned\n")
        try expect("martlet get cm -o name", 0, "configmap/a\nconfigmap/kube-root-ca.crt\nconfigmap/web\n")
        try expect("printf 'kind: ConfigMap\\nmetadata: {name: c}' >once/c.yaml; martlet sync once", 2, "once/c.yaml:1")
        try expect("rm -r once", 0)
    }

    @Test("an Application is synced, rolled back, held, retried, suspended and resumed from the command line")
    func steers() async throws {
        let stage = try CommandLineStage.current()
        let first = try #require(try await stage.rollout().revision)
        try stage.write("web/config.yaml", Manifests.configMap("web", "two"))
        let second = try stage.push("two")
        try await stage.waitForHealthy(second)
        let (one, two) = (first.prefix(12), second.prefix(12))
        try expect("martlet app rollback web --dry-run", 0, "web: from \(two) back to \(one) (ID ", "1 to change")
        try expect("martlet get cm web -o yaml", 0, "value: two")
        try expect("martlet app rollback web", 0, "web: from \(two) back to \(one)", "; \(two) is held until")
        try expect("martlet get cm web -o yaml", 0, "value: one")
        try expect("martlet app get web", 0, "Held:        \(two) ManualRollback")
        try expect("martlet app history web", 0, "held: ManualRollback")
        try expect("martlet app retry web zzz", 2, "no revision of web is held that starts with zzz; held: \(two)")
        try expect("martlet app retry web --wait", 0, "web: trying \(two) again", "web: \(two) is healthy")
        try expect("martlet app sync web --revision main --dry-run", 0, "4 unchanged (dry run)")
        try expect(
            "martlet app sync web --revision \(first.prefix(7))", 0, "ConfigMap default/web configured", "\(one)")
        try expect("martlet app sync web --revision main --wait", 0, "web: \(two) is healthy")
        try expect("martlet app sync web --revision nosuch", 2, "no branch, tag or commit \"nosuch\"")
        try expect("martlet app get web", 0, hides: ["Held"])
        try expect("martlet app sync web --async", 0, "requested")
        try expect("martlet app suspend web", 0, "web suspended")
        try expect("martlet app get web", 0, "Suspended:   ", "'martlet app resume web'")
        try expect("martlet app list", 0, "(suspended)")
        _ = try await stage.connected().patch(
            ConfigMap.key("web", in: "default"), .merge(["data": ["value": "by hand"]]), subresource: nil,
            options: WriteOptions(fieldManager: "somebody"))
        try await stage.eventually("the drift is shown") {
            try await stage.application().status.sync.status == "OutOfSync"
        }
        try expect("martlet app diff web", 1, "-  value: by hand", "+  value: two")
        try expect("martlet app sync web", 2, "web is suspended; use 'martlet app resume web' first")
        try expect("martlet app resume web", 0, "web resumed")
        try await stage.eventually("the drift is healed") {
            try await stage.value(of: "web", in: "default") == "two"
        }
    }

    @Test("a Deployment's rollout is followed, paused, restarted and undone from the command line")
    func rollsOut() throws {
        try expect("martlet rollout restart web", 0, "deployment.apps/web restarted")
        try expect("martlet rollout status web", 0, "Waiting for deployment", "successfully rolled out")
        try expect("martlet rollout pause web", 0, "deployment.apps/web paused")
        try expect("martlet rollout pause web", 2, "is already paused")
        try expect("martlet rollout undo web", 2, "resume it first with 'martlet rollout resume web'")
        try expect("martlet rollout restart web", 2, "can't restart paused deployment")
        try expect("martlet rollout resume web", 0, "deployment.apps/web resumed")
        try expect(
            "martlet rollout undo web --dry-run", 0, "would go back to revision 1 (dry run)\n---", "-    kubectl.k")
        try expect("martlet rollout undo web --to-revision 9", 2, "there are: 1, 2")
        try expect("martlet rollout undo web", 0, "rolled back to revision 1", "note: Application web")
        try expect("martlet rollout history web", 0, "\n2 ", "\n3 ", hides: ["\n1 "])
    }

    @Test("of several Applications of a repository a bad one is named, and the others are compared all the same")
    func differsOfSeveral() async throws {
        let stage = try CommandLineStage.current()
        let head = try #require(try await stage.rollout().revision)
        try stage.write("bad/config.yaml", Manifests.configMap("bad", "one"))
        try await stage.follow("bad", path: "bad") { $0.metadata.annotations["martlet.dev/suspend"] = "true" }
        try await stage.follow("worse", path: "worse") { $0.metadata.annotations["martlet.dev/suspend"] = "true" }
        try stage.write("web/config.yaml", Manifests.configMap("web", "three"))
        try stage.write("bad/config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndate: {}\n")
        try expect(
            "martlet diff . 2>$ROOT/said; echo $?; cat $ROOT/said >&2", 0, "+  value: three\n", "\n2\n",
            "error: Application martlet/bad: bad/config.yaml:4:1: ", "error: Application martlet/worse: ", "\"worse\"",
            hides: ["Application martlet/web"])
        try expect("martlet diff . -o json 2>/dev/null | grep -q three && echo found", 0, "found\n")
        // None can be compared: nothing is shown that could be taken for no difference.
        try expect("cd bad && martlet diff . -o summary", 2, "error: Application martlet/bad: ", hides: ["unchanged"])
        for name in ["bad", "worse"] {
            _ = try await stage.connected().delete(Application.key(name, in: "martlet"), options: DeleteOptions())
        }
        try stage.git("checkout", "-q", "web")
        try expect("rm -r bad; martlet diff -o summary", 0, "4 unchanged")
        #expect(try await stage.rollout().revision == head)
    }

    @Test("app get --watch and app list --watch print every change, and a held revision is explained by every verb")
    func watches() async throws {
        let stage = try CommandLineStage.current()
        let before = try #require(try await stage.rollout().revision)
        let watches = try ["app get web -w", "app list -w", "app get web -w -o json"].enumerated().map { index, line in
            try Stage.spawn(
                [Stage.martlet] + line.split(separator: " ").map(String.init) + ["--data-dir", stage.data],
                in: stage.root, output: "\(stage.root)/watch-\(index)")
        }
        defer {
            for watch in watches {
                kill(watch, SIGTERM)
                Stage.wait(watch)
            }
        }
        func seen(_ index: Int) throws -> String { try stage.shell("cat $ROOT/watch-\(index)").text }
        try await stage.eventually("all have begun") { try (0..<3).allSatisfy { try !seen($0).isEmpty } }
        let text = Manifests.deployment(["--crash-after", "100ms"], extra: CommandLineStage.prepare)
        try stage.write("web/deployment.yaml", text)
        let bad = try stage.push("crashes")
        let (short, good) = (bad.prefix(12), before.prefix(12))
        let held = try await stage.waitForHeld(bad)
        #expect(held.reason == "CrashLoopBackOff")
        try await stage.eventually("the end is seen") {
            try seen(0).contains("RolledBack from \(short)") && seen(1).contains("RolledBack")
                && seen(2).contains("\"phase\": \"RolledBack\"")
        }
        #expect(try seen(0).contains("Rollout:     Judging (waiting for Deployment web)"))
        #expect(try seen(1).contains("Judging (waiting for Deployment web)   \(short)"))
        let documents = try YAML.documents(
            [UInt8](seen(2).replacing("\n}\n{", with: "\n}\n---\n{").utf8), file: "watch")
        #expect(documents.count > 2)
        #expect(documents.allSatisfy { $0.value["kind"] == "Application" })

        let message = try #require(held.message)
        try expect("martlet app get web", 0, "Held:        \(short) CrashLoopBackOff, ", "s ago: \(message)")
        try expect(
            "martlet app get web", 0,
            "Next:        push a commit that mends it, or try the held one once more with 'martlet app retry web'")
        let narrow = try stage.shell("martlet app get web", "COLUMNS=60").text
        let lines = narrow.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.hasPrefix("Held:") })
        let block = lines[start...].prefix { !$0.isEmpty && !$0.hasPrefix("Next:") }
        #expect(block.count > 2 && block.allSatisfy { $0.count <= 60 }, "\(narrow)")
        #expect(block.dropFirst().allSatisfy { $0.hasPrefix("             ") }, "\(narrow)")
        #expect(block.map { $0.drop { $0 == " " } }.joined(separator: " ").contains(message), "\(narrow)")
        try expect(
            "martlet rollout status web", 0, "note: Application web was rolled back from \(short), which is held")
        try expect(
            "martlet app diff web", 0,
            "comparing with \(good), which is deployed; \(short) is held: --revision \(short)")
        try expect("martlet app sync web", 0, "note: \(short) was held for CrashLoopBackOff; it is judged once more")
        try stage.git("revert", "--no-edit", "HEAD")
        try await stage.waitForHealthy(try stage.push("again"))
    }
}
