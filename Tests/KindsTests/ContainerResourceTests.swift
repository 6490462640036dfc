import Kinds
import Model
import Testing

@Suite("Amounts of resources are judged and rounded as Kubernetes does")
struct ContainerResourceTests {
    private static let place = "spec.containers[0].resources"
    private static let page = "2097152"

    static let resources: [Change] = [
        row(
            #"{"limits": {"foo": "1"}, "requests": {"foo": "1"}}"#,
            #"\#(place).limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified"#,
            #"\#(place).limits[foo]: Invalid value: "foo": must be a standard resource for containers"#,
            #"\#(place).requests[foo]: Invalid value: "foo": must be a standard resource type or fully qualified"#,
            #"\#(place).requests[foo]: Invalid value: "foo": must be a standard resource for containers"#),
        row(
            #"{"requests": {"pods": "1"}}"#,
            #"\#(place).requests[pods]: Invalid value: "pods": must be a standard resource for containers"#),
        row(
            #"{"requests": {"requests.a.b/c": "1"}}"#,
            #"\#(place).requests[requests.a.b/c]: Invalid value: "requests.a.b/c": "#
                + "doesn't follow extended resource name standard",
            "\(place).limits: Required value: Limit must be set for non overcommitable resources"),
        row(
            #"{"limits": {"a.b/c": "2"}, "requests": {"a.b/c": "1"}}"#,
            #"\#(place).requests: Invalid value: "1": must be equal to a.b/c limit of 2"#),
        row(
            #"{"limits": {"a.b/c": "1500m"}, "requests": {"a.b/c": "1500m"}}"#,
            #"\#(place).limits[a.b/c]: Invalid value: "1500m": must be an integer"#,
            #"\#(place).requests[a.b/c]: Invalid value: "1500m": must be an integer"#),
        row(
            #"{"requests": {"hugepages-2Mi": "2Mi", "memory": "1Gi"}}"#,
            "\(place).limits: Required value: Limit must be set for non overcommitable resources"),
        row(
            #"{"limits": {"hugepages-2Mi": "3Mi", "memory": "1Gi"}, "requests": {"hugepages-2Mi": "3Mi"}}"#,
            #"\#(place).limits[hugepages-2Mi]: Invalid value: "3Mi": "#
                + "3Mi is not positive integer multiple of hugepages-2Mi",
            #"\#(place).requests[hugepages-2Mi]: Invalid value: "3Mi": "#
                + "3Mi is not positive integer multiple of hugepages-2Mi"),
        row(
            #"{"limits": {"hugepages-2Mi": "4Mi"}, "requests": {"hugepages-2Mi": "4Mi"}}"#,
            "\(place): Forbidden: HugePages require cpu or memory"),
        row(#"{"limits": {"hugepages-2Mi": "4Mi", "cpu": "1", "ephemeral-storage": "1Gi", "a.b/c": "2"}}"#),
        row(#"{"limits": {"x.kubernetes.io/y": "2"}, "requests": {"x.kubernetes.io/y": "1"}}"#),
    ]

    private static func row(_ resources: String, _ messages: String...) -> Change {
        var change = Change("F", ".spec.containers.0.resources", resources)
        change.messages = messages
        return change
    }

    @Test("F: what containers request and may use", arguments: resources)
    func containers(change: Change) throws {
        let pod = Manifests.pod.setting(change.path, change.value)
        #expect(try pod.createErrors == change.messages)
    }

    @Test("F: the overhead of a pod is judged as limits are")
    func overhead() throws {
        let pod = Manifests.pod.setting(".spec.overhead", ["a.b/c": "1500m"])
        #expect(
            try pod.createErrors == [#"spec.overhead.limits[a.b/c]: Invalid value: "1500m": must be an integer"#])
    }

    static let security: [Change] = [
        Change(
            "F", ".spec.securityContext", #"{"sysctls": [{"name": "a b", "value": "1"}]}"#,
            #"spec.securityContext.sysctls[0].name: Invalid value: "a b": must have at most 253 characters and match "#
                + #"regex ([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"#),
        Change(
            "F", ".spec.securityContext",
            #"{"sysctls": [{"name": "net/ipv4.a_b", "value": "1"}, {"name": "net/ipv4.a_b", "value": "2"}]}"#,
            #"spec.securityContext.sysctls[1].name: Duplicate value: "net/ipv4.a_b""#),
        Change(
            "F", ".spec.securityContext", #"{"supplementalGroups": [1, -1, 2147483648]}"#,
            "spec.securityContext.supplementalGroups[1]: Invalid value: -1: "
                + "must be between 0 and 2147483647, inclusive",
            "spec.securityContext.supplementalGroups[2]: Invalid value: 2147483648: "
                + "must be between 0 and 2147483647, inclusive"),
        Change(
            "F", ".spec.securityContext", #"{"runAsUser": 2147483648, "fsGroup": 2147483647}"#,
            "spec.securityContext.runAsUser: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive"),
        Change(
            "F", ".spec.containers.0.securityContext", #"{"runAsGroup": 2147483648}"#,
            "spec.containers[0].securityContext.runAsGroup: Invalid value: 2147483648: "
                + "must be between 0 and 2147483647, inclusive"),
    ]

    @Test("F: users, groups and kernel settings of a pod", arguments: security)
    func podSecurity(change: Change) throws {
        #expect(try Manifests.pod.setting(change.path, change.value).createErrors == change.messages)
    }

    @Test(
        "F1: amounts are rounded up to thousandths",
        arguments: [
            ("1.0005", "1001m"), ("1u", "1m"), ("0.5Mi", "512Ki"), ("100n", "1m"), ("1e-6", "1e-3"), ("1500m", "1500m"),
            ("1.5Gi", "1536Mi"), ("-1.0005", "-1001m"),
        ])
    func rounding(text: String, expected: String) throws {
        let resources: JSON = ["limits": ["cpu": .string(text)], "requests": ["cpu": .string(text)]]
        let rounded: JSON = ["limits": ["cpu": .string(expected)], "requests": ["cpu": .string(expected)]]
        let pod = Manifests.pod.setting(".spec.containers.0.resources", resources)
        let strategy = try pod.strategy
        let defaulted = strategy.defaulted(pod)
        #expect(defaulted["spec"]?["containers"]?[0]?["resources"] == rounded)
        #expect(strategy.defaulted(defaulted) == defaulted)
        let template = Manifests.deployment.setting(".spec.template.spec.containers.0.resources", resources)
        let spec = try template.strategy.defaulted(template)[path: ["spec", "template", "spec"]]
        #expect(spec?["containers"]?[0]?["resources"] == rounded)
    }

    @Test("F1: wherever resources are counted")
    func otherKinds() throws {
        for (object, path) in [
            (
                #"{"kind": "ResourceQuota", "metadata": {"name": "a"}, "spec": {"hard": {"cpu": "1.0005"}}}"#,
                ["spec", "hard"]
            ),
            (
                #"{"kind": "Node", "metadata": {"name": "a"}, "status": {"capacity": {"cpu": "1.0005"}}}"#,
                ["status", "allocatable"]
            ),
            (
                #"{"kind": "PersistentVolumeClaim", "metadata": {"name": "a"}, "#
                    + #""spec": {"resources": {"requests": {"cpu": "1.0005"}}}}"#,
                ["spec", "resources", "requests"]
            ),
        ] {
            var object = Manifests.text(object)
            object["apiVersion"] = "v1"
            let defaulted = try object.strategy.defaulted(object)
            #expect(defaulted[path: path] == ["cpu": "1001m"], "\(object["kind"]?.text() ?? "")")
        }
    }
}
