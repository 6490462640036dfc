import FoundationEssentials
import TestServers
import Testing

/// The verbs of `kubectl` that one uses now and then.
@Suite(
    "kubectl, verb by verb", .serialized, .blocking, .enabled(if: Kubectl.isInstalled, "there is no kubectl on PATH"))
struct KubectlVerbTests {
    /// A kubectl whose editor is `sed` with this expression.
    private static func editing(_ kubectl: Kubectl, _ stage: Stage, _ expression: String) throws -> Kubectl {
        let editor = "\(stage.root)/editor"
        try Data("#!/bin/sh\nexec sed -i '\(expression)' \"$1\"\n".utf8).write(to: URL(filePath: editor))
        _ = try stage.execute(["chmod", "+x", editor], in: stage.root)
        var editing = kubectl
        editing.environment = ["KUBE_EDITOR=\(editor)"]
        return editing
    }

    @Test("edits in an editor, replaces by force, and knows what was applied last")
    func edits() async throws {
        try await KubectlTests.with { kubectl, stage in
            let replicas = "jsonpath={.spec.replicas}"
            let edit = try Self.editing(kubectl, stage, "s/replicas: 2/replicas: 1/")
            #expect(try edit("edit", "deployment", "web").contains("deployment.apps/web edited"))
            #expect(try kubectl("get", "deploy", "web", "-o", replicas) == "1")
            let idle = try Self.editing(kubectl, stage, "s/x/x/")
            #expect(try idle("edit", "deployment", "web").contains("Edit cancelled, no changes made"))
            let wrong = try Self.editing(kubectl, stage, "s/replicas: 1/replicas: many/")
            let refused = try wrong.failing("edit", "deployment", "web")
            #expect(refused.output.contains("deployments.apps \"web\" is invalid"), "\(refused)")

            let applied = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: last}\ndata: {a: \"one\"}\n"
            try kubectl("apply", "-f", "input.yaml", input: applied)
            #expect(try kubectl("apply", "view-last-applied", "cm/last").contains("a: one"))
            let last = try Self.editing(kubectl, stage, "s/one/two/")
            #expect(try last("apply", "edit-last-applied", "cm/last").contains("edited"))
            #expect(try kubectl("apply", "view-last-applied", "cm/last").contains("a: two"))
            #expect(try kubectl("get", "cm", "last", "-o", "jsonpath={.data.a}") == "one")
            let set = try kubectl("apply", "set-last-applied", "-f", "input.yaml", input: applied)
            #expect(set.contains("configured"), "\(set)")

            let uid = try kubectl("get", "cm", "last", "-o", "jsonpath={.metadata.uid}")
            let replaced = try kubectl("replace", "--force", "-f", "input.yaml", input: applied)
            #expect(replaced.contains("configmap/last replaced"), "\(replaced)")
            #expect(try kubectl("get", "cm", "last", "-o", "jsonpath={.metadata.uid}") != uid)
            let pruned = try kubectl(
                "apply", "-f", "input.yaml", "--prune", "-l", "set=one",
                input: applied.split(separator: "{name: last}").joined(separator: "{name: kept, labels: {set: one}}"))
            #expect(pruned.contains("configmap/kept created"), "\(pruned)")
        }
    }

