import Kinds
import Model
import Testing

@Suite("The other kinds in protobuf (A17)")
struct ProtobufKindsTests {
    private static func decoded(_ message: ProtobufMessage, _ kind: String, in apiVersion: String = "v1") throws -> JSON
    {
        let object = try ProtobufObject(decoding: message.body(apiVersion, kind))
        #expect(object.unknownFields == [])
        return object.json
    }

    private static let named = ProtobufMessage().text(1, "it")

    @Test("a volume's source is inlined; a map of quantities; a claim that names no class asks for none")
    func storage() throws {
        let capacity = ProtobufMessage().text(1, "storage").message(2, ProtobufMessage().text(1, "10Gi"))
        let path = ProtobufMessage().text(1, "/data").text(2, "")
        let source = ProtobufMessage().message(3, path)
        let spec = ProtobufMessage().message(1, capacity).message(2, source).text(3, "ReadWriteOnce").text(5, "Retain")
            .text(6, "").text(8, "Filesystem")
        let volume = try Self.decoded(ProtobufMessage().message(1, Self.named).message(2, spec), "PersistentVolume")
        #expect(
            volume["spec"] == [
                "capacity": ["storage": "10Gi"], "hostPath": ["path": "/data", "type": ""],
                "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem",
            ])
        let claim = ProtobufMessage().text(1, "ReadWriteOnce").message(2, ProtobufMessage()).text(5, "")
        #expect(
            try Self.decoded(ProtobufMessage().message(2, claim), "PersistentVolumeClaim")["spec"] == [
                "accessModes": ["ReadWriteOnce"], "resources": [:], "storageClassName": "",
            ])
        let driver = ProtobufMessage().bool(1, false).bool(2, true).text(3, "Persistent")
        #expect(
            try Self.decoded(ProtobufMessage().message(2, driver), "CSIDriver", in: "storage.k8s.io/v1")["spec"] == [
                "attachRequired": false, "podInfoOnMount": true, "volumeLifecycleModes": ["Persistent"],
            ])
    }

    @Test("a role's rules; the empty group is a group")
    func access() throws {
        let rule = ProtobufMessage().text(1, "get").text(1, "list").text(2, "").text(3, "pods")
        let role = ProtobufMessage().message(1, Self.named).message(2, rule)
        #expect(
            try Self.decoded(role, "Role", in: "rbac.authorization.k8s.io/v1")["rules"] == [
                ["verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]]
            ])
        let subject = ProtobufMessage().text(1, "User").text(2, "").text(3, "ada").text(4, "")
        let reference = ProtobufMessage().text(1, "rbac.authorization.k8s.io").text(2, "Role").text(3, "r")
        let binding = try Self.decoded(
            ProtobufMessage().message(2, subject).message(3, reference), "RoleBinding",
            in: "rbac.authorization.k8s.io/v1")
        #expect(binding["subjects"] == [["kind": "User", "name": "ada"]])
        #expect(
            binding["roleRef"] == ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"])
    }

    @Test("an ingress rule's paths are inlined; a policy's ports are numbers or names")
    func network() throws {
        let port = ProtobufMessage().text(1, "").number(2, 80)
        let backend = ProtobufMessage().message(4, ProtobufMessage().text(1, "web").message(2, port))
        let entry = ProtobufMessage().text(1, "/").message(2, backend).text(3, "Prefix")
        let http = ProtobufMessage().message(1, ProtobufMessage().message(1, entry))
        let rule = ProtobufMessage().text(1, "web.example.com").message(2, http)
        let ingress = try Self.decoded(
            ProtobufMessage().message(2, ProtobufMessage().message(3, rule).text(4, "edge")), "Ingress",
            in: "networking.k8s.io/v1")
        #expect(
            ingress["spec"] == [
                "rules": [
                    [
                        "host": "web.example.com",
                        "http": [
                            "paths": [
                                [
                                    "path": "/",
                                    "backend": ["service": ["name": "web", "port": ["number": 80]]],
                                    "pathType": "Prefix",
                                ]
                            ]
                        ],
                    ]
                ],
                "ingressClassName": "edge",
            ])
        let numbered = ProtobufMessage().text(1, "TCP").message(
            2, ProtobufMessage().number(1, 0).number(2, 80).text(3, ""))
        let named = ProtobufMessage().text(1, "UDP").message(2, ProtobufMessage().number(1, 1).text(3, "dns"))
        let from = ProtobufMessage().message(1, numbered).message(1, named).message(
            2, ProtobufMessage().message(1, ProtobufMessage()))
        let policy = try Self.decoded(
            ProtobufMessage().message(2, ProtobufMessage().message(1, ProtobufMessage()).message(2, from)),
            "NetworkPolicy", in: "networking.k8s.io/v1")
        #expect(
            policy["spec"] == [
                "podSelector": [:],
                "ingress": [
                    [
                        "ports": [["protocol": "TCP", "port": 80], ["protocol": "UDP", "port": "dns"]],
                        "from": [["podSelector": [:]]],
                    ]
                ],
            ])
    }

    @Test("numbers that Go never leaves out are there when they are zero")
    func zeros() throws {
        let priority = ProtobufMessage().message(1, Self.named).number(2, 0).number(3, 0).text(4, "").text(5, "Never")
        #expect(
            try Self.decoded(priority, "PriorityClass", in: "scheduling.k8s.io/v1") == [
                "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": ["name": "it"], "value": 0,
                "preemptionPolicy": "Never",
            ])
    }

    @Test("texts that Go never leaves out are there when they are empty: a header, a kernel parameter, an image")
    func emptyTexts() throws {
        let unset = ProtobufMessage().text(1, "x").text(2, "")
        let probe = ProtobufMessage().message(1, ProtobufMessage().message(2, ProtobufMessage().message(5, unset)))
        let spec = ProtobufMessage().message(2, ProtobufMessage().text(1, "c").message(10, probe))
            .message(14, ProtobufMessage().message(7, unset))
        let status = ProtobufMessage().message(8, ProtobufMessage().text(1, "c").text(6, "").text(7, "").text(8, ""))
        let json = try Self.decoded(ProtobufMessage().message(2, spec).message(3, status), "Pod")
        #expect(json[path: ["spec", "securityContext"]] == ["sysctls": [["name": "x", "value": ""]]])
        #expect(
            json[path: ["spec", "containers"]] == [
                ["name": "c", "livenessProbe": ["httpGet": ["httpHeaders": [["name": "x", "value": ""]]]]]
            ])
        #expect(json[path: ["status", "containerStatuses"]] == [["name": "c", "image": "", "imageID": ""]])
    }

    @Test("the schema of a definition: values of any kind, schemas or something simpler, fractions")
    func definition() throws {
        func value(_ text: String) -> ProtobufMessage { ProtobufMessage().text(1, text) }
        func property(_ name: String, _ schema: ProtobufMessage) -> ProtobufMessage {
            ProtobufMessage().text(1, name).message(2, schema)
        }
        let size = ProtobufMessage().text(5, "number").message(8, value("0")).double(9, 2.5).double(11, 0)
        let flag = ProtobufMessage().text(5, "boolean").message(8, value("false"))
        let tags = ProtobufMessage().text(5, "array").message(8, value("[]"))
            .message(24, ProtobufMessage().message(1, ProtobufMessage().text(5, "string")))
        let labels = ProtobufMessage().text(5, "object")
            .message(30, ProtobufMessage().number(1, 1).message(2, ProtobufMessage().text(5, "string")))
        let closed = ProtobufMessage().text(5, "object").message(30, ProtobufMessage().number(1, 0))
        let choice = ProtobufMessage().number(40, 1).message(20, value(#""a""#)).message(20, value("1"))
        let root = ProtobufMessage().text(5, "object").message(29, property("size", size))
            .message(29, property("flag", flag)).message(29, property("tags", tags))
            .message(29, property("labels", labels)).message(29, property("closed", closed))
            .message(29, property("choice", choice))
        let version = ProtobufMessage().text(1, "v1").number(2, 1).number(3, 0)
            .message(4, ProtobufMessage().message(1, root))
        let json = try Self.decoded(
            ProtobufMessage().message(2, ProtobufMessage().text(1, "example.com").message(7, version)),
            "CustomResourceDefinition", in: "apiextensions.k8s.io/v1")
        #expect(json[path: ["spec", "group"]] == "example.com")
        #expect(json.value(at: ".spec.versions.0.storage") == false)
        #expect(
            json.value(at: ".spec.versions.0.schema.openAPIV3Schema.properties") == [
                "size": ["type": "number", "default": 0, "maximum": .number("2.5"), "minimum": 0],
                "flag": ["type": "boolean", "default": false],
                "tags": ["type": "array", "default": [], "items": ["type": "string"]],
                "labels": ["type": "object", "additionalProperties": ["type": "string"]],
                "closed": ["type": "object", "additionalProperties": false],
                "choice": ["x-kubernetes-int-or-string": true, "enum": ["a", 1]],
            ])
    }
}
