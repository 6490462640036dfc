import Cluster
import FoundationEssentials
import Glibc
import Kinds
import Model
import TestServers
import Testing

/// What the command line does without a service, and how `serve` begins and ends.
@Suite("The command line, without a service", .serialized, .blocking)
struct CommandLineAloneTests {
    static let words = [
        CommandLineTests.Case("martlet", 0, "SUBCOMMANDS", "Exit codes"),
        CommandLineTests.Case("martlet version", 0, "martlet 0.1.0 (Kubernetes API v1.36.0)\n"),
        CommandLineTests.Case("martlet version -o json", 0, "{\n  \"martlet\": \"0.1.0\",\n"),
        CommandLineTests.Case("martlet vresion", 2, "martlet has no verb \"vresion\"; did you mean \"version\"?\n"),
        CommandLineTests.Case("martlet bogus", 2, "martlet has no verb \"bogus\"; there are: serve, diff, "),
        CommandLineTests.Case("martlet help diff", 0, "Exit codes: 0 no difference, 1 differences, 2 an error."),
        CommandLineTests.Case("martlet completion bash | bash -n; martlet completion bash", 0, "rollout", "--data-dir"),
        CommandLineTests.Case("martlet completion zsh", 0, "#compdef martlet"),
        CommandLineTests.Case("martlet completion fish", 0, "complete -c 'martlet'"),
        CommandLineTests.Case("martlet completion tcsh", 2, "'bash', 'zsh' or 'fish'"),
        CommandLineTests.Case("martlet --generate-completion-script bash | head -1", 0, "#!/bin/bash"),
        CommandLineTests.Case("martlet validate web", 0, "1 object is valid\n"),
        CommandLineTests.Case("martlet validate", 1, "broken/c.yaml:3:7: error: ", "unknown/c.yaml:5:1: error: "),
        CommandLineTests.Case(
            "mkdir empty; martlet validate empty || code=$?; rmdir empty; exit $code", 2, "there are no manifests"),
        CommandLineTests.Case("martlet validate --list-rules", 0, "dangling-secret", "warning"),
        CommandLineTests.Case("martlet validate --off nosuch", 2, "--off: there is no rule \"nosuch\""),
        CommandLineTests.Case("martlet validate --fix --revision HEAD", 2, "it does not go with --revision"),
        CommandLineTests.Case("martlet validate --against nosuch", 2, "has no revision \"nosuch\""),
        CommandLineTests.Case("martlet validate $REMOTE --path web", 0, "1 object is valid"),
        CommandLineTests.Case("martlet validate web -o junit", 0, "<testsuites tests=\"1\" failures=\"0\""),
        CommandLineTests.Case("martlet validate unknown -o sarif", 1, "\"ruleId\": \"unknown-field\""),
        CommandLineTests.Case("martlet validate unknown -o yaml", 1, "rule: unknown-field"),
        CommandLineTests.Case(
            "cp -r unknown mended; martlet validate mended --fix; code=$?; rm -r mended; exit $code", 0,
            "1 fault was mended",
            "1 object is valid"),
        CommandLineTests.Case(
            "echo 'rules: {unknown-field: note}' >.martlet-validate.yaml; martlet validate unknown -o github;"
                + " code=$?; rm .martlet-validate.yaml; exit $code", 0,
            "::notice file=unknown/c.yaml,line=5,col=1,title=unknown-field::"),
        CommandLineTests.Case("cd broken; martlet validate .", 1, "broken/c.yaml:"),
        CommandLineTests.Case(
            "cd unknown; martlet validate", 1, "unknown/c.yaml:5:1: ", "\"date\"; did you mean \"data\"?"),
        CommandLineTests.Case("martlet render broken", 2, "broken/c.yaml:"),
        CommandLineTests.Case("martlet render web -o json", 0, "\"kind\": \"List\"", "\"namespace\": \"default\""),
        CommandLineTests.Case("martlet render $REMOTE --path web -n other", 0, "namespace: other"),
        CommandLineTests.Case("martlet render web --revision HEAD~1", 2, "has no revision \"HEAD~1\"; it has: main"),
        CommandLineTests.Case("martlet render https://127.0.0.1:1/x.git", 2, "cannot reach https://127.0.0.1:1/x.git"),
        CommandLineTests.Case("martlet get pods", 2, "start 'martlet serve' first"),
        CommandLineTests.Case("martlet serve --listen 127.0.0.1:x", 2, "is no ADDRESS:PORT; try 127.0.0.1:7443"),
        CommandLineTests.Case("martlet serve --nodes 0", 2, "--nodes: 1 to 500"),
        CommandLineTests.Case(
            "martlet serve --path a --path b --repo c", 2, "--path stands 2 times, but --repo only 1"),
        CommandLineTests.Case("martlet serve --image foo", 2, "write NAME=COMMAND"),
        CommandLineTests.Case("martlet serve --image \"a=sh -c 'exit\"", 2, "a quote in the command is not closed"),
        CommandLineTests.Case("martlet serve --interval often", 2, "\"often\" is no duration; try 60s"),
    ]

