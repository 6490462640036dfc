import Cluster
import Kinds
import Model
import Testing

@testable import Engine

/// The volume by which a pod finds the API (semantics-api J4, semantics-workloads K12).
@Suite("The volume that admission adds for access to the API") struct APIAccessAdmissionTests {
    private static func registry() async throws -> TestRegistry {
        let test = try await TestRegistry()
        test.registry.giveTokens()
        for (name, wish) in [("default", nil), ("mount", true), ("nomount", false)] as [(String, Bool?)] {
            var account: JSON = [
                "apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": ["name": .string(name), "namespace": "default"],
            ]
            account["automountServiceAccountToken"] = wish.map(JSON.bool)
            try await test.create(account)
        }
        return test
    }

    private static func pod(_ spec: JSON) -> JSON {
        [
            "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p", "namespace": "default"], "spec": spec,
        ]
    }

    private static let container: JSON = ["name": "c", "image": "i"]

    /// Those of Kubernetes' conformance test (e2e/auth/service_accounts.go).
    static let wishes: [(account: String, wish: Bool?, isAdded: Bool)] = [
        ("default", nil, true), ("mount", nil, true), ("nomount", nil, false), ("default", true, true),
        ("mount", true, true), ("nomount", true, true), ("default", false, false), ("mount", false, false),
        ("nomount", false, false),
    ]

    @Test("the pod's word counts before its account's; without either there is a token", arguments: wishes)
    func wish(account: String, wish: Bool?, isAdded: Bool) async throws {
        let test = try await Self.registry()
        var spec: JSON = ["serviceAccountName": .string(account), "containers": [Self.container]]
        spec["automountServiceAccountToken"] = wish.map(JSON.bool)
        let created = try await test.create(Self.pod(spec)).view(as: Pod.self)
        let paths = created.spec.containers[0].volumeMounts.map(\.mountPath)
        #expect(paths == (isAdded ? ["/var/run/secrets/kubernetes.io/serviceaccount"] : []))
        #expect(created.spec.volumes.count == (isAdded ? 1 : 0))
    }

    @Test("what is added is Kubernetes' own: last among the volumes, in every container, under a name of its own")
    func added() async throws {
        let test = try await Self.registry()
        let spec: JSON = [
            "volumes": [["name": "data", "emptyDir": [:]]],
            "initContainers": [["name": "first", "image": "i"]],
            "containers": [
                ["name": "a", "image": "i", "volumeMounts": [["name": "data", "mountPath": "/data"]]],
                ["name": "b", "image": "i"],
            ],
        ]
        let created = try await test.create(Self.pod(spec))
        let volumes = created.json[path: ["spec", "volumes"]]?.array ?? []
        let name = try #require(volumes.last?["name"]?.string)
        #expect(name.hasPrefix("kube-api-access-") && name.utf8.count == 21)
        #expect(
            volumes.map { $0["name"] } == ["data", .string(name)]
                && volumes.last?["projected"] == [
                    "sources": [
                        ["serviceAccountToken": ["expirationSeconds": 3607, "path": "token"]],
                        [
                            "configMap": [
                                "items": [["key": "ca.crt", "path": "ca.crt"]], "name": "kube-root-ca.crt",
                            ]
                        ],
                        [
                            "downwardAPI": [
                                "items": [
                                    [
                                        "fieldRef": ["apiVersion": "v1", "fieldPath": "metadata.namespace"],
                                        "path": "namespace",
                                    ]
                                ]
                            ]
                        ],
                    ], "defaultMode": 420,
                ])
        let pod = created.view(as: Pod.self)
        let mounts = (pod.spec.initContainers + pod.spec.containers).map { $0.volumeMounts.map(\.name) }
        #expect(mounts == [[name], ["data", name], [name]])
        let mount = pod.spec.containers[1].volumeMounts[0].json
        let place = "/var/run/secrets/kubernetes.io/serviceaccount"
        #expect(mount == ["mountPath": .string(place), "name": .string(name), "readOnly": true])
        var other = Self.pod(spec)
        other[path: ["metadata", "name"]] = "q"
        let second = try await test.create(other).view(as: Pod.self)
        #expect(second.spec.volumes.last?.name != name)
    }

    @Test("a container that has something at that place keeps it; a volume of that name is used again")
    func present() async throws {
        let test = try await Self.registry()
        var own = Self.container
        own["volumeMounts"] = [["name": "mine", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"]]
        let kept = try await test.create(
            Self.pod(["volumes": [["name": "mine", "emptyDir": [:]]], "containers": [own]])
        ).view(as: Pod.self)
        #expect(kept.spec.volumes.map(\.name) == ["mine"])
        #expect(kept.spec.containers[0].volumeMounts.map(\.name) == ["mine"])
        var copy = Self.pod([
            "volumes": [["name": "kube-api-access-abcde", "emptyDir": [:]]], "containers": [Self.container],
        ])
        copy[path: ["metadata", "name"]] = "copy"
        let copied = try await test.create(copy).view(as: Pod.self)
        #expect(copied.spec.volumes.map(\.name) == ["kube-api-access-abcde"])
        #expect(copied.spec.containers[0].volumeMounts.map(\.name) == ["kube-api-access-abcde"])
    }

    @Test("while nobody issues tokens, pods are left as they are")
    func withoutTokens() async throws {
        let test = try await TestRegistry()
        let created = try await test.create(Self.pod(["containers": [Self.container]])).view(as: Pod.self)
        #expect(created.spec.volumes.isEmpty && created.spec.containers[0].volumeMounts.isEmpty)
    }

    @Test("who applies a pod does not own what was added, and applying it again changes nothing")
    func applied() async throws {
        let test = try await Self.registry()
        let config = Self.pod(["containers": [Self.container]])
        let key = Pod.key("p", in: "default")
        let created = try await test.patch(key, .apply(config, force: false))
        let managed = created.json[path: ["metadata", "managedFields"]]?.text() ?? ""
        #expect(!managed.contains("kube-api-access"))
        let again = try await test.patch(key, .apply(config, force: false))
        #expect(again.metadata.resourceVersion == created.metadata.resourceVersion)
        #expect(again.json[path: ["spec", "volumes"]]?.array?.count == 1)
    }
}
