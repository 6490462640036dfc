import Model

/// The parameters of operations, as OpenAPI v3 has them.
enum OpenAPIParameters {
    private enum Value: String {
        case string, integer, boolean
    }

    private static let query: [String: (type: Value, description: String)] = [
        "allowWatchBookmarks": (.boolean, "Whether a watch may send bookmarks, which tell how far it has come."),
        "container": (.string, "The container whose output is wanted; needed where a pod has several."),
        "continue": (.string, "The token of the list before, which this one goes on from."),
        "dryRun": (.string, "With `All` everything is done but storing."),
        "fieldManager": (.string, "The name of who makes this change; 128 characters at most."),
        "fieldSelector": (.string, "Only objects whose fields have these values."),
        "fieldValidation": (.string, "What to do about unknown and doubled fields: `Ignore`, `Warn` or `Strict`."),
        "follow": (.boolean, "Whether to go on with what is written later."),
        "force": (.boolean, "Whether an apply takes over fields that other managers own."),
        "gracePeriodSeconds": (.integer, "How long the object may take to end; 0 means at once."),
        "ignoreStoreReadErrorWithClusterBreakingPotential": (.boolean, "Deletes what can no longer be read."),
        "insecureSkipTLSVerifyBackend": (.boolean, "Not needed here: no connection is made to read a log."),
        "labelSelector": (.string, "Only objects with these labels."),
        "limit": (.integer, "How many items one answer may have; the rest follows with `continue`."),
        "limitBytes": (.integer, "After so many bytes the output ends."),
        "orphanDependents": (.boolean, "The older form of `propagationPolicy`."),
        "pretty": (.string, "With `true` the answer is laid out for people."),
        "previous": (.boolean, "The output of the container before it was started anew."),
        "propagationPolicy": (.string, "What becomes of dependents: `Orphan`, `Background` or `Foreground`."),
        "resourceVersion": (.string, "The version that the answer is about, or that a watch begins after."),
        "resourceVersionMatch": (.string, "How `resourceVersion` is meant: `Exact` or `NotOlderThan`."),
        "sendInitialEvents": (.boolean, "Whether a watch begins with what is there, ended by a bookmark."),
        "sinceSeconds": (.integer, "Only what was written so many seconds ago or later."),
        "stream": (.string, "Which of the container's streams: `All`, `Stdout` or `Stderr`."),
        "tailLines": (.integer, "Only so many lines at the end."),
        "timeoutSeconds": (.integer, "How long the request may take."),
        "timestamps": (.boolean, "Whether each line begins with its time."),
        "watch": (.boolean, "Whether to go on with the changes, as a stream of events."),
    ]

    static let list = [
        "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
        "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
    ]
    static let write = ["dryRun", "fieldManager", "fieldValidation"]
    static let patch = ["dryRun", "fieldManager", "fieldValidation", "force"]
    static let delete = [
        "dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential", "orphanDependents",
        "propagationPolicy",
    ]
    static let deleteCollection =
        delete + [
            "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "resourceVersionMatch",
            "sendInitialEvents", "timeoutSeconds",
        ]
    static let log = [
        "container", "follow", "insecureSkipTLSVerifyBackend", "limitBytes", "previous", "sinceSeconds", "stream",
        "tailLines", "timestamps",
    ]

    static func query(_ names: [String]) -> [JSON] {
        names.map { name in
            let (type, description) = query[name] ?? (.string, "")
            return [
                "name": .string(name), "in": "query", "description": .string(description),
                "schema": ["type": .string(type.rawValue), "uniqueItems": true],
            ]
        }
    }

    static func path(_ name: String, _ description: String) -> JSON {
        [
            "name": .string(name), "in": "path", "description": .string(description), "required": true,
            "schema": ["type": "string", "uniqueItems": true],
        ]
    }
}
