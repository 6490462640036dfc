import Cluster
import Kinds
import Model
import TestServers
import Testing

/// What is wrong in a repository is said with its place, changes nothing, and stops nobody else.
@Suite("Faults in the repository", .serialized, .blocking)
struct RepositoryFaultTests {
    /// A fault that a commit brings into the folder of its name.
    struct Fault {
        var name: String
        /// What the folder holds besides the ConfigMap `marker` while all is well.
        var good = ""
        var bad: String
        /// What the reason for holding the commit must contain, word for word.
        var says: [String]
        /// What must be said nowhere.
        var hides: String?
    }

    static func deployment(_ edit: (String) -> String) -> String {
        edit(
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata:
              name: web
            spec:
              replicas: 0
              selector:
                matchLabels:
                  app: web
              template:
                metadata:
                  labels:
                    app: web
                spec:
                  containers:
                    - name: web
                      image: martlet.dev/echo
            """)
    }

    static let faults: [Fault] = [
        Fault(
            name: "malformed", bad: "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n data: {}\n",
            says: ["malformed/object.yaml:5:2: "]),
        Fault(
            name: "kind", bad: "apiVersion: v1\nkind: ConfgMap\nmetadata:\n  name: x\n",
            says: [
                "kind/object.yaml:1:1: x: there is no kind ConfgMap in v1; did you mean apiVersion: v1, kind: ConfigMap?"
            ]),
        Fault(
            name: "field", bad: deployment { $0.replacing("replicas: 0", with: "replcas: 0") },
            says: [
                "field/object.yaml:6:3: Deployment.apps \"web\": unknown field \"spec.replcas\"",
                "did you mean \"replicas\"?",
            ]),
        Fault(
            name: "type", bad: "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  port: 8080\n",
            says: ["type/object.yaml:6:3: ConfigMap \"x\": ", "quote it: \"8080\""]),
        Fault(
            name: "secret",
            bad: "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  password: 47114712\n",
            says: ["secret/object.yaml:6:3: Secret \"x\": stringData.password: expected a string"], hides: "47114712"),
        Fault(
            name: "base64", bad: "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\ndata:\n  password: hunter-two\n",
            says: ["base64/object.yaml:6:3: Secret \"x\""], hides: "hunter-two"),
        Fault(
            name: "value", bad: deployment { $0.replacing("replicas: 0", with: "replicas: -1") },
            says: [
                "value/object.yaml:6:3: Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: "
                    + "must be greater than or equal to 0"
            ]),
        Fault(
            name: "duplicate", bad: Manifests.configMap("marker", "other"),
            says: [
                "duplicate/object.yaml:1:1: ConfigMap duplicate/marker is already defined at duplicate/marker.yaml:1:1"
            ]),
        Fault(
            name: "selector", good: deployment { $0 },
            bad: deployment { $0.replacing("app: web", with: "app: other") },
            says: [
                "selector/object.yaml:7:3: Deployment.apps \"web\" is invalid: spec.selector: ", "field is immutable",
            ]),
        Fault(
            name: "address", good: Manifests.service,
            bad: Manifests.service.replacing("spec:\n", with: "spec:\n  clusterIP: None\n"),
            says: [
                "address/object.yaml:5:1: Service \"web\" is invalid: spec.clusterIPs[0]: ", "may not change once set",
            ]),
        Fault(
            name: "chart", bad: "", says: ["chart/Chart.yaml: Helm charts are not rendered yet"]),
    ]

    private static func write(_ stage: Stage, _ value: String, bad: Bool) throws {
        for fault in faults {
            try stage.write("\(fault.name)/marker.yaml", Manifests.configMap("marker", value))
            let file = fault.name == "chart" ? "Chart.yaml" : "object.yaml"
            let text = bad ? fault.bad : fault.good
            if text.isEmpty, !bad {
                stage.remove("\(fault.name)/\(file)")
            } else {
                try stage.write("\(fault.name)/\(file)", text)
            }
        }
        try stage.write("good/marker.yaml", Manifests.configMap("marker", value))
    }

    @Test("a bad file refuses its commit with its place; nothing changes there, all others go on, and the fix is taken")
    func badManifests() async throws {
        try await Stage.with { stage in
            try Self.write(stage, "one", bad: false)
            let first = try stage.push("all is well")
            try await stage.launch(["--interval", "60s"])
            let names = Self.faults.map(\.name) + ["good"]
            for name in names { try await stage.follow(name) }
            for name in names { try await stage.waitForHealthy(first, name) }

            try Self.write(stage, "two", bad: true)
            let second = try stage.push("all is bad but one")
            try await stage.waitForHealthy(second, "good")
            for fault in Self.faults {
                let held = try await stage.waitForHeld(second, fault.name)
                #expect(held.reason == "InvalidManifests", "\(fault.name)")
                let message = held.message ?? ""
                for text in fault.says { #expect(message.contains(text), "\(fault.name): \(message)") }
                #expect(held.rolledBackTo == first, "\(fault.name)")
                #expect(try await stage.value(of: "marker", in: fault.name) == "one", "\(fault.name)")
                let said = try await stage.condition("RevisionHeld", of: fault.name) ?? ""
                #expect(said.contains(fault.says[0]), "\(fault.name): \(said)")
                #expect(stage.log.contains(fault.says[0]), "\(fault.name) is not in the log")
                try await stage.waitForEvent("Warning OperationFailed: \(fault.says[0])", in: "martlet")
                if let hidden = fault.hides {
                    #expect(!message.contains(hidden) && !stage.log.contains(hidden), "\(fault.name): \(message)")
                }
            }
            #expect(try await stage.value(of: "marker", in: "good") == "two")

            try Self.write(stage, "three", bad: false)
            let third = try stage.push("mended")
            for name in names {
                try await stage.waitForHealthy(third, name)
                #expect(try await stage.value(of: "marker", in: name) == "three", "\(name)")
            }
        }
    }

    @Test("all faults of a first commit are said at once; it is not called synced, and its fix is taken")
    func firstCommit() async throws {
        try await Stage.with { stage in
            try stage.write("web/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: x\n")
            try stage.write("web/b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  nam: b\n")
            try stage.write("web/c.yaml", Manifests.configMap("c", "one"))
            let bad = try stage.push("two faults")
            try await stage.start()
            let held = try await stage.waitForHeld(bad)
            #expect(held.message?.contains("web/b.yaml:") == true, "\(held.message ?? "")")
            #expect(try await stage.rollout().phase == "Degraded")
            let attempts = stage.log.split(separator: "\n").count { $0.contains("sync of \(bad.prefix(12)) failed") }
            #expect(attempts == 1, "what cannot be applied is not tried again")
            #expect(try await stage.application().status.sync.status != "Synced")
            #expect(try await stage.configMapNames(in: "default").isEmpty)

            try stage.write("web/b.yaml", Manifests.configMap("b", "one"))
            let half = try stage.push("one fault")
            let said = try await stage.waitForHeld(half).message ?? ""
            #expect(said.contains("web/a.yaml:5:1: ConfigMap \"a\": "), "\(said)")
            try await stage.eventually("what is not applied is out of sync") {
                try await stage.application().status.sync.status == "OutOfSync"
            }

            try stage.write("web/a.yaml", Manifests.configMap("a", "one"))
            try await stage.waitForHealthy(try stage.push("none"))
            #expect(try await stage.configMapNames(in: "default") == ["a", "b", "c"])
        }
    }

    @Test("a commit without any manifest deletes nothing, until the Application says that it may")
    func emptied() async throws {
        try await Stage.with { stage in
            try stage.write("web/a.yaml", Manifests.configMap("a", "one"))
            try stage.write("web/b.yaml", Manifests.configMap("b", "one"))
            let first = try stage.push("two objects")
            try await stage.launch([])
            try await stage.follow("web")
            try await stage.waitForHealthy(first)
            try await stage.apply(Manifests.configMap("foreign", "mine"), in: "web")

            try stage.git("rm", "-q", "-r", "web")
            try stage.write("web/README.md", "no manifests here\n")
            let second = try stage.push("nothing is left")
            let message = try await stage.waitForCondition("SyncError", containing: "would delete everything")
            #expect(message.contains("allowEmpty"), "\(message)")
            #expect(try await stage.configMapNames(in: "web") == ["a", "b", "foreign"])

            _ = try await stage.connected().patch(
                Application.key("web", in: "martlet"),
                .merge(["spec": ["syncPolicy": ["automated": ["allowEmpty": true]]]]), subresource: nil,
                options: WriteOptions(fieldManager: "me"))
            try await stage.waitForHealthy(second)
            try await stage.eventually("what it had created is gone, and nothing else") {
                try await stage.configMapNames(in: "web") == ["foreign"]
            }
        }
    }

    @Test("pruning leaves alone what others made: replaced by hand, owned by another application, or a copy")
    func prune() async throws {
        try await Stage.with { stage in
            for name in ["a", "b", "c"] { try stage.write("web/\(name).yaml", Manifests.configMap(name, "one")) }
            try stage.write("other/other.yaml", Manifests.configMap("other", "one"))
            let first = try stage.push("three objects")
            try await stage.launch([])
            try await stage.follow("web") { $0.spec.syncPolicy?.automated?.selfHeal = false }
            try await stage.follow("other") { $0.spec.destination.namespace = "web" }
            for name in ["web", "other"] { try await stage.waitForHealthy(first, name) }
            let cluster = try stage.connected()
            // `a` is somebody else's by now; `copy` was made from `b`, annotations and all.
            _ = try await cluster.delete(ConfigMap.key("a", in: "web"), options: DeleteOptions())
            try await stage.apply(Manifests.configMap("a", "mine"), in: "web")
            var copy: ConfigMap = try await cluster.get(ConfigMap.key("b", in: "web")).view()
            copy.metadata = {
                var metadata = ObjectMeta()
                metadata.name = "copy"
                metadata.namespace = "web"
                metadata.annotations = copy.metadata.annotations
                return metadata
            }()
            _ = try await cluster.create(Object(viewing: copy.json), options: WriteOptions(fieldManager: "me"))

            try stage.git("rm", "-q", "web/a.yaml", "web/b.yaml")
            let second = try stage.push("one object")
            try await stage.waitForHealthy(second)
            try await stage.eventually("b is pruned, and nothing else") {
                try await stage.configMapNames(in: "web") == ["a", "c", "copy", "other"]
            }
            #expect(try await stage.value(of: "a", in: "web") == "mine")
        }
    }

    @Test("a revision, a path or a repository that does not exist is named, and what is deployed stays")
    func missingSources() async throws {
        try await Stage.with { stage in
            try stage.write("web/a.yaml", Manifests.configMap("a", "one"))
            let first = try stage.push("one object")
            try await stage.launch(["--interval", "500ms"])
            try await stage.follow("web")
            try await stage.follow("branch", path: "web", revision: "mian")
            try await stage.follow("path", path: "wbe")
            try await stage.follow("repository", path: "web", repository: "\(stage.root)/absent.git")
            try await stage.follow("spec", path: "web") { $0.metadata.annotations["martlet.dev/rollback"] = "never" }
            try await stage.follow("url", path: "web", repository: "ftp://127.0.0.1/x.git")
            try await stage.waitForHealthy(first)
            let branch = try await stage.waitForCondition("ComparisonError", of: "branch", containing: "mian")
            #expect(branch.contains("main"), "a suggestion: \(branch)")
            try await stage.waitForCondition("ComparisonError", of: "repository", containing: "does not exist")
            try await stage.waitForCondition("ComparisonError", of: "url", containing: "ftp:// is not supported")
            try await stage.waitForCondition(
                "InvalidSpecError", of: "spec", containing: "\"never\" is none of \"commit\"")
            let held = try await stage.waitForHeld(first, "path")
            #expect(held.message?.contains("wbe") == true, "\(held.message ?? "")")
            #expect(try await stage.application("branch").status.sync.status == "Unknown")

            // Whoever asks for a sync of what cannot be found is told so, and does not wait.
            _ = try await stage.connected().patch(
                Application.key("repository", in: "martlet"), .merge(["operation": ["sync": [:]]]),
                subresource: nil, options: WriteOptions(fieldManager: "me"))
            try await stage.eventually("the sync is refused with its reason") {
                let answer = try await stage.application("repository").status.operationState
                return answer?.message?.contains("does not exist") == true
            }

            // Each is mended in its own way: the branch and the repository come into being, the path is corrected.
            try stage.git("push", "-q", "origin", "main:mian")
            try stage.copyRepository(to: "\(stage.root)/absent.git")
            _ = try await stage.connected().patch(
                Application.key("path", in: "martlet"), .merge(["spec": ["source": ["path": "web"]]]),
                subresource: nil, options: WriteOptions(fieldManager: "me"))
            _ = try await stage.connected().patch(
                Application.key("spec", in: "martlet"),
                .merge(["metadata": ["annotations": ["martlet.dev/rollback": "off"]]]), subresource: nil,
                options: WriteOptions(fieldManager: "me"))
            for name in ["branch", "repository", "path", "spec"] {
                try await stage.waitForHealthy(first, name)
                #expect(try await stage.value(of: "a", in: name) == "one", "\(name)")
            }
            #expect(try await stage.condition("ComparisonError", of: "branch") == nil)
        }
    }
}
