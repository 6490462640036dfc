import Cluster
import Kinds
import Logging
import Model

/// What Git says: which commit the target revision is now, and what a commit wants to exist.
extension ApplicationWorker {
    /// Has Git asked, without waiting for its answer: a remote that hangs must not keep a bad revision in place.
    func refreshIfDue(_ application: Application) {
        guard let source = application.spec.source, refreshing == nil else { return }
        let asked =
            application.metadata.annotations[ApplicationSettings.refreshAnnotation] != nil
            && nextAcknowledgement.map { now >= $0 } ?? true
        guard now >= nextRefresh || asked || source != refreshedSource else { return }
        refreshing = source
        refreshWanted.raise()
    }

    /// Asks Git whenever `step` wants that: for the target, and for what people ask for.
    package func askGit() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.answerRefreshes() }
            group.addTask { await self.answerRequests() }
        }
    }

    private func answerRefreshes() async {
        while !Task.isCancelled {
            await refreshWanted.wait()
            guard let source = refreshing else { continue }
            do {
                let revision = try await environment.source.resolve(source)
                await finishRefresh(of: source, revision: revision, fault: nil)
            } catch is CancellationError {
                return
            } catch {
                await finishRefresh(of: source, revision: nil, fault: "\(error)")
            }
        }
    }

    private func finishRefresh(of source: ApplicationSource, revision: String?, fault: String?) async {
        refreshing = nil
        looksAtOnce = true
        // An answer about what is no longer followed is worth nothing.
        guard let application = application(), application.spec.source == source else { return wakeup.raise() }
        refreshedSource = source
        if let fault {
            // What is deployed stays; the next refresh may do better.
            failedRefreshes += 1
            if conditions.updateValue(fault, forKey: "ComparisonError") != fault {
                environment.logger.warning("\(key): \(fault)")
                await environment.record(application, "Warning", "ComparisonError", fault)
            }
        } else {
            target = revision
            failedRefreshes = 0
            if conditions.removeValue(forKey: "ComparisonError") != nil {
                environment.logger.notice("\(key): \(source.repoURL) can be read again")
            }
        }
        nextRefresh = refreshesAgain ? now : now + refreshDelay()
        refreshesAgain = false
        await acknowledgeRefresh(application)
        wakeup.raise()
    }

    /// Takes the annotation away that asked for a refresh.
    private func acknowledgeRefresh(_ application: Application) async {
        guard application.metadata.annotations[ApplicationSettings.refreshAnnotation] != nil else { return }
        let annotations = JSONObject([.init(key: ApplicationSettings.refreshAnnotation, value: .null)])
        do {
            _ = try await environment.cluster.patch(
                key, .merge(["metadata": ["annotations": .object(annotations)]]), subresource: nil,
                options: WriteOptions(fieldManager: Syncer.fieldManager))
        } catch {
            // It stays, and so Git is asked once more, later.
            nextAcknowledgement = now + .seconds(5)
            environment.logger.warning("\(key): \(error.message)")
        }
    }

    /// The interval with jitter; after a failure less, from two seconds on, so that a passing fault costs little.
    private func refreshDelay() -> Duration {
        var delay = environment.interval
        if failedRefreshes > 0 { delay = min(delay, .seconds(2) * (1 << min(failedRefreshes - 1, 10))) }
        return delay + delay * Double.random(in: 0...0.5, using: &jitter)
    }

    /// The desired state of a revision, or of the mix that a `workload` rollback makes.
    func desired(_ application: Application, _ settings: ApplicationSettings) async throws -> DesiredState? {
        guard let source = application.spec.source, let revision = rollout.revision else { return nil }
        let state = try await rendered(source, revision, settings.namespace)
        bases = state.bases
        guard let trial = rollout.trial, !trial.workloads.isEmpty else { return state }
        let failed: String
        switch rollout.phase {
        case .rollingBack(let from, _), .rolledBack(let from, _): failed = from
        default: return state
        }
        let base = try await rendered(source, failed, settings.namespace)
        return DesiredStateCache.combined(base, templatesFrom: state, of: trial.workloads)
    }

    private func rendered(_ source: ApplicationSource, _ revision: String, _ namespace: String) async throws
        -> DesiredState
    {
        let path = source.path ?? "."
        let identity = "\(source.repoURL)\n\(path)\n\(revision)\n\(namespace)\n\(source.directory?.json.text() ?? "")"
        if let state = desiredStates.state(identity) { return state }
        let state = try await environment.source.render(source, revision: revision, namespace: namespace)
        // What is wrong with it may be that a kind is not known, which can change without a commit.
        guard state.faults.isEmpty else { return state }
        return desiredStates.insert(state, as: identity)
    }
}
