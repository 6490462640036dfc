import CEL
package import Cluster
import Kinds
import Model
import Store
import Synchronization

/// Policies that clients define, on every write (J10).
extension Registry {
    /// Says who decides who may do what, which policies can ask; until then nobody does.
    package func attach(access decider: any AccessDecider) {
        accessDecider.withLock { $0 = decider }
    }

    /// Judges a write by the ValidatingAdmissionPolicies that are in force.
    ///
    /// - Parameters:
    ///   - kind: of the resource that is written.
    ///   - request: made only where there are policies.
    /// - Complexity: O(1) while there are none.
    func checkPolicies(
        _ kind: GroupKind, warnings: RequestWarnings?, _ request: () -> AdmissionRequest
    ) throws(APIError) {
        let bindings = policies.validatingBindings.current.byPolicy
        guard !bindings.isEmpty, !AdmissionRequest.isExempt(kind) else { return }
        let dispatch = ValidatingDispatch(
            policies: policies.validating.current.byName, bindings: bindings, world: policyWorld, warnings: warnings)
        try dispatch.check(request())
    }

    /// What is written as the MutatingAdmissionPolicies that are in force leave it.
    ///
    /// - Parameters:
    ///   - old: as it is; `nil` when it is created.
    ///   - subresource: of those with a kind of their own, nothing is changed.
    /// - Returns: `nil` where they leave it as it is.
    /// - Complexity: O(1) while there are none.
    func changedByPolicies(
        _ object: JSON, from old: JSON?, _ subresource: Subresource?, _ pipeline: WritePipeline
    ) throws(APIError) -> JSON? {
        let bindings = policies.mutatingBindings.current.byPolicy
        let type = pipeline.strategy.type
        guard !bindings.isEmpty, subresource != .scale, !AdmissionRequest.isExempt(type.kind.groupKind) else {
            return nil
        }
        let options = pipeline.options
        var request = AdmissionRequest(
            old == nil ? .create : .update, type, object: object, old: old, dryRun: options.dryRun,
            by: options.requester, options: options.json(as: old == nil ? "CreateOptions" : "UpdateOptions"))
        request.subresource = subresource?.rawValue ?? ""
        let dispatch = MutatingDispatch(
            policies: policies.mutating.current.byName, bindings: bindings, world: policyWorld,
            strategy: { self.catalog.strategy(for: $0) })
        let changed = try dispatch.changed(request)
        return changed == object ? nil : changed
    }

    private var policyWorld: PolicyWorld {
        // Every policy about other resources asks for them.
        let equivalents = Remembered<[PolicyMatch]>()
        return PolicyWorld(
            namespace: { [store] name in
                store.get(StoreKey(kind: Self.namespaces, namespace: "", name: name))?.json
            },
            equivalents: { [self] request in equivalents.value { catalog.equivalents(of: request) } },
            converted: { [self] in catalog.converted($0, to: $1) },
            paramType: { [self] kind in catalog.strategy(for: kind)?.type },
            params: { [self] type, namespace, name in params(type, namespace, name) },
            decide: { [self] in decide($0, $1) })
    }

    private func params(_ type: ResourceType, _ namespace: String, _ name: String?) -> [JSON] {
        guard let strategy = catalog.strategy(for: type.kind) else { return [] }
        let kind = strategy.storeKind
        guard let name else {
            return store.snapshot.list(kind: kind, namespace: type.isNamespaced ? namespace : nil)
                .map { Object($0, as: strategy).json }
        }
        let found = store.get(StoreKey(kind: kind, namespace: namespace, name: name))
        return found.map { [Object($0, as: strategy).json] } ?? []
    }

    private func decide(_ requester: Requester, _ question: AccessQuestion) -> AccessDecision {
        guard let decider = accessDecider.withLock({ $0 }) else {
            return AccessDecision(isAllowed: false, error: "nobody decides yet who may do what")
        }
        var user = requester
        if let account = question.serviceAccount {
            user = Requester(
                name: "system:serviceaccount:\(account.namespace):\(account.name)",
                groups: [
                    "system:serviceaccounts", "system:serviceaccounts:\(account.namespace)", "system:authenticated",
                ])
        }
        let subject: AccessRequest.Subject =
            switch question.subject {
            case .path(let path): .path(path)
            case .resource(let resource):
                .resource(
                    group: resource.group, resource: resource.resource, subresource: resource.subresource,
                    namespace: resource.namespace, name: resource.name)
            }
        let refusal = decider.refusal(of: AccessRequest(user: user, verb: question.verb, subject: subject))
        return AccessDecision(isAllowed: refusal == nil, reason: refusal ?? "")
    }
}

extension Catalog {
    /// An object in another version of its kind; `nil` where that is not served.
    func converted(_ object: JSON, to kind: GroupVersionKind) -> JSON? {
        let own = GroupVersionKind(
            apiVersion: object["apiVersion"]?.string ?? "", kind: object["kind"]?.string ?? "")
        guard let source = strategy(for: own), let target = strategy(for: kind) else { return nil }
        let stored = source.stored(object)
        return target.served(stored) ?? stored
    }

    /// The same objects as clients know them in other groups and versions.
    ///
    /// Of a subresource with a kind of its own, such as a Scale, that kind stays.
    func equivalents(of request: AdmissionRequest) -> [PolicyMatch] {
        guard let storage = strategy(for: request.type.kind)?.storage.groupKind else { return [] }
        return types.compactMap { type in
            guard type.kind != request.type.kind, strategy(for: type.kind)?.storage.groupKind == storage else {
                return nil
            }
            let hasSubresource = type.subresources.contains { $0.name == request.subresource }
            guard request.subresource.isEmpty || hasSubresource else { return nil }
            let resource = ResourceVersion(group: type.kind.group, version: type.kind.version, plural: type.plural)
            return PolicyMatch(resource: resource, kind: request.kind == request.type.kind ? type.kind : request.kind)
        }
    }
}