    @Test("verbs that need no service work without one; wrong words are answered with right ones")
    func words() throws {
        let stage = try Stage()
        defer { stage.close() }
        try stage.write("web/config.yaml", Manifests.configMap("web", "one"))
        try stage.write("broken/c.yaml", "apiVersion: v1\nkind: ConfigMap\ndata: [\n")
        try stage.write("unknown/c.yaml", Manifests.configMap("c", "one").replacing("\ndata:", with: "\ndate:"))
        _ = try stage.push("one")
        for example in Self.words { try example.check(stage) }
    }

    @Test("two revisions of a clone are compared without a service, by the files that differ")
    func revisions() throws {
        let stage = try Stage()
        defer { stage.close() }
        try stage.write("web/config.yaml", Manifests.configMap("web", "one"))
        try stage.write("api/config.yaml", Manifests.configMap("api", "one"))
        try stage.write("compose.yaml", "services: {}\n")
        _ = try stage.push("one")
        try stage.write("web/config.yaml", Manifests.configMap("web", "two"))
        _ = try stage.push("two")
        let cases = [
            CommandLineTests.Case(
                "martlet diff main~1..main", 1, "--- ConfigMap default/web", "web/config.yaml:1", "+"),
            CommandLineTests.Case("martlet diff main~1..main -o summary", 1, "0 to create, 1 to change, 0 to delete\n"),
            CommandLineTests.Case("martlet diff main..main -o summary", 0, "0 to create, 0 to change, 0 to delete\n"),
            CommandLineTests.Case("martlet diff main~1.. -o summary", 1, "1 to change, 0 to delete, 1 unchanged"),
            CommandLineTests.Case("martlet diff main~1..main --path api", 0, hides: ["web"]),
            CommandLineTests.Case(
                "martlet diff main~1..main -o markdown --link-base https://git.example.com/x", 1,
                "[web/config.yaml:1](https://git.example.com/x/web/config.yaml#L1)"),
            CommandLineTests.Case("martlet diff main~1..main -o side-by-side", 1, " = ConfigMap default/web"),
            CommandLineTests.Case("martlet diff main..nosuch", 2, "has no revision \"nosuch\""),
            CommandLineTests.Case("martlet diff main..main --against main", 2, "names both revisions"),
            CommandLineTests.Case("martlet diff --against last-healthy", 2, "with --app"),
            CommandLineTests.Case("martlet diff --against-app x", 2, "with --app"),
        ]
        for example in cases { try example.check(stage) }
        // What a base changes, each directory that builds on it changes.
        try stage.write("base/kustomization.yaml", "resources: [config.yaml]\n")
        try stage.write("base/config.yaml", Manifests.configMap("shop", "one"))
        for name in ["dev", "prod"] {
            try stage.write("envs/\(name)/kustomization.yaml", "resources: [../../base]\nnamespace: \(name)\n")
        }
        _ = try stage.push("three")
        try stage.write("base/config.yaml", Manifests.configMap("shop", "two"))
        _ = try stage.push("four")
        try CommandLineTests.Case(
            "martlet diff main~1..main -o summary", 1, "~ ConfigMap dev/shop (+1 -1)\n~ ConfigMap prod/shop (+1 -1)\n",
            "0 to create, 2 to change, 0 to delete"
        ).check(stage)
        try CommandLineTests.Case("martlet validate", 0, "1 note in 4 objects").check(stage)
        try CommandLineTests.Case("martlet render envs/prod", 0, "namespace: prod").check(stage)
        // Outside of a repository, from wherever one stands.
        try CommandLineTests.Case(
            "cp -r base envs $ROOT && cd $ROOT && martlet render envs/dev && cd envs/prod && martlet render .", 0,
            "namespace: dev", "namespace: prod"
        ).check(stage)
        try CommandLineTests.Case("cd $ROOT/envs && martlet validate prod", 0, "1 object is valid").check(stage)
        // Without -n exactly what the kustomization builds.
        try CommandLineTests.Case("martlet render base", 0, "name: shop\n", hides: ["namespace"]).check(stage)
        try CommandLineTests.Case("martlet render base -n shop", 0, "namespace: shop").check(stage)
    }

