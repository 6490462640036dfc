import CEL
package import Model

/// Checks the expressions of a ValidatingAdmissionPolicy against the schemas of the kinds that it is about, which is
/// more than its validation does: there, nothing is known of the objects (Kubernetes' `typechecking.go`).
package struct PolicyTypeCheck {
    /// So many kinds are looked at, for each rule of a policy.
    private static let limit = 10

    private struct Subject {
        var kind: GroupVersionKind
        var environment: PolicyEnvironment
    }

    private let subjects: [Subject]

    /// What is likely to be wrong: `ExpressionWarning`s, with Kubernetes' texts.
    ///
    /// - Parameter types: all that are served.
    package static func warnings(of policy: JSON, types: [ResourceType]) -> [JSON] {
        let spec = policy["spec"] ?? [:]
        let check = PolicyTypeCheck(spec, types)
        var warnings: [JSON] = []
        for (index, validation) in spec.listMember("validations").enumerated() {
            for member in ["expression", "messageExpression"] {
                let text = validation.textMember(member)
                let found = text.isEmpty ? "" : check.faults(of: text)
                if found.isEmpty { continue }
                let place = FieldPath("spec", "validations")[index][member]
                warnings.append(["fieldRef": .string(place.description), "warning": .string(found)])
            }
        }
        return warnings
    }

    private init(_ spec: JSON, _ types: [ResourceType]) {
        var params = PolicyEnvironment.Params.none
        if let written = spec["paramKind"] {
            let kind = GroupVersionKind(
                apiVersion: written.textMember("apiVersion"), kind: written.textMember("kind"))
            let type = types.first { $0.kind == kind }.flatMap(Self.schemaType)
            params = type.map { .typed($0) } ?? .none
        }
        subjects = Self.types(of: spec, among: types).compactMap { type in
            guard let object = Self.schemaType(of: type) else { return nil }
            let variables = spec.listMember("variables")
            var environment = PolicyEnvironment(params: params, hasVariables: true, object: object)
            for variable in variables {
                // One that does not compile is of no type that is known.
                let program = try? environment.compile(variable.textMember("expression"))
                environment.declare(variable.textMember("name"), as: program?.type)
            }
            return Subject(kind: type.kind, environment: environment)
        }
    }

    /// The kinds that rules name, without stars; by group, version and name.
    private static func types(of spec: JSON, among types: [ResourceType]) -> [ResourceType] {
        var found: [ResourceType] = []
        for rule in spec["matchConstraints"]?.listMember("resourceRules") ?? [] {
            let groups = rule.textMembers("apiGroups")
            let versions = rule.textMembers("apiVersions")
            if (groups + versions).contains(where: { $0.contains("*") }) { continue }
            let resources = rule.textMembers("resources")
            let named = types.filter {
                groups.contains($0.kind.group) && versions.contains($0.kind.version) && resources.contains($0.plural)
            }
            found += named.prefix(limit).filter { !found.contains($0) }
            if named.count >= limit { break }
        }
        return found.sorted {
            ($0.kind.group, $0.kind.version, $0.kind.kind) < ($1.kind.group, $1.kind.version, $1.kind.kind)
        }
    }

    private static func schemaType(of type: ResourceType) -> SchemaType? {
        guard let custom = type.custom else {
            return Catalog.builtIn.strategy(for: type.kind).flatMap { strategy in
                SchemaType.of(strategy.schema, isRoot: true, name: type.kind.kind)
            }
        }
        // What is served has a schema that can be read.
        guard let schema = try? Schema.standalone(custom.schema, metadata: Catalog.builtIn.metadataSchema) else {
            return nil
        }
        return SchemaType.of(schema, isRoot: true, name: type.kind.kind)
    }

    /// What is wrong with an expression, a paragraph for each kind.
    private func faults(of text: String) -> String {
        subjects.compactMap { subject in
            do throws(PolicyExpressionFault) {
                _ = try subject.environment.compile(text)
                return nil
            } catch {
                guard case .refused(let fault) = error else { return nil }
                let kind = subject.kind
                let version = kind.group.isEmpty ? "/\(kind.version)" : kind.apiVersion
                return "\(version), Kind=\(kind.kind): \(fault)\n"
            }
        }.joined(separator: "\n")
    }
}
