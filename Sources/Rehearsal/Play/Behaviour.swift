import Cluster
import Engine
import Kinds
import Model
import Synchronization

/// How each simulated pod behaves: as slow as its workload is known to be, and failing where that is wanted.
final class Behaviour: Sendable {
    /// What a container takes to end after SIGTERM.
    static let stopDelay = Duration.seconds(1)
    /// A pod that runs for longer without being ready, or for three times what it should take, does not become ready.
    private static let patience = Duration.seconds(60)
    /// What an init container takes.
    static let initDuration = Duration.milliseconds(100)

    private struct State {
        /// The ReplicaSets, and the pods of their own, of the state to begin with; `nil` while that is still being
        /// brought about.
        var settled: Set<ObjectKey>?
    }

    private let scenario: Scenario
    /// The pods that ran before, and when the rehearsal takes them over.
    private let adopted: Set<String>
    private let begin: Timestamp
    private let seed: UInt64
    private let state = Mutex(State())

    init(_ scenario: Scenario, from start: StartState, seed: UInt64) {
        self.scenario = scenario
        adopted = Set(start.pods.map(\.metadata.uid))
        begin = start.now
        self.seed = seed
    }

    /// From now on pods of other ReplicaSets than these, and other pods, are of the rehearsed revision.
    func begin(with known: Set<ObjectKey>) { state.withLock { $0.settled = known } }

    func script(of pod: Pod) -> SimulatedRuntime.Script {
        if adopted.contains(pod.metadata.uid) { return self.adopted(pod) }
        var script = Self.wellBehaved(pod)
        let workload = Workload.key(of: pod)
        script.startDelay = varied(scenario.delays.delay(of: workload).delay, for: pod)
        script.pullDelay = varied(scenario.pullDelays.delay(of: workload), for: pod)
        if let failure = failure(of: pod, workload) { Self.apply(failure, to: &script) }
        return script
    }

    private static func wellBehaved(_ pod: Pod) -> SimulatedRuntime.Script {
        var script = SimulatedRuntime.Script()
        script.stopDelay = stopDelay
        for container in pod.spec.initContainers where container.restartPolicy != "Always" {
            script.finishing[container.name] = initDuration
        }
        // Its containers do not fail once they are ready.
        script.isSteady = true
        return script
    }

    private func failure(of pod: Pod, _ workload: ObjectKey) -> FailureMode? {
        let isNew = state.withLock { state in
            state.settled.map { !$0.contains(Workload.revision(of: pod)) } ?? false
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
        case .crashWhenReady(let after): script.crashAfter = script.startDelay + after
        }
    }

    /// A pod that ran before goes on as it was: what is starting becomes ready in its time, and what should have been
    /// ready long ago does not become so by being rehearsed.
    private func adopted(_ pod: Pod) -> SimulatedRuntime.Script {
        var script = Self.wellBehaved(pod)
        let statuses = pod.status.initContainerStatuses + pod.status.containerStatuses
        let reasons = statuses.compactMap { $0.state.waiting?.reason }
        if reasons.contains("CrashLoopBackOff") {
            Self.apply(.crash, to: &script)
        } else if reasons.contains("ImagePullBackOff") || reasons.contains("ErrImagePull") {
            script.failsPull = true
        } else if pod.readySince == nil {
            let delay = scenario.delays.delay(of: Workload.key(of: pod)).delay
            let age = begin - (pod.status.startTime ?? begin)
            if age <= max(Self.patience, delay * 3) {
                script.startDelay = varied(delay, for: pod)
            } else {
                script.failsProbes = true
            }
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
