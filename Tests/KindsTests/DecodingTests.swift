import Kinds
import Model
import Testing

@Suite("What differs from a kind's shape is found with its path and what was meant")
struct DecodingTests {
    struct Row: Sendable {
        var path: String
        var value: JSON
        var message: String
        var suggestion: String?
        var isStrictOnly = false
    }

    static let rows: [Row] = [
        Row(
            path: ".spec.replica", value: 3, message: #"unknown field "spec.replica""#,
            suggestion: #"did you mean "replicas"?"#, isStrictOnly: true),
        Row(
            path: ".spec.template.spec.containers.0.imagepullpolicy", value: "Always",
            message: #"unknown field "spec.template.spec.containers[0].imagepullpolicy""#,
            suggestion: #"did you mean "imagePullPolicy"?"#, isStrictOnly: true),
        Row(
            path: ".spec.template.spec.containers.0.foo", value: 1,
            message: #"unknown field "spec.template.spec.containers[0].foo""#, isStrictOnly: true),
        Row(
            path: ".spec.replicas", value: "3", message: #"spec.replicas: expected an integer, found the string "3""#,
            suggestion: "remove the quotes: 3"),
        Row(
            path: ".spec.replicas", value: 3_000_000_000,
            message: "spec.replicas: expected an integer of 32 bits, found 3000000000"),
        Row(
            path: ".spec.template.spec.containers.0.env", value: [["name": "DEBUG", "value": true]],
            message: "spec.template.spec.containers[0].env[0].value: expected a string, found boolean true",
            suggestion: #"quote it: "true""#),
        Row(
            path: ".spec.template.spec.containers", value: ["name": "web"],
            message: "spec.template.spec.containers: expected a list, found an object",
            suggestion: "write it as a list with one item"),
        Row(
            path: ".spec.template.spec.containers.0.resources", value: ["limits": ["memory": "128 megabytes"]],
            message: "spec.template.spec.containers[0].resources.limits.memory: "
                + #"expected a quantity as in 500m or 128Mi, found "128 megabytes""#),
        Row(
            path: ".spec.paused", value: "true",
            message: #"spec.paused: expected true or false, found the string "true""#,
            suggestion: "remove the quotes: true"),
        Row(
            path: ".spec.template.spec.containers.0.args", value: [.null],
            message: "spec.template.spec.containers[0].args[0]: expected an item, found null null",
            suggestion: "remove it"),
        Row(
            path: ".spec.strategy", value: ["rollingUpdate": ["maxSurge": true]],
            message: "spec.strategy.rollingUpdate.maxSurge: expected an integer or a string, found boolean true"),
        Row(
            path: ".metadata.creationTimestamp", value: "yesterday",
            message: #"metadata.creationTimestamp: expected a time as in 2026-01-31T12:00:00Z, found "yesterday""#),
    ]

    @Test("C4, C21: unknown fields and wrong types", arguments: rows)
    func faults(row: Row) throws {
        let faults = try Manifests.deployment.strategy.decodingFaults(Manifests.deployment.setting(row.path, row.value))
        try #require(faults.count == 1)
        #expect(faults[0].message == row.message)
        #expect(faults[0].suggestion == row.suggestion)
        #expect(faults[0].isStrictOnly == row.isStrictOnly)
    }

    @Test("a Secret's data must be base64, and the fault does not show it")
    func base64() throws {
        let faults = try Manifests.secret.strategy.decodingFaults(Manifests.secret.setting(".data.key", "s3cret!"))
        #expect(faults.map(\.message) == ["data.key: expected base64"])
    }

    @Test("null stands for an absent field")
    func null() throws {
        let object = Manifests.deployment.setting(".spec.replicas", .null)
        #expect(try object.strategy.decodingFaults(object).isEmpty)
    }

    @Test("what is valid has no faults, before and after defaulting", arguments: Manifests.all)
    func valid(object: JSON) throws {
        let strategy = try object.strategy
        #expect(strategy.decodingFaults(object).isEmpty)
        #expect(strategy.decodingFaults(strategy.defaulted(object)).isEmpty)
    }
}
