import Model

/// A random number generator that a seed determines.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// A base and overlays made up from a seed.
struct RandomCase {
    private var random: SeededGenerator
    private var files: [KustomizeCase.File] = []
    /// Kinds and names of the base's objects.
    private var objects: [JSON] = []

    static func make(seed: UInt64) -> KustomizeCase {
        var maker = RandomCase(random: SeededGenerator(seed: seed &* 0x1234_5678_9ABC_DEF1))
        maker.addBase()
        maker.addLevel("middle", over: "../base")
        maker.addLevel("top", over: "../middle")
        return KustomizeCase(name: "seed \(seed)", files: maker.files.reversed())
    }

    private init(random: SeededGenerator) {
        self.random = random
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    private mutating func pick<Value>(_ values: [Value]) -> Value { values.randomElement(using: &random)! }
    private mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }

    private mutating func add(_ path: String, _ documents: [JSON]) {
        var text = YAML.text(documents: documents)
        for (name, form) in Self.nulls { text = text.replacing(name, with: form) }
        files.append(KustomizeCase.File(path: path, bytes: Array(text.utf8)))
    }

    /// Texts that stand for null in files, in each of its plain forms.
    private static let nulls = [
        "null-as-tilde": "~", "null-as-title": "Null", "null-as-nothing": "", "null-as-word": "null",
    ]
    /// Says that there is a kind without a namespace.
    private static let scopes: JSON = [
        "paths": [
            "/apis/example.com/v1/customs": [
                "get": [
                    "x-kubernetes-group-version-kind": ["group": "example.com", "version": "v1", "kind": "Custom"]
                ]
            ]
        ]
    ]

    private static let names = ["web", "db", "cache", "job"]

    private mutating func name() -> JSON { .string(pick(Self.names)) }
    private mutating func null() -> JSON { .string(pick(Self.nulls.keys.sorted())) }

    // MARK: Objects

    private mutating func addBase() {
        var seen: Set<String> = []
        for _ in 0..<number(3...8) {
            var object = self.object()
            object[path: ["metadata", "name"]] = name()
            if chance(20) { object[path: ["metadata", "namespace"]] = .string(pick(["one", "default"])) }
            if chance(40) { object[path: ["metadata", "labels"]] = ["app": name(), "tier": "x"] }
            if chance(30) { object[path: ["metadata", "annotations"]] = ["note": .string(pick(["a", "yes", "5"]))] }
            if chance(10) { object[path: ["metadata", pick(["labels", "annotations"]), "nil"]] = null() }
            let namespace = object["metadata"]?["namespace"]?.string ?? "default"
            let id = "\(object["kind"]?.string ?? "") \(object["metadata"]?["name"]?.string ?? "") \(namespace)"
            if seen.insert(id).inserted { objects.append(object) }
        }
        add("base/all.yaml", objects)
        var kustomization: JSON = ["resources": ["all.yaml"]]
        decorate(&kustomization)
        add("base/kustomization.yaml", [kustomization])
    }

