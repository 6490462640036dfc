import Kinds
import Model
import Testing

@Suite("Ingresses, network policies and addresses are refused with Kubernetes' messages")
struct NetworkValidationTests {
    private static let path = ".spec.rules.0.http.paths.0"
    private static let place = "spec.rules[0].http.paths[0]"

    static let ingresses: [Refusal] = [
        Refusal(
            Manifests.ingress, "", ".spec.rules", nil,
            "spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"),
        Refusal(
            Manifests.ingress, "", ".spec.rules.0.host", #""10.0.0.1""#,
            #"spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address"#),
        Refusal(
            Manifests.ingress, "", ".spec.rules.0.host", #""a.*.b""#,
            #"spec.rules[0].host: Invalid value: "a.*.b": a wildcard DNS-1123 subdomain must start with '*.', followed "#
                + "by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and "
                + "end with an alphanumeric character (e.g. '*.example.com', regex used for validation is "
                + #"'\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#),
        Refusal(Manifests.ingress, "", ".spec.rules.0.host", #""*.example.com""#),
        Refusal(Manifests.ingress, "", ".spec.rules.0.http.paths", "[]", "spec.rules[0].http.paths: Required value"),
        Refusal(
            Manifests.ingress, "", "\(path).pathType", nil,
            "\(place).pathType: Required value: pathType must be specified"
        ),
        Refusal(
            Manifests.ingress, "", "\(path).pathType", #""Suffix""#,
            #"\#(place).pathType: Unsupported value: "Suffix": supported values: "Exact", "ImplementationSpecific", "#
                + #""Prefix""#),
        Refusal(
            Manifests.ingress, "", "\(path).path", #""a//b/..""#,
            #"\#(place).path: Invalid value: "a//b/..": must be an absolute path"#,
            #"\#(place).path: Invalid value: "a//b/..": must not contain '//'"#,
            #"\#(place).path: Invalid value: "a//b/..": cannot end with '/..'"#),
        Refusal(
            Manifests.ingress, "", "\(path).backend", "{}",
            #"\#(place).backend: Invalid value: "": resource or service backend is required"#),
        Refusal(
            Manifests.ingress, "", "\(path).backend.resource", #"{"kind": "Bucket", "name": "b"}"#,
            #"\#(place).backend: Invalid value: "": cannot set both resource and service backends"#),
        Refusal(
            Manifests.ingress, "", "\(path).backend", #"{"resource": {"kind": "a/b", "name": "b"}}"#,
            #"\#(place).backend.resource.kind: Invalid value: "a/b": may not contain '/'"#),
        Refusal(
            Manifests.ingress, "", "\(path).backend.service.port", #"{"name": "web", "number": 80}"#,
            #"\#(place).backend: Invalid value: "": cannot set both port name & port number"#),
        Refusal(
            Manifests.ingress, "", "\(path).backend.service.port", nil,
            "\(place).backend: Required value: port name or number is required"),
        Refusal(
            Manifests.ingress, "", "\(path).backend.service.name", nil,
            "\(place).backend.service.name: Required value"),
        Refusal(
            Manifests.ingress, "", ".spec.defaultBackend", #"{"service": {"name": "a", "port": {"number": 70000}}}"#,
            "spec.defaultBackend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive"),
        Refusal(
            Manifests.ingress.setting(".spec.ingressClassName", "edge"), "", ".metadata.annotations",
            #"{"kubernetes.io/ingress.class": "other"}"#,
            #"annotations.kubernetes.io/ingress.class: Invalid value: "other": must match `ingressClassName` when both "#
                + "are specified"),
    ]

    static let classes: [Refusal] = [
        Refusal(Manifests.ingressClass, "", ".spec.controller", nil, "spec.controller: Required value"),
        Refusal(
            Manifests.ingressClass, "", ".spec.controller", #""edge""#,
            #"spec.controller: Invalid value: "edge": must be a domain-prefixed path (such as "acme.io/foo")"#),
        Refusal(
            Manifests.ingressClass, "", ".spec.controller", #""example.com/a b""#,
            #"spec.controller: Invalid value: "a b": Invalid path (regex used for validation is "#
                + #"'[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')"#),
        Refusal(Manifests.ingressClass, "", ".spec.parameters.scope", nil, "spec.parameters.scope: Required value"),
        Refusal(
            Manifests.ingressClass, "", ".spec.parameters.scope", #""Namespace""#,
            "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"),
        Refusal(
            Manifests.ingressClass, "", ".spec.parameters.namespace", #""default""#,
            "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"),
    ]

    static let policies: [Refusal] = [
        Refusal(
            Manifests.networkPolicy, "", ".spec.ingress.0.from", #"[{}]"#,
            "spec.ingress[0].from[0]: Required value: must specify a peer"),
        Refusal(
            Manifests.networkPolicy, "", ".spec.ingress.0.from.0.ipBlock", #"{"cidr": "10.0.0.0/8"}"#,
            "spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer"),
        Refusal(
            Manifests.networkPolicy, "", ".spec.egress",
            #"[{"to": [{"ipBlock": {"cidr": "10.0.0.0/33"}}, {"ipBlock": {"except": ["10.0.0.0/8"]}}]}]"#,
            "spec.egress[0].to[1].ipBlock.cidr: Required value",
            #"spec.egress[0].to[0].ipBlock.cidr: Invalid value: "10.0.0.0/33": must be a valid CIDR value, "#
                + "(e.g. 10.9.8.0/24 or 2001:db8::/64)"),
        Refusal(
            Manifests.networkPolicy, "", ".spec.ingress.0.from.0",
            #"{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "11.0.0.0/16", "10.0.0.0/8", "::/16"]}}"#,
            #"spec.ingress[0].from[0].ipBlock.except[1]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`"#,
            #"spec.ingress[0].from[0].ipBlock.except[2]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`"#,
            #"spec.ingress[0].from[0].ipBlock.except[3]: Invalid value: "::/16": must be a strict subset of `cidr`"#),
        Refusal(
            Manifests.networkPolicy, "", ".spec.ingress.0.ports.0", #"{"port": 80, "endPort": 70, "protocol": "ICMP"}"#,
            #"spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP""#,
            "spec.ingress[0].ports[0].endPort: Invalid value: 70: must be greater than or equal to `port`"),
        Refusal(
            Manifests.networkPolicy, "", ".spec.ingress.0.ports.0", #"{"port": "http", "endPort": 70}"#,
            "spec.ingress[0].ports[0].endPort: Invalid value: 70: may not be specified when `port` is non-numeric"),
        Refusal(
            Manifests.networkPolicy, "", ".spec.ingress.0.ports.0", #"{"endPort": 70}"#,
            "spec.ingress[0].ports[0].endPort: Invalid value: 70: may not be specified when `port` is not specified"),
        Refusal(
            Manifests.networkPolicy, "", ".spec.policyTypes", #"["Ingress", "Both"]"#,
            #"spec.policyTypes[1]: Unsupported value: "Both": supported values: "Ingress", "Egress""#),
        Refusal(
            Manifests.networkPolicy, "", ".spec.policyTypes", #"["Ingress", "Egress", "Ingress"]"#,
            #"spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes"#
        ),
    ]

    static let addresses: [Refusal] = [
        Refusal(
            Manifests.ipAddress, "C24", ".metadata.name", #""web""#,
            #"metadata.name: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#),
        Refusal(
            Manifests.ipAddress, "C24", ".metadata.name", #""2001:DB8:0:0::1""#,
            #"metadata.name: Invalid value: "2001:DB8:0:0::1": must be in canonical form ("2001:db8::1")"#),
        Refusal(Manifests.ipAddress, "C24", ".metadata.name", #""::""#),
        Refusal(Manifests.ipAddress, "C24", ".metadata.name", #""2001:db8:0:1::""#),
        Refusal(Manifests.ipAddress, "C24", ".metadata.name", #""1:0:2:0:3:0:4:0""#),
        Refusal(
            Manifests.ipAddress, "C24", ".metadata.name", #""::ffff:10.9.8.7""#,
            #"metadata.name: Invalid value: "::ffff:10.9.8.7": must not be an IPv4-mapped IPv6 address"#),
        Refusal(Manifests.ipAddress, "", ".spec.parentRef", nil, "spec.parentRef: Required value"),
        Refusal(Manifests.ipAddress, "", ".spec.parentRef.name", nil, "spec.parentRef.name: Required value"),
        Refusal(
            Manifests.serviceCIDR, "", ".spec.cidrs", "[]", "spec.cidrs: Required value: at least one CIDR required"),
        Refusal(
            Manifests.serviceCIDR, "", ".spec.cidrs", #"["10.0.0.1/24", "2001:0db8::/64"]"#,
            #"spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length"#,
            #"spec.cidrs[1]: Invalid value: "2001:0db8::/64": must be in canonical form ("2001:db8::/64")"#),
        Refusal(
            Manifests.serviceCIDR, "", ".spec.cidrs", #"["10.0.0.0/24", "10.0.1.0/24"]"#,
            #"spec.cidrs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one IP for each IP "#
                + "family, i.e 192.168.0.0/24 and 2001:db8::/64"),
    ]

    @Test("creation", arguments: ingresses + classes + policies + addresses)
    func create(row: Refusal) throws {
        #expect(try row.changed.createErrors == row.change.messages)
    }

    static let updates: [Refusal] = [
        Refusal(
            Manifests.ingressClass, "C26", ".spec.controller", #""example.com/other""#,
            #"spec.controller: Invalid value: "example.com/other": field is immutable"#),
        Refusal(
            Manifests.serviceCIDR, "C26", ".spec.cidrs", #"["10.1.0.0/24"]"#,
            #"spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable"#),
        Refusal(Manifests.serviceCIDR, "C26", ".spec.cidrs", #"["10.0.0.0/24", "2001:db8::/64"]"#),
        Refusal(
            Manifests.serviceCIDR.setting(".spec.cidrs", ["10.0.0.0/24", "2001:db8::/64"]), "C26", ".spec.cidrs",
            #"["10.0.0.0/24"]"#, #"spec.cidrs: Invalid value: ["10.0.0.0/24"]: field is immutable"#),
        Refusal(
            Manifests.ipAddress.setting(".spec.parentRef", ["resource": "services", "name": "a"]), "C26",
            ".spec.parentRef.name", #""b""#,
            #"spec.parentRef: Invalid value: {"resource":"services","name":"b"}: field is immutable"#),
    ]

    @Test("C26: updates", arguments: updates)
    func update(row: Refusal) throws {
        #expect(try row.object.updateErrors(to: row.changed) == row.change.messages)
    }

    @Test("an ingress's status names addresses and hosts")
    func status() throws {
        let points: JSON = [["ip": "web"], ["hostname": "10.0.0.1"], ["hostname": "lb.example.com"]]
        let changed = Manifests.ingress.setting(".status.loadBalancer.ingress", points)
        #expect(
            try Manifests.ingress.updateErrors(to: changed, subresource: "status") == [
                #"status.loadBalancer.ingress[0].ip: Invalid value: "web": must be a valid IP address, "#
                    + "(e.g. 10.9.8.7 or 2001:db8::ffff)",
                #"status.loadBalancer.ingress[1].hostname: Invalid value: "10.0.0.1": must be a DNS name, "#
                    + "not an IP address",
            ])
    }
}
