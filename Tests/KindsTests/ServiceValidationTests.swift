import Kinds
import Model
import Testing

@Suite("Services are refused with Kubernetes' messages")
struct ServiceValidationTests {
    static let created: [Change] = [
        Change("J3", ".spec.ports", nil, "spec.ports: Required value"),
        Change(
            "J3", ".spec.ports", #"[{"port": 80}, {"port": 81, "name": "b"}]"#, "spec.ports[0].name: Required value"),
        Change(
            "J3", ".spec.ports", #"[{"port": 80, "name": "a"}, {"port": 81, "name": "a"}]"#,
            #"spec.ports[1].name: Duplicate value: "a""#),
        Change(
            "J3", ".spec.ports", #"[{"port": 80, "name": "a"}, {"port": 80, "name": "b"}]"#,
            #"spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}"#),
        Change(
            "J3", ".spec.ports.0.nodePort", "30080",
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"),
        Change(
            "J2", ".spec", #"{"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]}"#,
            "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. "
                + "The range of valid ports is 30000-32767"),
        Change(
            "J1", ".spec.ports.0.port", "0",
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
            "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive"),
        Change(
            "J1", ".spec.type", #""Public""#,
            #"spec.type: Unsupported value: "Public": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "#
                + #""NodePort""#),
        Change("J2", ".spec", #"{"type": "ExternalName"}"#, "spec.externalName: Required value"),
        Change(
            "J2", ".spec", #"{"type": "NodePort", "clusterIP": "None", "ports": [{"port": 80}]}"#,
            #"spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services"#),
        Change(
            "J2", ".spec.clusterIP", #""10.0.0.300""#,
            #"spec.clusterIPs[0]: Invalid value: "10.0.0.300": must be a valid IP address, "#
                + "(e.g. 10.9.8.7 or 2001:db8::ffff)"),
        Change(
            "J1", ".spec.externalTrafficPolicy", #""Local""#,
            #"spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services"#),
        Change(
            "C24", ".metadata.name", #""1web""#,
            #"metadata.name: Invalid value: "1web": a DNS-1035 label must consist of lower case alphanumeric characters "#
                + "or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  "
                + "or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"),
    ]

    @Test("creation", arguments: created)
    func create(change: Change) throws {
        let errors = try Manifests.service.setting(change.path, change.value).createErrors
        #expect(errors == change.messages)
    }

    private static let allocated = Manifests.text(
        """
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
         "spec": {"type": "NodePort", "clusterIP": "10.0.0.5", "clusterIPs": ["10.0.0.5"],
                  "ports": [{"port": 80, "nodePort": 30080}]}}
        """)

    @Test("C26: the address may not change once set")
    func clusterIP() throws {
        let changed = Self.allocated.setting(".spec.clusterIP", "10.0.0.6").setting(".spec.clusterIPs", ["10.0.0.6"])
        #expect(
            try Self.allocated.updateErrors(to: changed)
                == [#"spec.clusterIPs[0]: Invalid value: ["10.0.0.6"]: may not change once set"#])
    }

    @Test("C26: an update that leaves out what was allocated keeps it")
    func keepsAllocated() throws {
        let plain = Self.allocated.setting(
            ".spec", ["type": "NodePort", "ports": [["port": 80], ["port": 81, "name": "b"]]])
        let strategy = try plain.strategy
        let new = strategy.prepareForUpdate(
            strategy.defaulted(plain), from: strategy.defaulted(Self.allocated), subresource: nil)
        #expect(new.value(at: ".spec.clusterIP") == "10.0.0.5")
        #expect(new.value(at: ".spec.clusterIPs") == ["10.0.0.5"])
        #expect(new.value(at: ".spec.ports.0.nodePort") == 30080)
        #expect(new.value(at: ".spec.ports.1.nodePort") == nil)
    }

    @Test("what only the old type could have goes with it")
    func dropsDependent() throws {
        let strategy = try Self.allocated.strategy
        let old = strategy.defaulted(Self.allocated)
        let inner = strategy.prepareForUpdate(old.setting(".spec.type", "ClusterIP"), from: old, subresource: nil)
        #expect(inner.value(at: ".spec.ports.0.nodePort") == nil)
        #expect(inner.value(at: ".spec.externalTrafficPolicy") == nil)
        let external = old.setting(".spec.type", "ExternalName").setting(".spec.externalName", "db.example.com")
        #expect(try Self.allocated.updateErrors(to: external) == [])
    }
}