    @Test("makes objects of every kind that it has a generator for")
    func generators() async throws {
        try await KubectlTests.with { kubectl, _ in
            let commands: [(words: [String], path: String, value: String)] = [
                (["role", "r", "--verb=get,list", "--resource=pods"], "{.rules[0].verbs}", #"["get","list"]"#),
                (["rolebinding", "rb", "--role=r", "--user=me"], "{.subjects[0].name}", "me"),
                (["clusterrole", "cr", "--verb=get", "--resource=nodes"], "{.rules[0].resources}", #"["nodes"]"#),
                (["clusterrolebinding", "crb", "--clusterrole=cr", "--group=g"], "{.subjects[0].kind}", "Group"),
                (["quota", "q", "--hard=pods=5"], "{.spec.hard.pods}", "5"),
                (
                    ["poddisruptionbudget", "p", "--selector=app=web", "--min-available=50%"], "{.spec.minAvailable}",
                    "50%"
                ),
                (["priorityclass", "pc", "--value=5"], "{.value} {.preemptionPolicy}", "5 PreemptLowerPriority"),
                (["ingress", "i", "--rule=a.example.com/=web:80"], "{.spec.rules[0].host}", "a.example.com"),
                (["job", "j", "--image=martlet.dev/echo"], "{.spec.backoffLimit}", "6"),
                (
                    ["cronjob", "c", "--image=martlet.dev/echo", "--schedule=0 0 1 1 *"], "{.spec.concurrencyPolicy}",
                    "Allow"
                ),
                (["serviceaccount", "sa"], "{.metadata.name}", "sa"),
                (["service", "nodeport", "np", "--tcp=80:8080"], "{.spec.type}", "NodePort"),
                (
                    ["service", "externalname", "en", "--external-name=a.example.com"], "{.spec.externalName}",
                    "a.example.com"
                ),
            ]
            for command in commands {
                let kind = command.words[0]
                let name = command.words.dropFirst().first { !["nodeport", "externalname"].contains($0) } ?? ""
                let words = ["create"] + command.words
                #expect(try kubectl(words).contains("\(name) created"))
                #expect(try kubectl("get", kind, name, "-o", "jsonpath=\(command.path)") == command.value, "\(words)")
            }
            try kubectl("run", "one", "--image=martlet.dev/echo", "--labels=one=1")
            try kubectl("wait", "--for=condition=Ready", "pod/one", "--timeout=40s")
            #expect(try kubectl("expose", "deployment", "web", "--name=exposed", "--port=80").contains("exposed"))
            #expect(try kubectl("get", "svc", "exposed", "-o", "jsonpath={.spec.selector}") == #"{"app":"web"}"#)
            try kubectl("autoscale", "deployment", "web", "--min=1", "--max=3")
            #expect(try kubectl("get", "hpa", "web").contains("Deployment/web"))
            try kubectl("create", "job", "again", "--from=cronjob/c")
            #expect(try kubectl("get", "job", "again", "-o", "jsonpath={.metadata.ownerReferences[0].name}") == "c")
        }
    }

    @Test("sets parts of objects, shows them in every form, and marks nodes")
    func sets() async throws {
        try await KubectlTests.with { kubectl, _ in
            try kubectl("set", "resources", "deployment/web", "--limits=cpu=200m,memory=64Mi")
            try kubectl("set", "serviceaccount", "deployment/web", "sa")
            try kubectl("set", "selector", "service", "web", "app=other")
            let template = "jsonpath={.spec.template.spec.serviceAccountName} {..limits.cpu}"
            #expect(try kubectl("get", "deploy", "web", "-o", template) == "sa 200m")
            #expect(try kubectl("get", "svc", "web", "-o", "jsonpath={.spec.selector.app}") == "other")
            #expect(try kubectl("set", "env", "deployment/web", "--list").contains("# Deployment web"))
            try kubectl("label", "svc", "--all", "all=1")
            try kubectl("label", "svc", "web", "all-")
            #expect(try kubectl("get", "svc", "-l", "all=1", "-o", "name").contains("web") == false)
            #expect(try kubectl("get", "svc", "web", "-o", "custom-columns=N:.metadata.name").contains("N\nweb"))
            #expect(
                try kubectl("get", "svc", "-o", "go-template={{range .items}}{{.metadata.name}} {{end}}").contains(
                    "web "))
            #expect(try kubectl("get", "pods", "--chunk-size=1", "-o", "name").split(separator: "\n").count >= 2)
            #expect(try kubectl("get", "pods", "--field-selector=status.phase=Running").contains("web-"))
            #expect(
                try kubectl.failing("get", "pods", "--field-selector=a=b").output.contains(
                    "field label not supported: a"))
            #expect(try kubectl("get", "deploy", "web", "--subresource=scale", "-o", "jsonpath={.kind}") == "Scale")
            #expect(
                try kubectl(
                    "patch", "deploy", "web", "--subresource=scale", "--type=merge", "-p", "{\"spec\":{\"replicas\":1}}"
                )
                .contains("scale.autoscaling/web patched"))
            #expect(try kubectl("get", "--raw", "/api/v1/namespaces/default/pods?limit=1").contains("\"continue\""))
            #expect(
                try kubectl("get", "--raw", "/readyz?verbose")
                    == "[+]ping ok\n[+]store ok\n[+]informer-sync ok\nreadyz check passed\n")
            #expect(try kubectl("cluster-info").contains("Kubernetes control plane is running at"))
            let scale = try kubectl("get", "deploy", "web", "--subresource=scale")
            #expect(scale.contains("DESIRED") && scale.contains("AVAILABLE"), "\(scale)")
            let node = try kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
            try kubectl("cordon", node)
            #expect(try kubectl("get", "nodes").contains("Ready,SchedulingDisabled"))
            try kubectl("uncordon", node)
            try kubectl("taint", "node", node, "a=b:NoSchedule")
            #expect(try kubectl("get", "node", node, "-o", "jsonpath={.spec.taints[0].key}") == "a")
            try kubectl("taint", "node", node, "a-")
            #expect(try kubectl("get", "node", node, "-o", "jsonpath={.spec.taints}").isEmpty)
        }
    }

    @Test("deletes what an object owns with it, before it, or not at all")
    func cascades() async throws {
        try await KubectlTests.with { kubectl, _ in
            #expect(try kubectl("delete", "deployment", "web", "--cascade=orphan").contains("deleted"))
            let set = try kubectl("get", "rs", "-l", "app=web", "-o", "jsonpath={.items[0].metadata.name}")
            #expect(!set.isEmpty, "the ReplicaSet stays")
            #expect(try kubectl("get", "rs", set, "-o", "jsonpath={.metadata.ownerReferences}").isEmpty)
            try kubectl("delete", "rs", set, "--cascade=foreground")
            #expect(try kubectl("get", "pods", "-l", "app=web", "-o", "name").isEmpty, "its pods went before it")
            try kubectl("create", "deployment", "d", "--image=martlet.dev/echo")
            try kubectl("rollout", "status", "deployment/d", "--timeout=40s")
            try kubectl("delete", "deployment", "d")
            try kubectl("wait", "--for=delete", "pods", "-l", "app=d", "--timeout=40s")
            try kubectl("create", "configmap", "x")
            try kubectl("create", "configmap", "y")
            #expect(try kubectl("delete", "configmap", "x", "--dry-run=server").contains("deleted (server dry run)"))
            let all = try kubectl("delete", "configmap,service", "--all")
            for name in ["configmap \"x\"", "configmap \"y\"", "service \"web\""] {
                #expect(all.contains("\(name) deleted"), "\(all)")
            }
        }
    }
}
