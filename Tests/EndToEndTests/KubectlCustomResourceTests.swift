import TestServers
import Testing

/// Custom resources, as people and operators use them with `kubectl`.
@Suite(
    "kubectl with custom resources", .serialized, .blocking,
    .enabled(if: Kubectl.isInstalled, "there is no kubectl on PATH"))
struct KubectlCustomResourceTests {
    private static let definition = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.example.com}
        spec:
          group: example.com
          scope: Namespaced
          names: {plural: widgets, kind: Widget, shortNames: [wd], categories: [all]}
          versions:
          - name: v1
            served: true
            storage: true
            subresources:
              status: {}
              scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
            additionalPrinterColumns:
            - {name: Colour, type: string, jsonPath: .spec.colour}
            - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec:
                    type: object
                    required: [colour]
                    properties:
                      colour: {type: string, description: What it is painted with., enum: [red, green]}
                      replicas: {type: integer, default: 1}
                    x-kubernetes-validations:
                    - {rule: "self.replicas <= 5", message: too many replicas}
                  status: {type: object, properties: {replicas: {type: integer}}}
        """

    private static func widget(_ name: String, _ spec: String) -> String {
        """
        apiVersion: example.com/v1
        kind: Widget
        metadata: {name: \(name), namespace: default}
        spec: {\(spec)}
        """
    }

    @Test("a kind is defined, used by every verb, and taken away again (I1–I7)")
    func lifecycle() async throws {
        try await Stage.with { stage in
            try stage.write("web/config.yaml", Manifests.configMap("from-git", "one"))
            try stage.push("a config map")
            try await stage.start()
            let kubectl = Kubectl(stage: stage)
            try kubectl("create", "-f", "input.yaml", input: Self.definition)
            try kubectl("wait", "--for=condition=established", "crd/widgets.example.com", "--timeout=10s")
            #expect(try kubectl("api-resources", "--api-group=example.com").contains("wd"))
            try kubectl("create", "-f", "input.yaml", input: Self.widget("a", "colour: red"))
            let table = try kubectl("get", "wd")
            #expect(table.contains("COLOUR") && table.contains("red") && table.contains("AGE"), "\(table)")
            #expect(try kubectl("get", "all").contains("widget.example.com/a"))
            let green = Self.widget("a", "colour: green")
            #expect(
                try kubectl("apply", "--server-side", "--force-conflicts", "-f", "input.yaml", input: green)
                    .contains("serverside-applied"))
            try kubectl("patch", "widget", "a", "--type=merge", "-p", "{\"spec\":{\"replicas\":2}}")
            try kubectl("scale", "widget/a", "--replicas=3")
            #expect(try kubectl("get", "widget", "a", "-o", "jsonpath={.spec.replicas}") == "3")
            let refused = try kubectl.failing("scale", "widget/a", "--replicas=9")
            #expect(refused.output.contains("too many replicas"), "\(refused.output)")
            let wrong = try kubectl.failing("apply", "-f", "input.yaml", input: Self.widget("b", "colour: blue"))
            #expect(wrong.output.contains("Unsupported value: \"blue\""), "\(wrong.output)")
            let typo = try kubectl.failing(
                "create", "-f", "input.yaml", "--validate=strict", input: Self.widget("b", "colour: red, size: 1"))
            #expect(typo.output.contains("unknown field \"spec.size\""), "\(typo.output)")
            #expect(try kubectl("describe", "widget", "a").contains("Colour:"))
            #expect(try kubectl("explain", "widget.spec.colour").contains("What it is painted with."))
            try kubectl("delete", "widget", "a")
            try kubectl("create", "-f", "input.yaml", input: Self.widget("c", "colour: red"))
            try kubectl("delete", "crd", "widgets.example.com", "--timeout=20s")
            // What it says depends on what it still has cached of discovery.
            let gone = try kubectl.failing("get", "widgets").output
            #expect(gone.contains("the server doesn't have a resource type") || gone.contains("NotFound"), "\(gone)")
        }
    }

    @Test("a commit with a definition and an object of it is synced whole")
    func fromGit() async throws {
        try await Stage.with { stage in
            try stage.write("web/config.yaml", Manifests.configMap("from-git", "one"))
            try stage.write("web/widget.yaml", Self.widget("a", "colour: red"))
            try stage.write("web/definition.yaml", Self.definition)
            try stage.push("a kind and an object of it")
            try await stage.start()
            let kubectl = Kubectl(stage: stage)
            try await stage.eventually("the widget is there", seconds: 30) {
                do {
                    return try kubectl("get", "widget", "a", "-o", "name").contains("widget.example.com/a")
                } catch is Stage.Failure {
                    return false
                }
            }
            #expect(try kubectl("get", "widget", "a", "-o", "jsonpath={.spec.replicas}") == "1")
        }
    }
}
