package import Cluster
package import Kinds
package import Logging
package import Model
package import Synchronization

/// Keeps one Application as Git says: gathers what the pure parts need to decide, persists their answer, and carries it
/// out.
///
/// Git → `RevisionSource` → `DesiredState` → `SyncPlan` → `Syncer` → live objects → `HealthAssessment` → `Verdict`.
package actor ApplicationWorker {
    package struct Environment: Sendable {
        package var cluster: any Cluster
        package var clock: any WallClock
        package var source: any RevisionSource
        package var live: any LiveState
        package var logger: Logger
        /// How often Git is asked, without a reason to; up to half as much again is added at random.
        package var interval: Duration
        /// The kinds on which nothing acts in this cluster.
        package var inertKinds: Set<GroupKind>
        /// `(application, type, reason, message)`: becomes an Event.
        package var record: @Sendable (Application, String, String, String) async -> Void

        package init(
            cluster: any Cluster, clock: any WallClock, source: any RevisionSource, live: any LiveState, logger: Logger,
            interval: Duration, inertKinds: Set<GroupKind> = [],
            record: @escaping @Sendable (Application, String, String, String) async -> Void
        ) {
            self.cluster = cluster
            self.clock = clock
            self.source = source
            self.live = live
            self.logger = logger
            self.interval = interval
            self.inertKinds = inertKinds
            self.record = record
        }
    }

    let key: ObjectKey
    let environment: Environment
    package nonisolated let wakeup = Signal()
    /// The namespaces it deploys to; empty while that is not known.
    package nonisolated let destination = Mutex<Set<String>>([])

    var rollout = Rollout()
    var isLoaded = false
    var target: String?
    var conditions: [String: String] = [:]
    var nextRefresh: Timestamp
    var desiredStates: DesiredStateCache
    var inventory = Inventory() {
        didSet {
            forgetAssessments()
            // Told of before anything is created there: what is known of an object holds until a change of it is told.
            destination.withLock { $0.formUnion(inventory.namespaces) }
        }
    }
    var history: [RevisionHistory] = []
    var operationState: OperationState?
    /// What a person asked for and is not carried out yet.
    var operation: Operation?
    /// What a person asked for, while Git says which commit that is.
    var request: RequestedSync?
    nonisolated let requestWanted = Signal()
    /// The version of the Application that the last request was taken out of.
    var requestTakenFrom: String?
    var outOfSync: Set<ObjectKey> = []
    var isCompared = false
    /// What the revision that was rendered last is built on in other repositories.
    var bases: [BaseRevision]?
    var selfHeal = SelfHeal()
    var synced = SyncedObjects()
    var appliedGenerations: [ObjectKey: Int] = [:] {
        didSet { forgetAssessments() }
    }
    /// The health as it was last assessed, and `status.resources` as they were last listed: recomputed when something
    /// changed.
    var assessed: Assessed?
    var assessments = ResourceAssessments()
    var listed: ListedResources?
    var assessmentVersion = 0
    nonisolated let changes = Mutex(Changes())

    /// The live changes that were told.
    struct Changes {
        var count = 0
        /// The objects that changed since the last plan.
        var keys: Set<ObjectKey> = []
        /// The objects that changed since the last assessment, and those that control them.
        var unassessed: Set<ObjectKey> = []
        /// Whether any was told since the last look.
        var hasNews = false
    }

    /// How long changes of objects are waited for that come together, as those of a rollout do: one look serves them
    /// all.
    private static let gathering = Duration.milliseconds(10)
    /// Something else than changes of objects is to be looked at: at once.
    var looksAtOnce = false
    var jitter: any RandomNumberGenerator & Sendable
    /// The status as this process last wrote it: the cluster's view may lag behind.
    var published: ApplicationStatus?
    /// The resolved source as it was at the last refresh: another one makes a refresh due.
    var refreshedSource: ApplicationSource?
    /// The source that Git is being asked about.
    var refreshing: ApplicationSource?
    /// Git has changed since it was asked: its answer may be old.
    var refreshesAgain = false
    /// A request for a refresh that could not be taken away is not looked at before this time.
    var nextAcknowledgement: Timestamp?
    nonisolated let refreshWanted = Signal()
    /// How often in a row Git could not be asked.
    var failedRefreshes = 0
    /// Where the manifests came from that `rollout` is about.
    var judgedSource: ApplicationSource?

    package init(key: ObjectKey, environment: Environment, random: any RandomNumberGenerator & Sendable) {
        self.key = key
        self.environment = environment
        jitter = random
        nextRefresh = environment.clock.now
        desiredStates = DesiredStateCache(application: key.name)
    }

    /// Works until the Application is gone or the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            guard let application = application() else { return }
            let wakeAt: Timestamp?
            looksAtOnce = false
            changes.withLock { $0.hasNews = false }
            do {
                wakeAt = try await step(application)
            } catch {
                environment.logger.error("\(key): \(error.message)")
                wakeAt = now + .seconds(5)
            }
            await wakeup.wait(until: wakeAt, on: environment.clock)
            if !looksAtOnce, changes.withLock(\.hasNews) {
                // Ends early only with the task.
                try? await environment.clock.sleep(for: Self.gathering)
            }
        }
    }

    var now: Timestamp { environment.clock.now }

    /// An object that may belong to the application has changed: told after `environment.live` shows it.
    package nonisolated func noteChange(_ change: ObjectChange) {
        let key = change.key
        let owners = change.statesByOwners.compactMap { $0.metadata.controller?.key(in: key.namespace) }
        changes.withLock { changes in
            changes.count += 1
            changes.keys.insert(key)
            changes.unassessed.insert(key)
            changes.unassessed.formUnion(owners)
            changes.hasNews = true
        }
        wakeup.raise()
    }

    /// The objects that changed since this was last asked.
    func takeChanges() -> Set<ObjectKey> {
        changes.withLock { changes in
            defer { changes.keys = [] }
            return changes.keys
        }
    }

    /// Asks Git again at the next step.
    package func refresh() {
        nextRefresh = now
        refreshesAgain = refreshing != nil
        looksAtOnce = true
        wakeup.raise()
    }

    /// Asks Git again whenever a repository on this machine says that it changed.
    package func followRepository() async {
        while !Task.isCancelled {
            guard let source = application()?.spec.source else { return }
            for await _ in environment.source.changes(of: source) { refresh() }
            // The stream ends when the repository is not there (yet); the polling interval is the fallback.
            do {
                try await environment.clock.sleep(for: .seconds(30))
            } catch {
                return
            }
        }
    }

    func application() -> Application? {
        environment.live.object(key)?.view(as: Application.self)
    }

    /// One look at everything; answers when to look again.
    func step(_ application: Application) async throws(APIError) -> Timestamp? {
        load(application)
        if application.metadata.isBeingDeleted { return try await finalize(application) }
        let settings: ApplicationSettings
        do {
            settings = try ApplicationSettings(application)
            conditions["InvalidSpecError"] = nil
            destination.withLock { $0 = inventory.namespaces.union([settings.namespace]) }
        } catch {
            conditions["InvalidSpecError"] = error.description
            request = nil
            try await publish(application)
            return nil
        }
        noticeOtherSource(application)
        refreshIfDue(application)
        if settings.isSuspended {
            // What Git said is old when the Application goes on: then it is asked again.
            request = nil
        } else {
            try await advance(application, settings)
        }
        let healAt = try await compare(application, settings)
        let decision = Verdict.decide(rollout, observation(settings), settings)
        try await publish(application)
        let wakeAt = [refreshing == nil ? nextRefresh : nil, healAt].compactMap { $0 }.min()
        // Whatever the verdict would be, it waits.
        if settings.isSuspended { return wakeAt }
        guard decision.rollout == rollout, !decision.syncs else { return now }
        return [decision.wakeAt, wakeAt].compactMap { $0 }.min()
    }

    /// Takes over what an earlier process remembered, once.
    private func load(_ application: Application) {
        guard !isLoaded else { return }
        isLoaded = true
        let status = application.status
        rollout = Rollout(status.rollout)
        inventory = Inventory(status.inventory)
        history = status.history
        operationState = status.operationState
        // Until Git can be asked: after a rollback the target is the revision that failed, not the one that is back.
        switch rollout.phase {
        case .rollingBack(let from, _), .rolledBack(let from, _): target = from
        case .idle, .judging, .healthy, .degraded: target = rollout.revision
        }
        judgedSource = status.sync.comparedTo?["source"].map { ApplicationSource(viewing: $0) }
    }

    /// Another repository or path: what was judged, held and kept for a rollback were other manifests.
    private func noticeOtherSource(_ application: Application) {
        guard let source = application.spec.source else { return }
        if let judged = judgedSource, !judged.yieldsSameManifests(as: source) {
            environment.logger.notice("\(key): now follows \(source.repoURL) \(source.path ?? ".")")
            rollout = Rollout()
            target = nil
            isCompared = false
            nextRefresh = now
        }
        judgedSource = source
    }

    // MARK: - The verdict

    private func observation(_ settings: ApplicationSettings, requested: String? = nil) -> Verdict.Observation {
        Verdict.Observation(now: now, target: target, health: assess(), requested: requested)
    }

    /// Lets the verdict move on as long as it has something to do at once.
    private func advance(_ application: Application, _ settings: ApplicationSettings) async throws(APIError) {
        var requested = try await requestedCommit(application)
        // Each round syncs at most once; a revision fails at most once, so the rounds are few.
        for _ in 0..<8 {
            var seen = observation(settings, requested: requested)
            var decision = Verdict.decide(rollout, seen, settings)
            if decision.rollout.phaseName != rollout.phaseName, let container = seen.health.failure?.container {
                let output = await LastOutput.text(of: container, in: environment.cluster)
                seen.health.failure?.message += output
                decision = Verdict.decide(rollout, seen, settings)
            }
            requested = nil
            if decision.rollout != rollout {
                let before = rollout
                rollout = decision.rollout
                // Persisted before it is acted on, so that a restart goes on from here.
                try await publish(application)
                await announce(from: before, application)
            }
            guard decision.syncs else { return }
            try await syncTrial(application, settings)
        }
    }

    private func syncTrial(_ application: Application, _ settings: ApplicationSettings) async throws(APIError) {
        guard let trial = rollout.trial else { return }
        let started = now
        environment.logger.info("\(key): syncing \(PinnedRevision.short(trial.revision)) (\(rollout.phaseName))")
        let report = await sync(application, settings)
        let before = rollout
        rollout = Verdict.record(report.outcome, in: rollout, at: now, settings)
        operationState = Self.operationState(report, trial, startedAt: started, finishedAt: now)
        attribute()
        switch report.outcome {
        case .succeeded:
            conditions["SyncError"] = nil
            remember(trial.revision, application, settings, startedAt: started)
            await environment.record(
                application, "Normal", "OperationCompleted", "synced \(PinnedRevision.short(trial.revision))")
        case .failed(let message), .refused(let message):
            conditions["SyncError"] = message
            environment.logger.warning("\(key): sync of \(PinnedRevision.short(trial.revision)) failed: \(message)")
            await environment.record(application, "Warning", "OperationFailed", message)
        }
        try await publish(application)
        await announce(from: before, application)
    }

    private func remember(
        _ revision: String, _ application: Application, _ settings: ApplicationSettings, startedAt: Timestamp
    ) {
        if history.last?.revision == revision { return }
        var entry = RevisionHistory()
        entry.id = (history.last?.id ?? -1) + 1
        entry.revision = revision
        entry.deployStartedAt = startedAt
        entry.deployedAt = now
        entry.source = application.spec.source
        history.append(entry)
        if history.count > settings.historyLimit { history.removeFirst(history.count - settings.historyLimit) }
    }

    /// Says in an Event what changed, for those who watch.
    private func announce(from before: Rollout, _ application: Application) async {
        guard before.phaseName != rollout.phaseName || before.revision != rollout.revision else { return }
        let revision = rollout.revision.map(PinnedRevision.short) ?? ""
        switch rollout.phase {
        case .idle: break
        case .judging:
            await environment.record(application, "Normal", "OperationStarted", "syncing revision \(revision)")
        case .healthy:
            environment.logger.info("\(key): revision \(revision) is healthy")
            await environment.record(application, "Normal", "RevisionHealthy", "revision \(revision) is healthy")
        case .rollingBack(let from, _):
            let why = rollout.held.last { $0.revision == from }?.failure.message ?? ""
            let text = "revision \(PinnedRevision.short(from)) failed, returning to \(revision): \(why)"
            environment.logger.warning("\(key): \(text)")
            await environment.record(application, "Warning", "RollbackStarted", text)
        case .rolledBack(let from, _):
            let text = "returned to revision \(revision); revision \(PinnedRevision.short(from)) is held"
            environment.logger.notice("\(key): \(text)")
            await environment.record(application, "Normal", "RolledBack", text)
        case .degraded(_, let failure):
            environment.logger.warning("\(key): \(failure.message)")
            await environment.record(application, "Warning", "RevisionFailed", failure.message)
        }
    }
}

extension ApplicationSource {
    /// Whether a commit holds the same manifests for both; which commit each wants may differ.
    func yieldsSameManifests(as other: ApplicationSource) -> Bool {
        repoURL == other.repoURL && path ?? "." == other.path ?? "." && directory == other.directory
    }
}
