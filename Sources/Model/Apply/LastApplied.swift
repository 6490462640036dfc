/// The way from kubectl's client-side apply to server-side apply (semantics-api H11).
enum LastApplied {
    static let manager = "kubectl"
    static let annotation = ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]

    /// Applies for `kubectl`: conflicts over fields that still are what client-side apply last set are forced, and its
    /// annotation, where there is one, follows.
    static func applying(
        _ application: ServerSideApply.Application, onto live: JSON?, force: Bool
    ) throws(ApplyError) -> JSON {
        var result: JSON
        do {
            result = try application.applied(onto: live, force: force)
        } catch {
            guard case .conflicts(let conflicts) = error, let live,
                let allowed = allowedConflicts(live, application.schema)
            else { throw error }
            let others = conflicts.filter { !allowed.contains($0.path.elements) }
            if !others.isEmpty { throw .conflicts(others) }
            result = try application.applied(onto: live, force: true)
        }
        guard result[path: annotation] != nil else { return result }
        var config = application.config
        config[path: annotation] = nil
        let text = JSON.string(sorted(config).text() + "\n")
        if result[path: annotation] != text { result[path: annotation] = text }
        return result
    }

    /// The fields that client-side apply set last and that still have the value it set.
    private static func allowedConflicts(_ live: JSON, _ schema: Schema) -> FieldSet? {
        guard let text = live[path: annotation]?.string else { return nil }
        let config: JSON
        do { config = try JSON(decoding: Array(text.utf8)) } catch { return nil }
        let difference = ObjectComparison(from: config, to: live, schema: schema)
        return FieldSet(of: config, schema: schema)
            .subtracting(difference.changed).subtracting(difference.removed)
    }

    /// Members sorted by name, as kubectl writes the annotation.
    private static func sorted(_ value: JSON) -> JSON {
        switch value {
        case .object(let object):
            let members = object.map { JSONObject.Member(key: $0.key, value: sorted($0.value)) }
            return .object(JSONObject(members.sorted { $0.key.byteOrder(to: $1.key) < 0 }))
        case .array(let items): return .array(items.map(sorted))
        default: return value
        }
    }
}
