import Cluster
import Kinds
import Model

/// Changes what is written by all MutatingAdmissionPolicies that are in force (J10).
struct MutatingDispatch {
    let policies: [String: MutatingPolicy]
    let bindings: [String: [PolicyBinding]]
    let world: PolicyWorld
    /// How a version of the kind is defaulted and merged.
    let strategy: (GroupVersionKind) -> KindStrategy?

    /// One policy, as one binding puts it into force with one object of parameters.
    private struct Invocation {
        var policy: MutatingPolicy
        var binding: PolicyBinding
        var match: PolicyMatch
        var params: JSON?
        var namespace: JSON?
    }

    /// The object as the policies leave it.
    ///
    /// - Throws: the first refusal, in the order of the names of policies and bindings.
    func changed(_ request: AdmissionRequest) throws(APIError) -> JSON? {
        var request = request
        let invocations = try invocations(for: request)
        var again: [Int] = []
        for (position, invocation) in invocations.enumerated() {
            guard let changed = try change(request, by: invocation), changed != request.object else { continue }
            request.object = changed
            // What others looked at before is not as they left it.
            again += (0..<position).filter { invocations[$0].policy.isReinvoked && !again.contains($0) }
        }
        for position in again.sorted() {
            if let changed = try change(request, by: invocations[position]) { request.object = changed }
        }
        return request.object
    }

    private func invocations(for request: AdmissionRequest) throws(APIError) -> [Invocation] {
        var found: [Invocation] = []
        for (name, bound) in bindings.sorted(by: { $0.key < $1.key }) {
            guard let policy = policies[name] else { continue }
            let target = policy.target
            let match: PolicyMatch
            do throws(PolicyFault) {
                guard let view = try target.view(of: request, in: world) else { continue }
                match = view.match
            } catch {
                try refuse(request, target, nil, "failed to configure policy: \(error.message)", reason: .forbidden)
                continue
            }
            for binding in bound {
                do throws(PolicyFault) {
                    let namespace = try target.namespace(of: request, in: world)
                    for params in try target.params(of: binding, for: request, in: world) {
                        found.append(
                            Invocation(
                                policy: policy, binding: binding, match: match, params: params, namespace: namespace))
                    }
                } catch {
                    let why = "failed to configure binding: \(error.message)"
                    try refuse(request, target, binding, why, reason: .forbidden)
                }
            }
        }
        return found
    }

    /// `nil` where the change failed and that is to be ignored.
    private func change(_ request: AdmissionRequest, by invocation: Invocation) throws(APIError) -> JSON? {
        let target = invocation.policy.target
        do throws(PolicyFault) {
            let view = try target.converted(request, as: invocation.match, in: world)
            guard let object = view.object, let strategy = strategy(invocation.match.kind) else { return nil }
            let changed = try invocation.policy.applied(to: object, strategy: strategy) { object in
                var viewed = view
                viewed.object = object
                return PolicyActivation(
                    viewed, as: invocation.match, target: target, params: invocation.params,
                    namespace: invocation.namespace, in: world)
            }
            guard invocation.match.kind != request.kind else { return changed }
            return world.converted(changed, request.kind)
        } catch {
            try refuse(request, target, invocation.binding, error.message)
            return nil
        }
    }

    /// C1: unless the policy lets pass what it cannot change.
    private func refuse(
        _ request: AdmissionRequest, _ target: PolicyTarget, _ binding: PolicyBinding?, _ why: String,
        reason: APIError.Reason = .invalid
    ) throws(APIError) {
        guard target.failsClosed else { return }
        let place = binding.map { " with binding '\($0.name)'" } ?? ""
        let message = "policy '\(target.name)'\(place) denied request: \(why)"
        var error = request.forbidden(message, reason: reason)
        error.message = message
        throw error
    }
}
