import Kinds
import Model

/// Signs in the pods of a rollout that it will not succeed, found well before any deadline (DESIGN, the verdict, rule
/// 3).
///
/// Certain means: waiting longer would only repeat what has been seen. One crash or one failed pull is not certain; a
/// back-off after several is.
enum FailureEvidence {
    /// A container that crashed this often is crash-looping: the first restart is immediate, the second comes after 10
    /// s.
    static let restartLimit = 2
    /// A container whose configuration is missing gets this long, since what it refers to may be synced a moment later.
    static let configurationGrace = Duration.seconds(10)
    /// The same for volumes, which are tried again only every ten seconds.
    static let volumeGrace = Duration.seconds(15)
    /// A readiness probe must fail for at least so many times the window it would take to be marked unready …
    static let unreadyWindows = 4
    /// … and for so many times the longest start that a healthy revision needed.
    static let startFactor = 3

    enum Finding: Hashable, Sendable {
        case none
        case failure(Rollout.Failure)
        /// Nothing yet; what goes on as it is will be certain at this time.
        case undecided(until: Timestamp, because: String)
    }

    /// - Parameter slowestStart: what pods of healthy revisions took from start to ready; without it readiness is never
    ///   judged early.
    /// - Parameter observedSince: since when pods are followed without a gap. What was last seen before a gap may have
    ///   been mended in it: every patience begins anew.
    static func find(
        in pod: Pod, of owner: String, at now: Timestamp, slowestStart: Duration?,
        observedSince: Timestamp = Timestamp(seconds: 0)
    ) -> Finding {
        if pod.metadata.isBeingDeleted { return .none }
        if pod.status.phase == "Failed", pod.spec.restartPolicy ?? "Always" == "Always" {
            let why = pod.status.message ?? pod.status.reason ?? "it failed"
            return .failure(
                failure(pod, owner, reason: pod.status.reason ?? "PodFailed", "pod \(pod.metadata.name): \(why)"))
        }
        var undecided: (until: Timestamp, because: String)?
        for status in pod.status.initContainerStatuses + pod.status.containerStatuses {
            switch find(in: status, of: pod, owner, at: now, slowestStart: slowestStart, observedSince) {
            case .none: continue
            case .failure(let failure): return .failure(failure)
            case .undecided(let until, let because):
                if undecided.map({ until < $0.until }) ?? true { undecided = (until, because) }
            }
        }
        return undecided.map { .undecided(until: $0.until, because: $0.because) } ?? .none
    }

    /// Why the pod has no node; `nil` when it has one, or was not looked at yet.
    static func homelessness(of pod: Pod) -> String? {
        guard !pod.metadata.isBeingDeleted, pod.spec.nodeName.isEmpty,
            let condition = pod.status.conditions.first(where: { $0.type == "PodScheduled" && $0.status == "False" })
        else { return nil }
        return "pod \(pod.metadata.name) has no node: \(condition.message ?? condition.reason ?? "")"
    }

    private static func find(
        in status: ContainerStatus, of pod: Pod, _ owner: String, at now: Timestamp, slowestStart: Duration?,
        _ observedSince: Timestamp
    ) -> Finding {
        let name = "container \(status.name) of pod \(pod.metadata.name)"
        if let waiting = status.state.waiting {
            let said = waiting.message.map { ": \($0)" } ?? ""
            switch waiting.reason {
            case "CrashLoopBackOff" where status.restartCount >= restartLimit:
                let text = "\(name) crashed \(status.restartCount + 1) times\(lastWords(status))"
                return .failure(failure(pod, owner, reason: "CrashLoopBackOff", text, output: status))
            case "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
                return .failure(failure(pod, owner, reason: waiting.reason ?? "", "\(name) has no image\(said)"))
            case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
                return blocked(
                    pod, owner, waiting.reason ?? "", "\(name) cannot start\(said)", configurationGrace,
                    max(pod.status.startTime ?? now, observedSince), now)
            // Only a volume that cannot be prepared is a reason to say something while a container is created.
            case "ContainerCreating" where waiting.message != nil, "PodInitializing" where waiting.message != nil:
                return blocked(
                    pod, owner, "FailedMount", "\(name) cannot start\(said)", volumeGrace,
                    max(pod.status.startTime ?? now, observedSince), now)
            default: return .none
            }
        }
        if status.restartCount > restartLimit, !status.ready {
            let text = "\(name) restarted \(status.restartCount) times\(lastWords(status))"
            return .failure(failure(pod, owner, reason: "CrashLoopBackOff", text, output: status))
        }
        return unready(status, of: pod, owner, at: now, slowestStart: slowestStart, observedSince)
    }

    /// Something that the pod refers to is missing; it may be synced a moment later.
    private static func blocked(
        _ pod: Pod, _ owner: String, _ reason: String, _ text: String, _ grace: Duration, _ since: Timestamp,
        _ now: Timestamp
    ) -> Finding {
        let certain = since + grace
        if now < certain { return .undecided(until: certain, because: text) }
        return .failure(failure(pod, owner, reason: reason, text))
    }

    /// A container that runs but whose readiness probe has failed for far longer than any healthy revision needed.
    private static func unready(
        _ status: ContainerStatus, of pod: Pod, _ owner: String, at now: Timestamp, slowestStart: Duration?,
        _ observedSince: Timestamp
    ) -> Finding {
        guard let running = status.state.running, let started = running.startedAt, !status.ready, let slowestStart,
            let container = pod.spec.containers.first(where: { $0.name == status.name }),
            let probe = container.readinessProbe
        else { return .none }
        let window = Duration.seconds((probe.periodSeconds ?? 10) * (probe.failureThreshold ?? 3))
        let patience = max(window * unreadyWindows, slowestStart * startFactor)
        // A pod that was ready once (a service that starts again asks anew, a lost node's pods count as unready) has as
        // long from then on as one that starts.
        let condition = pod.status.conditions.first { $0.type == "Ready" && $0.status != "True" }
        let since = max(started, condition?.lastTransitionTime ?? started, observedSince)
        let certain = since + .seconds(probe.initialDelaySeconds ?? 0) + patience
        if now < certain {
            let text = "container \(status.name) of pod \(pod.metadata.name) is not ready"
            return .undecided(until: certain, because: text)
        }
        let text =
            "container \(status.name) of pod \(pod.metadata.name) has failed its readiness probe for "
            + "\(DurationText.text(now - since)); the last healthy revision was ready after "
            + DurationText.text(slowestStart)
        return .failure(failure(pod, owner, reason: "ReadinessProbeFailed", text, output: status))
    }

    private static func lastWords(_ status: ContainerStatus) -> String {
        guard let terminated = status.lastState.terminated ?? status.state.terminated else { return "" }
        let output = terminated.message.map { ": \($0.suffix(512))" } ?? ""
        return ", last with exit code \(terminated.exitCode)\(output)"
    }

    /// - Parameter output: the container whose last output says more, unless its termination message has said it.
    private static func failure(
        _ pod: Pod, _ owner: String, reason: String, _ text: String, output: ContainerStatus? = nil
    ) -> Rollout.Failure {
        let hasSaidMore = (output?.lastState.terminated ?? output?.state.terminated)?.message?.isEmpty == false
        let container = output.map {
            Rollout.ContainerReference(
                namespace: pod.metadata.namespace, pod: pod.metadata.name, container: $0.name)
        }
        return Rollout.Failure(
            reason: reason, message: "\(owner): \(text)", resource: owner, container: hasSaidMore ? nil : container)
    }
}
