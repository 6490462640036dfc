import Cluster
import Kinds
import Model
import Testing

@testable import Engine

/// semantics-workloads K9, semantics-api J10: what a quota bears, and in which words it does not.
@Suite("Charges to quotas")
struct QuotaChargeTests {
    private static func quota(_ name: String, hard: [String: Quantity], used: [String: Quantity]?) -> ResourceQuota {
        var quota = ResourceQuota(named: name, in: "shop")
        quota.spec.hard = hard
        quota.status.hard = hard
        quota.status.used = used ?? [:]
        return quota
    }

    private static func pod(_ resources: [JSON] = [[:]], initial: [JSON] = []) -> JSON {
        func containers(_ resources: [JSON], _ prefix: String) -> JSON {
            .array(
                resources.enumerated().map { index, resources in
                    ["name": .string("\(prefix)\(index)"), "resources": resources]
                })
        }
        return [
            "metadata": ["name": "web-1", "namespace": "shop"],
            "spec": ["containers": containers(resources, "c"), "initContainers": containers(initial, "i")],
        ]
    }

    private static func charge(_ object: JSON, from old: JSON? = nil, _ kind: String = "Pod") throws -> QuotaCharge {
        let type = try #require(Catalog.builtIn.types.first { $0.kind.kind == kind })
        return QuotaCharge(
            type: type, kind: try #require(CountedKind(type)), object: object, old: old, now: Fixture.now)
    }

    @Test("K9: the quotas that count it say what is used with it, to the last unit")
    func charges() throws {
        let quotas = [
            Self.quota(
                "a", hard: ["pods": Quantity(3), "cpu": Quantity(1)], used: ["pods": Quantity(2), "cpu": .zero]),
            Self.quota("b", hard: ["configmaps": Quantity(1)], used: ["configmaps": Quantity(1)]),
            Self.quota("c", hard: ["count/pods": Quantity(9)], used: ["count/pods": Quantity(4)]),
        ]
        let charged = try Self.charge(Self.pod([["requests": ["cpu": "1"]]])).charged(quotas)
        #expect(charged.map(\.metadata.name) == ["a", "c"])
        #expect(charged.map { "\(QuotaAmounts($0.status.used))" } == ["cpu=1,pods=3", "count/pods=5"])
    }

    struct Refusal: CustomTestStringConvertible {
        var hard: [String: Quantity]
        var used: [String: Quantity]?
        var object: JSON
        var kind = "Pod"
        var message: String
        var testDescription: String { message }
    }

    static let refusals = [
        Refusal(
            hard: ["pods": Quantity(2)], used: ["pods": Quantity(2)], object: pod(),
            message: "pods \"web-1\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2"),
        Refusal(
            hard: ["pods": Quantity(9), "limits.memory": Quantity("1Gi")!, "cpu": Quantity(milli: 900)],
            used: ["pods": .zero, "limits.memory": Quantity("768Mi")!, "cpu": Quantity(milli: 500)],
            object: pod([["requests": ["cpu": "500m"], "limits": ["memory": "512Mi"]]]),
            message: "pods \"web-1\" is forbidden: exceeded quota: q, requested: cpu=500m,limits.memory=512Mi, "
                + "used: cpu=500m,limits.memory=768Mi, limited: cpu=900m,limits.memory=1Gi"),
        Refusal(
            hard: ["cpu": Quantity(1)], used: ["cpu": .zero], object: pod(),
            message: "pods \"web-1\" is forbidden: failed quota: q: must specify cpu for: c0"),
        Refusal(
            hard: [
                "requests.memory": Quantity(1), "limits.cpu": Quantity(1), "requests.ephemeral-storage": Quantity(1),
            ],
            used: [:], object: pod([["limits": ["cpu": "1"]], [:]], initial: [["requests": ["memory": "1"]]]),
            message: "pods \"web-1\" is forbidden: failed quota: q: must specify limits.cpu for: c1,i0; "
                + "requests.memory for: c0,c1"),
        Refusal(
            hard: ["pods": Quantity(1), "count/pods": Quantity(1)], used: nil, object: pod(),
            message: "pods \"web-1\" is forbidden: status unknown for quota: q, resources: count/pods,pods"),
        Refusal(
            hard: ["count/replicasets.apps": .zero], used: ["count/replicasets.apps": .zero],
            object: ["metadata": ["name": "rs"]], kind: "ReplicaSet",
            message: "replicasets.apps \"rs\" is forbidden: exceeded quota: q, requested: count/replicasets.apps=1, "
                + "used: count/replicasets.apps=0, limited: count/replicasets.apps=0"),
    ]

    @Test("K9, J10: what is too much, or not said, is refused in Kubernetes' words", arguments: refusals)
    func refuses(_ test: Refusal) throws {
        let charge = try Self.charge(test.object, test.kind)
        let error = #expect(throws: APIError.self) {
            try charge.charged([Self.quota("q", hard: test.hard, used: test.used)])
        }
        #expect(error?.reason == .forbidden)
        #expect(error?.message == test.message)
    }