    @Test("a folder's bases in other repositories are fetched; one that cannot be is named with its place")
    func remoteBases() throws {
        let stage = try Stage()
        defer { stage.close() }
        try stage.write("base/kustomization.yaml", "resources: [config.yaml]\n")
        try stage.write("base/config.yaml", Manifests.configMap("shop", "one"))
        _ = try stage.push("one")
        let base = "file://\(stage.remote)//base"
        let folder = "mkdir -p $ROOT/over; cd $ROOT/over; echo \"resources: ['"
        let cases = [
            CommandLineTests.Case(
                "\(folder)\(base)']\" >kustomization.yaml; martlet render .", 0, "name: shop\n", "value: one"),
            CommandLineTests.Case("cd $ROOT/over; martlet validate .", 0, "1 object is valid"),
            // A hook that judges a push does not reach for what the push names.
            CommandLineTests.Case(
                "cd $ROOT/over; GIT_QUARANTINE_PATH=$ROOT martlet validate .", 0,
                "which was not fetched [not-rendered]"),
            CommandLineTests.Case(
                "cd $ROOT/over; martlet rehearse . --from empty --node 4,8Gi", 0, "1 created: ConfigMap default/shop"),
            CommandLineTests.Case(
                "\(folder)\(base)?ref=nosuch']\" >kustomization.yaml; martlet render .", 2,
                "error: kustomization.yaml:1:13: the base \(base)?ref=nosuch: ", "its branches are: main"),
            CommandLineTests.Case(
                "cd $ROOT/over; martlet validate .", 0, "note: kustomization.yaml:1:13: the base \(base)?ref=nosuch: ",
                "which was not fetched [not-rendered]"),
        ]
        for example in cases { try example.check(stage) }
    }

