import Kinds
import Model
import Testing

@Suite("Pods are refused with Kubernetes' messages")
struct PodValidationTests {
    private static let label =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        + "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

    static let containers: [Change] = [
        Change(
            "C24", ".spec.containers.0.name", #""Web""#, #"spec.containers[0].name: Invalid value: "Web": \#(label)"#),
        Change(
            "C24", ".spec.containers.0.name", #""a.b""#,
            #"spec.containers[0].name: Invalid value: "a.b": must not contain dots"#),
        Change("C24", ".spec.containers.0.name", nil, "spec.containers[0].name: Required value"),
        Change(
            "C26", ".spec.containers.1", #"{"name": "web", "image": "b"}"#,
            #"spec.containers[1].name: Duplicate value: "web""#),
        Change(
            "C26", ".spec.initContainers", #"[{"name": "web", "image": "b"}]"#,
            #"spec.initContainers[0].name: Duplicate value: "web""#),
        Change("F", ".spec.containers.0.image", nil, "spec.containers[0].image: Required value"),
        Change(
            "F", ".spec.containers.0.image", #"" web""#,
            #"spec.containers[0].image: Invalid value: " web": must not have leading or trailing whitespace"#),
        Change(
            "F", ".spec.containers.0.imagePullPolicy", #""Sometimes""#,
            #"spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "#
                + #""IfNotPresent", "Never""#),
        Change(
            "F", ".spec.containers.0.ports.0.containerPort", "70000",
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"),
        Change(
            "F", ".spec.containers.0.ports.0.protocol", #""HTTP""#,
            #"spec.containers[0].ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP""#),
        Change(
            "F", ".spec.containers.0.ports", #"[{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]"#,
            #"spec.containers[0].ports[1].name: Duplicate value: "a""#),
        Change(
            "F", ".spec.containers.0.ports.0.name", #""a-very-long-name""#,
            #"spec.containers[0].ports[0].name: Invalid value: "a-very-long-name": must be no more than 15 characters"#),
        Change("I10", ".spec.containers.0.env", #"[{"value": "x"}]"#, "spec.containers[0].env[0].name: Required value"),
        Change(
            "I10", ".spec.containers.0.env", #"[{"name": "A=B"}]"#,
            #"spec.containers[0].env[0].name: Invalid value: "A=B": a valid environment variable name must consist only "#
                + "of printable ASCII characters other than '='"),
        Change(
            "I10", ".spec.containers.0.env", #"[{"name": "A", "valueFrom": {}}]"#,
            #"spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: `fieldRef`, "#
                + "`resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"),
        Change(
            "I12", ".spec.containers.0.env",
            #"[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}}]"#,
            #"spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": "#
                + #"supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "#
                + #""spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs""#),
        Change(
            "F", ".spec.containers.0.resources", #"{"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}"#,
            #"spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#),
        Change(
            "F", ".spec.containers.0.resources", #"{"limits": {"memory": "-1Mi"}, "requests": {"memory": "-1Mi"}}"#,
            #"spec.containers[0].resources.limits[memory]: Invalid value: "-1Mi": must be greater than or equal to 0"#,
            #"spec.containers[0].resources.requests[memory]: Invalid value: "-1Mi": must be greater than or equal to 0"#
        ),
        Change(
            "I6", ".spec.containers.0.readinessProbe", #"{"periodSeconds": 5}"#,
            "spec.containers[0].readinessProbe: Required value: must specify a handler type"),
        Change(
            "I6", ".spec.containers.0.readinessProbe.tcpSocket", #"{"port": 80}"#,
            "spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"),
        Change(
            "I6", ".spec.containers.0.readinessProbe.timeoutSeconds", "-1",
            "spec.containers[0].readinessProbe.timeoutSeconds: Invalid value: -1: must be greater than or equal to 0"),
        Change(
            "I6", ".spec.containers.0.livenessProbe", #"{"exec": {"command": ["a"]}, "successThreshold": 2}"#,
            "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"),
        Change(
            "I6", ".spec.containers.0.readinessProbe.httpGet.port", #""no_port""#,
            #"spec.containers[0].readinessProbe.httpGet.port: Invalid value: "no_port": "#
                + "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
        Change(
            "I8", ".spec.containers.0.lifecycle", #"{"preStop": {"exec": {}}}"#,
            "spec.containers[0].lifecycle.preStop.exec.command: Required value"),
        Change(
            "I5", ".spec.initContainers",
            #"[{"name": "a", "image": "a", "livenessProbe": {"exec": {"command": ["a"]}}}]"#,
            "spec.initContainers[0].livenessProbe: Forbidden: "
                + "may not be set for init containers without restartPolicy=Always"),
        Change(
            "F", ".spec.containers.0.volumeMounts.0.name", #""other""#,
            #"spec.containers[0].volumeMounts[0].name: Not found: "other""#),
        Change(
            "F", ".spec.containers.0.volumeMounts.1", #"{"name": "data", "mountPath": "/data"}"#,
            #"spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/data": must be unique"#),
        Change(
            "F", ".spec.containers.0.volumeMounts.0.subPath", #""../x""#,
            #"spec.containers[0].volumeMounts[0].subPath: Invalid value: "../x": must not contain '..'"#),
    ]

    static let specs: [Change] = [
        Change(
            "F", ".spec.volumes.1", #"{"name": "data", "emptyDir": {}}"#,
            #"spec.volumes[1].name: Duplicate value: "data""#),
        Change(
            "F", ".spec.volumes.0.hostPath", #"{"path": "/x"}"#,
            "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"),
        Change(
            "F", ".spec.volumes.1", #"{"name": "s", "secret": {}}"#, "spec.volumes[1].secret.secretName: Required value"
        ),
        Change(
            "F", ".spec.volumes.1", #"{"name": "c", "configMap": {"name": "c", "defaultMode": 512}}"#,
            "spec.volumes[1].configMap.defaultMode: Invalid value: 512: "
                + "must be a number between 0 and 0777 (octal), both inclusive"),
        Change(
            "J3", ".spec.volumes.1",
            #"{"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 599}}]}}"#,
            "spec.volumes[1].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 599: "
                + "may not specify a duration less than 10 minutes"),
        Change(
            "J3", ".spec.volumes.1",
            #"{"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 4294967297}}]}}"#,
            "spec.volumes[1].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 4294967297: "
                + "may not specify a duration larger than 2^32 seconds"),
        Change(
            "J3", ".spec.volumes.1",
            #"{"name": "p", "projected": {"sources": [{"serviceAccountToken": {"path": ""}}]}}"#,
            "spec.volumes[1].projected.sources[0].serviceAccountToken.path: Required value"),
        Change(
            "F", ".spec.restartPolicy", #""Sometimes""#,
            #"spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "Never", "OnFailure""#),
        Change(
            "I14", ".spec.activeDeadlineSeconds", "0",
            "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"),
        Change(
            "I13", ".spec.dnsPolicy", #""None""#,
            "spec.dnsConfig.nameservers: Required value: "
                + "must provide at least one DNS nameserver when `dnsPolicy` is None"),
        Change(
            "G5", ".spec.tolerations", #"[{"operator": "Equal", "value": "x"}]"#,
            #"spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, "#
                + #"which means "match all values and all keys""#),
        Change(
            "G5", ".spec.tolerations", #"[{"key": "a", "operator": "Exists", "tolerationSeconds": 3}]"#,
            #"spec.tolerations[0].effect: Invalid value: "": effect must be 'NoExecute' when `tolerationSeconds` is set"#
        ),
        Change(
            "H6", ".spec.topologySpreadConstraints",
            #"[{"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]"#,
            "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero"),
        Change(
            "H10", ".spec",
            #"{"containers": [{"name": "a", "image": "a"}], "nodeName": "n", "schedulingGates": [{"name": "g"}]}"#,
            "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"),
        Change(
            "F", ".spec",
            #"{"containers": [{"name": "a", "image": "a", "ports": [{"containerPort": 80, "hostPort": 81}]}], "hostNetwork": true}"#,
            "spec.containers[0].ports[0].containerPort: Invalid value: 80: must match `hostPort` when `hostNetwork` is true"
        ),
    ]

    @Test("containers", arguments: containers)
    func container(change: Change) throws {
        let errors = try Manifests.pod.setting(change.path, change.value).createErrors
        #expect(errors == change.messages)
    }

    @Test("the rest of the specification", arguments: specs)
    func spec(change: Change) throws {
        let errors = try Manifests.pod.setting(change.path, change.value).createErrors
        #expect(errors == change.messages)
    }

    @Test(
        "C26: what an update may change",
        arguments: [
            (".spec.containers.0.image", "web:2"), (".spec.tolerations", [["key": "a", "operator": "Exists"]]),
            (".spec.activeDeadlineSeconds", 10), (".metadata.labels", ["a": "b"]),
        ] as [(String, JSON)])
    func allowed(path: String, value: JSON) throws {
        #expect(try Manifests.pod.updateErrors(to: Manifests.pod.setting(path, value)) == [])
    }

    private static let fields =
        "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
        + "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
        + "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"

    static let forbidden: [Change] = [
        Change("C26", ".spec.hostNetwork", "true", "\(fields)changed: `spec.containers`, `spec.hostNetwork`"),
        Change("C26", ".spec.containers.0.args", #"["x"]"#, "\(fields)changed: `spec.containers`"),
        Change("C26", ".spec.nodeName", #""one""#, "\(fields)changed: `spec.nodeName`"),
        Change(
            "C26", ".spec.containers.1", #"{"name": "b", "image": "b"}"#,
            "spec.containers: Forbidden: pod updates may not add or remove containers"),
        Change(
            "C26", ".spec.schedulingGates", #"[{"name": "g"}]"#,
            "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'"),
    ]

    @Test("C26: what an update may not change", arguments: forbidden)
    func immutable(change: Change) throws {
        let changed = Manifests.pod.setting(change.path, change.value)
        #expect(try Manifests.pod.updateErrors(to: changed) == change.messages)
    }

    @Test("C26: a deadline may only come down")
    func deadline() throws {
        let old = Manifests.pod.setting(".spec.activeDeadlineSeconds", 10)
        #expect(try old.updateErrors(to: old.setting(".spec.activeDeadlineSeconds", 5)) == [])
        #expect(
            try old.updateErrors(to: old.setting(".spec.activeDeadlineSeconds", 20))
                == ["spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value"])
    }

    @Test(
        "I15: the class of service follows requests and limits",
        arguments: [
            ("{}", "BestEffort"), (#"{"requests": {"cpu": "1"}}"#, "Burstable"),
            (#"{"limits": {"cpu": "1", "memory": "1Gi"}}"#, "Guaranteed"),
            (#"{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}"#, "Burstable"),
            (#"{"limits": {"cpu": "1"}}"#, "Burstable"),
        ])
    func qosClass(resources: String, expected: String) throws {
        let pod = Manifests.pod.setting(".spec.containers.0.resources", Manifests.text(resources))
        let strategy = try pod.strategy
        let created = strategy.prepareForCreate(strategy.defaulted(pod))
        #expect(created["status"] == ["phase": "Pending", "qosClass": .string(expected)])
    }
}
