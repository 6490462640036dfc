import Kinds
import Model
import Testing

@testable import Engine

@Suite("I10–I12: environment, command, volumes of a container")
struct ContainerConfigurationTests {
    static let expansions: [(text: String, expected: String)] = [
        ("$(A)", "1"), ("x$(A)y$(B)z", "x1y2z"), ("$(NO)", "$(NO)"), ("$$(A)", "$(A)"), ("$$$(A)", "$1"), ("$A", "$A"),
        ("$(A", "$(A"), ("100$", "100$"), ("$$", "$"), ("$()", "$()"), ("", ""),
    ]

    @Test("I10: $(NAME) expands, what is unknown stays, $$ escapes", arguments: expansions)
    func expands(text: String, expected: String) {
        #expect(EnvironmentVariables.expand(text) { ["A": "1", "B": "2"][$0] } == expected)
    }

    private func pod(_ container: JSON, volumes: JSON = []) -> Pod {
        var pod = Pod(named: "web", in: "shop")
        pod.metadata.uid = "u1"
        pod.metadata.labels = ["app": "web"]
        pod.json["spec"] = ["containers": [container], "volumes": volumes, "nodeName": "node"]
        return pod
    }

    private var context: PodContext {
        var map = ConfigMap(named: "settings", in: "shop")
        map.data = ["LEVEL": "debug", "MODE": "fast"]
        var secret = Secret(named: "keys", in: "shop")
        secret.data = ["TOKEN": "czNjcmV0"]
        var service = Service(named: "my-db", in: "shop")
        service.spec.clusterIP = "127.96.0.7"
        service.json["spec"]?["ports"] = [["name": "sql", "port": 5432, "protocol": "TCP"]]
        return PodContext(
            podIP: "127.64.0.9", nodeName: "node", allocatable: ["cpu": Quantity(4)], configMaps: ["settings": map],
            secrets: ["keys": secret], services: [service])
    }

    private func environment(_ container: JSON) throws -> [String: String] {
        let pod = pod(container)
        let list = try EnvironmentVariables.of(pod.spec.containers[0], in: pod, context: context)
        return Dictionary(list.map { ($0.name, $0.value) }) { _, last in last }
    }