    @Test("two revisions are compared with their bases in other repositories, each as it is built")
    func remoteBasesOfRevisions() throws {
        let stage = try Stage()
        defer { stage.close() }
        let other = "\(stage.root)/other"
        writeFile("\(other)/base/kustomization.yaml", "resources: [config.yaml]\n")
        writeFile("\(other)/base/config.yaml", Manifests.configMap("shop", "one"))
        run(["git", "-C", other, "init", "-q", "-b", "main"])
        run(["git", "-C", other, "add", "-A"])
        run(["git", "-C", other, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "one"])
        for label in ["one", "two"] {
            try stage.write(
                "over/kustomization.yaml",
                "resources: ['file://\(other)//base']\nlabels: [{pairs: {round: \(label)}}]\n")
            _ = try stage.push(label)
        }
        let cases = [
            CommandLineTests.Case(
                "martlet diff HEAD~1..HEAD --path over", 1, "ConfigMap default/shop", "-    round: one",
                "+    round: two"),
            CommandLineTests.Case("martlet diff over --against HEAD~1", 1, "-    round: one", "+    round: two"),
            CommandLineTests.Case("martlet diff HEAD~1..HEAD", 1, "-    round: one", "+    round: two"),
            CommandLineTests.Case("martlet diff HEAD..HEAD --path over -o summary", 0, "0 to change"),
        ]
        for example in cases { try example.check(stage) }
        // A file that is broken on both sides hinders nobody who asks about others.
        try stage.write("misc/broken.yaml", "a: [b\n")
        _ = try stage.push("a broken file")
        try stage.write(
            "over/kustomization.yaml", "resources: ['file://\(other)//base']\nlabels: [{pairs: {round: three}}]\n")
        _ = try stage.push("three")
        try CommandLineTests.Case(
            "martlet diff HEAD~1..HEAD", 1, "+    round: three",
            "note: not compared, since it is wrong on both sides: "
                + "misc/broken.yaml:1:4: the '[' is never closed"
        ).check(stage)
        try CommandLineTests.Case("martlet diff HEAD~2..HEAD~1", 2, "error: at HEAD~1:\nmisc/broken.yaml:1:4: ")
            .check(stage)
        try stage.write("misc/broken.yaml", "")
        _ = try stage.push("mended")
        // Of two revisions it is said in which one a fault is.
        try stage.write("over/kustomization.yaml", "resource: [a.yaml]\n")
        _ = try stage.push("broken")
        let fault = "over/kustomization.yaml:1:1: resource: there is no such field"
        for (line, revision) in [
            ("HEAD~1..HEAD", "HEAD"), ("HEAD..HEAD~1", "HEAD"), ("HEAD~1..HEAD --path over", "HEAD"),
            ("HEAD..HEAD~1 --path over", "HEAD"),
        ] {
            try CommandLineTests.Case("martlet diff \(line)", 2, "error: at \(revision):\n\(fault)").check(stage)
        }
    }

    @Test("a pre-receive hook judges a push before it is taken, by the commits that Git holds back until then")
    func preReceive() throws {
        let stage = try Stage()
        defer { stage.close() }
        try stage.write("web/config.yaml", Manifests.configMap("web", "one"))
        _ = try stage.push("one")
        let hook = "\(stage.remote)/hooks/pre-receive"
        let script = """
            #!/bin/sh
            while read -r old new ref; do
              case "$new" in 0000000000000000000000000000000000000000) continue ;; esac
              martlet validate . --revision "$new" || exit 1
            done
            """
        try Data(script.utf8).write(to: URL(filePath: hook))
        #expect(chmod(hook, 0o755) == 0)
        try stage.write("web/config.yaml", Manifests.configMap("web", "one").replacing("\ndata:", with: "\ndate:"))
        func push() throws -> (code: Int32, text: String) {
            try stage.git("add", "-A")
            try stage.git("commit", "-q", "-m", "another")
            let answer = try stage.shell("git push -q origin HEAD:main")
            return (answer.code, answer.text)
        }
        let refused = try push()
        #expect(refused.code != 0)
        #expect(refused.text.contains("web/config.yaml:5:1: error: ConfigMap default/web: unknown field \"date\""))
        try stage.write("web/config.yaml", Manifests.configMap("web", "two"))
        let taken = try push()
        #expect(taken.code == 0 && taken.text.contains("1 object is valid"), "\(taken)")
    }

    @Test("every verb's help has a usage line that fits, and says its exit codes")
    func help() throws {
        let stage = try Stage()
        defer { stage.close() }
        func verbs(_ path: String) throws -> [String] {
            let text = try stage.shell("martlet \(path) --help").text
            // Up to the advice after the list.
            let list = text.split(separator: "SUBCOMMANDS:\n").dropFirst().first?.split(separator: "\n\n").first ?? ""
            let names = list.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
                .compactMap { $0.split(separator: " ").first.map { "\(path) \($0)" } }
            return try names.isEmpty ? [path] : names.flatMap(verbs)
        }
        let all = try verbs("")
        #expect(all.count > 20)
        for verb in all {
            let text = try stage.shell("martlet \(verb) --help").text
            let usage = text.split(separator: "\n").filter { $0.hasPrefix("USAGE: martlet\(verb) ") }
            #expect(usage.count == 1 && usage.allSatisfy { $0.count <= 80 }, "\(verb): \(usage)")
            #expect(text.contains("Exit codes: 0 "), "\(verb)")
        }
    }

