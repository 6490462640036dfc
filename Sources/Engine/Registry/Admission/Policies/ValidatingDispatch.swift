import Cluster
import Kinds
import Model

/// Judges a request by all ValidatingAdmissionPolicies that are in force (J10).
struct ValidatingDispatch {
    let policies: [String: ValidatingPolicy]
    let bindings: [String: [PolicyBinding]]
    let world: PolicyWorld
    /// Where those denials go that are only to be told.
    let warnings: RequestWarnings?

    private struct Refusal {
        var policy: String
        /// Empty where the policy itself is at fault.
        var binding: String
        var denial: PolicyDenial

        /// Kubernetes' text.
        var message: String {
            let place = binding.isEmpty ? "" : " with binding '\(binding)'"
            return "ValidatingAdmissionPolicy '\(policy)'\(place) denied request: \(denial.message)"
        }
    }

    /// - Throws: the first refusal, in the order of the names of policies and bindings.
    func check(_ request: AdmissionRequest) throws(APIError) {
        var refusals: [Refusal] = []
        for (name, bound) in bindings.sorted(by: { $0.key < $1.key }) {
            guard let policy = policies[name] else { continue }
            refusals += judge(request, by: policy, bound)
        }
        if let first = refusals.first { throw Self.error(first, request) }
    }

    private func judge(
        _ request: AdmissionRequest, by policy: ValidatingPolicy, _ bindings: [PolicyBinding]
    ) -> [Refusal] {
        let target = policy.target
        let viewed: (request: AdmissionRequest, match: PolicyMatch)
        do throws(PolicyFault) {
            guard let found = try target.view(of: request, in: world) else { return [] }
            viewed = found
        } catch {
            return target.failsClosed
                ? [
                    Refusal(
                        policy: target.name, binding: "",
                        denial: PolicyDenial(message: "failed to configure policy: \(error.message)"))
                ]
                : []
        }
        var refusals: [Refusal] = []
        for binding in bindings {
            func refuse(_ denial: PolicyDenial) {
                refusals.append(Refusal(policy: target.name, binding: binding.name, denial: denial))
            }
            do throws(PolicyFault) {
                for params in try target.params(of: binding, for: request, in: world) {
                    let activation = PolicyActivation(
                        viewed.request, as: viewed.match, target: target, params: params,
                        namespace: try target.namespace(of: request, in: world), in: world)
                    for denial in policy.denials(activation) {
                        if denial.isCertain || binding.actions.contains("Deny") { refuse(denial) }
                        guard binding.actions.contains("Warn"), !denial.isCertain else { continue }
                        warnings?.add(
                            "Validation failed for ValidatingAdmissionPolicy '\(target.name)' with binding "
                                + "'\(binding.name)': \(denial.message)")
                    }
                }
            } catch {
                if target.failsClosed {
                    refuse(PolicyDenial(message: "failed to configure binding: \(error.message)"))
                }
            }
        }
        return refusals
    }

    /// C1: like a Forbidden, with the rule's reason and its code.
    private static func error(_ refusal: Refusal, _ request: AdmissionRequest) -> APIError {
        let reason: APIError.Reason =
            switch refusal.denial.reason {
            case "Forbidden": .forbidden
            case "RequestEntityTooLarge": .tooLarge
            default: .invalid
            }
        return request.forbidden(refusal.message, reason: reason)
    }
}

extension AdmissionRequest {
    /// Kubernetes' text of what admission refuses.
    func forbidden(_ why: String, reason: APIError.Reason) -> APIError {
        let shown = name.isEmpty ? "Unknown" : name
        return APIError(
            reason, "\(type.qualifiedPlural) \"\(shown)\" is forbidden: \(why)",
            details: APIError.Details(
                name: shown, group: type.kind.group, kind: type.plural,
                causes: [APIError.Cause(reason: "", message: why, field: "")]))
    }
}

extension PolicyTarget {
    /// The request as the policy's rules chose it; `nil` when they do not.
    func view(
        of request: AdmissionRequest, in world: PolicyWorld
    ) throws(PolicyFault) -> (request: AdmissionRequest, match: PolicyMatch)? {
        guard let match = try criteria.match(request, in: world) else { return nil }
        if let paramKind, world.paramType(paramKind) == nil {
            let kind = "\(paramKind.group)/\(paramKind.version), Kind=\(paramKind.kind)"
            throw PolicyFault(message: "failed to find resource referenced by paramKind: '\(kind)'")
        }
        return (try converted(request, as: match, in: world), match)
    }

    /// The request with its objects in the version that was chosen.
    func converted(
        _ request: AdmissionRequest, as match: PolicyMatch, in world: PolicyWorld
    ) throws(PolicyFault) -> AdmissionRequest {
        guard match.kind != request.kind else { return request }
        var converted = request
        for path in [\AdmissionRequest.object, \AdmissionRequest.oldObject] {
            guard let object = request[keyPath: path] else { continue }
            guard let other = world.converted(object, match.kind) else {
                throw PolicyFault(message: "failed to convert object version: \(match.kind.apiVersion) is not served")
            }
            converted[keyPath: path] = other
        }
        return converted
    }

    /// The parameters for a binding; none when it is not about the request.
    func params(
        of binding: PolicyBinding, for request: AdmissionRequest, in world: PolicyWorld
    ) throws(PolicyFault) -> [JSON?] {
        if let criteria = binding.criteria, try criteria.match(request, in: world) == nil { return [] }
        return try binding.params(of: paramKind, for: request, in: world)
    }

    /// What is shown of the namespace that the object is in; `nil` for objects without one.
    func namespace(of request: AdmissionRequest, in world: PolicyWorld) throws(PolicyFault) -> JSON? {
        guard !request.namespace.isEmpty, !request.isNamespace else { return nil }
        return try world.presentNamespace(request.namespace)
    }
}
