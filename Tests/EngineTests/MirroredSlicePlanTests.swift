import Kinds
import Model
import Testing

@testable import Engine

@Suite("Mirrored EndpointSlices") struct MirroredSlicePlanTests {
    static func service(selector: [String: String] = [:]) -> Service {
        var service = Service(named: "db", in: "shop")
        service.metadata.uid = "svc"
        service.spec.selector = selector
        return service
    }

    static func endpoints(_ metadata: JSON = [:], address: String = "10.1.2.3") -> Endpoints {
        var json: JSON = [
            "apiVersion": "v1", "kind": "Endpoints", "metadata": metadata,
            "subsets": [
                [
                    "addresses": [["ip": .string(address), "nodeName": "n1"]], "notReadyAddresses": [["ip": "fd00::1"]],
                    "ports": [["name": "sql", "port": 5432, "protocol": "TCP"]],
                ],
                ["addresses": [["ip": .string(address)]], "ports": [["name": "web", "port": 80, "protocol": "TCP"]]],
            ],
        ]
        json[path: ["metadata", "name"]] = "db"
        json[path: ["metadata", "namespace"]] = "shop"
        json[path: ["metadata", "uid"]] = "ep"
        return Endpoints(viewing: json)
    }

    /// What the API makes of created slices.
    private func mirrored() -> [EndpointSlice] {
        MirroredSlicePlan(service: Self.service(), endpoints: Self.endpoints(), slices: []).actions.enumerated()
            .compactMap {
                guard case .create(var slice) = $0.element else { return nil }
                slice.metadata.name = "db-\($0.offset)"
                return slice
            }
    }

    @Test("each family and set of ports has a slice, with what the Endpoints say of themselves")
    func created() throws {
        let metadata: JSON = [
            "labels": ["app": "db"],
            "annotations": ["note": "x", "kubectl.kubernetes.io/last-applied-configuration": "{}"],
        ]
        let plan = MirroredSlicePlan(service: Self.service(), endpoints: Self.endpoints(metadata), slices: [])
        let slices = plan.actions.compactMap { if case .create(let slice) = $0 { slice } else { nil } }
        #expect(slices.count == plan.actions.count)
        #expect(slices.map { $0.endpoints.flatMap(\.addresses) } == [["10.1.2.3"], ["10.1.2.3"], ["fd00::1"]])
        #expect(slices.map(\.addressType) == ["IPv4", "IPv4", "IPv6"])
        #expect(slices.map { $0.ports.map(\.port) } == [[5432], [80], [5432]])
        #expect(slices.map { $0.endpoints.map(\.conditions.ready) } == [[true], [true], [false]])
        let first = try #require(slices.first)
        #expect(first.endpoints.first?.nodeName == "n1")
        #expect(first.metadata.generateName == "db-")
        #expect(
            first.metadata.labels == [
                "app": "db", "kubernetes.io/service-name": "db",
                "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
            ])
        #expect(first.metadata.annotations == ["note": "x"])
        #expect(first.metadata.controller?.uid == "ep")
    }

    @Test("what is mirrored already needs nothing, and another address changes the slices that hold it")
    func updated() {
        let slices = mirrored()
        #expect(MirroredSlicePlan(service: Self.service(), endpoints: Self.endpoints(), slices: slices).actions == [])
        let plan = MirroredSlicePlan(
            service: Self.service(), endpoints: Self.endpoints(address: "10.2.3.4"), slices: slices)
        let names = plan.actions.map { action in
            switch action {
            case .create(let slice): "create \(slice.ports.map(\.port))"
            case .update(let slice): "update \(slice.metadata.name)"
            case .delete(let slice): "delete \(slice.metadata.name)"
            }
        }
        #expect(names == ["update db-0", "update db-1"])
    }

    static let reasons: [(name: String, service: Service?, endpoints: Endpoints?)] = [
        ("no Service", nil, endpoints()), ("no Endpoints", service(), nil),
        ("a selector", service(selector: ["app": "db"]), endpoints()),
        ("the label", service(), endpoints(["labels": ["endpointslice.kubernetes.io/skip-mirror": "true"]])),
        ("a lock", service(), endpoints(["annotations": ["control-plane.alpha.kubernetes.io/leader": "{}"]])),
    ]

    @Test("nothing is mirrored for want of a reason, and slices that are there go", arguments: reasons)
    func none(name: String, service: Service?, endpoints: Endpoints?) {
        let plan = MirroredSlicePlan(service: service, endpoints: endpoints, slices: [])
        #expect(plan.actions == [], "\(name)")
        let slices = mirrored()
        let cleanup = MirroredSlicePlan(service: service, endpoints: endpoints, slices: slices)
        #expect(cleanup.actions == slices.map { .delete($0) }, "\(name)")
    }
}