    private mutating func object() -> JSON {
        switch number(0...8) {
        case 0, 1:
            return [
                "apiVersion": "apps/v1", "kind": .string(pick(["Deployment", "StatefulSet", "DaemonSet"])),
                "spec": [
                    "replicas": .int(Int64(number(0...5))), "selector": ["matchLabels": ["app": name()]],
                    "serviceName": name(), "template": ["metadata": ["labels": ["app": name()]], "spec": pod()],
                ],
            ]
        case 2: return ["apiVersion": "v1", "kind": "Pod", "spec": pod()]
        case 3:
            return [
                "apiVersion": "v1", "kind": "Service",
                "spec": ["selector": ["app": name()], "ports": [port("port"), port("port")]],
            ]
        case 4: return ["apiVersion": "v1", "kind": "ConfigMap", "data": ["a": "1", "host": name()]]
        case 5: return ["apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": ["a": "MQ=="]]
        case 6:
            return [
                "apiVersion": "batch/v1", "kind": "CronJob",
                "spec": ["schedule": "* * * * *", "jobTemplate": ["spec": ["template": ["spec": pod()]]]],
            ]
        case 7:
            return [
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                "roleRef": ["apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name()],
                "subjects": [
                    ["kind": "ServiceAccount", "name": name()], ["kind": "ServiceAccount", "name": "default"],
                ],
            ]
        default:
            return [
                "apiVersion": "example.com/v1", "kind": "Custom",
                "spec": [
                    "items": [["name": "a", "v": .int(1)], ["name": "b"]], "map": ["x": .null, "y": true],
                    "containers": [container()],
                ],
            ]
        }
    }

    private mutating func port(_ key: String) -> JSON {
        var port: JSON = [:]
        port[key] = .int(Int64(pick([80, 443, 8080])))
        if chance(50) { port["protocol"] = .string(pick(["TCP", "UDP"])) }
        if chance(50) { port["name"] = .string(pick(["http", "metrics"])) }
        return port
    }

    private mutating func container() -> JSON {
        var container: JSON = [
            "name": .string(pick(["a", "b", "c"])),
            "image": .string(pick(["nginx", "nginx:1.2", "busybox@sha256:abc"])),
        ]
        if chance(50) { container["ports"] = [port("containerPort"), port("containerPort")] }
        if chance(50) {
            container["env"] = [
                ["name": "A", "value": .string(pick(["1", "true"]))],
                ["name": "B", "valueFrom": ["configMapKeyRef": ["name": name(), "key": "a"]]],
            ]
        }
        if chance(30) { container["envFrom"] = [["secretRef": ["name": name()]], ["configMapRef": ["name": name()]]] }
        if chance(30) { container["args"] = ["x", "y"] }
        if chance(30) { container["volumeMounts"] = [["name": "v", "mountPath": "/v"]] }
        return container
    }

    private mutating func pod() -> JSON {
        var pod: JSON = ["containers": .array((0..<number(1...2)).map { _ in container() })]
        if chance(30) { pod["initContainers"] = [container()] }
        if chance(40) {
            pod["volumes"] = [["name": "v", "configMap": ["name": name()]], ["name": "w", "emptyDir": [:]]]
        }
        if chance(30) { pod["serviceAccountName"] = name() }
        if chance(20) { pod["tolerations"] = [["key": "a"]] }
        return pod
    }

    // MARK: Kustomizations

    private mutating func addLevel(_ folder: String, over base: String) {
        var kustomization: JSON = ["resources": [.string(base)]]
        decorate(&kustomization)
        var patches: [JSON] = []
        for number in 0..<number(0...2) {
            guard let object = objects.randomElement(using: &random) else { continue }
            // A patch finds what another namespace has by a target alone.
            let isTargeted = object["metadata"]?["namespace"] != nil || chance(50)
            if chance(30) {
                patches.append(["target": target(of: object), "patch": .string(jsonPatch())])
                continue
            }
            let path = "patch-\(number).yaml"
            add("\(folder)/\(path)", [patch(of: object)])
            patches.append(
                !isTargeted ? ["path": .string(path)] : ["path": .string(path), "target": target(of: object)])
        }
        if !patches.isEmpty { kustomization["patches"] = .array(patches) }
        if chance(40) { addGenerators(to: &kustomization) }
        if chance(10) {
            kustomization["openapi"] = ["path": "scopes.json"]
            add("\(folder)/scopes.json", [Self.scopes])
        }
        add("\(folder)/kustomization.yaml", [kustomization])
    }

    private mutating func decorate(_ kustomization: inout JSON) {
        if chance(30) { kustomization["namePrefix"] = .string(pick(["p-", "q-"])) }
        if chance(20) { kustomization["nameSuffix"] = .string(pick(["-s", "-t"])) }
        if chance(8) { kustomization["namespace"] = .string(pick(["one", "two"])) }
        if chance(25) { kustomization["commonLabels"] = ["common": "label"] }
        if chance(25) {
            kustomization["labels"] = [
                [
                    "pairs": ["own": "label"], "includeSelectors": .bool(chance(30)),
                    "includeTemplates": .bool(chance(50)),
                ]
            ]
        }
        if chance(20) { kustomization["commonAnnotations"] = ["common": chance(20) ? null() : "annotation"] }
        if chance(30) {
            kustomization["images"] = [["name": "nginx", "newTag": "2.0"], ["name": "busybox", "newName": "box"]]
        }
        if chance(15) { kustomization["sortOptions"] = ["order": .string(pick(["fifo", "legacy"]))] }
        if chance(4) { kustomization["replicas"] = [["name": name(), "count": 7]] }
        if chance(15) { kustomization["buildMetadata"] = ["originAnnotations"] }
        if chance(5) { kustomization["replacements"] = [replacement()] }
    }

    private mutating func replacement() -> JSON {
        [
            "source": ["kind": .string(pick(["ConfigMap", "Service", "Deployment"])), "name": name()],
            "targets": [
                [
                    "select": ["kind": .string(pick(["Deployment", "Pod", "Custom", "ConfigMap"]))],
                    "fieldPaths": [
                        .string(
                            pick([
                                "metadata.labels.copied", "spec.containers.*.image",
                                "spec.template.spec.containers.[name=a].image",
                            ]))
                    ],
                    "options": ["create": .bool(chance(70))],
                ]
            ],
        ]
    }

    private mutating func addGenerators(to kustomization: inout JSON) {
        var generator: JSON = ["name": chance(80) ? "generated" : name(), "literals": ["g=1", "a=2"]]
        if chance(25) { generator["behavior"] = .string(pick(["create", "merge", "replace"])) }
        if chance(30) { generator["options"] = ["disableNameSuffixHash": true, "labels": ["gen": "yes"]] }
        kustomization[chance(60) ? "configMapGenerator" : "secretGenerator"] = [generator]
        if chance(20) { kustomization["generatorOptions"] = ["annotations": ["all": "x"]] }
    }

    private mutating func target(of object: JSON) -> JSON {
        var target: JSON = ["kind": object["kind"] ?? "Pod"]
        if chance(50) { target["name"] = .string(pick(["web|db", ".*", "c.*e", "job"])) }
        if chance(20) { target["labelSelector"] = .string(pick(["tier=x", "app in (web,db)", "!app"])) }
        return target
    }

    private mutating func jsonPatch() -> String {
        let operations: [JSON] = [
            ["op": "add", "path": "/metadata/labels", "value": ["patched": "1"]],
            ["op": "add", "path": "/extra", "value": [1, "two", true]],
            ["op": "replace", "path": "/metadata/name", "value": "replaced"],
            ["op": "remove", "path": "/spec"],
            ["op": "copy", "from": "/kind", "path": "/copied"],
            ["op": "test", "path": "/apiVersion", "value": "v1"],
        ]
        // The first two fit everything.
        return YAML.text(.array([operations[number(0...1)], chance(15) ? pick(operations) : operations[0]]))
    }

    /// A patch made of the object itself: parts of it, changed.
    private mutating func patch(of object: JSON) -> JSON {
        var patch: JSON = ["apiVersion": object["apiVersion"] ?? "v1", "kind": object["kind"] ?? "Pod"]
        patch["metadata"] = ["name": object["metadata"]?["name"] ?? "web"]
        if let namespace = object["metadata"]?["namespace"] { patch[path: ["metadata", "namespace"]] = namespace }
        if chance(30) { patch[path: ["metadata", "labels"]] = ["patch": "label", "tier": .null] }
        if chance(20) { patch[path: ["metadata", "annotations"]] = ["note": chance(50) ? .null : "changed"] }
        for member in ["spec", "data"] {
            if let value = object[member] { patch[member] = changed(value, depth: 0) }
        }
        if chance(3) { patch["$patch"] = "delete" }
        return patch
    }

    private mutating func changed(_ value: JSON, depth: Int) -> JSON {
        switch value {
        case .object(let object):
            var result: JSON = [:]
            for member in object where member.key == "name" || chance(60) {
                result[member.key] = member.key != "name" && chance(8) ? .null : changed(member.value, depth: depth + 1)
            }
            if chance(15) { result["added"] = .string("field") }
            if depth > 0, chance(3) { result["$patch"] = .string(pick(["replace", "delete", "merge"])) }
            return result
        case .array(let elements):
            var result: [JSON] = []
            for element in elements where chance(70) { result.append(changed(element, depth: depth + 1)) }
            if elements.first?.object != nil, chance(30) {
                result.append(pick([container(), ["name": "new"], port("containerPort")]))
            }
            if chance(5) { result.append(["$patch": .string(pick(["replace", "delete"]))]) }
            return .array(result)
        case .string(let text): return depth > 0 && chance(20) ? .string("\(text)x") : value
        case .int(let number): return chance(30) ? .int(number + 1) : value
        default: return value
        }
    }
}
