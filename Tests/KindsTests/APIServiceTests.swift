import Kinds
import Model
import Testing

extension Manifests {
    static let apiService = text(
        """
        {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
         "metadata": {"name": "v1beta1.metrics.k8s.io"},
         "spec": {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                  "insecureSkipTLSVerify": true, "service": {"namespace": "kube-system", "name": "metrics-server"}}}
        """)
}

@Suite("APIServices")
struct APIServiceTests {
    private static let other = Manifests.apiService
    private static let local = other.setting(".spec.service", nil).setting(".spec.insecureSkipTLSVerify", nil)

    static let refusals: [Refusal] = [
        Refusal(
            other, "C24", ".metadata.name", #""metrics""#,
            #"metadata.name: Invalid value: "metrics": must be `spec.version+"."+spec.group`: "#
                + #""v1beta1.metrics.k8s.io""#),
        Refusal(
            other, "", ".spec.groupPriorityMinimum", "0",
            "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000"),
        Refusal(
            other, "", ".spec.versionPriority", "1001",
            "spec.versionPriority: Invalid value: 1001: must be positive and less than 1000"),
        Refusal(other, "", ".spec.service.name", nil, "spec.service.name: Required value"),
        Refusal(
            other, "", ".spec.service.port", "70000",
            "spec.service.port: Invalid value: 70000: must be between 1 and 65535, inclusive"),
        Refusal(
            other, "", ".spec.caBundle", #""YWJj""#,
            "spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present"),
        Refusal(
            local, "", ".spec.caBundle", #""YWJj""#,
            #"spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle"#),
        Refusal(
            local, "", ".spec.insecureSkipTLSVerify", "true",
            "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify"),
        Refusal(
            local.setting(".metadata.name", "v1beta1."), "", ".spec.group", nil,
            "spec.group: Required value: only v1 may have an empty group and it better be legacy kube"),
    ]

    @Test("what is wrong is told in Kubernetes' words", arguments: refusals)
    func refused(_ refusal: Refusal) throws {
        #expect(try refusal.changed.createErrors == refusal.change.messages)
    }

    @Test("what is served here is available at once; what another server is to serve is not, and that is told")
    func availability() throws {
        let strategy = try Self.other.strategy
        let time: JSON = "2026-01-01T00:00:00Z"
        func condition(_ object: JSON) -> JSON? {
            strategy.prepareForCreate(
                strategy.defaulted(object.setting(".metadata.creationTimestamp", time))
            )
            .value(at: ".status.conditions.0")
        }
        #expect(
            condition(Self.local) == [
                "type": "Available", "status": "True", "lastTransitionTime": time, "reason": "Local",
                "message": "Local APIServices are always available",
            ])
        #expect(
            condition(Self.other) == [
                "type": "Available", "status": "False", "lastTransitionTime": time,
                "reason": "AggregationNotSupported",
                "message": "Martlet does not aggregate APIs: nothing is passed on to kube-system/metrics-server",
            ])
        #expect(strategy.warnings(Self.local, from: nil) == [])
        #expect(
            strategy.warnings(Self.other, from: nil) == [
                "apiregistration.k8s.io/v1 APIService is stored, but requests for metrics.k8s.io/v1beta1 are not "
                    + "passed on to kube-system/metrics-server: Martlet does not aggregate APIs"
            ])
    }

    @Test("an update that takes the other server away makes it available, and another leaves the status alone")
    func update() throws {
        let strategy = try Self.other.strategy
        let old = strategy.prepareForCreate(Self.other)
        let now = Timestamp(seconds: 1_800_000_000)
        func updated(_ object: JSON) -> JSON {
            strategy.stamped(
                strategy.prepareForUpdate(object, from: old, subresource: nil), from: old, subresource: nil, at: now)
        }
        let local = updated(old.setting(".spec.service", nil))
        #expect(local.value(at: ".status.conditions.0.status") == "True")
        #expect(local.value(at: ".status.conditions.0.lastTransitionTime") == now.json)
        let same = updated(old.setting(".spec.versionPriority", 7))
        #expect(same.value(at: ".status.conditions.0.status") == "False")
    }

    static let rows: [(object: JSON, service: JSON, available: JSON)] = [
        (local.setting(".status.conditions", [["type": "Available", "status": "True"]]), "Local", "True"),
        (local, "Local", "Unknown"),
        (
            other.setting(
                ".status.conditions", [["type": "Available", "status": "False", "reason": "ServiceNotFound"]]),
            "kube-system/metrics-server", "False (ServiceNotFound)"
        ),
    ]

    @Test("E: kubectl get shows who serves it and whether it is available", arguments: rows)
    func columns(object: JSON, service: JSON, available: JSON) throws {
        let kind = try object.strategy.type.kind.groupKind
        let table = TablePrinter.table(
            for: kind, objects: [Object(viewing: object)], now: PrintingTests.now, includedObject: .none)
        #expect(table.columns.map(\.name) == ["Name", "Service", "Available", "Age"])
        #expect(Array(table.rows[0].cells[..<3]) == ["v1beta1.metrics.k8s.io", service, available])
    }
}
