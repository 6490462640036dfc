package import Model

/// How far an Application has come with the revision it should show: what the verdict remembers between two looks.
///
/// It is persisted whole in `status.rollout` before it is acted on, so that a restart in any phase continues there.
package struct Rollout: Hashable, Sendable {
    package enum Phase: Hashable, Sendable {
        /// Nothing was synced yet.
        case idle
        /// A revision is being synced, or was synced and is being watched.
        case judging(Trial)
        /// The revision stayed healthy for the bake time.
        case healthy(revision: String)
        /// A failed revision is being replaced by the last healthy one.
        case rollingBack(from: String, Trial)
        /// The last healthy revision is back; the failed one is held.
        case rolledBack(from: String, to: Trial)
        /// A revision failed and there is nothing to return to, or returning failed too.
        case degraded(Trial, Failure)
    }

    /// One attempt to make a revision healthy.
    package struct Trial: Hashable, Sendable {
        package var revision: String
        package var startedAt: Timestamp
        /// Whether the sync has gone through; before that it is (re)tried.
        package var isSynced = false
        package var attempts = 0
        package var nextAttemptAt: Timestamp?
        /// The last time that the rollout came further.
        package var progressedAt: Timestamp
        /// How far it has come, as `HealthAssessment.progress` counts.
        package var progress = 0
        package var healthySince: Timestamp?
        /// With rollback policy `workload`: the Deployments whose pod template comes from `revision`, while everything
        /// else stays at the failed revision. Empty means the whole commit.
        package var workloads: [String] = []

        package init(_ revision: String, at now: Timestamp) {
            self.revision = revision
            startedAt = now
            progressedAt = now
        }
    }

    /// Why a revision failed: names the resource, the container and what it said.
    package struct Failure: Hashable, Sendable {
        package var reason: String
        package var message: String
        /// The object that failed, in the inventory's spelling; empty when it is no single one.
        package var resource: String
        /// Whose last output may say more. Not persisted: by then it stands in `message`.
        package var container: ContainerReference?

        package init(
            reason: String, message: String, resource: String = "", container: ContainerReference? = nil
        ) {
            self.reason = reason
            self.message = message
            self.resource = resource
            self.container = container
        }
    }

    /// One container of one pod.
    package struct ContainerReference: Hashable, Sendable {
        package var namespace: String
        package var pod: String
        package var container: String

        package init(namespace: String, pod: String, container: String) {
            self.namespace = namespace
            self.pod = pod
            self.container = container
        }
    }

    /// A revision that automated sync does not take again.
    package struct Held: Hashable, Sendable {
        package var revision: String
        package var failure: Failure
        package var heldAt: Timestamp
        package var rolledBackTo: String?

        package init(revision: String, failure: Failure, heldAt: Timestamp, rolledBackTo: String? = nil) {
            self.revision = revision
            self.failure = failure
            self.heldAt = heldAt
            self.rolledBackTo = rolledBackTo
        }
    }

    /// How many held revisions are remembered; the oldest leaves first.
    package static let heldLimit = 20

    package var phase = Phase.idle
    package var lastHealthy: String?
    package private(set) var held: [Held] = []
    /// The longest that a pod of a healthy revision took from start to ready: what to expect of the next one.
    package var slowestStart: Duration?

    package init() {}

    package init(phase: Phase, lastHealthy: String?, held: [Held], slowestStart: Duration?) {
        self.phase = phase
        self.lastHealthy = lastHealthy
        self.held = held
        self.slowestStart = slowestStart
    }

    /// The revision that the cluster should show now.
    package var revision: String? {
        switch phase {
        case .idle: nil
        case .judging(let trial), .rollingBack(_, let trial), .rolledBack(_, let trial), .degraded(let trial, _):
            trial.revision
        case .healthy(let revision): revision
        }
    }

    /// The attempt under way, if one is.
    package var trial: Trial? {
        switch phase {
        case .judging(let trial), .rollingBack(_, let trial), .rolledBack(_, let trial), .degraded(let trial, _): trial
        case .idle, .healthy: nil
        }
    }

    package func isHeld(_ revision: String) -> Bool { held.contains { $0.revision == revision } }

    package mutating func hold(_ entry: Held) {
        release(entry.revision)
        held.append(entry)
        if held.count > Self.heldLimit { held.removeFirst(held.count - Self.heldLimit) }
    }

    package mutating func release(_ revision: String) {
        held.removeAll { $0.revision == revision }
    }
}
