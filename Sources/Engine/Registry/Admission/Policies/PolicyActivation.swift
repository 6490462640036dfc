import CEL
import Kinds
import Model
import Synchronization

/// The values that one policy's expressions see of one request, with one object of parameters.
struct PolicyActivation: Sendable {
    /// What may be spent on the conditions of a policy (`RuntimeCELCostBudgetMatchConditions`).
    static let conditionBudget = CELCost.runtimeBudget / 4

    private let bindings: [String: CELValue]
    private let variables: [(name: String, expression: PolicyExpression)]

    /// - Parameters:
    ///   - request: with the objects in the version that the policy asked for.
    ///   - namespace: the one that the object is in.
    init(
        _ request: AdmissionRequest, as match: PolicyMatch, target: PolicyTarget, params: JSON?, namespace: JSON?,
        in world: PolicyWorld
    ) {
        func value(_ json: JSON?) -> CELValue { json.map { CELValue($0, type: nil) } ?? .null }
        let requester = request.requester
        let asker = AccessValue.Asker { [decide = world.decide] in decide(requester, $0) }
        let resource = AccessQuestion.Resource(
            group: request.type.kind.group, resource: request.type.plural, subresource: request.subresource,
            namespace: request.namespace, name: request.name)
        bindings = [
            "object": value(request.object), "oldObject": value(request.oldObject), "params": value(params),
            "request": CELValue(request.json(as: match), type: PolicyEnvironment.request),
            "namespaceObject": namespace.map { CELValue($0, type: PolicyEnvironment.namespace) } ?? .null,
            "authorizer": .access(.authorizer(asker)),
            "authorizer.requestResource": .access(.resource(asker, resource)),
        ]
        variables = target.variables
    }

    /// Evaluates expressions one after the other, which share the values of variables.
    func phase() -> Phase { Phase(bindings, variables) }

    struct Phase {
        private let bindings: [String: CELValue]
        /// What variables have cost since that was last paid.
        private let spent = Spending()
        private let end: PhaseEnd?

        fileprivate init(
            _ bindings: [String: CELValue], _ variables: [(name: String, expression: PolicyExpression)]
        ) {
            guard !variables.isEmpty else {
                self.bindings = bindings
                end = nil
                return
            }
            let fields = LazyFields(variables.map(\.name)) { [spent] fields, name in
                guard let variable = variables.first(where: { $0.name == name }) else { return .null }
                guard !spent.isExhausted else { return .fault("variables have spent what may be spent") }
                var cost = CELCost(budget: .max)
                defer { spent.add(cost.spent) }
                do throws(PolicyExpression.Failure) {
                    return try variable.expression.evaluate(
                        bindings.merging(["variables": .lazy(fields)]) { $1 }, cost: &cost)
                } catch {
                    let what = error.isOfEvaluation ? "evaluate" : "compile"
                    return .fault("composited variable \"\(name)\" fails to \(what): \(error.message)")
                }
            }
            self.bindings = bindings.merging(["variables": .lazy(fields)]) { $1 }
            end = PhaseEnd(fields)
        }

        func evaluate(
            _ expression: PolicyExpression, cost: inout CELCost
        ) throws(PolicyExpression.Failure) -> CELValue {
            let result: Result<CELValue, PolicyExpression.Failure>
            do throws(PolicyExpression.Failure) {
                result = .success(try expression.evaluate(bindings, cost: &cost))
            } catch {
                result = .failure(error)
            }
            do throws(CELError) {
                try cost.pay(spent.take())
            } catch {
                throw PolicyExpression.Failure(message: error.description, isOutOfBudget: true)
            }
            return try result.get()
        }
    }

    /// Ends with the last copy of a phase.
    private final class PhaseEnd: Sendable {
        private let fields: LazyFields

        init(_ fields: LazyFields) { self.fields = fields }

        deinit { fields.forget() }
    }

    /// A sum that values add to while they are found.
    private final class Spending: Sendable {
        private let sum = Mutex<UInt64>(0)

        func add(_ amount: UInt64) {
            sum.withLock { $0 = $0.addingReportingOverflow(amount).overflow ? .max : $0 + amount }
        }
        /// Whether it is more than any policy may spend.
        var isExhausted: Bool { sum.withLock { $0 > CELCost.runtimeBudget } }

        func take() -> UInt64 {
            sum.withLock { sum in
                defer { sum = 0 }
                return sum
            }
        }
    }
}

extension PolicyTarget {
    enum Verdict {
        /// The policy is about the request.
        case applies
        /// It is not, or that cannot be told and is to be ignored.
        case passes
        /// Whether it is cannot be told.
        case fails(String)
    }

    /// Whether the conditions of the policy hold.
    func verdict(_ activation: PolicyActivation) -> Verdict {
        var cost = CELCost(budget: PolicyActivation.conditionBudget)
        let phase = activation.phase()
        var faults: [String] = []
        for condition in conditions {
            do throws(PolicyExpression.Failure) {
                if case .bool(false) = try phase.evaluate(condition, cost: &cost) { return .passes }
            } catch {
                faults.append(error.described(of: condition))
                if error.isOutOfBudget { break }
            }
        }
        if faults.isEmpty { return .applies }
        guard failsClosed else { return .passes }
        return .fails(faults.count == 1 ? faults[0] : "[\(faults.joined(separator: ", "))]")
    }
}
