import Glibc
import TestServers
import Testing

/// What people do with `kubectl`, against a real service over TLS.
@Suite("kubectl", .serialized, .blocking, .enabled(if: Kubectl.isInstalled, "there is no kubectl on PATH"))
struct KubectlTests {
    /// A service, and in it the Deployment and Service `web`, rolled out.
    static func with(_ body: (Kubectl, Stage) async throws -> Void) async throws {
        try await Stage.with { stage in
            try stage.write("web/config.yaml", Manifests.configMap("from-git", "one"))
            try stage.push("a config map")
            try await stage.start()
            let kubectl = Kubectl(stage: stage)
            try kubectl("apply", "-f", "input.yaml", input: web)
            try kubectl("rollout", "status", "deployment/web", "--timeout=40s")
            try await body(kubectl, stage)
        }
    }

    private static let web = manifest(version: "v1")

    private static func manifest(version: String, replicas: Int = 2) -> String {
        Manifests.deployment(["--version-text", version], replicas: replicas) + "\n---\n" + Manifests.service
    }

    @Test("looks: versions, kinds, tables, other outputs, selectors")
    func gets() async throws {
        try await Self.with { kubectl, _ in
            #expect(try kubectl("version").contains("Server Version"))
            let kinds = try kubectl("api-resources")
            for kind in ["deployments", "pods", "services", "applications"] { #expect(kinds.contains(kind)) }
            #expect(try kubectl("api-versions").contains("apps/v1"))
            let pods = try kubectl("get", "pods")
            #expect(pods.contains("READY") && pods.contains("1/1"), "\(pods)")
            let wide = try kubectl("get", "deploy", "-o", "wide")
            #expect(wide.contains("martlet.dev/echo") && wide.contains("app=web"), "\(wide)")
            #expect(try kubectl("get", "pods", "--show-labels").contains("pod-template-hash="))
            #expect(try kubectl("get", "pods", "-l", "app=web", "-o", "name").split(separator: "\n").count == 2)
            #expect(try kubectl("get", "pods", "-l", "app=other").contains("No resources found"))
            #expect(
                try kubectl("get", "pods", "--field-selector=status.phase=Running", "-o", "name").contains("pod/web-"))
            #expect(try kubectl("get", "deploy", "web", "-o", "jsonpath={.status.readyReplicas}") == "2")
            #expect(try kubectl("get", "deploy", "web", "-o", "json").contains("\"kind\": \"Deployment\""))
            #expect(try kubectl("get", "svc", "web", "-o", "yaml").contains("kind: Service"))
            #expect(try kubectl("get", "deploy/web", "svc/web").contains("service/web"))
            let all = try kubectl("get", "all")
            for name in ["pod/web-", "service/web", "deployment.apps/web", "replicaset.apps/web-"] {
                #expect(all.contains(name), "\(all)")
            }
            #expect(try kubectl("get", "pods", "-A", "--sort-by=.metadata.name").contains("default"))
            #expect(try kubectl("get", "nodes", "-o", "wide").contains("Ready"))
            #expect(try kubectl("get", "applications", "-n", "martlet").contains("web"))
            #expect(try kubectl("explain", "deployment.spec").contains("minReadySeconds"))
            let explained = try kubectl("explain", "deployment.spec.minReadySeconds")
            #expect(explained.contains("Seconds that a pod must be ready"), "\(explained)")
            #expect(try kubectl("explain", "pod.spec.containers", "--recursive").contains("readinessProbe"))
        }
    }

