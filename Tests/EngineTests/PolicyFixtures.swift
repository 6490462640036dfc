import Cluster
import Engine
import Kinds
import Model

/// Policies that tests put into force.
enum Policies {
    static let group = "admissionregistration.k8s.io"
    static let validating = GroupKind(group: group, kind: "ValidatingAdmissionPolicy")
    static let validatingBinding = GroupKind(group: group, kind: "ValidatingAdmissionPolicyBinding")

    /// A rule for some resources, of all operations.
    static func rule(_ resources: String..., groups: [String] = ["*"], versions: [String] = ["*"]) -> JSON {
        [
            "apiGroups": .array(groups.map(JSON.string)), "apiVersions": .array(versions.map(JSON.string)),
            "operations": ["*"], "resources": .array(resources.map(JSON.string)),
        ]
    }

    /// A policy about ConfigMaps, unless `members` say otherwise.
    static func policy(named name: String = "rules", _ validation: JSON, _ members: JSON = [:]) -> JSON {
        var spec: JSON = ["matchConstraints": ["resourceRules": [rule("configmaps")]], "validations": [validation]]
        for member in members.object ?? JSONObject() { spec[member.key] = member.value.isNull ? nil : member.value }
        return [
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": ["name": .string(name)], "spec": spec,
        ]
    }

    static func binding(named name: String = "everywhere", to policy: String = "rules", _ members: JSON = [:]) -> JSON {
        var spec: JSON = ["policyName": .string(policy), "validationActions": ["Deny"]]
        for member in members.object ?? JSONObject() { spec[member.key] = member.value }
        return [
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": ["name": .string(name)], "spec": spec,
        ]
    }
}

extension TestRegistry {
    /// Puts a policy into force.
    func enforce(_ validation: JSON, _ members: JSON = [:], binding: JSON = [:]) async throws {
        try await create(Policies.policy(validation, members))
        try await create(Policies.binding(binding))
    }

    /// Why a ConfigMap is refused; empty when it is taken.
    func refusal(_ object: JSON = Sample.configMap("a"), _ options: WriteOptions = options) async throws -> String {
        var options = options
        options.dryRun = true
        do {
            try await create(object, options)
            return ""
        } catch let error as APIError {
            let head = "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'rules'"
            return error.message.hasPrefix(head) ? String(error.message.dropFirst(head.count + 1)) : error.message
        }
    }
}