    @Test("I10, I11, I12: variables come from literals, ConfigMaps, Secrets, fields, services and ports")
    func environment() throws {
        let found = try environment([
            "name": "web", "ports": [["containerPort": 8080, "name": "http"], ["containerPort": 9090]],
            "envFrom": [["prefix": "S_", "configMapRef": ["name": "settings"]]],
            "env": [
                ["name": "A", "value": "x"], ["name": "B", "value": "$(A)-$(S_MODE)-$(MY_DB_SERVICE_HOST)-$(LATER)"],
                ["name": "LATER", "value": "y"],
                ["name": "TOKEN", "valueFrom": ["secretKeyRef": ["name": "keys", "key": "TOKEN"]]],
                ["name": "NAME", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]],
                ["name": "APP", "valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['app']"]]],
                ["name": "CPU", "valueFrom": ["resourceFieldRef": ["resource": "limits.cpu"]]],
                ["name": "NONE", "valueFrom": ["configMapKeyRef": ["name": "gone", "key": "x", "optional": true]]],
            ],
        ])
        #expect(found["S_LEVEL"] == "debug")
        #expect(found["B"] == "x-fast-127.96.0.7-$(LATER)")
        #expect(found["TOKEN"] == "s3cret")
        #expect(found["NAME"] == "web")
        #expect(found["APP"] == "web")
        #expect(found["CPU"] == "4")
        #expect(found["NONE"] == nil)
        #expect(found["POD_IP"] == "127.64.0.9")
        #expect(found["PORT"] == "8080")
        #expect(found["PORT_HTTP"] == "8080")
        #expect(found["MY_DB_SERVICE_PORT_SQL"] == "5432")
        #expect(found["MY_DB_PORT_5432_TCP_ADDR"] == "127.96.0.7")
        #expect(found["MY_DB_PORT"] == "tcp://127.96.0.7:5432")
    }

    static let faults: [(source: JSON, message: String)] = [
        (["configMapKeyRef": ["name": "settings", "key": "NO"]], "couldn't find key NO in ConfigMap shop/settings"),
        (["configMapKeyRef": ["name": "gone", "key": "NO"]], "configmap \"gone\" not found"),
        (["secretKeyRef": ["name": "keys", "key": "NO"]], "couldn't find key NO in Secret shop/keys"),
        (["secretKeyRef": ["name": "gone", "key": "NO"]], "secret \"gone\" not found"),
        (["fieldRef": ["fieldPath": "spec.what"]], "unsupported fieldPath: spec.what"),
    ]

    @Test("I10: what a variable needs and is missing is a configuration error", arguments: faults)
    func missing(source: JSON, message: String) {
        #expect(throws: ConfigurationFault(message)) {
            try environment(["name": "web", "env": [["name": "X", "valueFrom": source]]])
        }
    }

    private func launch(
        _ container: JSON, volumes: JSON = [], abilities: RuntimeAbilities = .init(mounts: true, users: true)
    ) throws -> ContainerLaunch {
        let pod = pod(container, volumes: volumes)
        return try ContainerConfiguration.launch(
            pod.spec.containers[0], attempt: 2, of: pod, context: context, entrypoint: ["/bin/image", "serve"],
            abilities: abilities
        ) { "/pods/u1/volumes/\($0)" }
    }

    static let commands: [(container: JSON, arguments: [String])] = [
        (["name": "web"], ["/bin/image", "serve"]),
        (["name": "web", "args": ["-v"]], ["/bin/image", "serve", "-v"]),
        (["name": "web", "command": ["sh"]], ["sh"]),
        (["name": "web", "command": ["sh", "-c"], "args": ["$(POD_IP)"]], ["sh", "-c", "127.64.0.9"]),
    ]

    @Test("I10: command replaces the image's entrypoint, args follow, both expand", arguments: commands)
    func command(container: JSON, arguments: [String]) throws {
        #expect(try launch(container).arguments == arguments)
    }

    @Test("mounts name their sources; projected files are read-only, and nothing leaves its volume")
    func mounts() throws {
        let volumes: JSON = [
            ["name": "data", "emptyDir": [:]], ["name": "config", "configMap": ["name": "settings"]],
            ["name": "host", "hostPath": ["path": "/srv/x"]],
        ]
        let found = try launch(
            [
                "name": "web",
                "volumeMounts": [
                    ["name": "data", "mountPath": "/data/", "subPath": "a"], ["name": "config", "mountPath": "/etc/c"],
                    ["name": "host", "mountPath": "/h", "readOnly": true],
                ],
            ], volumes: volumes)
        #expect(
            found.mounts == [
                .init(source: "/pods/u1/volumes/data/a", target: "/data", readOnly: false),
                .init(source: "/pods/u1/volumes/config", target: "/etc/c", readOnly: true),
                .init(source: "/srv/x", target: "/h", readOnly: true),
            ])
        #expect(throws: ConfigurationFault.self) {
            try launch(
                ["name": "web", "volumeMounts": [["name": "data", "mountPath": "/d", "subPath": "../.."]]],
                volumes: volumes)
        }
    }

    static let refused: [(field: String, value: JSON)] = [
        ("securityContext", ["privileged": true]), ("securityContext", ["capabilities": ["add": ["NET_ADMIN"]]]),
        ("securityContext", ["seLinuxOptions": ["level": "s0"]]), ("securityContext", ["readOnlyRootFilesystem": true]),
        ("securityContext", ["runAsNonRoot": true]), ("livenessProbe", ["grpc": ["port": 1]]), ("tty", true),
        ("volumeDevices", [["name": "x", "devicePath": "/dev/x"]]),
        ("volumeMounts", [["name": "x", "mountPath": "/x", "recursiveReadOnly": "Enabled"]]),
    ]

    @Test("what cannot be honoured is refused, never ignored", arguments: refused)
    func unsupported(field: String, value: JSON) {
        var container: JSON = ["name": "web"]
        container[field] = value
        let wanted = container
        #expect(throws: ConfigurationFault.self) { try launch(wanted) }
    }

    static let refusedOfPods: [(field: String, value: JSON)] = [
        ("hostPID", true), ("hostIPC", true), ("hostUsers", false), ("runtimeClassName", "gvisor"),
        ("os", ["name": "windows"]), ("resourceClaims", [["name": "gpu", "resourceClaimName": "gpu"]]),
        ("securityContext", ["sysctls": [["name": "net.x", "value": "1"]]]),
        ("securityContext", ["seLinuxOptions": ["level": "s0"]]),
    ]

    @Test("what cannot be honoured of the pod is refused, naming the field", arguments: refusedOfPods)
    func unsupportedOfPod(field: String, value: JSON) throws {
        var pod = pod(["name": "web"])
        let abilities = RuntimeAbilities(mounts: true, users: true)
        #expect(ContainerConfiguration.unsupported(pod.spec.containers[0], in: pod, abilities) == nil)
        pod.json[path: ["spec", field]] = value
        let fault = try #require(ContainerConfiguration.unsupported(pod.spec.containers[0], in: pod, abilities))
        #expect(fault.contains(field == "os" ? "windows" : field))
    }

    static let unenforced: [(spec: JSON, fields: [String])] = [
        (["containers": [["name": "web"]]], []),
        (
            ["containers": [["name": "web"]], "hostAliases": [["ip": "127.0.0.1", "hostnames": ["x"]]]], ["hostAliases"]
        ),
        (["containers": [["name": "web"]], "dnsConfig": ["nameservers": ["127.0.0.1"]]], ["dnsConfig"]),
        (["containers": [["name": "web"]], "imagePullSecrets": [["name": "x"]]], ["imagePullSecrets"]),
        (["containers": [["name": "web", "stdin": true]]], ["stdin"]),
        (
            [
                "containers": [
                    ["name": "web", "resizePolicy": [["resourceName": "cpu", "restartPolicy": "NotRequired"]]]
                ]
            ], ["resizePolicy"]
        ),
        (
            [
                "containers": [["name": "web"]],
                "securityContext": ["runAsUser": 5, "supplementalGroupsPolicy": "Merge"],
            ], ["securityContext.supplementalGroupsPolicy"]
        ),
        // These are honoured: without a user nobody has other groups, and the volumes are the pod's own.
        (
            [
                "containers": [["name": "web", "terminationMessagePath": "/tmp/said"]],
                "securityContext": ["supplementalGroupsPolicy": "Merge", "fsGroupChangePolicy": "OnRootMismatch"],
            ], []
        ),
        (
            [
                "containers": [["name": "web"]],
                "securityContext": ["runAsUser": 5, "supplementalGroupsPolicy": "Strict"],
            ], []
        ),
        (["containers": [["name": "web", "ports": [["containerPort": 80, "hostPort": 80]]]]], ["ports.hostPort"]),
        (
            ["hostNetwork": true, "containers": [["name": "web", "ports": [["containerPort": 80, "hostPort": 80]]]]], []
        ),
        (
            [
                "containers": [["name": "web", "resources": ["limits": ["cpu": "1", "memory": "1Gi"]]]],
                "volumes": [["name": "tmp", "emptyDir": ["medium": "Memory", "sizeLimit": "1Mi"]]],
            ], ["emptyDir.medium", "emptyDir.sizeLimit", "resources.limits.cpu", "resources.limits.memory"]
        ),
    ]

    @Test("what is accepted but not enforced is told once, in a Warning event", arguments: unenforced)
    func unenforcedFields(spec: JSON, fields: [String]) {
        var driver = LifecycleDriver(spec)
        _ = driver.settle()
        let messages = driver.events.filter { $0.reason == "FieldNotEnforced" }.map { "\($0.isWarning) \($0.message)" }
        let words = "true accepted but not enforced by the process runtime: \(fields.joined(separator: ", "))"
        #expect(messages == (fields.isEmpty ? [] : [words]))
    }

    static let messagePaths: [(container: JSON, mounts: Bool, mounted: String?)] = [
        (["name": "web", "terminationMessagePath": "/dev/termination-log"], true, nil),
        (["name": "web", "terminationMessagePath": "/tmp//said/"], true, "/tmp/said"),
        (["name": "web", "terminationMessagePath": "/tmp/said"], false, nil),
        // Another user cannot come to the file in the data directory.
        (
            [
                "name": "web", "terminationMessagePath": "/dev/termination-log",
                "securityContext": ["runAsUser": 1000],
            ], true, "/dev/termination-log"
        ),
        (
            ["name": "web", "terminationMessagePath": "/dev/termination-log", "securityContext": ["runAsUser": 0]],
            true, nil
        ),
    ]

    @Test("I17: where the termination message's file is mounted, if it is", arguments: messagePaths)
    func terminationPath(container: JSON, mounts: Bool, mounted: String?) throws {
        let found = try launch(container, abilities: .init(mounts: mounts, users: true))
        #expect(found.terminationMessagePath == mounted)
    }

    @Test("I17: a terminationMessagePath that cannot be mounted is told, with where the file is; the default is not")
    func unmountedTerminationPath() {
        let none = RuntimeAbilities(mounts: false, users: false)
        var own = pod(["name": "web", "terminationMessagePath": "/tmp/said"])
        let words = "terminationMessagePath (the file is the one that $MARTLET_TERMINATION_LOG names)"
        #expect(ContainerConfiguration.unenforced(own, none) == [words])
        own.spec.containers[0].terminationMessagePath = "/dev/termination-log"
        #expect(ContainerConfiguration.unenforced(own, none) == [])
    }

    static let groups: [(security: JSON, word: String)] = [
        (["supplementalGroups": [7]], "supplementalGroups"),
        (["supplementalGroupsPolicy": "Strict"], "supplementalGroupsPolicy Strict"),
    ]

    @Test("without root the groups of a container cannot be chosen, which is refused", arguments: groups)
    func groupsWithoutRoot(security: JSON, word: String) throws {
        var pod = pod(["name": "web"])
        pod.json[path: ["spec", "securityContext"]] = security
        let none = RuntimeAbilities(mounts: false, users: false)
        let fault = try #require(ContainerConfiguration.unsupported(pod.spec.containers[0], in: pod, none))
        #expect(fault.contains(word))
        let all = RuntimeAbilities(mounts: true, users: true)
        #expect(ContainerConfiguration.unsupported(pod.spec.containers[0], in: pod, all) == nil)
    }

    @Test("without root or mount namespaces, users and mounts are refused with what would be right")
    func lacksAbilities() {
        let none = RuntimeAbilities(mounts: false, users: false)
        #expect(throws: ConfigurationFault.self) {
            try launch(["name": "web", "securityContext": ["runAsUser": 5]], abilities: none)
        }
        #expect(throws: ConfigurationFault.self) {
            try launch(
                ["name": "web", "volumeMounts": [["name": "data", "mountPath": "/d"]]],
                volumes: [["name": "data", "emptyDir": [:]]], abilities: none)
        }
    }

    static let images: [(image: String, command: [String]?)] = [
        ("martlet.dev/echo", ["/self", "echo"]), ("martlet.dev/echo:v2", ["/self", "echo"]),
        ("nginx:1.27", ["exact"]), ("nginx", ["any"]), ("nginx@sha256:abc", ["any"]),
        ("registry:5000/team/app:3", ["glob"]), ("other", nil),
    ]

    @Test("an image is looked up by its full name, its repository, or a prefix", arguments: images)
    func imageMap(image: String, command: [String]?) {
        let map = ImageMap(
            [
                .init("nginx:1.27", command: ["exact"]), .init("nginx", command: ["any"]),
                .init("registry:5000/team/*", command: ["glob"]),
            ], executable: "/self")
        do throws(ImageError) {
            let found = try map.command(for: image)
            #expect(found == command)
        } catch {
            #expect(command == nil)
            #expect(error.message.contains("--image other=COMMAND"))
        }
    }

    static let durations: [(duration: Duration, text: String)] = [
        (.zero, "0s"), (.seconds(10), "10s"), (.seconds(80), "1m20s"), (.seconds(300), "5m0s"),
        (.milliseconds(1500), "1.5s"), (.milliseconds(200), "200ms"), (.seconds(3661), "1h1m1s"),
    ]

    @Test("durations read as Go writes them", arguments: durations)
    func goDuration(duration: Duration, text: String) {
        #expect(duration.text == text)
    }

    @Test("addresses are given in turn, kept for their pod, and reserved ones never given")
    func addresses() throws {
        let addresses = try #require(PodAddresses(range: "127.64.0.0/29"))
        #expect(addresses.reserve("127.64.0.2", for: "old"))
        #expect(!addresses.reserve("127.64.0.2", for: "other"))
        #expect(addresses.allocate(for: "a") == "127.64.0.1")
        #expect(addresses.allocate(for: "a") == "127.64.0.1")
        #expect(addresses.allocate(for: "b") == "127.64.0.3")
        addresses.release("a")
        #expect(addresses.allocate(for: "c") == "127.64.0.4")
        #expect(
            ["d", "e", "f", "g"].map { addresses.allocate(for: $0) } == ["127.64.0.5", "127.64.0.6", "127.64.0.1", nil])
        #expect(PodAddresses(range: "10.0.0.0/8") == nil)
    }
}
