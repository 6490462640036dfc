import Cluster
import GitSource
import Kinds
import Logging
import Model

extension ApplicationWorker {
    /// Makes the cluster equal to what the rollout wants now.
    func sync(_ application: Application, _ settings: ApplicationSettings) async -> Syncer.Report {
        let desired: DesiredState
        do {
            guard let state = try await self.desired(application, settings) else {
                return Syncer.Report(outcome: .failed("there is no revision to sync"))
            }
            desired = state
        } catch {
            return Syncer.Report(outcome: Self.isLasting(error) ? .refused("\(error)") : .failed("\(error)"))
        }
        guard desired.faults.isEmpty else {
            return Syncer.Report(outcome: .refused(desired.faults.joined(separator: "; ")))
        }
        do {
            try await createNamespace(settings, desired)
            // What is about to be created is in the inventory before it is, so that a crash leaves nothing unowned.
            if !desired.objects.allSatisfy({ inventory.keys.contains($0.key) }) {
                inventory = Inventory(inventory.keys.union(desired.objects.map(\.key)))
                try await publish(application)
            }
        } catch {
            return Syncer.Report(outcome: .failed(error.message))
        }
        let report = await Syncer(cluster: environment.cluster, clock: environment.clock, settings: settings).sync(
            plan(desired, settings))
        take(report, desired)
        return report
    }

    /// Whether a commit can never be rendered: what a commit holds does not change.
    private static func isLasting(_ error: any Error) -> Bool {
        guard let error = error as? GitError else { return false }
        return switch error.kind {
        case .pathNotFound, .submodule, .lfsPointer, .symlink: true
        default: false
        }
    }

    func plan(_ desired: DesiredState, _ settings: ApplicationSettings) -> SyncPlan {
        synced.forget(takeChanges(), unless: environment.live)
        return SyncPlan(
            application: key.name, desired: desired, live: environment.live, inventory: inventory.keys,
            settings: settings, synced: synced)
    }

    private func take(_ report: Syncer.Report, _ desired: DesiredState) {
        for (desired, object) in report.applied {
            synced.insert(desired, live: object)
            appliedGenerations[desired.key] = object.metadata.generation
        }
        let wanted = Set(desired.objects.map(\.key))
        let kept = Set(report.results.filter { $0.status == "PruneSkipped" || $0.status == "SyncFailed" }.map(Self.key))
        // With a refused plan nothing was deleted; what is gone from the repository stays ours until it is.
        if case .succeeded = report.outcome {
            let remaining = wanted.union(inventory.keys.intersection(kept))
            guard remaining != inventory.keys else { return }
            inventory = Inventory(remaining)
            synced.keep(only: remaining)
            appliedGenerations = appliedGenerations.filter { remaining.contains($0.key) }
        }
    }

    private static func key(_ result: SyncResourceResult) -> ObjectKey {
        ObjectKey(
            kind: GroupKind(group: result.group ?? "", kind: result.kind), namespace: result.namespace ?? "",
            name: result.name)
    }

    /// Sync option `CreateNamespace=true`. The namespace is nobody's: it is not pruned with the application.
    private func createNamespace(_ settings: ApplicationSettings, _ desired: DesiredState) async throws(APIError) {
        let namespace = Namespace.key(settings.namespace)
        guard settings.createsNamespace, environment.live.object(namespace) == nil,
            !desired.objects.contains(where: { $0.key == namespace })
        else { return }
        do {
            _ = try await environment.cluster.create(
                Object(viewing: Namespace(named: settings.namespace).json),
                options: WriteOptions(fieldManager: Syncer.fieldManager))
        } catch  where error.reason == .alreadyExists {}
    }

