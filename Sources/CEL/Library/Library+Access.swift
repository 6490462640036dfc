internal import Model

/// Who may do what (Kubernetes' `authz` and `authzSelectors` libraries).
extension Library {
    static let access: [Overload] = askers + resources + checks + decisions

    private static func overload(
        _ function: String, _ id: String, _ declaration: String,
        _ body: @escaping @Sendable (AccessValue, [String]) -> CELValue?
    ) -> Overload {
        Overload(function, id: id, declaration) { arguments in
            guard case .access(let target) = arguments[0] else { return .noOverload }
            var texts: [String] = []
            for argument in arguments.dropFirst() {
                guard case .string(let text) = argument else { return .noOverload }
                texts.append(text)
            }
            return body(target, texts) ?? .noOverload
        }
    }

    private static func isBlank(_ text: String) -> Bool { text.allSatisfy(\.isWhitespace) }

    private static let askers: [Overload] = [
        overload("path", "authorizer_path", "\(AccessValue.authorizerType).(string) -> \(AccessValue.pathCheckType)") {
            guard case .authorizer(let asker) = $0 else { return nil }
            return isBlank($1[0]) ? .error("path must not be empty") : .access(.path(asker, $1[0]))
        },
        overload(
            "group", "authorizer_group", "\(AccessValue.authorizerType).(string) -> \(AccessValue.groupCheckType)"
        ) {
            guard case .authorizer(let asker) = $0 else { return nil }
            return .access(.group(asker, $1[0]))
        },
        overload(
            "serviceAccount", "authorizer_serviceaccount",
            "\(AccessValue.authorizerType).(string, string) -> \(AccessValue.authorizerType)"
        ) {
            guard case .authorizer(var asker) = $0 else { return nil }
            if !NamedFormat.dns1123Subdomain.faults(of: $1[1]).isEmpty { return .error("Invalid service account name") }
            if !NamedFormat.dns1123Label.faults(of: $1[0]).isEmpty {
                return .error("Invalid service account namespace")
            }
            asker.serviceAccount = AccessQuestion.ServiceAccount(namespace: $1[0], name: $1[1])
            return .access(.authorizer(asker))
        },
        overload(
            "resource", "groupcheck_resource",
            "\(AccessValue.groupCheckType).(string) -> \(AccessValue.resourceCheckType)"
        ) {
            guard case .group(let asker, let group) = $0 else { return nil }
            if isBlank($1[0]) { return .error("resource must not be empty") }
            return .access(.resource(asker, AccessQuestion.Resource(group: group, resource: $1[0])))
        },
    ]

    private static let resources: [Overload] =
        part("subresource", "resourcecheck_subresource") { $0.subresource = $1 }
        + part("namespace", "resourcecheck_namespace") { $0.namespace = $1 }
        + part("name", "resourcecheck_name") { $0.name = $1 }
        + part("fieldSelector", "authorizer_fieldselector") { $0.fieldSelector = $1 }
        + part("labelSelector", "authorizer_labelselector") { $0.labelSelector = $1 }

    /// Functions that say more about the resource.
    private static func part(
        _ name: String, _ id: String, _ set: @escaping @Sendable (inout AccessQuestion.Resource, String) -> Void
    ) -> [Overload] {
        let type = AccessValue.resourceCheckType
        return [
            overload(name, id, "\(type).(string) -> \(type)") { target, texts in
                guard case .resource(let asker, var resource) = target else { return nil }
                set(&resource, texts[0])
                return .access(.resource(asker, resource))
            }
        ]
    }

    private static let checks: [Overload] = [
        (AccessValue.pathCheckType, "pathcheck_check"), (AccessValue.resourceCheckType, "resourcecheck_check"),
    ].map { type, id in
        overload("check", id, "\(type).(string) -> \(AccessValue.decisionType)") { target, texts in
            let asker: AccessValue.Asker
            let subject: AccessQuestion.Subject
            switch target {
            case .path(let found, let path): (asker, subject) = (found, .path(path))
            case .resource(let found, let resource): (asker, subject) = (found, .resource(resource))
            default: return nil
            }
            let question = AccessQuestion(verb: texts[0], subject: subject, serviceAccount: asker.serviceAccount)
            return .access(.decision(asker.decide(question)))
        }
    }

    private static let decisions: [Overload] =
        told("allowed", "decision_allowed", "bool") { .bool($0.isAllowed) }
        + told("reason", "decision_reason", "string") { .string($0.reason) }
        + told("errored", "decision_errored", "bool") { .bool(!$0.error.isEmpty) }
        + told("error", "decision_error", "string") { .string($0.error) }

    private static func told(
        _ name: String, _ id: String, _ result: String, _ body: @escaping @Sendable (AccessDecision) -> CELValue
    ) -> [Overload] {
        [
            overload(name, id, "\(AccessValue.decisionType).() -> \(result)") { target, _ in
                guard case .decision(let decision) = target else { return nil }
                return body(decision)
            }
        ]
    }
}
