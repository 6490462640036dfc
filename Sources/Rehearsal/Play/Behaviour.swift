import Cluster
import Engine
import Kinds
import Model
import Synchronization

/// How each simulated pod behaves: as slow as its workload is known to be, and failing where that is wanted.
final class Behaviour: Sendable {
    /// What a container takes to end after SIGTERM.
    static let stopDelay = Duration.seconds(1)
    /// What an init container takes.
    static let initDuration = Duration.milliseconds(100)

    private struct State {
        /// The ReplicaSets of the state to begin with; `nil` while that is still being brought about.
        var settled: Set<ObjectKey>?
    }

    private let scenario: Scenario
    /// The pods that ran before.
    private let adopted: Set<String>
    private let seed: UInt64
    private let state = Mutex(State())

    init(_ scenario: Scenario, adopting pods: [Pod], seed: UInt64) {
        self.scenario = scenario
        adopted = Set(pods.map(\.metadata.uid))
        self.seed = seed
    }

    /// From now on pods of other ReplicaSets than these are of the rehearsed revision.
    func begin(with replicaSets: Set<ObjectKey>) { state.withLock { $0.settled = replicaSets } }

    func script(of pod: Pod) -> SimulatedRuntime.Script {
        if adopted.contains(pod.metadata.uid) { return Self.adopted(pod) }
        var script = Self.wellBehaved
        for container in pod.spec.initContainers where container.restartPolicy != "Always" {
            script.finishing[container.name] = Self.initDuration
        }
        guard let workload = Workload.key(of: pod) else { return script }
        script.startDelay = varied(scenario.delays.delay(of: workload).delay, for: pod)
        if let failure = failure(of: pod, workload) { Self.apply(failure, to: &script) }
        return script
    }

    private static var wellBehaved: SimulatedRuntime.Script {
        var script = SimulatedRuntime.Script()
        script.stopDelay = stopDelay
        // Its containers do not fail once they are ready.
        script.isSteady = true
        return script
    }

    private func failure(of pod: Pod, _ workload: ObjectKey) -> FailureMode? {
        let isNew = state.withLock { state in
            guard let settled = state.settled else { return false }
            return Workload.replicaSet(of: pod).map { !settled.contains($0) } ?? true
        }
        return isNew ? scenario.failures.first { $0.workload == workload.name }?.mode : nil
    }

    private static func apply(_ mode: FailureMode, to script: inout SimulatedRuntime.Script) {
        switch mode {
        case .probe: script.failsProbes = true
        case .pull: script.failsPull = true
        case .crash:
            script.crashAfter = .seconds(1)
            // It ends long before it would be ready.
            script.startDelay = .seconds(100_000)
        }
    }

    /// A pod that ran before goes on as it was: what was not ready then does not become so by being rehearsed.
    private static func adopted(_ pod: Pod) -> SimulatedRuntime.Script {
        var script = wellBehaved
        let statuses = pod.status.initContainerStatuses + pod.status.containerStatuses
        let reasons = statuses.compactMap { $0.state.waiting?.reason }
        if reasons.contains("CrashLoopBackOff") {
            apply(.crash, to: &script)
        } else if reasons.contains("ImagePullBackOff") || reasons.contains("ErrImagePull") {
            script.failsPull = true
        } else if pod.status.phase == "Running", !pod.isTerminal, pod.readySince == nil {
            script.failsProbes = true
        }
        return script
    }

    /// A quarter less to half more, by the pod's name and the seed.
    private func varied(_ delay: Duration, for pod: Pod) -> Duration {
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in pod.metadata.name.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        var random = SplitMix64(seed: hash ^ seed)
        return delay * Int.random(in: 750...1500, using: &random) / 1000
    }
}