    @Test("describes, reads logs and events")
    func describes() async throws {
        try await Self.with { kubectl, _ in
            let pod = try #require(
                try kubectl("get", "pods", "-l", "app=web", "-o", "name").split(separator: "\n").first)
            let described = try kubectl("describe", String(pod))
            #expect(described.contains("Controlled By:  ReplicaSet/web-"), "\(described)")
            #expect(described.contains("Successfully assigned default/web-"), "events, too: \(described)")
            let deployment = try kubectl("describe", "deployment", "web")
            #expect(deployment.contains("2 desired | 2 updated | 2 total | 2 available"), "\(deployment)")
            #expect(deployment.contains("ScalingReplicaSet"), "\(deployment)")
            let service = try kubectl("describe", "service", "web")
            #expect(service.contains("Endpoints:                127."), "\(service)")
            let node = try kubectl("describe", "node")
            #expect(node.contains("KubeletReady") && node.contains("web-"), "\(node)")
            #expect(try kubectl("logs", String(pod)).contains("echo v1 listens"))
            #expect(try kubectl("logs", "deployment/web", "--tail=1").contains("echo v1 listens"))
            #expect(try kubectl("logs", "-l", "app=web", "--prefix").split(separator: "\n").count == 2)
            #expect(try kubectl("logs", "-l", "app=web", "--timestamps").contains("T"))
            #expect(try kubectl("get", "events").contains("ScalingReplicaSet"))
            #expect(try kubectl("events", "--for", "deployment/web").contains("ScalingReplicaSet"))
        }
    }

    @Test("applies from either side, shows differences, tries without doing, and refuses what it does not know")
    func applies() async throws {
        try await Self.with { kubectl, _ in
            #expect(try kubectl("apply", "-f", "input.yaml", input: Self.web).contains("service/web unchanged"))
            #expect(try kubectl("get", "deploy", "web", "-o", "jsonpath={.metadata.generation}") == "1")
            let next = Self.manifest(version: "v2")
            let difference = try kubectl.failing("diff", "-f", "input.yaml", input: next)
            #expect(difference.code == 1)
            #expect(difference.output.contains("v1") && difference.output.contains("+        - v2"), "\(difference)")
            #expect(
                try kubectl("apply", "-f", "input.yaml", "--dry-run=server", input: next).contains("(server dry run)"))
            #expect(!(try kubectl("get", "deploy", "web", "-o", "yaml").contains("- v2")))
            let applied = try kubectl(
                "apply", "--server-side", "--force-conflicts", "-f", "input.yaml", input: next)
            #expect(applied.contains("deployment.apps/web serverside-applied"))
            #expect(try kubectl("get", "deploy", "web", "-o", "yaml").contains("- v2"))
            try kubectl("rollout", "status", "deployment/web", "--timeout=40s")
            #expect(try kubectl("diff", "-f", "input.yaml", input: next).isEmpty)

            // With a label: managers of an object that began without any field are not recorded.
            let typo = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo, labels: {l: m}}\ndatta: {a: b}\n"
            let refused = try kubectl.failing("apply", "-f", "input.yaml", "--validate=strict", input: typo)
            #expect(refused.output.contains("unknown field \"datta\""), "\(refused)")
            let warned = try kubectl("create", "-f", "input.yaml", "--validate=warn", input: typo)
            #expect(warned.contains("Warning: unknown field \"datta\""), "\(warned)")
            #expect(warned.contains("configmap/typo created"), "\(warned)")
            let fixed = typo.split(separator: "datta").joined(separator: "data")
            #expect(try kubectl("replace", "-f", "input.yaml", input: fixed).contains("configmap/typo replaced"))
            let conflict = try kubectl.failing(
                "apply", "--server-side", "-f", "input.yaml",
                input: fixed.split(separator: "{a: b}").joined(separator: "{a: c}"))
            #expect(conflict.output.contains("conflict with \"kubectl-replace\""), "\(conflict)")
        }
    }

    @Test("creates by generators, which write protobuf, and changes what is there")
    func changes() async throws {
        try await Self.with { kubectl, _ in
            try kubectl("create", "configmap", "c1", "--from-literal=a=b", "--from-literal=empty=")
            #expect(try kubectl("get", "configmap", "c1", "-o", "jsonpath={.data}") == "{\"a\":\"b\",\"empty\":\"\"}")
            try kubectl("create", "secret", "generic", "s1", "--from-literal=p=q")
            #expect(try kubectl("get", "secret", "s1", "-o", "jsonpath={.data.p} {.type}") == "cQ== Opaque")
            try kubectl("create", "namespace", "extra")
            try kubectl("create", "deployment", "zero", "--image=martlet.dev/echo", "--replicas=0", "-n", "extra")
            #expect(try kubectl("get", "deploy", "zero", "-n", "extra", "-o", "jsonpath={.spec.replicas}") == "0")
            try kubectl("create", "service", "clusterip", "cs", "--tcp=80:8080", "-n", "extra")
            #expect(
                try kubectl("get", "svc", "cs", "-n", "extra", "-o", "jsonpath={.spec.ports[0].targetPort}") == "8080")
            let tried = try kubectl("create", "configmap", "c2", "--from-literal=a=b", "--dry-run=server", "-o", "yaml")
            #expect(tried.contains("uid: "), "\(tried)")
            #expect(try kubectl.failing("get", "configmap", "c2").output.contains("configmaps \"c2\" not found"))
            let again = try kubectl.failing("create", "configmap", "c1", "--from-literal=a=b")
            #expect(again.output.contains("configmaps \"c1\" already exists"), "\(again)")

            try kubectl("patch", "deployment", "web", "--type=merge", "-p", "{\"metadata\":{\"labels\":{\"m\":\"1\"}}}")
            try kubectl(
                "patch", "deployment", "web", "--type=json", "-p",
                "[{\"op\":\"add\",\"path\":\"/metadata/labels/j\",\"value\":\"1\"}]")
            try kubectl(
                "patch", "deployment", "web", "-p",
                "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\",\"env\":"
                    + "[{\"name\":\"X\",\"value\":\"y\"}]}]}}}}")
            try kubectl("label", "deployment", "web", "l=1")
            #expect(try kubectl.failing("label", "deployment", "web", "l=2").output.contains("--overwrite is false"))
            try kubectl("label", "--overwrite", "deployment", "web", "l=2")
            try kubectl("annotate", "deployment", "web", "note=hello")
            let path = "jsonpath={.metadata.labels.m}{.metadata.labels.j}{.metadata.labels.l}"
            #expect(try kubectl("get", "deploy", "web", "-o", path) == "112")
            let image = "jsonpath={.spec.template.spec.containers[*].image}"
            #expect(try kubectl("get", "deploy", "web", "-o", image) == "martlet.dev/echo", "merged by name")
            try kubectl("scale", "deployment/web", "--replicas=3")
            #expect(
                try kubectl.failing("scale", "deployment/web", "--replicas=1", "--current-replicas=7").output
                    .contains("Expected replicas to be 7, was 3"))
            try kubectl("scale", "deployment/web", "--replicas=1", "--current-replicas=3")
            try kubectl("wait", "--for=condition=Available", "deployment/web", "--timeout=40s")
            try kubectl("wait", "--for=jsonpath={.status.availableReplicas}=1", "deployment/web", "--timeout=40s")

            #expect(try kubectl("delete", "configmap", "c1").contains("deleted"))
            #expect(try kubectl("delete", "service", "web", "--wait=false").contains("deleted"))
            let pod = try kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}")
            #expect(try kubectl("delete", "pod", pod, "--grace-period=0", "--force").contains("force deleted"))
            #expect(try kubectl.failing("get", "pod", pod).output.contains("not found"))
            try kubectl("delete", "deployment", "web")
            try kubectl("wait", "--for=delete", "pods", "-l", "app=web", "--timeout=40s")
            try kubectl("delete", "namespace", "extra")
            #expect(try kubectl.failing("get", "namespace", "extra").output.contains("not found"))
        }
    }

    @Test("follows, undoes, restarts, pauses and resumes rollouts")
    func rollouts() async throws {
        try await Self.with { kubectl, _ in
            let arguments = "jsonpath={.spec.template.spec.containers[0].args[1]}"
            try kubectl("apply", "-f", "input.yaml", input: Self.manifest(version: "v2"))
            let status = try kubectl("rollout", "status", "deployment/web", "--timeout=40s")
            #expect(status.contains("deployment \"web\" successfully rolled out"))
            let history = try kubectl("rollout", "history", "deployment/web")
            #expect(history.contains("1         <none>") && history.contains("2         <none>"), "\(history)")
            #expect(try kubectl("rollout", "history", "deployment/web", "--revision=1").contains("v1"))
            try kubectl("rollout", "undo", "deployment/web")
            try kubectl("rollout", "status", "deployment/web", "--timeout=40s")
            #expect(try kubectl("get", "deploy", "web", "-o", arguments) == "v1")
            try kubectl("rollout", "restart", "deployment/web")
            try kubectl("rollout", "status", "deployment/web", "--timeout=40s")
            try kubectl("rollout", "pause", "deployment/web")
            try kubectl("set", "image", "deployment/web", "web=martlet.dev/echo:2")
            try kubectl("set", "env", "deployment/web", "A=b")
            #expect(
                try kubectl.failing("rollout", "restart", "deployment/web").output.contains("can't restart paused"))
            let revision = "jsonpath={.metadata.annotations.deployment\\.kubernetes\\.io/revision}"
            #expect(try kubectl("get", "deploy", "web", "-o", revision) == "4", "a paused one does not roll out")
            try kubectl("rollout", "resume", "deployment/web")
            try kubectl("rollout", "status", "deployment/web", "--timeout=40s")
            #expect(try kubectl("get", "deploy", "web", "-o", revision) == "5")
            #expect(try kubectl("get", "pods", "-l", "app=web", "-o", "yaml").contains("martlet.dev/echo:2"))
        }
    }

    @Test("what goes wrong is said clearly: tokens, kinds, names, what is not served")
    func faults() async throws {
        try await Self.with { kubectl, stage in
            var stranger = kubectl
            stranger.options = ["--token=wrong"]
            let refused = try stranger.failing("get", "pods")
            #expect(refused.output.contains("You must be logged in to the server"), "\(refused)")
            var plain = kubectl
            let server = try kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
            #expect(server.hasPrefix("https://127.0.0.1:"))
            plain.options = ["--server=http://" + server.dropFirst("https://".count)]
            let unsafe = try plain.failing("get", "--raw", "/version")
            #expect(unsafe.output.contains("BadRequest"), "\(unsafe)")
            #expect(try kubectl.failing("get", "nokind").output.contains("doesn't have a resource type \"nokind\""))
            #expect(try kubectl.failing("get", "deploy", "x").output.contains("deployments.apps \"x\" not found"))
            #expect(try kubectl.failing("top", "pods").output.contains("Metrics API not available"))
            #expect(try kubectl("auth", "whoami").contains("martlet-admin"))
            #expect(try kubectl("auth", "can-i", "get", "pods").contains("yes"))
            #expect(
                try kubectl.failing("exec", "deployment/web", "--", "true").output.contains(
                    "pods/exec is not served: there is no way into a running pod yet"))
            let secrets = try stage.execute(["cat", "\(stage.data)/pki/admin.token"], in: stage.root).output
            #expect(!secrets.isEmpty && !stage.log.contains(secrets.filter { !$0.isNewline }))
        }
    }

    @Test("watches and follows logs until the service stops, which takes seconds; then says that it is down")
    func streams() async throws {
        try await Self.with { kubectl, stage in
            let copy = "\(stage.root)/kubeconfig-copy"
            _ = try stage.execute(["cp", "\(stage.data)/kubeconfig", copy], in: stage.root)
            let watch = try kubectl.start("get", "deployments", "-w", output: "watch")
            let logs = try kubectl.start("logs", "-f", "deployment/web", output: "logs")
            try await stage.eventually("both have begun") {
                watch.output.contains("2/2") && logs.output.contains("echo v1 listens")
            }
            try kubectl("scale", "deployment/web", "--replicas=1")
            try await stage.eventually("the watch saw the change") { watch.output.contains("1/1") }
            let clock = ContinuousClock()
            let start = clock.now
            #expect(stage.end(SIGTERM) == 0)
            #expect(clock.now - start < .seconds(4))
            #expect(watch.wait() == 0, "\(watch.output)")
            #expect(logs.wait() == 0, "\(logs.output)")
            let down = try kubectl.failing("get", "pods")
            #expect(down.output.contains("refused"), "\(down)")
            let martlet = try stage.martlet("get", "pods")
            #expect(martlet.code != 0)
            #expect(martlet.output.contains("Is it running?"), "\(martlet)")

            try await stage.start()
            var other = kubectl
            let server = try kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
            other.options = ["--kubeconfig=\(copy)", "--server=\(server)"]
            #expect(try other("get", "namespaces").contains("default"), "an old copy of the kubeconfig stays good")
        }
    }
}