    @Test("K9: a pod that says as a whole what it uses need not say it of each container")
    func wholePods() throws {
        var pod = Self.pod()
        pod[path: ["spec", "resources"]] = ["limits": ["cpu": "1"], "requests": ["cpu": "1"]]
        let charged = try Self.charge(pod).charged([Self.quota("q", hard: ["cpu": Quantity(1)], used: ["cpu": .zero])])
        #expect(charged.map { "\(QuotaAmounts($0.status.used))" } == ["cpu=1"])
    }

    @Test("K9: a change is charged with what is used more, frees nothing, and is not refused for what was used before")
    func changes() throws {
        func service(_ type: String, ports: Int) -> JSON {
            [
                "metadata": ["name": "s"],
                "spec": ["type": .string(type), "ports": .array((0..<ports).map { ["port": .int(Int64($0 + 1))] })],
            ]
        }
        let hard: [String: Quantity] = ["services": .zero, "services.nodeports": Quantity(3)]
        let quota = Self.quota("q", hard: hard, used: ["services": Quantity(1), "services.nodeports": Quantity(1)])
        func used(_ new: JSON, _ old: JSON) throws -> [String] {
            try Self.charge(new, from: old, "Service").charged([quota]).map { "\(QuotaAmounts($0.status.used))" }
        }
        #expect(
            try used(service("NodePort", ports: 3), service("NodePort", ports: 1))
                == ["services=1,services.nodeports=3"])
        #expect(try used(service("ClusterIP", ports: 3), service("NodePort", ports: 1)) == [])
        #expect(throws: APIError.self) { try used(service("NodePort", ports: 4), service("NodePort", ports: 1)) }
    }

    @Test("K9: whoever comes into a quota's scope is charged in full")
    func scopes() throws {
        var quota = Self.quota("q", hard: ["pods": Quantity(1)], used: ["pods": .zero])
        quota.spec.scopes = ["Terminating"]
        var limited = Self.pod()
        limited[path: ["spec", "activeDeadlineSeconds"]] = 5
        #expect(try Self.charge(limited, from: Self.pod()).charged([quota]).count == 1)
        #expect(try Self.charge(limited, from: limited).charged([quota]).isEmpty)
    }

    // MARK: The controller's plan

    @Test("K9: the status says all limits and what is used of them; a second look finds nothing to do")
    func plans() throws {
        var quota = ResourceQuota(named: "q", in: "shop")
        quota.spec.hard = [
            "pods": Quantity(5), "cpu": Quantity(2), "count/widgets.example.com": Quantity(1), "secrets": Quantity(1),
        ]
        quota.status.used = ["count/widgets.example.com": Quantity(1), "services": Quantity(1)]
        let objects: [CountedKind: [JSON]] = [
            .pods: [Self.pod([["requests": ["cpu": "500m"]]]), Self.pod([["requests": ["cpu": "250m"]]])],
            .objects(names: ["secrets", "count/secrets"]): [],
        ]
        let updated = try #require(
            ResourceQuotaPlan(.init(quota: quota, objects: objects), now: Fixture.now).updated)
        #expect(updated.status.hard == quota.spec.hard)
        // What is of no kind that is served stays as it was counted last.
        #expect(
            "\(QuotaAmounts(updated.status.used))" == "count/widgets.example.com=1,cpu=750m,pods=2,secrets=0")
        #expect(ResourceQuotaPlan(.init(quota: updated, objects: objects), now: Fixture.now).updated == nil)
    }

    @Test("K9: pods outside of a quota's scopes are not counted")
    func countsByScope() throws {
        var quota = ResourceQuota(named: "q", in: "shop")
        quota.spec.hard = ["pods": Quantity(5)]
        quota.spec.scopes = ["NotBestEffort"]
        let pods = [Self.pod(), Self.pod([["requests": ["cpu": "500m"]]])]
        let plan = ResourceQuotaPlan(.init(quota: quota, objects: [.pods: pods]), now: Fixture.now)
        #expect(plan.updated?.status.used == ["pods": Quantity(1)])
    }
}
