import Kinds
import Model
import Testing

@Suite("Objects are filled in as Kubernetes does")
struct DefaultingTests {
    @Test("A1, F: a minimal Deployment")
    func deployment() throws {
        let expected = Manifests.text(
            """
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
             "spec": {"progressDeadlineSeconds": 600, "replicas": 1, "revisionHistoryLimit": 10,
                      "selector": {"matchLabels": {"app": "web"}},
                      "strategy": {"type": "RollingUpdate",
                                   "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
                      "template": {"metadata": {"labels": {"app": "web"}},
                        "spec": {"containers": [{"name": "web", "image": "web:1", "imagePullPolicy": "IfNotPresent",
                                                 "resources": {}, "terminationMessagePath": "/dev/termination-log",
                                                 "terminationMessagePolicy": "File"}],
                                 "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
                                 "schedulerName": "default-scheduler", "securityContext": {},
                                 "terminationGracePeriodSeconds": 30}}},
             "status": {}}
            """)
        #expect(try Manifests.deployment.strategy.defaulted(Manifests.deployment) == expected)
    }

    @Test("F: a minimal Pod")
    func pod() throws {
        let expected = Manifests.text(
            """
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"},
             "spec": {"containers": [{"name": "web", "image": "web:1", "imagePullPolicy": "IfNotPresent",
                        "ports": [{"containerPort": 80, "protocol": "TCP"}], "resources": {},
                        "readinessProbe": {"failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1,
                                           "timeoutSeconds": 1,
                                           "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}},
                        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
                      "dnsPolicy": "ClusterFirst", "enableServiceLinks": true, "restartPolicy": "Always",
                      "schedulerName": "default-scheduler", "securityContext": {},
                      "terminationGracePeriodSeconds": 30, "volumes": [{"name": "data", "emptyDir": {}}]},
             "status": {}}
            """)
        #expect(try Manifests.pod.strategy.defaulted(Manifests.pod) == expected)
    }

    @Test("F: what Go leaves out when it is zero is none; what it points to is kept, and what must be there")
    func zeros() throws {
        let deployment = Manifests.text(
            """
            {"apiVersion": "apps/v1", "kind": "Deployment",
             "metadata": {"name": "web", "namespace": "default", "generateName": "", "generation": 0},
             "spec": {"paused": false, "minReadySeconds": 0, "replicas": 0, "revisionHistoryLimit": 0,
                      "selector": {"matchLabels": {"app": "web"}},
                      "template": {"metadata": {"labels": {"app": "web", "empty": ""}},
                        "spec": {"hostNetwork": false, "nodeName": "", "terminationGracePeriodSeconds": 0,
                                 "automountServiceAccountToken": false,
                                 "containers": [{"name": "web", "image": "web:1", "stdin": false, "workingDir": "",
                                    "env": [{"name": "EMPTY", "value": ""}],
                                    "readinessProbe": {"tcpSocket": {"port": 0}, "timeoutSeconds": 0,
                                                       "initialDelaySeconds": 0},
                                    "securityContext": {"privileged": false, "runAsUser": 0}}]}}}}
            """)
        let filled = try deployment.strategy.defaulted(deployment)
        let spec = try #require(filled["spec"])
        #expect(filled["metadata"] == ["name": "web", "namespace": "default"])
        #expect(spec["paused"] == nil && spec["minReadySeconds"] == nil)
        #expect(spec["replicas"] == 0 && spec["revisionHistoryLimit"] == 0)
        #expect(spec[path: ["template", "metadata", "labels", "empty"]] == "")
        let pod = try #require(spec[path: ["template", "spec"]])
        #expect(pod["hostNetwork"] == nil && pod["nodeName"] == nil)
        #expect(pod["terminationGracePeriodSeconds"] == 0 && pod["automountServiceAccountToken"] == false)
        let container = try #require(pod["containers"]?[0])
        #expect(container["stdin"] == nil && container["workingDir"] == nil)
        #expect(container["env"] == [["name": "EMPTY"]])
        #expect(container["readinessProbe"]?["timeoutSeconds"] == 1)
        #expect(container["readinessProbe"]?["initialDelaySeconds"] == nil)
        #expect(container[path: ["readinessProbe", "tcpSocket", "port"]] == 0)
        #expect(container["securityContext"] == ["privileged": false, "runAsUser": 0])
        // Whoever reads it in protobuf and writes it back changes nothing.
        let back = try ProtobufObject(decoding: ProtobufEncoding.encoded(filled)).json
        #expect(try back.strategy.defaulted(back) == filled)
    }

