import Model

/// A Deployment's schema in small: every way in which fields merge occurs in it once.
enum Fixture {
    static let schema: Schema = {
        do {
            return try Schema.standalone(document)
        } catch {
            fatalError("the fixture's schema is broken: \(error)")
        }
    }()

    private static let texts: JSON = ["type": "object", "additionalProperties": ["type": "string"]]

    private static func keyed(_ keys: [String], _ properties: JSON) -> JSON {
        [
            "type": "array", "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": .array(keys.map { .string($0) }),
            "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": .string(keys[0]),
            "items": ["type": "object", "properties": properties],
        ]
    }

    private static let container: JSON = [
        "name": ["type": "string"], "image": ["type": "string"],
        "args": ["type": "array", "items": ["type": "string"], "x-kubernetes-list-type": "atomic"],
        "env": keyed(["name"], ["name": ["type": "string"], "value": ["type": "string"]]),
        "ports": keyed(
            ["containerPort", "protocol"],
            [
                "containerPort": ["type": "integer"], "name": ["type": "string"],
                "protocol": ["type": "string", "default": "TCP"],
            ]),
    ]

    private static let document: JSON = [
        "type": "object",
        "properties": [
            "apiVersion": ["type": "string"], "kind": ["type": "string"],
            "metadata": [
                "type": "object",
                "properties": [
                    "name": ["type": "string"], "namespace": ["type": "string"], "uid": ["type": "string"],
                    "resourceVersion": ["type": "string"], "generation": ["type": "integer"],
                    "creationTimestamp": ["type": "string"], "labels": texts, "annotations": texts,
                    "finalizers": [
                        "type": "array", "items": ["type": "string"], "x-kubernetes-list-type": "set",
                        "x-kubernetes-patch-strategy": "merge",
                    ],
                    "managedFields": ["type": "array", "x-kubernetes-preserve-unknown-fields": true],
                ],
            ],
            "spec": [
                "type": "object",
                "properties": [
                    "replicas": ["type": "integer"], "paused": ["type": "boolean"],
                    "selector": ["type": "object", "additionalProperties": texts, "x-kubernetes-map-type": "atomic"],
                    "strategy": [
                        "type": "object", "x-kubernetes-patch-strategy": "retainKeys",
                        "properties": [
                            "type": ["type": "string"],
                            "rollingUpdate": [
                                "type": "object",
                                "properties": ["maxSurge": ["x-kubernetes-int-or-string": true]],
                            ],
                        ],
                    ],
                    "containers": keyed(["name"], container),
                    "tolerations": ["type": "array", "items": ["type": "object"], "x-kubernetes-list-type": "atomic"],
                ],
            ],
            "status": ["type": "object", "properties": ["replicas": ["type": "integer"]]],
        ],
    ]

    static func object(_ spec: JSON?, metadata: JSON = [:]) -> JSON {
        var object: JSON = ["apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web"]]
        object["metadata"]?["namespace"] = "default"
        for member in metadata.object ?? JSONObject() { object["metadata"]?[member.key] = member.value }
        object["spec"] = spec
        return object
    }

    static func apply(
        _ config: JSON, onto live: JSON?, by manager: String = "alice", force: Bool = false, at second: Int64 = 0,
        subresource: String? = nil
    ) throws(ApplyError) -> JSON {
        try ServerSideApply.apply(
            config, onto: live, schema: schema, manager: manager, force: force, subresource: subresource,
            now: Timestamp(seconds: 1_000_000 + second))
    }

    static func update(
        _ old: JSON?, to new: JSON, by manager: String = "bob", at second: Int64 = 0, subresource: String? = nil
    ) -> JSON {
        ServerSideApply.recordUpdate(
            from: old, to: new, schema: schema, manager: manager, subresource: subresource,
            now: Timestamp(seconds: 1_000_000 + second))
    }

    /// The one entry of that manager; nothing when there is none or more than one.
    static func entry(_ object: JSON, _ manager: String, _ operation: String? = nil) -> JSON? {
        let found = (object[path: ["metadata", "managedFields"]]?.array ?? []).filter {
            $0["manager"]?.string == manager && (operation == nil || $0["operation"]?.string == operation)
        }
        return found.count == 1 ? found[0] : nil
    }

    /// What a manager owns, as paths.
    static func owned(_ object: JSON, by manager: String, _ operation: String? = nil) -> [String] {
        guard let fields = entry(object, manager, operation)?["fieldsV1"] else { return [] }
        return FieldSet(fieldsV1: fields)?.paths.map(\.description) ?? []
    }

    static func withoutManagedFields(_ object: JSON) -> JSON {
        var object = object
        object[path: ["metadata", "managedFields"]] = nil
        return object
    }
}

/// Steele, Lea and Flood's SplitMix64: a small generator that a seed fixes.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
