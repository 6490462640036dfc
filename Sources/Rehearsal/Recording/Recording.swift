package import Model

/// Everything that a rehearsal showed, or that was watched of a real rollout: what a report is made of. Times count
/// from its beginning.
package struct Recording: Hashable, Sendable {
    /// The replicas of one workload at one moment.
    package struct Counts: Hashable, Sendable {
        /// Of the ReplicaSets that there were at the beginning, and of others; without those that are leaving.
        package var old = 0
        package var new = 0
        package var ready = 0
        /// Ready for as long as the workload asks.
        package var available = 0
        /// Without a node.
        package var pending = 0
        /// Being ended; they still take their room.
        package var leaving = 0

        package var total: Int { old + new }
    }

    package struct Sample: Hashable, Sendable {
        package var at: Duration
        package var counts: Counts
    }

    /// One workload from beginning to end.
    package struct WorkloadRecord: Hashable, Sendable {
        package var key: ObjectKey
        package var samples: [Sample] = []
        /// What its strategy keeps available; the least, where its size changes.
        package var promise = 0
        /// The fewest available replicas since it had what it promises; `nil` when it never had.
        package var lowest: Int?
        package var lowestAt = Duration.zero
        /// Since when fewer were available than promised.
        package var brokenAt: Duration?
        package var sign: FailureSign?

        package init(key: ObjectKey) { self.key = key }

        /// Whether anything of it moved.
        package var changes: Bool { samples.count > 1 }
    }

    /// The first sign of failure in a workload's pods.
    package struct FailureSign: Hashable, Sendable {
        package var at: Duration
        package var text: String
    }

    package enum Change: String, Sendable {
        case created, changed, pruned, recreated
    }

    package enum StepKind: Hashable, Sendable {
        case synced(ObjectKey, Change)
        /// A phase of the verdict: `Judging`, `Healthy` …, the revision it is about, and why.
        case verdict(phase: String, revision: String, message: String)
        case rolledOut(ObjectKey)
    }

    package struct Step: Hashable, Sendable {
        package var at: Duration
        package var kind: StepKind
    }

    /// Pods and what they ask for, of the whole cluster.
    package struct Load: Hashable, Sendable {
        package var pods = 0
        /// In thousandths of a core.
        package var cpu: Int64 = 0
        package var memory: Int64 = 0
    }

    /// Pods of one workload that had no node for a while.
    package struct Waiting: Hashable, Sendable {
        package var workload: ObjectKey
        package var pods: Int
        package var longest: Duration
        /// How many got one later.
        package var placed: Int
        /// How many were there without one at the end; others had gone by then.
        package var remaining: Int
        /// The scheduler's words.
        package var reason: String
    }

    /// A disruption budget that had fewer healthy pods than it asks for.
    package struct BudgetViolation: Hashable, Sendable {
        package var budget: ObjectKey
        package var at: Duration
        package var healthy: Int
        package var desired: Int
    }

    package var outcome: Outcome
    /// When the last thing happened.
    package var duration = Duration.zero
    package var workloads: [WorkloadRecord] = []
    package var steps: [Step] = []
    package var startLoad = Load()
    package var endLoad = Load()
    /// The most of each, not necessarily at the same moment.
    package var peakLoad = Load()
    package var waiting: [Waiting] = []
    package var budgets: [BudgetViolation] = []

    package init(outcome: Outcome) { self.outcome = outcome }
}
