import Engine
import Kinds
import Model

/// Follows the replicas of one workload.
struct WorkloadRecorder: Sendable {
    private(set) var record: Recording.WorkloadRecord
    private var pods: [String: PodFacts] = [:]
    private var floor: Int?
    private var minReady = Duration.zero
    /// Whether it has had what it promises, since that last became more.
    private var isArmed = false
    private var isComplete = false

    init(_ key: ObjectKey) { record = Recording.WorkloadRecord(key: key) }

    /// Takes in the Deployment itself.
    ///
    /// - Returns: whether its rollout has just come to its end.
    mutating func take(_ deployment: Deployment?) -> Bool {
        guard let deployment, !deployment.metadata.isBeingDeleted else {
            // Nobody promises anything for what is to go.
            floor = nil
            isArmed = false
            isComplete = false
            return false
        }
        minReady = .seconds(deployment.spec.minReadySeconds ?? 0)
        let least = deployment.leastAvailable
        if let floor {
            if least > floor { isArmed = false }
            record.promise = min(record.promise, least)
        } else {
            record.promise = least
        }
        floor = least
        defer { isComplete = deployment.isComplete }
        return deployment.isComplete && !isComplete
    }

    /// Takes in a pod that there is at the beginning, without judging: others are still to come.
    mutating func begin(with name: String, _ facts: PodFacts) { pods[name] = facts }

    /// Takes in one pod.
    mutating func take(
        _ name: String, _ facts: PodFacts?, old: Set<ObjectKey>, at now: Timestamp, since begin: Timestamp
    ) {
        // First as it was until now: pods become available by time alone.
        look(old, at: now, since: begin)
        pods[name] = facts
        if let facts, let sign = facts.sign, record.sign == nil, facts.replicaSet.map({ !old.contains($0) }) ?? true {
            record.sign = Recording.FailureSign(at: now - begin, text: sign)
        }
        look(old, at: now, since: begin)
    }

    /// Judges the present moment.
    mutating func look(_ old: Set<ObjectKey>, at now: Timestamp, since begin: Timestamp) {
        let counts = counts(old, at: now)
        let at = now - begin
        if record.samples.last?.counts != counts {
            record.samples.append(Recording.Sample(at: at, counts: counts))
        }
        guard let floor else { return }
        if counts.available >= floor { isArmed = true }
        guard isArmed else { return }
        if record.lowest.map({ counts.available < $0 }) ?? true {
            record.lowest = counts.available
            record.lowestAt = at
        }
        if counts.available < floor, record.brokenAt == nil { record.brokenAt = at }
    }

    private func counts(_ old: Set<ObjectKey>, at now: Timestamp) -> Recording.Counts {
        var counts = Recording.Counts()
        for pod in pods.values where pod.counts {
            if pod.isLeaving {
                counts.leaving += 1
                continue
            }
            if pod.replicaSet.map(old.contains) ?? true { counts.old += 1 } else { counts.new += 1 }
            if !pod.hasNode { counts.pending += 1 }
            guard let since = pod.readySince else { continue }
            counts.ready += 1
            if minReady == .zero || since + minReady <= now { counts.available += 1 }
        }
        return counts
    }
}
