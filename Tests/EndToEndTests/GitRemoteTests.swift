import Cluster
import Glibc
import Kinds
import Model
import TestServers
import Testing

/// Following a repository over every transport, through everything that can happen to it and on the way to it.
@Suite("Following a remote repository", .serialized, .blocking)
struct GitRemoteTests {
    /// A repository Secret in Argo CD's shape.
    private static func secret(_ name: String, _ url: String, _ values: String...) -> String {
        """
        apiVersion: v1
        kind: Secret
        metadata:
          name: \(name)
          labels:
            argocd.argoproj.io/secret-type: repository
        stringData:
          url: \(url)
        \(values.map { "  \($0)\n" }.joined())
        """
    }

    /// An OpenSSH client whose own configuration knows `git-host`, as `~/.ssh/config` would: an scp-like URL has no
    /// place for a port.
    private static func secureShell(_ stage: Stage, port: Int) throws -> String {
        writeFile("\(stage.root)/ssh_config", "Host git-host\n  HostName 127.0.0.1\n  Port \(port)\n")
        writeFile("\(stage.root)/bin/ssh", "#!/bin/sh\nexec /usr/bin/ssh -F '\(stage.root)/ssh_config' \"$@\"\n")
        run(["chmod", "755", "\(stage.root)/bin/ssh"])
        return "PATH=\(stage.root)/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin"
    }

