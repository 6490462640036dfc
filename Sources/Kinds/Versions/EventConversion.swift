import Model

/// Events of `events.k8s.io/v1` are those of the core group under other names (semantics-api L1).
struct EventConversion: VersionConversion {
    static let kind = GroupVersionKind(group: "events.k8s.io", version: "v1", kind: "Event")
    var storage: GroupVersionKind { Event.kind }

    private static let names = [
        "message": "note", "involvedObject": "regarding", "source": "deprecatedSource",
        "firstTimestamp": "deprecatedFirstTimestamp", "lastTimestamp": "deprecatedLastTimestamp",
        "count": "deprecatedCount", "reportingComponent": "reportingController",
    ]
    private static let storedNames = Dictionary(uniqueKeysWithValues: names.map { ($0.value, $0.key) })

    func stored(_ object: JSON) -> JSON { Self.renamed(object, Self.storedNames, to: storage) }
    func served(_ object: JSON) -> JSON { Self.renamed(object, Self.names, to: Self.kind) }

    private static func renamed(_ object: JSON, _ names: [String: String], to kind: GroupVersionKind) -> JSON {
        let members = (object.object ?? JSONObject()).map {
            JSONObject.Member(key: names[$0.key] ?? $0.key, value: $0.value)
        }
        var renamed = JSON.object(JSONObject(members))
        renamed["apiVersion"] = .string(kind.apiVersion)
        return renamed
    }
}

/// The built-in kinds that are stored in another version than they are served in.
enum BuiltInConversions {
    static let all: [GroupVersionKind: any VersionConversion] = [
        EventConversion.kind: EventConversion(),
        HorizontalPodAutoscalerConversion.kind: HorizontalPodAutoscalerConversion(),
    ]
}