    @Test(
        "F: Go's zero time is none, in whatever zone it is written; other times of old are kept",
        arguments: [
            ("0001-01-01T00:00:00Z", nil), ("0001-01-01T02:00:00.000+02:00", nil),
            ("0001-01-01T00:00:01Z", "0001-01-01T00:00:01Z"), ("9999-12-31T23:59:59.5Z", "9999-12-31T23:59:59Z"),
        ] as [(String, JSON?)])
    func times(_ text: String, _ expected: JSON?) throws {
        let map: JSON = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": "c", "namespace": "default", "creationTimestamp": .string(text)],
        ]
        #expect(try map.strategy.defaulted(map)[path: ["metadata", "creationTimestamp"]] == expected)
    }

    @Test("J1, F: a minimal Service")
    func service() throws {
        let expected = Manifests.text(
            """
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
             "spec": {"internalTrafficPolicy": "Cluster", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
                      "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}], "selector": {"app": "web"},
                      "sessionAffinity": "None", "type": "ClusterIP"},
             "status": {"loadBalancer": {}}}
            """)
        #expect(try Manifests.service.strategy.defaulted(Manifests.service) == expected)
    }

    struct Row: Sendable {
        var object: JSON
        var path: String
        var value: JSON?
        var place: String
        var expected: JSON?
    }

    static let rows: [Row] = [
        Row(
            object: Manifests.deployment, path: ".spec.strategy", value: ["type": "Recreate"],
            place: ".spec.strategy", expected: ["type": "Recreate"]),
        Row(
            object: Manifests.deployment, path: ".spec.strategy", value: ["rollingUpdate": ["maxSurge": 1]],
            place: ".spec.strategy.rollingUpdate", expected: ["maxSurge": 1, "maxUnavailable": "25%"]),
        Row(
            object: Manifests.deployment, path: ".spec.template.spec.hostNetwork", value: true,
            place: ".spec.template.spec.enableServiceLinks", expected: nil),
        Row(
            object: Manifests.pod, path: ".spec.hostNetwork", value: true,
            place: ".spec.containers.0.ports.0.hostPort", expected: 80),
        Row(
            object: Manifests.pod, path: ".spec.containers.0.resources", value: ["limits": ["cpu": 0.5.json]],
            place: ".spec.containers.0.resources", expected: ["limits": ["cpu": "500m"], "requests": ["cpu": "500m"]]),
        Row(
            object: Manifests.deployment, path: ".spec.template.spec.containers.0.resources",
            value: ["limits": ["cpu": "1000m"]], place: ".spec.template.spec.containers.0.resources",
            expected: ["limits": ["cpu": "1"]]),
        Row(
            object: Manifests.pod, path: ".spec.volumes.0", value: ["name": "data"], place: ".spec.volumes.0",
            expected: ["name": "data", "emptyDir": [:]]),
        Row(
            object: Manifests.pod, path: ".spec.volumes.0", value: ["name": "data", "secret": ["secretName": "s"]],
            place: ".spec.volumes.0.secret.defaultMode", expected: 420),
        Row(
            object: Manifests.pod, path: ".spec.serviceAccount", value: "robot", place: ".spec.serviceAccountName",
            expected: "robot"),
        Row(
            object: Manifests.pod, path: ".spec.containers.0.livenessProbe",
            value: ["exec": ["command": ["true"]], "periodSeconds": 0],
            place: ".spec.containers.0.livenessProbe.periodSeconds", expected: 10),
        Row(
            object: Manifests.pod, path: ".spec.containers.0.args", value: [], place: ".spec.containers.0.args",
            expected: nil),
        Row(
            object: Manifests.service, path: ".spec.type", value: "NodePort", place: ".spec.externalTrafficPolicy",
            expected: "Cluster"),
        Row(
            object: Manifests.service, path: ".spec.type", value: "LoadBalancer",
            place: ".spec.allocateLoadBalancerNodePorts", expected: true),
        Row(
            object: Manifests.service, path: ".spec.sessionAffinity", value: "ClientIP",
            place: ".spec.sessionAffinityConfig.clientIP.timeoutSeconds", expected: 10800),
        Row(
            object: Manifests.service, path: ".spec.sessionAffinityConfig", value: ["clientIP": ["timeoutSeconds": 5]],
            place: ".spec.sessionAffinityConfig", expected: nil),
        Row(
            object: Manifests.service.setting(".spec.selector", nil), path: ".spec.clusterIP", value: "None",
            place: ".spec.ipFamilyPolicy", expected: "RequireDualStack"),
        Row(
            object: Manifests.service, path: ".spec.clusterIP", value: "None", place: ".spec.clusterIPs",
            expected: ["None"]),
        Row(
            object: Manifests.secret, path: ".stringData", value: ["key": "new", "b": "x"], place: ".data",
            expected: ["key": "bmV3", "b": "eA=="]),
        Row(
            object: Manifests.secret, path: ".stringData", value: ["key": "new"], place: ".stringData", expected: nil),
        Row(object: Manifests.secret, path: ".immutable", value: nil, place: ".type", expected: "Opaque"),
        Row(
            object: Manifests.namespace, path: ".spec", value: nil, place: ".metadata.labels",
            expected: ["kubernetes.io/metadata.name": "team"]),
        Row(
            object: Manifests.node, path: ".spec", value: nil, place: ".status.allocatable", expected: ["cpu": "4"]),
        Row(
            object: Manifests.endpointSlice, path: ".ports", value: [["port": 80]], place: ".ports.0",
            expected: ["port": 80, "name": "", "protocol": "TCP"]),
        Row(
            object: Manifests.lease, path: ".spec.renewTime", value: "2026-01-02T03:04:05+01:00",
            place: ".spec.renewTime", expected: "2026-01-02T02:04:05.000000Z"),
    ]

    @Test("F: what depends on other fields", arguments: rows)
    func conditional(row: Row) throws {
        let object = row.object.setting(row.path, row.value)
        #expect(try object.strategy.defaulted(object).value(at: row.place) == row.expected)
    }

    @Test(
        "I4: the pull policy follows the tag",
        arguments: [
            ("web", "Always"), ("web:latest", "Always"), ("web:1", "IfNotPresent"), ("host:5000/web", "Always"),
            ("host:5000/web:2", "IfNotPresent"), ("web@sha256:0123", "IfNotPresent"),
            ("web:latest@sha256:0123", "Always"),
        ])
    func pullPolicy(image: String, policy: String) throws {
        let object = Manifests.pod.setting(".spec.containers.0.image", .string(image))
        let filled = try object.strategy.defaulted(object)
        #expect(filled.value(at: ".spec.containers.0.imagePullPolicy") == .string(policy))
    }

    @Test("null in a map of texts or quantities is an empty one, and elsewhere nothing (F)")
    func nullsInMaps() throws {
        let map = Manifests.configMap.setting(".data", ["a": .null, "b": "c"]).setting(".metadata.labels", ["l": .null])
        let filled = try map.strategy.defaulted(map)
        #expect(filled["data"] == ["a": "", "b": "c"])
        #expect(filled.value(at: ".metadata.labels") == ["l": ""])
        let pod = Manifests.pod.setting(".spec.containers.0.resources", ["limits": ["cpu": .null], "claims": .null])
        let resources = try pod.strategy.defaulted(pod).value(at: ".spec.containers.0.resources")
        #expect(resources?["limits"] == ["cpu": "0"])
        #expect(resources?["claims"] == nil)
    }

    @Test("defaulting twice changes nothing, and the result is valid", arguments: Manifests.all)
    func idempotent(object: JSON) throws {
        let strategy = try object.strategy
        let once = strategy.defaulted(object)
        #expect(strategy.defaulted(once) == once)
        #expect(try once.createErrors == [])
    }

    @Test("fields that no schema knows survive, wherever they are", arguments: Manifests.all)
    func unknownFields(object: JSON) throws {
        let strategy = try object.strategy
        let marked = object.setting(".future", ["a": [1, .null]]).setting(".metadata.future", "x")
        let filled = strategy.prepareForCreate(strategy.defaulted(try JSON(decoding: marked.encoded())))
        #expect(filled["future"] == ["a": [1, .null]])
        #expect(filled.value(at: ".metadata.future") == "x")
    }
}

extension Double {
    fileprivate var json: JSON { .number(String(self)) }
}
