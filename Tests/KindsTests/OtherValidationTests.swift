import Kinds
import Model
import Testing

@Suite("The other kinds are refused with Kubernetes' messages")
struct OtherValidationTests {
    struct Row: Sendable {
        var object: JSON
        var change: Change
    }

    private static let key =
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
        + "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

    static let rows: [Row] = [
        Row(
            object: Manifests.configMap,
            change: Change("C25", ".data", #"{"a/b": "x"}"#, #"data[a/b]: Invalid value: "a/b": \#(key)"#)),
        Row(
            object: Manifests.configMap,
            change: Change(
                "C25", ".data", #"{"..": "x"}"#, #"data[..]: Invalid value: "..": must not be '..'"#)),
        Row(
            object: Manifests.configMap.setting(".data", ["k": "x"]),
            change: Change(
                "C25", ".binaryData", #"{"k": "eA=="}"#,
                #"data[k]: Invalid value: "k": duplicate of key present in binaryData"#)),
        Row(
            object: Manifests.secret,
            change: Change(
                "C26", ".type", #""kubernetes.io/tls""#, "data[tls.crt]: Required value",
                "data[tls.key]: Required value")
        ),
        Row(
            object: Manifests.namespace,
            change: Change(
                "C24", ".metadata.name", #""a.b""#, #"metadata.name: Invalid value: "a.b": must not contain dots"#)),
        Row(
            object: Manifests.namespace,
            change: Change(
                "C24", ".metadata.namespace", #""x""#, "metadata.namespace: Forbidden: not allowed on this type")),
        Row(
            object: Manifests.node,
            change: Change(
                "G4", ".spec.taints", #"[{"key": "a", "effect": "Never"}]"#,
                #"spec.taints[0].effect: Unsupported value: "Never": supported values: "NoExecute", "NoSchedule", "#
                    + #""PreferNoSchedule""#)),
        Row(
            object: Manifests.endpoints,
            change: Change(
                "J6", ".subsets.0.addresses.0.ip", #""host""#,
                #"subsets[0].addresses[0].ip: Invalid value: "host": must be a valid IP address, "#
                    + "(e.g. 10.9.8.7 or 2001:db8::ffff)")),
        Row(
            object: Manifests.endpointSlice,
            change: Change("J4", ".addressType", nil, "addressType: Required value")),
        Row(
            object: Manifests.endpointSlice,
            change: Change(
                "J4", ".endpoints.0.addresses", #"["::1"]"#,
                #"endpoints[0].addresses[0]: Invalid value: "::1": must be an IPv4 address"#)),
        Row(
            object: Manifests.lease,
            change: Change(
                "L4", ".spec.leaseDurationSeconds", "0",
                "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0")),
        Row(
            object: Manifests.event,
            change: Change(
                "L2", ".involvedObject.namespace", #""other""#,
                #"involvedObject.namespace: Invalid value: "other": does not match event.namespace"#)),
        Row(
            object: Manifests.application,
            change: Change("", ".spec.source.repoURL", nil, "spec.source.repoURL: Required value")),
        Row(
            object: Manifests.application,
            change: Change(
                "", ".spec.source.path", #""/a/../b""#,
                #"spec.source.path: Invalid value: "/a/../b": must be a relative path"#,
                #"spec.source.path: Invalid value: "/a/../b": must not contain '..'"#)),
        Row(
            object: Manifests.application,
            change: Change(
                "", ".spec.syncPolicy.retry", #"{"backoff": {"duration": "soon", "maxDuration": "1h30m"}}"#,
                #"spec.syncPolicy.retry.backoff.duration: Invalid value: "soon": must be a duration, as in 5s, 2m or "#
                    + "1h30m, or a number of seconds")),
        Row(
            object: Manifests.application,
            change: Change(
                "", ".spec.ignoreDifferences", #"[{"kind": "Deployment", "jsonPointers": ["spec"]}]"#,
                #"spec.ignoreDifferences[0].jsonPointers[0]: Invalid value: "spec": must start with '/', as in "#
                    + "/spec/replicas")),
    ]

    @Test("creation", arguments: rows)
    func create(row: Row) throws {
        let errors = try row.object.setting(row.change.path, row.change.value).createErrors
        #expect(errors == row.change.messages)
    }

    @Test("C26: an immutable ConfigMap or Secret keeps its data and stays immutable")
    func frozen() throws {
        let rule = "Forbidden: field is immutable when `immutable` is set"
        for manifest in [Manifests.configMap, Manifests.secret] {
            let old = manifest.setting(".immutable", true)
            let changed = old.setting(".data", ["k": "eQ=="]).setting(".immutable", false)
            #expect(try old.updateErrors(to: changed) == ["immutable: \(rule)", "data: \(rule)"])
        }
    }

    @Test("C25: the values of a ConfigMap are at most 1 MiB")
    func size() throws {
        let large = Manifests.configMap.setting(".data.a", .string(String(repeating: "x", count: 1_048_577)))
        #expect(try large.createErrors == ["[]: Too long: may not be more than 1048576 bytes"])
    }

    @Test("C10: a Lease is not updated without its version")
    func version() throws {
        let strategy = try Manifests.lease.strategy
        let messages = strategy.validateUpdate(Manifests.lease, from: Manifests.lease).map(\.message)
        #expect(messages == ["metadata.resourceVersion: Invalid value: 0: must be specified for an update"])
        #expect(strategy.allowsCreateOnUpdate)
        #expect(try !Manifests.pod.strategy.allowsCreateOnUpdate)
    }
}
