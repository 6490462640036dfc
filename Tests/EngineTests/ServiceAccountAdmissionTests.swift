import Cluster
import Kinds
import Model
import Testing

@testable import Engine

/// Whom a pod runs as (semantics-workloads K12).
@Suite("ServiceAccount admission") struct ServiceAccountAdmissionTests {
    private static func account(_ name: String, pullingWith secrets: [String] = []) -> JSON {
        [
            "apiVersion": "v1", "kind": "ServiceAccount", "metadata": ["name": .string(name), "namespace": "default"],
            "imagePullSecrets": .array(secrets.map { ["name": .string($0)] }),
        ]
    }

    private func pod(_ spec: [String: JSON]) -> JSON {
        var pod = Sample.pod("p")
        for (key, value) in spec { pod[path: ["spec", key]] = value }
        return pod
    }

    static let accounts: [(spec: [String: JSON], account: JSON, secrets: JSON?)] = [
        ([:], "default", nil), (["serviceAccountName": ""], "default", nil),
        (["serviceAccountName": "robot"], "robot", [["name": "registry"]]),
        (["serviceAccount": "robot"], "robot", [["name": "registry"]]),
        (
            ["serviceAccountName": "robot", "imagePullSecrets": [["name": "mine"]]], "robot",
            [["name": "mine"]]
        ),
    ]

    @Test(
        "K12: a pod gets the default account where it names none, and its account's pull secrets", arguments: accounts)
    func fillsIn(spec: [String: JSON], account: JSON, secrets: JSON?) async throws {
        let test = try await TestRegistry()
        try await test.create(Self.account("robot", pullingWith: ["registry"]))
        let created = try await test.create(pod(spec))
        #expect(created.json[path: ["spec", "serviceAccountName"]] == account)
        #expect(created.json[path: ["spec", "serviceAccount"]] == account)
        #expect(created.json[path: ["spec", "imagePullSecrets"]] == secrets)
    }

    @Test("K12: a pod of an account that is not there is refused, until it is there")
    func refuses() async throws {
        let test = try await TestRegistry()
        let error = await #expect(throws: APIError.self) {
            try await test.create(pod(["serviceAccountName": "robot"]))
        }
        #expect(error?.reason == .forbidden)
        #expect(
            error?.message
                == "pods \"p\" is forbidden: error looking up service account default/robot: serviceaccount \"robot\" "
                + "not found")
        try await test.create(Self.account("robot"))
        try await test.create(pod(["serviceAccountName": "robot"]))
    }
}
