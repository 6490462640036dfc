package import Model

/// Lays objects of a kind out as a table (semantics-api E).
package enum TablePrinter {
    /// - Parameters:
    ///   - kind: any kind; one without columns of its own gets its name and the time of its creation.
    ///   - now: what ages are counted to.
    ///   - includedObject: how much of each object comes with its row.
    package static func table(
        for kind: GroupKind, objects: [Object], now: Timestamp, includedObject: Table.IncludedObject = .metadata
    ) -> Table {
        table(layout(of: kind), objects, now, includedObject)
    }

    private static func table(
        _ layout: Layout, _ objects: [Object], _ now: Timestamp, _ includedObject: Table.IncludedObject
    ) -> Table {
        let rows = objects.map { object in
            var row = Table.Row(cells: layout.cells(object, now), namespace: object.metadata.namespace)
            row.conditions = layout.conditions(object)
            row.object =
                switch includedObject {
                case .none: .none
                case .metadata: Table.partialObjectMetadata(object.json)
                case .object: object.json
                }
            return row
        }
        return Table(columns: layout.columns, rows: rows)
    }

    /// The same for a resource type: one that a CustomResourceDefinition describes has the columns that this says (E5).
    package static func table(
        for type: ResourceType, objects: [Object], now: Timestamp, includedObject: Table.IncludedObject = .metadata
    ) -> Table {
        let kind = type.kind.groupKind
        let isKnown = Catalog.builtIn.type(for: kind) != nil
        let layout = type.custom.map(layout) ?? (isKnown ? layout(of: kind) : plain)
        return table(layout, objects, now, includedObject)
    }

    /// The columns of a kind, which do not depend on its objects.
    package static func columns(for kind: GroupKind) -> [Table.Column] { layout(of: kind).columns }

    /// How a kind is laid out.
    struct Layout: Sendable {
        var columns: [Table.Column]
        var cells: @Sendable (Object, Timestamp) -> [JSON]
        var conditions: @Sendable (Object) -> [Table.RowCondition]

        init<Kind: KubernetesObject>(
            _: Kind.Type, _ columns: [Table.Column],
            conditions: @escaping @Sendable (Kind) -> [Table.RowCondition] = { _ in [] },
            _ cells: @escaping @Sendable (Kind, Timestamp) -> [JSON]
        ) {
            self.columns = columns
            self.cells = { cells($0.view(), $1) }
            self.conditions = { conditions($0.view()) }
        }

        init(_ columns: [Table.Column], _ cells: @escaping @Sendable (Object, Timestamp) -> [JSON]) {
            self.columns = columns
            self.cells = cells
            conditions = { _ in [] }
        }
    }

    private static let layouts: [GroupKind: Layout] = [
        Namespace.kind.groupKind: namespace, Node.kind.groupKind: node, Pod.kind.groupKind: pod,
        Service.kind.groupKind: service, Endpoints.kind.groupKind: endpoints,
        EndpointSlice.kind.groupKind: endpointSlice, ConfigMap.kind.groupKind: configMap,
        Secret.kind.groupKind: secret, Event.kind.groupKind: event, EventConversion.kind.groupKind: event,
        ReplicaSet.kind.groupKind: replicaSet,
        Deployment.kind.groupKind: deployment, StatefulSet.kind.groupKind: statefulSet,
        DaemonSet.kind.groupKind: daemonSet, ControllerRevision.kind.groupKind: controllerRevision,
        ReplicationController.kind.groupKind: replicationController, PodTemplate.kind.groupKind: podTemplate,
        GroupKind(group: "batch", kind: "Job"): job, GroupKind(group: "batch", kind: "CronJob"): cronJob,
        GroupKind(group: "autoscaling", kind: "HorizontalPodAutoscaler"): horizontalPodAutoscaler,
        ScaleSubresource.kind.groupKind: scale,
        GroupKind(group: "policy", kind: "PodDisruptionBudget"): podDisruptionBudget, Lease.kind.groupKind: lease,
        Application.kind.groupKind: application,
    ].merging(configuring) { layout, _ in layout }

    /// Of the kinds that say what is allowed, reachable or available, and not what runs.
    private static let configuring: [GroupKind: Layout] = [
        PersistentVolume.kind.groupKind: persistentVolume,
        PersistentVolumeClaim.kind.groupKind: persistentVolumeClaim,
        ServiceAccount.kind.groupKind: serviceAccount,
        LimitRange.kind.groupKind: creation,
        ResourceQuota.kind.groupKind: resourceQuota,
        GroupKind(group: "networking.k8s.io", kind: "Ingress"): ingress,
        GroupKind(group: "networking.k8s.io", kind: "IngressClass"): ingressClass,
        GroupKind(group: "networking.k8s.io", kind: "NetworkPolicy"): networkPolicy,
        GroupKind(group: "networking.k8s.io", kind: "IPAddress"): ipAddress,
        GroupKind(group: "networking.k8s.io", kind: "ServiceCIDR"): serviceCIDR,
        GroupKind(group: "rbac.authorization.k8s.io", kind: "Role"): creation,
        GroupKind(group: "rbac.authorization.k8s.io", kind: "ClusterRole"): creation,
        GroupKind(group: "rbac.authorization.k8s.io", kind: "RoleBinding"): roleBinding,
        GroupKind(group: "rbac.authorization.k8s.io", kind: "ClusterRoleBinding"): roleBinding,
        GroupKind(group: "node.k8s.io", kind: "RuntimeClass"): runtimeClass,
        GroupKind(group: "flowcontrol.apiserver.k8s.io", kind: "FlowSchema"): flowSchema,
        GroupKind(group: "flowcontrol.apiserver.k8s.io", kind: "PriorityLevelConfiguration"): priorityLevel,
        GroupKind(group: "certificates.k8s.io", kind: "CertificateSigningRequest"): certificateRequest,
        GroupKind(group: "scheduling.k8s.io", kind: "PriorityClass"): priorityClass,
        GroupKind(group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicy"): validatingPolicy,
        GroupKind(group: "admissionregistration.k8s.io", kind: "ValidatingAdmissionPolicyBinding"): policyBinding,
        GroupKind(group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicy"): mutatingPolicy,
        GroupKind(group: "admissionregistration.k8s.io", kind: "MutatingAdmissionPolicyBinding"): policyBinding,
        GroupKind(group: "admissionregistration.k8s.io", kind: "MutatingWebhookConfiguration"): webhooks,
        GroupKind(group: "admissionregistration.k8s.io", kind: "ValidatingWebhookConfiguration"): webhooks,
        GroupKind(group: "storage.k8s.io", kind: "StorageClass"): storageClass,
        GroupKind(group: "storage.k8s.io", kind: "VolumeAttributesClass"): volumeAttributesClass,
        GroupKind(group: "storage.k8s.io", kind: "VolumeAttachment"): volumeAttachment,
        GroupKind(group: "storage.k8s.io", kind: "CSIDriver"): csiDriver,
        GroupKind(group: "storage.k8s.io", kind: "CSINode"): csiNode,
        GroupKind(group: "storage.k8s.io", kind: "CSIStorageCapacity"): csiStorageCapacity,
        GroupKind(group: "apiextensions.k8s.io", kind: "CustomResourceDefinition"): creation,
        GroupKind(group: "apiregistration.k8s.io", kind: "APIService"): apiService,
    ]

    private static func layout(of kind: GroupKind) -> Layout { layouts[kind] ?? creation }

    /// Of kinds of which nothing else is known.
    static let plain = Layout([name, age]) { [.string($0.metadata.name), ageCell($0.metadata, $1)] }

    static let name = Table.Column(
        "Name", format: "name", description: "The object's name, unique among its kind in its namespace.")
    static let age = Table.Column("Age", description: "How long ago the object was created.")

    static func ageCell(_ metadata: ObjectMeta, _ now: Timestamp) -> JSON {
        .string(Timestamp.age(of: metadata.creationTimestamp, at: now))
    }

    static func orNone(_ text: String?) -> JSON {
        guard let text, !text.isEmpty else { return "<none>" }
        return .string(text)
    }

    /// `a=1,b=2`, or `<none>`.
    static func labels(_ labels: [String: String]) -> JSON {
        orNone(labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ","))
    }

    /// The first three, and how many more there are; `none` when there are none at all.
    static func firstThree(_ items: [String], none: String) -> JSON {
        if items.isEmpty { return .string(none) }
        let shown = items.prefix(3).joined(separator: ",")
        return .string(items.count > 3 ? "\(shown) + \(items.count - 3) more..." : shown)
    }
}