    /// Compares the cluster with the desired state, and heals drift if the Application asks for that.
    ///
    /// - Returns: when drift may be healed next, while there is some.
    func compare(_ application: Application, _ settings: ApplicationSettings) async throws(APIError) -> Timestamp? {
        let desired: DesiredState
        do {
            guard let state = try await self.desired(application, settings), state.faults.isEmpty else { return nil }
            desired = state
        } catch {
            conditions["ComparisonError"] = "\(error)"
            return nil
        }
        let plan = plan(desired, settings)
        let preview = await Syncer(cluster: environment.cluster, clock: environment.clock, settings: settings).review(
            plan)
        outOfSync = Set(preview.previews.filter(\.changes).map(\.step.key)).union(plan.kept.map(\.key))
            .union(preview.refusals.map(\.key))
        isCompared = true
        for item in preview.previews where !item.changes {
            guard case .apply(let object, let live) = item.step else { continue }
            synced.insert(object, live: live)
        }
        let drifted = preview.previews.contains(where: \.changes)
        guard drifted, settings.selfHeals, !settings.isSuspended, rollout.trial?.isSynced ?? true else { return nil }
        let dueAt = selfHeal.dueAt(now)
        if now < dueAt { return dueAt }
        selfHeal.attempted(at: now)
        let names = outOfSync.sorted().prefix(5).map(\.description).joined(separator: ", ")
        environment.logger.notice("\(key): healing drift of \(names)")
        await environment.record(application, "Normal", "SelfHeal", "healing drift of \(names)")
        let report = await sync(application, settings)
        switch report.outcome {
        case .succeeded:
            outOfSync = []
            conditions["SyncError"] = nil
        case .failed(let message), .refused(let message): conditions["SyncError"] = message
        }
        return report.outcome == .succeeded ? nil : selfHeal.dueAt(now)
    }

    /// Writes the status, if it says something new.
    func publish(_ application: Application) async throws(APIError) {
        let live = environment.live
        var report = StatusReport(
            rollout: rollout, resources: resources { live.version(of: $0) ?? "v1" }, history: history)
        report.target = target
        report.health = assess()
        report.outOfSync = outOfSync
        report.conditions = conditions
        report.operationState = operationState
        report.isCompared = isCompared
        report.bases = bases
        report.source = judgedSource
        let current = environment.live.object(key)?.view(as: Application.self) ?? application
        let old = published ?? current.status
        var status = report.status(after: old, at: now)
        if status == old { return }
        status.reconciledAt = now
        do {
            _ = try await environment.cluster.patch(
                key, .json([["op": "add", "path": "/status", "value": status.json]]), subresource: .status,
                options: WriteOptions(fieldManager: Syncer.fieldManager))
            published = status
        } catch  where error.reason == .notFound {
            // The Application was deleted meanwhile; the next step sees that.
        }
    }

    /// `status.resources`, made anew only when something in it changed.
    private func resources(version: (GroupKind) -> String) -> JSON {
        let assessed = assessment()
        if let listed, listed.version == assessed.version, listed.outOfSync == outOfSync, listed.inventory == inventory
        {
            return listed.json
        }
        let json = StatusReport.resources(
            inventory.ordered, outOfSync: outOfSync, health: assessed.health.byResource, version: version)
        listed = ListedResources(version: assessed.version, outOfSync: outOfSync, inventory: inventory, json: json)
        return json
    }

    /// Cascading deletion, for Applications that ask for it by Argo CD's finalizer.
    func finalize(_ application: Application) async throws(APIError) -> Timestamp? {
        let finalizer = "resources-finalizer.argocd.argoproj.io"
        guard application.metadata.finalizers.contains(finalizer) else { return nil }
        var remaining = false
        for key in inventory.ordered.reversed() {
            guard let found = environment.live.object(key), Tracking.owner(of: found) == application.metadata.name,
                !Tracking.hasSyncOption("Delete=false", found)
            else { continue }
            remaining = true
            if found.metadata.isBeingDeleted { continue }
            let options = DeleteOptions(propagation: .background, uid: found.metadata.uid)
            do {
                _ = try await environment.cluster.delete(key, options: options)
            } catch  where error.reason == .notFound {}
        }
        if remaining { return now + .seconds(1) }
        let finalizers = application.metadata.finalizers.filter { $0 != finalizer }
        let patch: JSON = [
            "metadata": [
                "finalizers": .array(finalizers.map { .string($0) }),
                "resourceVersion": .string(application.metadata.resourceVersion),
            ]
        ]
        _ = try await environment.cluster.patch(
            key, .merge(patch), subresource: nil, options: WriteOptions(fieldManager: Syncer.fieldManager))
        return nil
    }

    static func operationState(
        _ report: Syncer.Report, _ trial: Rollout.Trial, startedAt: Timestamp, finishedAt: Timestamp
    ) -> OperationState {
        var state = OperationState()
        switch report.outcome {
        case .succeeded:
            state.phase = "Succeeded"
            state.message = "successfully synced"
        case .failed(let message):
            state.phase = "Failed"
            state.message = message
        case .refused(let message):
            state.phase = "Error"
            state.message = message
        }
        state.startedAt = startedAt
        state.finishedAt = finishedAt
        state.retryCount = trial.attempts == 0 ? nil : trial.attempts
        var result = SyncOperationResult()
        result.revision = trial.revision
        result.resources = report.results
        state.syncResult = result
        return state
    }
}
