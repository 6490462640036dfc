import CEL
import Kinds
import Model

/// Why a policy would refuse a request.
struct PolicyDenial: Sendable {
    var message: String
    /// A reason of a Status: `Invalid`, `Forbidden` or `RequestEntityTooLarge`.
    var reason = "Invalid"
    /// Whether it is refused whatever the binding says is to become of such requests.
    var isCertain = false
}

extension ValidatingPolicy {
    private static let longestMessage = 5 * 1024

    /// What the policy has against a request, with one object of parameters.
    func denials(_ activation: PolicyActivation) -> [PolicyDenial] {
        switch target.verdict(activation) {
        case .passes: return []
        case .fails(let message): return [PolicyDenial(message: message)]
        case .applies: break
        }
        var denials: [PolicyDenial] = []
        var broken: [Validation] = []
        var cost = CELCost()
        let phase = activation.phase()
        // The place of each broken rule among the denials, which are in the order of the rules.
        var places: [Int] = []
        for validation in validations {
            do throws(PolicyExpression.Failure) {
                if case .bool(true) = try phase.evaluate(validation.expression, cost: &cost) { continue }
                places.append(denials.count)
                broken.append(validation)
                denials.append(PolicyDenial(message: "", reason: validation.reason))
            } catch {
                let failure = PolicyDenial(message: error.described(of: validation.expression))
                if error.isOutOfBudget { return target.failsClosed ? [failure] : [] }
                if target.failsClosed { denials.append(failure) }
            }
        }
        var messages = activation.phase()
        for (validation, place) in zip(broken, places) {
            do throws(PolicyExpression.Failure) {
                denials[place].message = try message(of: validation, &messages, &cost)
            } catch {
                // Nothing can be said of any of them any more.
                return target.failsClosed ? [PolicyDenial(message: "failed messageExpression: \(error.message)")] : []
            }
        }
        return denials + annotationFaults(activation)
    }

    /// - Throws: when the expression cost more than is left; other faults of it do not matter.
    private func message(
        of validation: Validation, _ phase: inout PolicyActivation.Phase, _ cost: inout CELCost
    ) throws(PolicyExpression.Failure) -> String {
        if let expression = validation.messageExpression {
            do throws(PolicyExpression.Failure) {
                if case .string(let text) = try phase.evaluate(expression, cost: &cost) {
                    let message = text.trimmed
                    if !message.isEmpty, message.utf8.count <= Self.longestMessage,
                        !message.utf8.contains(UInt8(ascii: "\n"))
                    {
                        return message
                    }
                }
            } catch {
                if error.isOutOfBudget { throw error }
            }
        }
        let written = validation.message.trimmed
        return written.isEmpty ? "failed expression: \(validation.expression.text.trimmed)" : written
    }

    /// The values for an audit log are found and dropped, since there is none; what fails counts.
    private func annotationFaults(_ activation: PolicyActivation) -> [PolicyDenial] {
        guard target.failsClosed else { return [] }
        var faults: [PolicyDenial] = []
        var cost = CELCost()
        let phase = activation.phase()
        for annotation in annotations {
            do throws(PolicyExpression.Failure) {
                _ = try phase.evaluate(annotation, cost: &cost)
            } catch {
                let fault = PolicyDenial(
                    message: error.described(of: annotation), isCertain: !error.isOutOfBudget)
                if error.isOutOfBudget { return [fault] }
                faults.append(fault)
            }
        }
        return faults
    }
}