    /// A repository beside the stage's own, whose folder `base` has a ConfigMap with that value.
    private static func base(_ stage: Stage, _ value: String, broken: Bool = false, branch: String = "main") {
        let path = "\(stage.root)/other"
        writeFile("\(path)/base/kustomization.yaml", "resources: [a.yaml]\n")
        writeFile("\(path)/base/a.yaml", Manifests.configMap("a", value) + (broken ? "\nunknown: field\n" : ""))
        run(["git", "-C", path, "init", "-q", "-b", "main"])
        if branch != "main" { run(["git", "-C", path, "checkout", "-q", "-b", branch]) }
        run(["git", "-C", path, "add", "-A"])
        run(["git", "-C", path, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", value])
    }

    @Test("a base in another repository that moves is synced by itself, judged, and rolled back, as a commit is")
    func movedBase() async throws {
        try await Stage.with { stage in
            Self.base(stage, "one")
            let base = "file://\(stage.root)/other//base?ref=main"
            try stage.write("web/kustomization.yaml", "resources: ['\(base)']\nnamePrefix: x-\n")
            let commit = try stage.push("the only commit")
            try await stage.launch(["--interval", "500ms"])
            try await stage.follow("web", path: "web", repository: stage.remote)
            try await Self.waitForHealthy("one", stage)
            let first = try await stage.rollout().revision ?? ""
            Self.base(stage, "two")
            try await Self.waitForHealthy("two", stage)
            let second = try await stage.rollout().revision ?? ""
            #expect(first.hasPrefix("\(commit)+") && second.hasPrefix("\(commit)+") && first != second)
            let status = try await stage.application().status
            #expect(status.sync.revision == commit)
            #expect(status.sync.bases.map(\.base) == [base])
            #expect(status.sync.bases.map { second.hasSuffix("=\($0.revision)") } == [true])

            // What is wrong in the base is held with it; the commit is not to blame, and what worked comes back.
            Self.base(stage, "three", broken: true)
            try await stage.eventually("the broken base is held") {
                let rollout = try await stage.rollout()
                return rollout.phase == "RolledBack" && rollout.revision == second
            }
            #expect(try await stage.value(of: "x-a", in: "web") == "two")
            Self.base(stage, "four")
            try await Self.waitForHealthy("four", stage)
            // A service that starts anew knows what was synced, and syncs nothing until the base moves again.
            let fourth = try await stage.rollout().revision ?? ""
            stage.killService()
            try await stage.launch(["--interval", "500ms"])
            Self.base(stage, "five")
            try await Self.waitForHealthy("five", stage)
            let fifth = try await stage.rollout().revision ?? ""
            #expect(try await stage.application().status.history.suffix(2).map(\.revision) == [fourth, fifth])
        }
    }

    @Test("a base that cannot be had is told with its place; what is deployed stays, and goes on when it can be again")
    func missingBase() async throws {
        try await Stage.with { stage in
            Self.base(stage, "one")
            let overlay = "resources: ['file://\(stage.root)/other//base?ref=main']\nnamePrefix: x-\n"
            try stage.write("web/kustomization.yaml", overlay)
            _ = try stage.push("first")
            try await stage.launch(["--interval", "500ms"])
            try await stage.follow("web", path: "web", repository: stage.remote)
            try await Self.waitForHealthy("one", stage)
            try stage.write("web/kustomization.yaml", overlay.replacing("ref=main", with: "ref=nosuch"))
            _ = try stage.push("second")
            try await stage.waitForCondition(
                "ComparisonError",
                containing: "web/kustomization.yaml:1:13: the base file://\(stage.root)/other//base?ref=nosuch")
            #expect(try await stage.value(of: "x-a", in: "web") == "one")
            Self.base(stage, "two", branch: "nosuch")
            try await Self.waitForHealthy("two", stage)
            #expect(try await stage.condition("ComparisonError") == nil)
        }
    }

    @Test("damage to the mirror of a base's repository sets that one aside, and no other")
    func damagedBase() async throws {
        try await Stage.with { stage in
            Self.base(stage, "one")
            try stage.write("web/kustomization.yaml", "resources: ['file://\(stage.root)/other//base?ref=main']\n")
            _ = try stage.push("first")
            try await stage.launch(["--interval", "500ms"])
            try await stage.follow("web", path: "web", repository: stage.remote)
            try await Self.waitForHealthy("one", stage)
            stage.killService()
            // The file of the base cannot be read in the mirror any more; its commit and tree can.
            let blob = run(["git", "-C", "\(stage.root)/other", "rev-parse", "HEAD:base/a.yaml"]).text
                .prefix { $0 != "\n" }
            let name = "\(blob.prefix(2))/\(blob.dropFirst(2))"
            run([
                "sh", "-c",
                """
                for mirror in \(stage.data)/repositories/*; do
                  for pack in $mirror/objects/pack/*.pack; do
                    mv $pack $mirror/pack && rm -f $mirror/objects/pack/* && git -C $mirror unpack-objects -q <$mirror/pack
                  done
                done
                """,
            ])
            let found = run(["find", "\(stage.data)/repositories", "-path", "*/objects/\(name)"]).text
            let file = try #require(found.split(separator: "\n").first.map(String.init), "a loose object of the mirror")
            run(["chmod", "644", file])
            writeFile(file, "not an object")
            try await stage.launch(["--interval", "500ms"])
            let mirror = String(try #require(file.firstRange(of: "/objects/").map { file[..<$0.lowerBound] }))
            try await stage.eventually("the base's mirror is set aside") {
                run(["ls", "\(stage.data)/repositories"]).text.contains(".damaged-1")
            }
            let names = run(["ls", "\(stage.data)/repositories"]).text.split(separator: "\n").map(String.init)
            #expect(
                names.filter { $0.hasSuffix(".damaged-1") }.map { "\(stage.data)/repositories/\($0)" }
                    == ["\(mirror).damaged-1"])
            try await Self.waitForHealthy("one", stage)
        }
    }

    /// Waits until the ConfigMap of the base has that value, and all is well.
    private static func waitForHealthy(_ value: String, _ stage: Stage) async throws {
        try await stage.eventually("the base's \(value) is deployed and healthy") {
            let names = [try await stage.value(of: "x-a", in: "web"), try await stage.value(of: "a", in: "web")]
            let phase = try await stage.rollout().phase
            return names.contains(value) && phase == "Healthy"
        }
    }

    @Test(
        "a first commit, a push, a force-push and a deleted branch are followed over path, file, http, ssh and scp URLs",
        .enabled(if: SSHServer.isInstalled, "needs sshd and ssh-keygen (apt install openssh-server)"))
    func transports() async throws {
        try await Stage.with { stage in
            // bob:s3cret, and git:t0ken
            let http = HTTPBackend(root: stage.root, authorization: "Basic Ym9iOnMzY3JldA==")
            let token = HTTPBackend(root: stage.root, authorization: "Basic Z2l0OnQwa2Vu")
            let ssh = SSHServer(in: stage.root)
            let remotes = [
                "path": stage.remote, "file": "file://\(stage.remote)", "http": http.url("repository.git"),
                "token": token.url("repository.git"), "ssh": ssh.url(stage.remote),
                "scp": "\(ssh.user)@git-host:\(stage.remote)",
            ]
            try await stage.launch(
                ["--interval", "500ms"],
                environment: [
                    try Self.secureShell(stage, port: ssh.port), "MARTLET_GIT_SSH_KEY_FILE=\(ssh.userKey)",
                    "MARTLET_GIT_KNOWN_HOSTS_FILE=\(ssh.knownHosts)",
                ])
            try await stage.apply(
                Self.secret("http", http.url("repository.git"), "username: bob", "password: s3cret"), in: "martlet")
            try await stage.apply(Self.secret("token", token.url("repository.git"), "password: t0ken"), in: "martlet")
            let names = remotes.keys.sorted()
            for name in names { try await stage.follow(name, path: "web", repository: remotes[name]) }
            for name in names {
                try await stage.waitForCondition(
                    "ComparisonError", of: name, containing: "is empty: push a commit to it first")
            }

            func all(_ value: String, _ revision: String) async throws {
                for name in names {
                    try await stage.waitForHealthy(revision, name)
                    #expect(try await stage.value(of: "a", in: name) == value, "\(name)")
                    #expect(try await stage.condition("ComparisonError", of: name) == nil, "\(name)")
                }
            }
            try stage.write("web/a.yaml", Manifests.configMap("a", "one"))
            let first = try stage.push("first commit")
            try await all("one", first)
            try stage.write("web/a.yaml", Manifests.configMap("a", "two"))
            try await all("two", try stage.push("second commit"))
            try stage.git("reset", "-q", "--hard", first)
            try stage.write("web/a.yaml", Manifests.configMap("a", "three"))
            let third = try stage.push("instead of the second")
            try await all("three", third)

            run(["git", "-C", stage.remote, "config", "receive.denyDeleteCurrent", "ignore"])
            try stage.git("push", "-q", "origin", "main:spare", ":main")
            for name in names {
                try await stage.waitForCondition("ComparisonError", of: name, containing: "main")
                #expect(try await stage.value(of: "a", in: name) == "three", "\(name)")
                #expect(try await stage.rollout(name).revision == third, "\(name)")
            }
            try stage.write("web/a.yaml", Manifests.configMap("a", "four"))
            try await all("four", try stage.push("the branch is back"))
            for secret in ["s3cret", "t0ken"] { #expect(!stage.log.contains(secret)) }
        }
    }

    @Test("refused credentials and a connection cut in the middle are said; what is deployed stays; both pass")
    func http() async throws {
        try await Stage.with { stage in
            try stage.write("web/a.yaml", Manifests.configMap("a", "one"))
            let first = try stage.push("first commit")
            let server = HTTPBackend(root: stage.root, authorization: "Basic Ym9iOnMzY3JldA==")
            let url = server.url("repository.git")
            try await stage.launch(["--interval", "300ms"])
            try await stage.follow("http", path: "web", repository: url)
            try await stage.follow("path", path: "web")
            try await stage.waitForHealthy(first, "path")
            try await stage.waitForCondition("ComparisonError", of: "http", containing: "none are configured")
            try await stage.apply(Self.secret("http", url, "username: bob", "password: wr0ng"), in: "martlet")
            try await stage.waitForCondition(
                "ComparisonError", of: "http", containing: "refuses the configured user and password")
            try await stage.apply(Self.secret("http", url, "username: bob", "password: s3cret"), in: "martlet")
            try await stage.waitForHealthy(first, "http")

            server.fault = .cut(after: 20_000)
            try stage.write("blob.txt", (0..<20_000).map { "\($0 &* 2_654_435_761) " }.joined())
            try stage.write("web/a.yaml", Manifests.configMap("a", "two"))
            let second = try stage.push("a large commit")
            try await stage.waitForHealthy(second, "path")
            try await stage.waitForCondition("ComparisonError", of: "http", containing: "\(url) broke")
            #expect(try await stage.value(of: "a", in: "http") == "one")
            server.fault = .none
            try await stage.waitForHealthy(second, "http")

            server.fault = .status(503)
            try await stage.waitForCondition("ComparisonError", of: "http", containing: url)
            server.fault = .none
            try await stage.eventually("the server's fault has passed") {
                try await stage.condition("ComparisonError", of: "http") == nil
            }
            for secret in ["s3cret", "wr0ng"] { #expect(!stage.log.contains(secret)) }
        }
    }

    @Test("a remote that falls silent neither keeps a bad commit in place nor the service from stopping")
    func silence() async throws {
        try await Stage.with { stage in
            try stage.write("web/web.yaml", Manifests.deployment(["--drain", "0s"], replicas: 1))
            let good = try stage.push("it runs")
            let server = HTTPBackend(root: stage.root)
            try await stage.launch(["--interval", "300ms"])
            try await stage.follow("web", repository: server.url("repository.git"))
            try await stage.waitForHealthy(good)
            try stage.write(
                "web/web.yaml",
                Manifests.deployment([], replicas: 1).replacing("martlet.dev/echo", with: "nowhere.invalid/web:1"))
            let bad = try stage.push("no such image")
            try await stage.eventually("the bad commit is judged") { try await stage.rollout().revision == bad }
            server.fault = .silence
            // Far less than the minute of silence after which the remote is given up.
            try await stage.eventually("the bad commit is rolled back", seconds: 30) {
                let rollout = try await stage.rollout()
                return rollout.phase == "RolledBack" && rollout.revision == good
            }
            try await stage.eventually("Git is being asked") { server.silentConnections > 0 }
            let clock = ContinuousClock()
            let start = clock.now
            #expect(stage.end(SIGTERM) == 0)
            #expect(clock.now - start < .seconds(20))
        }
    }

    @Test(
        "a changed ssh host key, an unknown one and a refused key stop the fetch until they are right",
        .enabled(if: SSHServer.isInstalled, "needs sshd and ssh-keygen (apt install openssh-server)"))
    func hostKeys() async throws {
        try await Stage.with { stage in
            try stage.write("web/a.yaml", Manifests.configMap("a", "one"))
            let first = try stage.push("first commit")
            let server = SSHServer(in: stage.root)
            try await stage.launch(
                ["--interval", "300ms"], environment: ["MARTLET_GIT_KNOWN_HOSTS_FILE=\(server.knownHosts)"])
            func key(_ name: String) -> String {
                let text = run(["cat", server.key(name)]).text
                return "sshPrivateKey: |\n" + text.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
            }
            let url = server.url(stage.remote)
            try await stage.apply(Self.secret("ssh", url, key("stranger")), in: "martlet")
            try await stage.follow("web", repository: url)
            try await stage.waitForCondition("ComparisonError", containing: "refuses the ssh key")
            try await stage.apply(Self.secret("ssh", url, key("user")), in: "martlet")
            try await stage.waitForHealthy(first)

            server.trust("other")
            try await stage.waitForCondition("ComparisonError", containing: "is not the one in known_hosts")
            try stage.write("web/a.yaml", Manifests.configMap("a", "two"))
            let second = try stage.push("second commit")
            server.trust(nil)
            try await stage.waitForCondition("ComparisonError", containing: "ssh-keyscan -p \(server.port) 127.0.0.1")
            #expect(try await stage.value(of: "a", in: "web") == "one")
            server.trust("host")
            try await stage.waitForHealthy(second)
            #expect(!stage.log.contains("PRIVATE KEY"))
        }
    }
}
