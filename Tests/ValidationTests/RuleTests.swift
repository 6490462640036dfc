import GitSource
import Model
import Rendering
import TestTrees
import Testing

@testable import Validation

@Suite("Rules")
struct RuleTests {
    /// A repository in few words, and what is wrong in it: `file:line:column rule`.
    struct Example: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var files: [String: String]
        var findings: [String]

        init(_ name: String, _ findings: [String], _ text: String) {
            testDescription = name
            files = ["a.yaml": text]
            self.findings = findings
        }
    }

    private static let metadata = "metadata: {name: a, namespace: default}"

    /// A Deployment whose pods are labelled `app: a`.
    static func deployment(_ container: String, _ pod: String = "", _ spec: String = "") -> String {
        "apiVersion: apps/v1\nkind: Deployment\n\(metadata)\nspec:\n  selector: {matchLabels: {app: a}}\n\(spec)"
            + "  template:\n    metadata: {labels: {app: a}}\n    spec:\n\(pod)      containers:\n"
            + "        - name: a\n          image: a\n\(container)"
    }

    static let probe = "          ports: [{name: http, containerPort: 80}]\n"

    private static let gold =
        "---\napiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: gold}\nvalue: 7\n"

    static let examples = [
        Example("a sound Deployment", [], deployment("")),
        Example(
            "an unknown field has its place", ["a.yaml:12:11 unknown-field"], deployment("          imige: b\n")),
        Example(
            "a wrong quantity", ["a.yaml:12:32 invalid-value"],
            deployment("          resources: {limits: {memory: 1Gx}}\n")),
        Example(
            "a selector that does not match", ["a.yaml:7:16 invalid-value"],
            deployment("").replacing("labels: {app: a}", with: "labels: {app: b}")),
        Example("an undefined kind", ["a.yaml:1:1 undefined-kind"], "apiVersion: x.io/v1\nkind: Widget\n\(metadata)\n"),
        Example("a misspelt kind", ["a.yaml:1:1 unknown-kind"], "apiVersion: apps/v1\nkind: Deploymnt\n\(metadata)\n"),
        Example(
            "a kind that Martlet knows nothing about", [],
            "apiVersion: resource.k8s.io/v1\nkind: DeviceClass\nmetadata: {name: a}\n"),
        Example(
            "a removed version is told once", ["a.yaml:1:1 removed-api"],
            "apiVersion: extensions/v1beta1\nkind: Ingress\n\(metadata)\n"),
        Example(
            "a removed kind without a successor", ["a.yaml:1:1 removed-api"],
            "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}\n"),
        Example(
            "an advised-against kind", ["a.yaml:2:1 deprecated-api"], "apiVersion: v1\nkind: Endpoints\n\(metadata)\n"),
        Example(
            "a second definition", ["a.yaml:6:1 duplicate-object"],
            "apiVersion: v1\nkind: ConfigMap\n\(metadata)\n---\n\napiVersion: v1\nkind: ConfigMap\n\(metadata)\n"),
        Example("a file for something else", ["a.yaml:1:1 no-manifest"], "services: {}\n"),
        Example("a file that is no YAML", ["a.yaml:1:4 unreadable"], "a: [\n"),
        Example(
            "an absent ConfigMap, told once", ["a.yaml:12:37 dangling-config-map"],
            deployment(
                "          envFrom: [{configMapRef: {name: b}}]\n"
                    + "          env: [{name: X, valueFrom: {configMapKeyRef: {name: b, key: c}}}]\n")),
        Example(
            "an optional reference may lead nowhere", [],
            deployment("          envFrom: [{configMapRef: {name: b, optional: true}}]\n")),
        Example(
            "an absent Secret in a volume", ["a.yaml:10:30 dangling-secret"],
            deployment("", "      volumes:\n        - {name: v, secret: {secretName: b}}\n")),
        Example(
            "a Secret that something makes later", [],
            deployment("", "      volumes:\n        - {name: v, secret: {secretName: b}}\n")
                + "---\napiVersion: cert-manager.io/v1\nkind: Certificate\n"
                + "metadata: {name: c, namespace: default, annotations: {martlet.dev/ignore-rules: undefined-kind}}\n"
                + "spec: {secretName: b}\n"),
        Example(
            "an absent key", ["a.yaml:12:73 dangling-key"],
            deployment("          env: [{name: X, valueFrom: {configMapKeyRef: {name: settings, key: c}}}]\n")
                + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: default}\n"
                + "data: {colour: red}\n"),
        Example(
            "an absent ServiceAccount", ["a.yaml:9:7 dangling-service-account"],
            deployment("", "      serviceAccountName: robot\n")),
        Example(
            "an absent PriorityClass", ["a.yaml:9:7 dangling-priority-class"],
            deployment("", "      priorityClassName: gold\n")),
        Example(
            "a PriorityClass that every cluster has", [],
            deployment("", "      priorityClassName: system-node-critical\n")),
        Example(
            "a PriorityClass of the repository, and its value", [],
            deployment("", "      priorityClassName: gold\n      priority: 7\n") + gold),
        Example(
            "a priority that its class does not have", ["a.yaml:10:7 priority-of-its-own"],
            deployment("", "      priorityClassName: gold\n      priority: 8\n") + gold),
        Example(
            "a priority without a class", ["a.yaml:9:7 priority-of-its-own"],
            deployment("", "      priority: 7\n") + gold),
        Example(
            "a priority that is that of the default class", [],
            deployment("", "      priority: 7\n") + gold + "globalDefault: true\n"),
        Example("no priority at all", [], deployment("", "      priority: 0\n")),
        Example(
            "an absent claim", ["a.yaml:10:45 dangling-claim"],
            deployment("", "      volumes:\n        - {name: v, persistentVolumeClaim: {claimName: b}}\n")),
        Example(
            "a binding to nothing", ["a.yaml:4:85 dangling-target", "a.yaml:5:36 dangling-target"],
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\(metadata)\n"
                + "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role,                          name: r}\n"
                + "subjects: [{kind: ServiceAccount,  name: s, namespace: default}]\n"),
        Example(
            "a binding to a role that every cluster has", [],
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\(metadata)\n"
                + "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\n"
                + "subjects: [{kind: User, name: s, apiGroup: rbac.authorization.k8s.io}]\n"),
        Example(
            "a Service that selects nothing", ["a.yaml:4:8 service-selects-nothing"],
            "apiVersion: v1\nkind: Service\n\(metadata)\nspec: {selector: {app: b}, ports: [{port: 80}]}\n"
                + "---\n" + deployment("")),
        Example(
            "a Service's port that nobody has", ["a.yaml:4:47 unknown-port"],
            "apiVersion: v1\nkind: Service\n\(metadata)\n"
                + "spec: {selector: {app: a}, ports: [{port: 80, targetPort: htpp}]}\n---\n" + deployment(probe)),
        Example(
            "a probe's port that its container does not have", ["a.yaml:13:39 unknown-port"],
            deployment(probe + "          readinessProbe: {httpGet: { port: htpp}}\n")),
        Example(
            "an Ingress to a port that its Service does not have", ["a.yaml:4:57 dangling-backend"],
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\n\(metadata)\n"
                + "spec: {defaultBackend: {service: {name: s, port: {      number: 81}}}}\n---\n"
                + "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: default}\n"
                + "spec: {ports: [{port: 80}]}\n"),
        Example(
            "no replica may be missing, but nothing says when one is ready", ["a.yaml:11:11 no-readiness-probe"],
            deployment(probe, "", "  strategy: {rollingUpdate: {maxUnavailable: 0}}\n")),
        Example(
            "a budget that needs all replicas", ["a.yaml:4:8 budget-blocks-evictions"],
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\n\(metadata)\n"
                + "spec: {minAvailable: 90%, selector: {matchLabels: {app: a}}}\n---\n"
                + deployment("", "", "  replicas: 3\n")),
        Example(
            "a budget that leaves one free", [],
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\n\(metadata)\n"
                + "spec: {minAvailable: 2, selector: {matchLabels: {app: a}}}\n---\n"
                + deployment("", "", "  replicas: 3\n")),
        Example(
            "replicas beside an autoscaler", ["a.yaml:6:3 replicas-beside-autoscaler"],
            deployment("", "", "  replicas: 3\n").replacing(
                "  selector: {matchLabels: {app: a}}\n  replicas: 3\n",
                with: "  selector: {matchLabels: {app: a}}\n  replicas: 3\n")
                + "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n\(metadata)\n"
                + "spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}}\n"),
        Example(
            "an Application of a path that is not there", ["a.yaml:5:47 application-path"],
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\n\(metadata)\n"
                + "spec:\n  source: {repoURL: https://example.com/this, path: nowhere}\n"
                + "  destination: {namespace: default, server: https://kubernetes.default.svc}\n"),
        Example(
            "an annotation switches a rule off for its object", [],
            deployment("          envFrom: [{configMapRef: {name: b}}]\n").replacing(
                metadata,
                with: "metadata: {name: a, namespace: default, annotations: {martlet.dev/ignore-rules: "
                    + "\"dangling-config-map, x\"}}")),
    ]

    @Test("each finds what it should, at its place, and nothing else", arguments: examples)
    func finds(_ example: Example) throws {
        let subject = try Repository.subject(example.files)
        let found = Validator().findings(subject).map { "\($0.place) \($0.rule)" }
        #expect(found == example.findings)
    }

    @Test("a custom resource is judged by the definition in the repository")
    func customResources() throws {
        let definition = """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: widgets.example.com}
            spec:
              group: example.com
              scope: Namespaced
              names: {plural: widgets, kind: Widget}
              versions:
                - name: v1
                  served: true
                  storage: true
                  schema:
                    openAPIV3Schema:
                      type: object
                      properties: {spec: {type: object, properties: {size: {type: integer}}}}
            """
        let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: x}\n"
        let findings = Validator().findings(try Repository.subject(["crd/w.yaml": definition, "w.yaml": widget]))
        #expect(findings.map { "\($0.place) \($0.rule)" } == ["w.yaml:4:8 invalid-value"])
    }

    @Test("the same names in several folders are several environments: what belongs together is what is near")
    func environments() throws {
        let web = Self.deployment(
            Self.probe + "          env: [{name: X, valueFrom: {configMapKeyRef: {name: settings, key: c}}}]\n", "",
            "  replicas: 3\n")
        func map(_ key: String) -> String {
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: default}\ndata: {\(key): red}\n"
        }
        let service =
            "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: default}\n"
            + "spec: {selector: {app: a}, ports: [{port: 80, targetPort: http}]}\n"
        let budget =
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: a, namespace: default}\n"
            + "spec: {minAvailable: 3, selector: {matchLabels: {app: a}}}\n"
        let findings = Validator().findings(
            try Repository.subject([
                "dev/web.yaml": web, "dev/map.yaml": map("c"), "dev/service.yaml": service, "dev/budget.yaml": budget,
                "prod/web.yaml": web.replacing("name: http", with: "name: web"), "prod/map.yaml": map("d"),
                "prod/service.yaml": service,
            ]))
        #expect(
            findings.map { "\($0.file) \($0.rule)" } == [
                "dev/budget.yaml budget-blocks-evictions", "prod/service.yaml unknown-port",
                "prod/web.yaml dangling-key",
            ])
    }

    @Test("overlays are judged as they are built; what is wrong in their base is told once")
    func overlays() throws {
        let base = "resources: [web.yaml]\n"
        func overlay(_ suffix: String) -> String {
            "resources: [../../base]\nnameSuffix: -\(suffix)\n"
                + "configMapGenerator: [{name: settings, literals: [a=b]}]\n"
        }
        let findings = Validator().findings(
            try Repository.subject([
                "base/kustomization.yaml": base,
                "base/web.yaml": Self.deployment(
                    "          imige: b\n          envFrom: [{configMapRef: {name: settings}}]\n"),
                "overlays/dev/kustomization.yaml": overlay("dev"), "overlays/prod/kustomization.yaml": overlay("prod"),
                "overlays/bad/kustomization.yaml": "resources: [nowhere.yaml]\n",
                "plain/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 1}\n",
            ]))
        #expect(
            findings.map { "\($0.place) \($0.rule)" } == [
                "base/web.yaml:12:11 unknown-field", "overlays/bad/kustomization.yaml:1:13 unreadable",
                "plain/map.yaml:4:8 invalid-value",
            ])
    }

    @Test("a StatefulSet's own claims are there")
    func claimTemplates() throws {
        let set = """
            apiVersion: apps/v1
            kind: StatefulSet
            metadata: {name: a}
            spec:
              serviceName: a
              selector: {matchLabels: {app: a}}
              template:
                metadata: {labels: {app: a}}
                spec:
                  containers: [{name: a, image: a}]
                  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
              volumeClaimTemplates:
                - metadata: {name: data}
                  spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
            """
        #expect(Validator().findings(try Repository.subject(["a.yaml": set])) == [])
    }

    @Test("a ConfigMap that changed is told unless the pods that read it change, too")
    func silentChanges() throws {
        let reader = Self.deployment("          envFrom: [{configMapRef: {name: settings}}]\n")
        func map(_ value: String) -> String {
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {colour: \(value)}\n"
        }
        func findings(_ before: [String: String], _ after: [String: String]) throws -> [String] {
            Validator().findings(try Repository.subject(after, earlier: before)).map { "\($0.place) \($0.rule)" }
        }
        let before = ["map.yaml": map("red"), "web.yaml": reader]
        #expect(
            try findings(before, ["map.yaml": map("blue"), "web.yaml": reader]) == [
                "map.yaml:4:1 config-without-rollout"
            ])
        #expect(try findings(before, before) == [])
        let marked = reader.replacing(
            "labels: {app: a}}\n    spec", with: "labels: {app: a}, annotations: {sum: x}}\n    spec")
        #expect(try findings(before, ["map.yaml": map("blue"), "web.yaml": marked]) == [])
    }

    @Test("every rule has its own name, ends its sentences, and is off when the configuration says so")
    func catalogue() throws {
        #expect(Set(Rule.all.map(\.name)).count == Rule.all.count)
        for rule in Rule.all {
            #expect(rule.summary.hasSuffix("."), "\(rule.name)")
            #expect(rule.explanation.hasSuffix("."), "\(rule.name)")
        }
        var configuration = ValidationConfiguration()
        for rule in Rule.all { configuration.severities[rule.name] = .some(nil) }
        for example in Self.examples {
            #expect(Validator(configuration).findings(try Repository.subject(example.files)) == [])
        }
    }
}

/// A repository out of texts.
enum Repository {
    static func subject(
        _ files: [String: String], earlier: [String: String]? = nil
    ) throws -> ValidationSubject {
        ValidationSubject(
            try render(files), of: MemoryTree(files), earlier: try earlier.map(render) ?? []
        ) { $0 == "https://example.com/this" }
    }

    private static func render(_ files: [String: String]) throws -> [Manifests] {
        try Renderer().renderRepository(MemoryTree(files), RenderingOptions(), kinds: .any)
    }
}
