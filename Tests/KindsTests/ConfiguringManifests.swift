import Kinds
import Model
import Testing

/// Valid objects of the kinds that say what is allowed, reachable or available, changed one field at a time by the
/// tables of the tests.
extension Manifests {
    static let persistentVolume = text(
        """
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk"},
         "spec": {"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}}}
        """)
    static let claim = text(
        """
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
         "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
        """)
    static let serviceAccount = text(
        #"{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "default"}}"#)
    static let limitRange = text(
        """
        {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits", "namespace": "default"},
         "spec": {"limits": [{"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "100m"}}]}}
        """)
    static let resourceQuota = text(
        """
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "quota", "namespace": "default"},
         "spec": {"hard": {"pods": "10", "requests.cpu": "4"}}}
        """)
    static let ingress = text(
        """
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "namespace": "default"},
         "spec": {"rules": [{"host": "web.example.com", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}}
        """)
    static let ingressClass = text(
        """
        {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "edge"},
         "spec": {"controller": "example.com/edge",
                  "parameters": {"apiGroup": "example.com", "kind": "Edge", "name": "main", "scope": "Cluster"}}}
        """)
    static let networkPolicy = text(
        """
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
         "metadata": {"name": "web", "namespace": "default"},
         "spec": {"podSelector": {"matchLabels": {"app": "web"}},
                  "ingress": [{"ports": [{"port": 80}], "from": [{"podSelector": {}}]}]}}
        """)
    static let ipAddress = text(
        """
        {"apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", "metadata": {"name": "10.0.0.1"},
         "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "web"}}}
        """)
    static let serviceCIDR = text(
        """
        {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "main"},
         "spec": {"cidrs": ["10.0.0.0/24"]}}
        """)
    static let role = text(
        """
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
         "metadata": {"name": "read:pods", "namespace": "default"},
         "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
        """)
    static let clusterRole = text(
        """
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "system:health"},
         "rules": [{"nonResourceURLs": ["/healthz"], "verbs": ["get"]}]}
        """)
    static let roleBinding = text(
        """
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
         "metadata": {"name": "read:pods", "namespace": "default"},
         "roleRef": {"kind": "Role", "name": "read:pods"},
         "subjects": [{"kind": "User", "name": "ada"}, {"kind": "ServiceAccount", "name": "robot"}]}
        """)
    static let clusterRoleBinding = text(
        """
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
         "metadata": {"name": "health"}, "roleRef": {"kind": "ClusterRole", "name": "system:health"},
         "subjects": [{"kind": "Group", "name": "ops"},
                      {"kind": "ServiceAccount", "name": "robot", "namespace": "default"}]}
        """)
    static let runtimeClass = text(
        """
        {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "sandbox"},
         "handler": "runsc", "overhead": {"podFixed": {"memory": "64Mi"}}}
        """)
    static let priorityClass = text(
        #"{"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 100}"#)
    static let storageClass = text(
        """
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"},
         "provisioner": "disk.example.com", "parameters": {"type": "ssd"}}
        """)
    static let volumeAttributesClass = text(
        """
        {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttributesClass", "metadata": {"name": "gold"},
         "driverName": "disk.example.com", "parameters": {"iops": "3000"}}
        """)
    static let volumeAttachment = text(
        """
        {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": "one"},
         "spec": {"attacher": "disk.example.com", "nodeName": "one", "source": {"persistentVolumeName": "disk"}}}
        """)
    static let csiDriver = text(
        """
        {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": "disk.example.com"},
         "spec": {}}
        """)
    static let csiNode = text(
        """
        {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": "one"},
         "spec": {"drivers": [{"name": "disk.example.com", "nodeID": "1", "topologyKeys": ["example.com/zone"]}]}}
        """)
    static let csiStorageCapacity = text(
        """
        {"apiVersion": "storage.k8s.io/v1", "kind": "CSIStorageCapacity",
         "metadata": {"name": "zone-a", "namespace": "default"}, "storageClassName": "fast", "capacity": "10Gi"}
        """)
    static let definition = text(
        """
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
         "metadata": {"name": "gadgets.example.com"},
         "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "gadgets", "kind": "Gadget"},
                  "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                       "spec": {"type": "object", "properties": {
                          "size": {"type": "integer", "default": 1},
                          "tags": {"type": "array", "default": [], "items": {"type": "string"}}}},
                       "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}}}]}}
        """)

    static let configuring = [
        persistentVolume, claim, serviceAccount, limitRange, resourceQuota, ingress, ingressClass, networkPolicy,
        ipAddress, serviceCIDR, role, clusterRole, roleBinding, clusterRoleBinding, runtimeClass, priorityClass,
        storageClass, volumeAttributesClass, volumeAttachment, csiDriver, csiNode, csiStorageCapacity, definition,
        certificateRequest, flowSchema, priorityLevel, validatingPolicy, validatingBinding, mutatingPolicy,
        mutatingBinding, validatingWebhooks, mutatingWebhooks, apiService,
    ]
}

/// One change of a manifest of any kind, and the messages that it must lead to.
struct Refusal: Sendable, CustomTestStringConvertible {
    var object: JSON
    var change: Change

    init(_ object: JSON, _ rule: String, _ path: String, _ value: String?, _ messages: String...) {
        self.object = object
        change = Change(rule, path, value)
        change.messages = messages
    }

    var changed: JSON { object.setting(change.path, change.value) }
    var testDescription: String { "\(object["kind"]?.string ?? "") \(change.testDescription)" }
}

@Suite("The kinds that configure")
struct ConfiguringKindsTests {
    @Test("defaulting twice changes nothing, and the result is valid", arguments: Manifests.configuring)
    func idempotent(object: JSON) throws {
        let strategy = try object.strategy
        let once = strategy.defaulted(object)
        #expect(strategy.defaulted(once) == once)
        #expect(strategy.decodingFaults(object).isEmpty)
        #expect(try once.createErrors == [])
        #expect(try object.updateErrors(to: object) == [])
        #expect(try object.updateErrors(to: object, subresource: "status") == [])
    }

    @Test("fields that no schema knows survive, wherever they are", arguments: Manifests.configuring)
    func unknownFields(object: JSON) throws {
        let strategy = try object.strategy
        let marked = object.setting(".future", ["a": [1, .null]]).setting(".metadata.future", "x")
        let filled = strategy.prepareForCreate(strategy.defaulted(try JSON(decoding: marked.encoded())))
        #expect(filled["future"] == ["a": [1, .null]])
        #expect(filled.value(at: ".metadata.future") == "x")
    }

    struct Default: Sendable, CustomTestStringConvertible {
        var object: JSON
        var place: String
        var expected: JSON?

        init(_ object: JSON, _ place: String, _ expected: JSON?) {
            self.object = object
            self.place = place
            self.expected = expected
        }

        var testDescription: String { "\(object["kind"]?.string ?? "")\(place)" }
    }

    static let defaults: [Default] = [
        Default(Manifests.persistentVolume, ".spec.persistentVolumeReclaimPolicy", "Retain"),
        Default(Manifests.persistentVolume, ".spec.volumeMode", "Filesystem"),
        Default(Manifests.persistentVolume, ".status", ["phase": "Pending"]),
        Default(Manifests.claim, ".spec.volumeMode", "Filesystem"),
        Default(Manifests.claim, ".status", ["phase": "Pending"]),
        Default(
            Manifests.limitRange, ".spec.limits.0",
            [
                "type": "Container", "max": ["cpu": "2"], "min": ["cpu": "100m"], "default": ["cpu": "2"],
                "defaultRequest": ["cpu": "2"],
            ]),
        Default(
            Manifests.limitRange.setting(".spec.limits.0.max", nil), ".spec.limits.0.defaultRequest",
            ["cpu": "100m"]),
        Default(Manifests.limitRange.setting(".spec.limits.0.type", "Pod"), ".spec.limits.0.default", nil),
        Default(Manifests.networkPolicy, ".spec.policyTypes", ["Ingress"]),
        Default(
            Manifests.networkPolicy.setting(".spec.egress", [[:]]), ".spec.policyTypes", ["Ingress", "Egress"]),
        Default(Manifests.networkPolicy, ".spec.ingress.0.ports.0.protocol", "TCP"),
        Default(Manifests.roleBinding, ".roleRef.apiGroup", "rbac.authorization.k8s.io"),
        Default(Manifests.roleBinding, ".subjects.0.apiGroup", "rbac.authorization.k8s.io"),
        Default(Manifests.roleBinding, ".subjects.1.apiGroup", nil),
        Default(Manifests.clusterRoleBinding, ".subjects.0.apiGroup", "rbac.authorization.k8s.io"),
        Default(Manifests.priorityClass, ".preemptionPolicy", "PreemptLowerPriority"),
        Default(Manifests.storageClass, ".reclaimPolicy", "Delete"),
        Default(Manifests.storageClass, ".volumeBindingMode", "Immediate"),
        Default(
            Manifests.csiDriver, ".spec",
            [
                "attachRequired": true, "fsGroupPolicy": "ReadWriteOnceWithFSType", "podInfoOnMount": false,
                "requiresRepublish": false, "seLinuxMount": false, "storageCapacity": false,
                "volumeLifecycleModes": ["Persistent"],
            ]),
        Default(Manifests.volumeAttachment, ".status", ["attached": false]),
        Default(
            Manifests.definition, ".spec.names",
            ["plural": "gadgets", "kind": "Gadget", "singular": "gadget", "listKind": "GadgetList"]),
        Default(Manifests.definition, ".spec.conversion", ["strategy": "None"]),
        Default(Manifests.validatingPolicy, ".spec.failurePolicy", "Fail"),
        Default(Manifests.validatingPolicy, ".spec.matchConstraints.matchPolicy", "Equivalent"),
        Default(Manifests.validatingPolicy, ".spec.matchConstraints.namespaceSelector", [:]),
        Default(Manifests.validatingPolicy, ".spec.matchConstraints.objectSelector", [:]),
        Default(Manifests.validatingPolicy, ".spec.matchConstraints.resourceRules.0.scope", "*"),
        Default(Manifests.validatingPolicy, ".status", [:]),
        Default(Manifests.validatingBinding, ".spec.matchResources.matchPolicy", "Equivalent"),
        Default(Manifests.validatingBinding, ".spec.matchResources.excludeResourceRules.0.scope", "*"),
        Default(Manifests.validatingBinding, ".spec.paramRef.namespace", nil),
        Default(Manifests.mutatingPolicy, ".spec.failurePolicy", "Fail"),
        Default(Manifests.mutatingPolicy, ".spec.matchConstraints.resourceRules.0.scope", "*"),
        Default(
            Manifests.validatingWebhooks, ".webhooks.0",
            [
                "name": "pods.checks.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "clientConfig": ["url": "https://checks.example.com/pods"],
                "rules": [
                    [
                        "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
                        "scope": "*",
                    ]
                ], "failurePolicy": "Fail", "matchPolicy": "Equivalent", "namespaceSelector": [:],
                "objectSelector": [:], "timeoutSeconds": 10,
            ]),
        Default(Manifests.mutatingWebhooks, ".webhooks.0.clientConfig.service.port", 443),
        Default(Manifests.mutatingWebhooks, ".webhooks.0.reinvocationPolicy", "Never"),
        Default(
            Manifests.definition, ".spec.versions.0.schema.openAPIV3Schema.properties.spec.properties.tags.default",
            []),
    ]

    @Test("F: defaults", arguments: defaults)
    func fills(row: Default) throws {
        let strategy = try row.object.strategy
        let created = strategy.prepareForCreate(strategy.defaulted(row.object))
        #expect(created.value(at: row.place) == row.expected)
    }

    @Test("a claim's two names for what it is filled from mirror each other")
    func dataSources() throws {
        let strategy = try Manifests.claim.strategy
        let source: JSON = ["kind": "PersistentVolumeClaim", "name": "other"]
        for (given, mirrored) in [("dataSource", "dataSourceRef"), ("dataSourceRef", "dataSource")] {
            let object = Manifests.claim.setting(".spec.\(given)", source)
            let created = strategy.prepareForCreate(strategy.defaulted(object))
            #expect(created.value(at: ".spec.\(mirrored)") == source)
        }
        let foreign = Manifests.claim.setting(".spec.dataSourceRef", source.setting(".namespace", "there"))
        #expect(strategy.prepareForCreate(strategy.defaulted(foreign)).value(at: ".spec.dataSource") == nil)
    }

    @Test(
        "C14: generations are counted of ingresses, their classes, policies, definitions and flow control only",
        arguments: Manifests.configuring)
    func generations(object: JSON) throws {
        let counted = [
            "Ingress", "IngressClass", "NetworkPolicy", "CustomResourceDefinition", "FlowSchema",
            "PriorityLevelConfiguration", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
            "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
            "MutatingWebhookConfiguration",
        ]
        let strategy = try object.strategy
        let created = strategy.prepareForCreate(strategy.defaulted(object))
        let isCounted = counted.contains(object["kind"]?.string ?? "")
        #expect(created.value(at: ".metadata.generation") == (isCounted ? 1 : nil))
    }

    @Test("C9, C10: which kinds PUT creates, and which it does not update without a version")
    func versions() throws {
        func kinds(_ isMember: (KindStrategy) -> Bool) throws -> [String] {
            try Manifests.configuring.filter { isMember(try $0.strategy) }.compactMap { $0["kind"]?.string }
        }
        #expect(
            try kinds(\.allowsCreateOnUpdate) == [
                "LimitRange", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "RuntimeClass",
            ])
        #expect(
            try kinds { !$0.allowsUnconditionalUpdate } == [
                "RuntimeClass", "VolumeAttachment", "CSIDriver", "CSINode", "CSIStorageCapacity",
                "CustomResourceDefinition", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
                "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
                "MutatingWebhookConfiguration", "APIService",
            ])
    }
}
