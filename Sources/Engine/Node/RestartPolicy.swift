internal import Kinds
internal import Model

/// Whether and when a container runs again (I4, pure).
enum RestartPolicy {
    static let firstDelay = Duration.seconds(10)
    static let longestDelay = Duration.seconds(300)
    static let resetAfter = Duration.seconds(600)

    enum Role: Hashable, Sendable {
        case regular, initial, sidecar
    }

    static func role(of container: Container, in pod: Pod) -> Role {
        guard pod.spec.initContainers.contains(where: { $0.name == container.name }) else { return .regular }
        return container.restartPolicy == "Always" ? .sidecar : .initial
    }

    static func restarts(_ container: Container, in pod: Pod, after code: Int) -> Bool {
        let role = role(of: container, in: pod)
        if role == .sidecar { return true }
        for rule in container.restartPolicyRules where container.restartPolicy != nil {
            guard let codes = rule.exitCodes else { continue }
            let listed = codes.values.contains(code)
            if codes.operator == "In" ? listed : !listed { return rule.action.hasPrefix("Restart") }
        }
        switch container.restartPolicy ?? pod.spec.restartPolicy ?? "Always" {
        case "Never": return false
        case "OnFailure": return code != 0
        // An init container that has succeeded is done, whatever the policy.
        default: return role == .regular || code != 0
        }
    }

    /// The delay after the one given: 10 s doubling to 300 s; nothing before the first restart.
    static func next(after delay: Duration) -> Duration {
        delay == .zero ? firstDelay : min(longestDelay, delay * 2)
    }
}
