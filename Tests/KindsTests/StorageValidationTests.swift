import Kinds
import Model
import Testing

@Suite("Volumes, claims and their classes are refused with Kubernetes' messages")
struct StorageValidationTests {
    private static let modes = #""ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod""#
    private static let subdomain =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        + "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        + #"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#

    static let volumes: [Refusal] = [
        Refusal(
            Manifests.persistentVolume, "F", ".spec.accessModes", nil, "spec.accessModes: Required value"),
        Refusal(
            Manifests.persistentVolume, "", ".spec.accessModes", #"["Always"]"#,
            #"spec.accessModes: Unsupported value: "Always": supported values: \#(modes)"#),
        Refusal(
            Manifests.persistentVolume, "", ".spec.accessModes", #"["ReadWriteOncePod", "ReadWriteOnce"]"#,
            "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"),
        Refusal(
            Manifests.persistentVolume, "", ".spec.capacity", nil, "spec.capacity: Required value",
            #"spec.capacity: Unsupported value: {}: supported values: "storage""#),
        Refusal(
            Manifests.persistentVolume, "", ".spec.capacity.storage", #""0""#,
            #"spec.capacity[storage]: Invalid value: "0": must be greater than zero"#),
        Refusal(
            Manifests.persistentVolume, "", ".spec.persistentVolumeReclaimPolicy", #""Burn""#,
            #"spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "#
                + #""Retain""#),
        Refusal(
            Manifests.persistentVolume, "", ".spec.volumeMode", #""Tape""#,
            #"spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem""#),
        Refusal(
            Manifests.persistentVolume, "", ".spec.hostPath", nil, "spec: Required value: must specify a volume type"),
        Refusal(
            Manifests.persistentVolume, "", ".spec.nfs", #"{"server": "files", "path": "/data"}"#,
            "spec.nfs: Forbidden: may not specify more than 1 volume type"),
        Refusal(
            Manifests.persistentVolume, "", ".spec.hostPath.path", #""/a/../b""#,
            #"spec.hostPath.path: Invalid value: "/a/../b": must not contain '..'"#),
        Refusal(
            Manifests.persistentVolume.setting(".spec.persistentVolumeReclaimPolicy", "Recycle"), "",
            ".spec.hostPath.path", #""/""#,
            "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"),
        Refusal(
            Manifests.persistentVolume.setting(".spec.hostPath", nil), "", ".spec.local", #"{"path": "/disk"}"#,
            "spec.nodeAffinity: Required value: Local volume requires node affinity"),
        Refusal(
            Manifests.persistentVolume, "", ".spec.nodeAffinity", #"{"required": {"nodeSelectorTerms": []}}"#,
            "spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term"),
        Refusal(
            Manifests.persistentVolume.setting(".spec.hostPath", nil), "", ".spec.csi",
            #"{"driver": "a_b", "volumeHandle": "1", "nodeStageSecretRef": {"name": "key"}}"#,
            #"spec.csi.driver: Invalid value: "a_b": \#(subdomain)"#,
            "spec.csi.nodeStageSecretRef.namespace: Required value"),
        Refusal(
            Manifests.persistentVolume, "", ".spec.volumeAttributesClassName", #""gold""#,
            "spec.csi: Required value: has to be specified when using volumeAttributesClassName"),
    ]

    static let claims: [Refusal] = [
        Refusal(
            Manifests.claim, "", ".spec.accessModes", nil,
            "spec.accessModes: Required value: at least 1 access mode is required"),
        Refusal(
            Manifests.claim, "", ".spec.accessModes", #"["Always"]"#,
            #"spec.accessModes: Unsupported value: "Always": supported values: \#(modes)"#),
        Refusal(Manifests.claim, "", ".spec.resources", nil, "spec.resources[storage]: Required value"),
        Refusal(
            Manifests.claim, "", ".spec.resources.requests.storage", #""-1""#,
            #"spec.resources[storage]: Invalid value: "-1": must be greater than zero"#),
        Refusal(
            Manifests.claim, "", ".spec.storageClassName", #""A""#,
            #"spec.storageClassName: Invalid value: "A": \#(subdomain)"#),
        Refusal(
            Manifests.claim, "", ".spec.dataSource", #"{"kind": "Pod", "name": "x"}"#,
            #"spec.dataSource: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default apiGroup"#,
            #"spec.dataSourceRef: Invalid value: "Pod": must be 'PersistentVolumeClaim' when referencing the default "#
                + "apiGroup"),
        Refusal(
            Manifests.claim.setting(".spec.dataSourceRef", ["kind": "PersistentVolumeClaim", "name": "a"]), "",
            ".spec.dataSource", #"{"kind": "PersistentVolumeClaim", "name": "b"}"#,
            #"spec: Invalid value: "spec.dataSource": must match dataSourceRef"#),
        Refusal(
            Manifests.pod, "", ".spec.volumes.0",
            #"{"name": "data", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["Always"]}}}}"#,
            #"spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Unsupported value: "Always": "#
                + "supported values: \(modes)",
            "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value"),
    ]

    static let classes: [Refusal] = [
        Refusal(Manifests.storageClass, "", ".provisioner", nil, "provisioner: Required value"),
        Refusal(
            Manifests.storageClass, "", ".reclaimPolicy", #""Recycle""#,
            #"reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain""#),
        Refusal(
            Manifests.storageClass, "", ".volumeBindingMode", #""Later""#,
            #"volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer""#),
        Refusal(
            Manifests.storageClass, "", ".allowedTopologies",
            #"[{"matchLabelExpressions": [{"key": "zone", "values": ["a", "a"]}, {"key": "zone", "values": ["b"]}]}]"#,
            #"allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a""#,
            #"allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "zone""#),
        Refusal(
            Manifests.volumeAttributesClass, "", ".parameters", nil,
            "parameters: Required value: must contain at least one key/value pair"),
        Refusal(
            Manifests.volumeAttachment, "", ".spec.source", "{}",
            "spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"),
        Refusal(
            Manifests.volumeAttachment, "", ".spec.source.inlineVolumeSpec", #"{"accessModes": ["ReadWriteOnce"]}"#,
            "spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName"),
        Refusal(
            Manifests.volumeAttachment, "", ".spec.source",
            #"{"inlineVolumeSpec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1"}, "#
                + #""hostPath": {"path": "/a"}}}"#,
            "spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes",
            "spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes"),
        Refusal(
            Manifests.volumeAttachment, "", ".spec.attacher", nil, "spec.attacher: Required value",
            #"spec.attacher: Invalid value: "": \#(subdomain)"#),
        Refusal(
            Manifests.csiDriver, "", ".spec.fsGroupPolicy", #""Never""#,
            #"spec.fsGroupPolicy: Unsupported value: "Never": supported values: "File", "None", "#
                + #""ReadWriteOnceWithFSType""#),
        Refusal(
            Manifests.csiDriver, "", ".spec.tokenRequests",
            #"[{"audience": ""}, {"audience": ""}, {"audience": "a", "expirationSeconds": 60}]"#,
            #"spec.tokenRequests[1].audience: Duplicate value: """#,
            "spec.tokenRequests[2].expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes"
        ),
        Refusal(
            Manifests.csiDriver, "", ".spec.serviceAccountTokenInSecrets", "true",
            "spec.serviceAccountTokenInSecrets: Invalid value: true: may only be set when `tokenRequests` is specified"),
        Refusal(
            Manifests.csiDriver, "", ".spec.volumeLifecycleModes", #"["Forever"]"#,
            #"spec.volumeLifecycleModes: Unsupported value: "Forever": supported values: "Persistent", "Ephemeral""#),
        Refusal(
            Manifests.csiNode, "", ".spec.drivers.0.allocatable", #"{"count": -1}"#,
            "spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0"),
        Refusal(
            Manifests.csiNode, "", ".spec.drivers.1", #"{"name": "disk.example.com", "nodeID": "2"}"#,
            #"spec.drivers[1].name: Duplicate value: "disk.example.com""#),
        Refusal(
            Manifests.csiStorageCapacity, "", ".storageClassName", nil,
            #"storageClassName: Invalid value: "": \#(subdomain)"#),
        Refusal(
            Manifests.csiStorageCapacity, "", ".capacity", #""-1""#,
            #"capacity: Invalid value: "-1": must be greater than or equal to 0"#),
    ]

    @Test("creation", arguments: volumes + claims + classes)
    func create(row: Refusal) throws {
        #expect(try row.changed.createErrors == row.change.messages)
    }

    static let updates: [Refusal] = [
        Refusal(
            Manifests.persistentVolume, "C26", ".spec.hostPath.path", #""/other""#,
            "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"),
        Refusal(Manifests.persistentVolume, "C26", ".spec.capacity.storage", #""20Gi""#),
        Refusal(
            Manifests.persistentVolume, "C26", ".spec.volumeMode", #""Block""#,
            #"volumeMode: Invalid value: "Block": field is immutable"#),
        Refusal(
            Manifests.claim, "C26", ".spec.resources.requests.storage", #""2Gi""#,
            "spec: Forbidden: spec is immutable after creation except resources.requests and "
                + "volumeAttributesClassName for bound claims"),
        Refusal(Manifests.claim, "C26", ".spec.volumeName", #""disk""#),
        Refusal(Manifests.claim, "C26", ".spec.storageClassName", #""fast""#),
        Refusal(
            Manifests.claim.setting(".spec.volumeName", "disk"), "C26", ".spec.volumeName", #""other""#,
            "spec: Forbidden: spec is immutable after creation except resources.requests and "
                + "volumeAttributesClassName for bound claims"),
        Refusal(
            Manifests.storageClass, "C26", ".parameters", #"{"type": "tape"}"#,
            "parameters: Forbidden: updates to parameters are forbidden."),
        Refusal(
            Manifests.storageClass, "C26", ".provisioner", #""other.example.com""#,
            "provisioner: Forbidden: updates to provisioner are forbidden."),
        Refusal(
            Manifests.storageClass, "C26", ".reclaimPolicy", #""Retain""#,
            "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."),
        Refusal(
            Manifests.storageClass, "C26", ".volumeBindingMode", #""WaitForFirstConsumer""#,
            #"volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable"#),
        Refusal(Manifests.storageClass, "C26", ".allowVolumeExpansion", "true"),
        Refusal(
            Manifests.volumeAttributesClass, "C26", ".driverName", #""other.example.com""#,
            "driverName: Forbidden: updates to driverName are forbidden."),
        Refusal(
            Manifests.csiDriver, "C26", ".spec.attachRequired", "false",
            "spec.attachedRequired: Invalid value: false: field is immutable"),
        Refusal(Manifests.csiDriver, "C26", ".spec.podInfoOnMount", "true"),
        Refusal(Manifests.csiNode, "C26", ".spec.drivers.0.allocatable", #"{"count": 3}"#),
        Refusal(
            Manifests.csiStorageCapacity, "C26", ".storageClassName", #""slow""#,
            #"storageClassName: Invalid value: "slow": field is immutable"#),
        Refusal(Manifests.csiStorageCapacity, "C26", ".capacity", #""1Gi""#),
    ]

    @Test("C26: updates", arguments: updates)
    func update(row: Refusal) throws {
        #expect(try row.object.updateErrors(to: row.changed) == row.change.messages)
    }

    @Test("C26: a bound claim may grow, and may shrink to more than it has")
    func resize() throws {
        let strategy = try Manifests.claim.strategy
        func errors(from size: JSON, to other: JSON) -> [String] {
            let bound: JSON = ["phase": "Bound", "capacity": ["storage": "1Gi"]]
            let old = strategy.defaulted(Manifests.claim).setting(".status", bound)
                .setting(".spec.resources.requests.storage", size)
            let new = old.setting(".spec.resources.requests.storage", other)
            return strategy.validateUpdate(strategy.prepareForUpdate(new, from: old, subresource: nil), from: old)
                .map(\.message)
        }
        #expect(errors(from: "1Gi", to: "2Gi") == [])
        #expect(errors(from: "4Gi", to: "2Gi") == [])
        #expect(
            errors(from: "4Gi", to: "1Gi") == [
                "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
            ])
    }

    @Test("C26: an attachment's specification stays")
    func attachment() throws {
        let changed = Manifests.volumeAttachment.setting(".spec.nodeName", "two")
        let errors = try Manifests.volumeAttachment.updateErrors(to: changed)
        #expect(errors.count == 1)
        #expect(errors[0].hasPrefix(#"spec: Invalid value: {"attacher":"disk.example.com""#), "\(errors)")
        #expect(errors[0].hasSuffix(": field is immutable"), "\(errors)")
    }
}
