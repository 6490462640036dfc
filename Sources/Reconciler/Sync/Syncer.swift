package import Cluster
package import Kinds
import Model

/// Carries a plan out: first all of it as a dry run, then for real, in order.
package struct Syncer: Sendable {
    /// The field manager that owns what Git says.
    package static let fieldManager = "martlet"

    let cluster: any Cluster
    let clock: any WallClock
    let settings: ApplicationSettings

    package init(cluster: any Cluster, clock: any WallClock, settings: ApplicationSettings) {
        self.cluster = cluster
        self.clock = clock
        self.settings = settings
    }

    /// What a sync did.
    package struct Report: Sendable {
        package var outcome: SyncOutcome
        package var results: [SyncResourceResult] = []
        /// The objects as they are after being applied.
        package var applied: [(desired: DesiredObject, live: Object)] = []
    }

    /// What one step would change.
    package struct Preview: Sendable {
        package var step: SyncPlan.Step
        /// The object as it would be; `nil` when it would be deleted.
        package var result: Object?
        package var changes: Bool
    }

    /// Dry-runs every step.
    ///
    /// - Returns: the previews of the steps that were accepted, and the refusals of those that were not.
    package func review(_ plan: SyncPlan) async -> (previews: [Preview], refusals: [Refusal]) {
        var previews: [Preview] = []
        var refusals: [Refusal] = []
        let prospects = SyncProspects(plan)
        for step in plan.steps {
            let faults = prospects.faults(step)
            guard faults.isEmpty else {
                refusals.append(Refusal(of: step, faults: faults))
                continue
            }
            do {
                previews.append(try await preview(step, prospects))
            } catch {
                refusals.append(Refusal(error, of: step))
            }
        }
        return (previews, refusals)
    }

    /// The same for a person: what is wrong as text.
    package func preview(_ plan: SyncPlan) async -> (previews: [Preview], faults: [String], isRetryable: Bool) {
        let (previews, refusals) = await review(plan)
        return (previews, refusals.flatMap(\.faults), refusals.contains(where: \.isRetryable))
    }

    private func preview(_ step: SyncPlan.Step, _ prospects: SyncProspects) async throws(APIError) -> Preview {
        switch step {
        case .create(let desired):
            // What needs something that this very plan creates cannot be tried before that exists.
            if prospects.precede(desired) {
                return Preview(step: step, result: desired.object, changes: true)
            }
            return Preview(step: step, result: try await apply(desired, dryRun: true), changes: true)
        case .apply(let desired, let live):
            if prospects.precede(desired) { return Preview(step: step, result: desired.object, changes: true) }
            let rules = settings.ignoreDifferences
            if LocalDryRun.changesNothing(desired, live: live, now: clock.now, ignoring: rules) {
                return Preview(step: step, result: live, changes: false)
            }
            let result = try await apply(desired, dryRun: true)
            let changes = Difference.exists(live: try await read(live, as: desired), applied: result, ignoring: rules)
            return Preview(step: step, result: result, changes: changes)
        case .delete:
            return Preview(step: step, result: nil, changes: true)
        }
    }

    /// Makes the cluster equal to the plan. Nothing is changed when any step is refused beforehand; what fails later
    /// does not stop the others.
    package func sync(_ plan: SyncPlan) async -> Report {
        guard plan.objections.isEmpty else {
            return Report(outcome: .failed(plan.objections.joined(separator: "; ")))
        }
        let (previews, refusals) = await review(plan)
        guard refusals.isEmpty else {
            let message = refusals.flatMap(\.faults).joined(separator: "; ")
            return Report(outcome: refusals.contains(where: \.isRetryable) ? .failed(message) : .refused(message))
        }
        var report = Report(outcome: .succeeded)
        var failures: [String] = []
        for preview in previews {
            var result = Self.result(of: preview.step.key)
            do {
                try await carryOut(preview, &result, &report)
            } catch {
                result.status = "SyncFailed"
                result.message = error.message
                failures += Refusal(error, of: preview.step).faults
            }
            report.results.append(result)
        }
        for (key, why) in plan.kept {
            var result = Self.result(of: key)
            result.status = "PruneSkipped"
            result.message = "not pruned: \(why)"
            report.results.append(result)
        }
        if !failures.isEmpty { report.outcome = .failed(failures.joined(separator: "; ")) }
        return report
    }

    private func carryOut(
        _ preview: Preview, _ result: inout SyncResourceResult, _ report: inout Report
    ) async throws(APIError) {
        switch preview.step {
        case .delete(let object):
            // Exactly the object that was looked at: one that was recreated meanwhile is somebody else's.
            let options = DeleteOptions(propagation: .background, uid: object.metadata.uid)
            do {
                _ = try await cluster.delete(object.key, options: options)
            } catch  where error.reason == .notFound {}
            result.status = "Pruned"
        case .create(let desired), .apply(let desired, _):
            result.status = "Synced"
            guard preview.changes else {
                result.message = "unchanged"
                if case .apply(_, let live) = preview.step { report.applied.append((desired, live)) }
                return
            }
            let warnings = RequestWarnings()
            let applied = try await apply(desired, dryRun: false, warnings)
            report.applied.append((desired, applied))
            await waitUntilServed(applied)
            var words = ["configured"]
            if case .create = preview.step { words = ["created"] }
            result.message = (words + warnings.all).joined(separator: "; ")
        }
    }

    private func apply(
        _ desired: DesiredObject, dryRun: Bool, _ warnings: RequestWarnings? = nil
    ) async throws(APIError) -> Object {
        try await cluster.patch(
            desired.key, .apply(desired.object.json, force: true), subresource: nil,
            options: WriteOptions(
                fieldManager: Self.fieldManager, dryRun: dryRun, fieldValidation: .strict, warnings: warnings))
    }

    /// The live object in the version in which its manifest is written: only then can the two be compared.
    private func read(_ live: Object, as desired: DesiredObject) async throws(APIError) -> Object {
        guard live.apiVersion != desired.object.apiVersion else { return live }
        return try await cluster.get(desired.key, version: desired.object.kind.version)
    }

    private static func result(of key: ObjectKey) -> SyncResourceResult {
        var result = SyncResourceResult()
        result.group = key.kind.group.isEmpty ? nil : key.kind.group
        result.kind = key.kind.kind
        result.namespace = key.namespace.isEmpty ? nil : key.namespace
        result.name = key.name
        return result
    }
}