    @Test("serve without an Application says how to add one, and client mistakes are no errors in its log")
    func startsEmpty() async throws {
        try await Stage.with { stage in
            try await stage.launch(["--log-level", "debug"])
            try await stage.eventually("the advice is there") {
                stage.log.contains("NOTICE there is no Application yet: ")
            }
            for word in ["'martlet serve --repo URL --path FOLDER'", "\(stage.data)/kubeconfig apply -f FILE"] {
                #expect(stage.log.contains(word), "\(stage.log)")
            }
            let cluster = try stage.connected()
            let path = ConfigMap.key("a", in: "default")
            func expectRefusal(_ reason: APIError.Reason, _ body: () async throws -> Void) async {
                await #expect { try await body() } throws: { ($0 as? APIError)?.reason == reason }
            }
            var unknown = ConfigMap(named: "a", in: "default").json
            unknown["dat"] = ["password": "hunter2"]
            await expectRefusal(.internalError) {
                let write = WriteOptions(fieldManager: "me")
                _ = try await cluster.patch(path, .apply(unknown, force: false), subresource: nil, options: write)
            }
            var versioned = ConfigMap(named: "a", in: "default")
            versioned.metadata.resourceVersion = "5"
            await expectRefusal(.internalError) {
                _ = try await cluster.create(Object(viewing: versioned.json), options: WriteOptions(fieldManager: "me"))
            }
            await expectRefusal(.notFound) { _ = try await cluster.get(path) }
            #expect(stage.log.contains("DEBUG PATCH /api/v1/namespaces/default/configmaps/a: 500 InternalError"))
            #expect(stage.log.contains("DEBUG GET /api/v1/namespaces/default/configmaps/a: 404 NotFound"))
            #expect(!stage.log.contains(" ERROR ") && !stage.log.contains("hunter2"), "\(stage.log)")
            #expect(stage.end(SIGTERM) == 0)
            _ = try stage.push("empty")
            try await stage.start()
            let last = try #require(stage.log.split(separator: "ready on").last)
            #expect(!last.contains("no Application yet"))
        }
    }

    @Test("what backup copies from a running service, restore gives to another one")
    func backup() async throws {
        try await Stage.with { stage in
            try await stage.launch([])
            let cluster = try stage.connected()
            var object = ConfigMap(named: "kept", in: "default")
            object.data = ["a": "1"]
            _ = try await cluster.create(Object(viewing: object.json), options: WriteOptions(fieldManager: "me"))
            let copy = "\(stage.root)/copy"
            let written = try stage.martlet("backup", copy)
            #expect(written.code == 0 && written.output.hasSuffix("objects written to \(copy)\n"), "\(written)")
            let running = try stage.martlet("restore", copy, "--replace")
            #expect(running.code == 2 && running.output.contains("is in use by process"), "\(running)")
            _ = try await cluster.delete(object.key, options: DeleteOptions())
            #expect(stage.end(SIGTERM) == 0)
            let refused = try stage.martlet("restore", copy)
            #expect(refused.code == 2 && refused.output.contains("--replace sets it aside"), "\(refused)")
            let restored = try stage.martlet("restore", copy, "--replace")
            #expect(restored.code == 0 && restored.output.contains("store.db.replaced"), "\(restored)")
            try await stage.launch([])
            let back = try await stage.connected().get(object.key)
            #expect(back.view(as: ConfigMap.self).data == ["a": "1"])
        }
    }

