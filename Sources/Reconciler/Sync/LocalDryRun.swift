import Kinds
import Model

/// Answers without a request whether applying a manifest would change nothing.
///
/// The same pure functions that the engine runs (server-side apply, defaults) run here on the object as it is. Only a
/// "nothing changes" is believed; anything else is asked of the server, which alone knows its admission.
enum LocalDryRun {
    static func changesNothing(
        _ desired: DesiredObject, live: Object, now: Timestamp, ignoring rules: [ResourceIgnoreDifferences]
    ) -> Bool {
        guard live.kind == desired.object.kind, let strategy = Catalog.builtIn.strategy(for: live.kind),
            strategy.decodingFaults(desired.object.json).isEmpty
        else { return false }
        do {
            let merged = try ServerSideApply.apply(
                desired.object.json, onto: live.json, schema: strategy.schema, manager: Syncer.fieldManager,
                force: true,
                subresource: nil, now: now)
            let result = Object(viewing: strategy.defaulted(merged))
            return !Difference.exists(live: live, applied: result, ignoring: rules)
        } catch {
            return false
        }
    }
}
