import Kinds
import Model
import Testing

@Suite("Tables of the kinds that configure (E2)")
struct PrintingConfigurationTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var object: JSON
        var columns: [String]
        var cells: [JSON]

        /// - Parameter columns: names, separated by `|`; wide ones in parentheses.
        init(_ object: JSON, _ columns: String, _ cells: JSON...) {
            self.object = object.setting(".metadata.creationTimestamp", PrintingTests.ago(60))
            self.columns = columns.split(separator: "|").map { $0.trimmingPrefix(" ") }.map { String($0) }
            self.cells = cells
        }

        var testDescription: String { object["kind"]?.string ?? "" }
    }

    private static let created = PrintingTests.ago(60)

    static let storage: [Row] = [
        Row(
            Manifests.persistentVolume.setting(".status.phase", "Bound").setting(".spec.storageClassName", "fast")
                .setting(".spec.claimRef", ["namespace": "default", "name": "data"])
                .setting(".spec.accessModes", ["ReadOnlyMany", "ReadWriteOnce"]),
            "Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age|(VolumeMode)",
            "disk", "10Gi", "RWO,ROX", "", "Bound", "default/data", "fast", "<unset>", "", "60s", "<unset>"),
        Row(
            Manifests.claim.setting(".status", ["phase": "Pending", "capacity": ["storage": "1Gi"]]),
            "Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|(VolumeMode)",
            "data", "Pending", "", "", "", "", "<unset>", "60s", "<unset>"),
        Row(
            Manifests.claim.setting(".spec.volumeName", "disk").setting(".spec.volumeMode", "Block")
                .setting(".metadata.deletionTimestamp", created)
                .setting(".status.capacity", ["storage": "2Gi"]).setting(".status.accessModes", ["ReadWriteOncePod"]),
            "Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|(VolumeMode)",
            "data", "Terminating", "disk", "2Gi", "RWOP", "", "<unset>", "60s", "Block"),
        Row(
            Manifests.storageClass
                .setting(".metadata.annotations", ["storageclass.kubernetes.io/is-default-class": "true"]),
            "Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age",
            "fast (default)", "disk.example.com", "Delete", "Immediate", false, "60s"),
        Row(Manifests.volumeAttributesClass, "Name|DriverName|Age", "gold", "disk.example.com", "60s"),
        Row(
            Manifests.volumeAttachment.setting(".status.attached", true), "Name|Attacher|PV|Node|Attached|Age",
            "one", "disk.example.com", "disk", "one", true, "60s"),
        Row(
            Manifests.csiDriver.setting(".spec.volumeLifecycleModes", ["Persistent", "Ephemeral"]),
            "Name|AttachRequired|PodInfoOnMount|StorageCapacity|TokenRequests|RequiresRepublish|Modes|Age",
            "disk.example.com", true, false, false, "<unset>", false, "Persistent,Ephemeral", "60s"),
        Row(Manifests.csiNode, "Name|Drivers|Age", "one", 1, "60s"),
        Row(Manifests.csiStorageCapacity, "Name|StorageClassName|Capacity", "zone-a", "fast", "10Gi"),
    ]

    static let network: [Row] = [
        Row(
            Manifests.ingress.setting(".spec.tls", [["secretName": "cert"]])
                .setting(".status.loadBalancer.ingress", [["hostname": "lb"], ["ip": "10.0.0.1"]]),
            "Name|Class|Hosts|Address|Ports|Age", "web", "<none>", "web.example.com", "10.0.0.1,lb", "80, 443", "60s"),
        Row(
            Manifests.ingress.setting(".spec.ingressClassName", "edge")
                .setting(".spec.rules", [["host": "a"], ["host": "b"], ["host": "c"], ["host": "d"], ["host": "e"]]),
            "Name|Class|Hosts|Address|Ports|Age", "web", "edge", "a,b,c + 2 more...", "", "80", "60s"),
        Row(
            Manifests.ingress.setting(".spec.rules", [[:]]), "Name|Class|Hosts|Address|Ports|Age", "web", "<none>", "*",
            "", "80", "60s"),
        Row(
            Manifests.ingressClass
                .setting(".metadata.annotations", ["ingressclass.kubernetes.io/is-default-class": "true"]),
            "Name|Controller|Parameters|Age", "edge (default)", "example.com/edge", "Edge.example.com/main", "60s"),
        Row(Manifests.networkPolicy, "Name|Pod-Selector|Age", "web", "app=web", "60s"),
        Row(
            Manifests.networkPolicy.setting(".spec.podSelector", [:]), "Name|Pod-Selector|Age", "web", "<none>", "60s"),
        Row(Manifests.ipAddress, "Name|ParentRef|Age", "10.0.0.1", "services/default/web", "60s"),
        Row(Manifests.serviceCIDR, "Name|CIDRs|Age", "main", "10.0.0.0/24", "60s"),
    ]

    static let policy: [Row] = [
        Row(Manifests.serviceAccount, "Name|Age", "robot", "60s"),
        Row(Manifests.role, "Name|Created At", "read:pods", created),
        Row(Manifests.clusterRole, "Name|Created At", "system:health", created),
        Row(Manifests.limitRange, "Name|Created At", "limits", created),
        Row(Manifests.definition, "Name|Created At", "gadgets.example.com", created),
        Row(
            Manifests.clusterRoleBinding, "Name|Role|Age|(Users)|(Groups)|(ServiceAccounts)", "health",
            "ClusterRole/system:health", "60s", "", "ops", "default/robot"),
        Row(
            Manifests.resourceQuota
                .setting(".status.hard", ["pods": "10", "limits.cpu": "8", "requests.cpu": "4"])
                .setting(".status.used", ["pods": "2", "requests.cpu": "500m"]),
            "Name|Request|Limit|Age", "quota", "pods: 2/10, requests.cpu: 500m/4", "limits.cpu: 0/8", "60s"),
        Row(
            Manifests.priorityClass.setting(".preemptionPolicy", "Never"),
            "Name|Value|Global-Default|Age|PreemptionPolicy", "high", 100, false, "60s", "Never"),
        Row(
            Manifests.certificateRequest.setting(".spec.username", "ada"),
            "Name|Age|SignerName|Requestor|RequestedDuration|Condition", "ada:1", "60s", "example.com/clients", "ada",
            "60m", "Pending"),
        Row(
            Manifests.certificateRequest.setting(".spec.expirationSeconds", nil)
                .setting(".status", ["conditions": [["type": "Denied"], ["type": "Failed"]], "certificate": "eA=="]),
            "Name|Age|SignerName|Requestor|RequestedDuration|Condition", "ada:1", "60s", "example.com/clients", "",
            "<none>", "Denied,Failed,Issued"),
        Row(
            Manifests.flowSchema.setting(".spec.matchingPrecedence", 500),
            "Name|PriorityLevel|MatchingPrecedence|DistinguisherMethod|Age|MissingPL", "robots", "low", 500, "ByUser",
            "60s", "?"),
        Row(
            Manifests.flowSchema.setting(".spec.distinguisherMethod", nil)
                .setting(".status.conditions", [["type": "Dangling", "status": "True"]]),
            "Name|PriorityLevel|MatchingPrecedence|DistinguisherMethod|Age|MissingPL", "robots", "low", 0, "<none>",
            "60s", "True"),
        Row(
            Manifests.priorityLevel.setting(
                ".spec.limited",
                [
                    "nominalConcurrencyShares": 5,
                    "limitResponse": ["queuing": ["queues": 64, "handSize": 8, "queueLengthLimit": 50]],
                ]),
            "Name|Type|NominalConcurrencyShares|Queues|HandSize|QueueLengthLimit|Age", "low", "Limited", 5, 64, 8, 50,
            "60s"),
        Row(
            Manifests.priorityLevel.setting(".spec", ["type": "Exempt", "exempt": [:]]),
            "Name|Type|NominalConcurrencyShares|Queues|HandSize|QueueLengthLimit|Age", "low", "Exempt", "<none>",
            "<none>", "<none>", "<none>", "60s"),
        Row(
            Manifests.validatingPolicy, "Name|Validations|ParamKind|Age", "replicas.example.com", 1, "v1/ConfigMap",
            "60s"),
        Row(
            Manifests.validatingPolicy.setting(".spec.paramKind", nil), "Name|Validations|ParamKind|Age",
            "replicas.example.com", 1, "<unset>", "60s"),
        Row(
            Manifests.validatingBinding, "Name|PolicyName|ParamRef|Age", "replicas-everywhere", "replicas.example.com",
            "*/limits", "60s"),
        Row(
            Manifests.validatingBinding.setting(".spec.paramRef.namespace", "default"),
            "Name|PolicyName|ParamRef|Age", "replicas-everywhere", "replicas.example.com", "default/limits", "60s"),
        Row(
            Manifests.validatingBinding.setting(".spec.paramRef", nil), "Name|PolicyName|ParamRef|Age",
            "replicas-everywhere", "replicas.example.com", "<unset>", "60s"),
        Row(
            Manifests.validatingBinding.setting(
                ".spec.paramRef",
                [
                    "selector": [
                        "matchLabels": ["a": "b"], "matchExpressions": [["key": "c", "operator": "Exists"]],
                    ]
                ]), "Name|PolicyName|ParamRef|Age", "replicas-everywhere", "replicas.example.com",
            .string(
                "&LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{"
                    + "LabelSelectorRequirement{Key:c,Operator:Exists,Values:[],},},}"), "60s"),
        Row(
            Manifests.mutatingPolicy, "Name|Mutations|ParamKind|Age", "labels.example.com", 2, "<unset>", "60s"),
        Row(
            Manifests.mutatingBinding, "Name|PolicyName|ParamRef|Age", "labels-everywhere", "labels.example.com",
            "<unset>", "60s"),
        Row(Manifests.validatingWebhooks, "Name|Webhooks|Age", "checks.example.com", 1, "60s"),
        Row(Manifests.mutatingWebhooks, "Name|Webhooks|Age", "changes.example.com", 1, "60s"),
        Row(Manifests.runtimeClass, "Name|Handler|Age", "sandbox", "runsc", "60s"),
    ]

    @Test("columns and cells", arguments: storage + network + policy)
    func row(row: Row) throws {
        let kind = try row.object.strategy.type.kind.groupKind
        let table = TablePrinter.table(
            for: kind, objects: [Object(viewing: row.object)], now: PrintingTests.now, includedObject: .none)
        #expect(table.columns.map { $0.priority == 0 ? $0.name : "(\($0.name))" } == row.columns)
        #expect(table.rows[0].cells == row.cells)
    }
}