    /// A pod that needs a moment to end in good order, and says that it did.
    private static func slow(_ file: String, ignoring: Bool = false) -> String {
        let trap =
            ignoring
            ? "trap '' TERM; touch \(file)" : "trap 'cp \(file).hook \(file).ended; exit 0' TERM; touch \(file)"
        return """
            apiVersion: v1
            kind: Pod
            metadata:
              name: slow
            spec:
              terminationGracePeriodSeconds: 40
              containers:
                - name: main
                  image: none
                  command: ["bash", "-c", "\(trap); while :; do read -t 1 <> <(:); done"]
                  lifecycle:
                    preStop:
                      exec:
                        command: ["bash", "-c", "echo drained >\(file).hook"]
            """
    }

    @Test("SIGHUP refreshes, SIGTERM ends gracefully, and --stop-pods runs each pod's preStop hook within its grace")
    func stopsPods() async throws {
        try await Stage.with { stage in
            try stage.write("web/pod.yaml", Self.slow("\(stage.root)/slow"))
            _ = try stage.push("one")
            try await stage.start(["--interval", "1h"])
            try await stage.eventually("the pod runs") {
                FileManager.default.fileExists(atPath: "\(stage.root)/slow")
            }
            #expect(!stage.processes().isEmpty)
            stage.signalService(SIGHUP)
            try await stage.eventually("all are refreshed") { stage.log.contains("asking Git about every application") }
            stage.signalService(SIGTERM)
            #expect(stage.waitForEnd() == 0)
            // What the hook wrote was there when SIGTERM came.
            #expect(FileManager.default.contents(atPath: "\(stage.root)/slow.ended") == Data("drained\n".utf8))
            #expect(stage.processes().isEmpty)
        }
    }

    @Test("a second SIGINT ends the service at once, however long a pod takes to end")
    func endsAtOnce() async throws {
        try await Stage.with { stage in
            try stage.write("web/pod.yaml", Self.slow("\(stage.root)/slow", ignoring: true))
            _ = try stage.push("one")
            try await stage.start()
            try await stage.eventually("the pod runs") {
                FileManager.default.fileExists(atPath: "\(stage.root)/slow")
            }
            stage.signalService(SIGINT)
            try await stage.eventually("the service is stopping") { stage.log.contains("again to end at once") }
            let start = ContinuousClock().now
            stage.signalService(SIGINT)
            #expect(stage.waitForEnd() == 130)
            #expect(ContinuousClock().now - start < .seconds(20), "far less than the pod's grace")
        }
    }

    @Test("serve tells systemd when it is ready and when it stops; simulated pods run on several nodes")
    func simulates() async throws {
        try await Stage.with { stage in
            try stage.write("web/deployment.yaml", Manifests.deployment([], replicas: 6))
            let revision = try stage.push("one")
            let socket = try NotifySocket("\(stage.root)/notify")
            defer { socket.close() }
            try await stage.start(
                ["--runtime", "simulated", "--nodes", "3", "--log-format", "json"],
                environment: ["NOTIFY_SOCKET=\(stage.root)/notify"])
            #expect(socket.receive() == "READY=1")
            try await stage.waitForHealthy(revision)
            let nodes = Set(try await stage.pods().map(\.spec.nodeName))
            #expect(nodes.count == 3)
            #expect(try stage.shell("martlet get nodes --no-headers | wc -l").text == "3\n")
            let (clock, start) = (ContinuousClock(), ContinuousClock().now)
            stage.signalService(SIGTERM)
            #expect(socket.receive() == "STOPPING=1")
            #expect(stage.waitForEnd() == 0)
            #expect(clock.now - start < .seconds(4), "pods that end at once need not their grace of 5 s")
            let lines = stage.log.split(separator: "\n").filter { $0.hasPrefix("{") }
            #expect(lines.contains { $0.contains("\"message\":\"stopped\"") })
        }
    }
}

/// What systemd listens on.
private struct NotifySocket {
    let descriptor: Int32

    init(_ path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        try #require(bytes.count < MemoryLayout.size(ofValue: address.sun_path), "\(path) is too long")
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        try #require(code == 0)
        // A test that fails must not hang.
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    func close() { Glibc.close(descriptor) }
}
