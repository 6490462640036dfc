import Model

extension TablePrinter {
    private static let volumeMode = Table.Column(
        "VolumeMode", description: "A file system, or a block device.", priority: 1)

    static let persistentVolume = Layout(
        PersistentVolume.self,
        [
            name, Table.Column("Capacity", description: "How much the volume holds."),
            Table.Column("Access Modes", description: "How the volume may be mounted."),
            Table.Column("Reclaim Policy", description: "What becomes of the volume when it is released."),
            Table.Column("Status", description: "Whether the volume is free, bound or released."),
            Table.Column("Claim", description: "The claim that the volume is bound to."),
            Table.Column("StorageClass", description: "The class that the volume belongs to."),
            Table.Column("VolumeAttributesClass", description: "The class of the volume's attributes."),
            Table.Column("Reason", description: "Why the volume is in its state."), age, volumeMode,
        ]
    ) { volume, now in
        let spec = volume.json["spec"] ?? [:]
        let status = volume.json["status"] ?? [:]
        let claim = spec["claimRef"].map { "\($0.textMember("namespace"))/\($0.textMember("name"))" }
        return [
            .string(volume.metadata.name), amount(spec["capacity"]?["storage"]),
            accessModes(spec.textMembers("accessModes")), .string(spec.textMember("persistentVolumeReclaimPolicy")),
            phase(volume.metadata, status), .string(claim ?? ""), storageClass(volume.metadata, spec),
            orUnset(spec["volumeAttributesClassName"]), .string(status.textMember("reason")),
            ageCell(volume.metadata, now), orUnset(spec["volumeMode"]),
        ]
    }

    static let persistentVolumeClaim = Layout(
        PersistentVolumeClaim.self,
        [
            name, Table.Column("Status", description: "Whether the claim has found its volume."),
            Table.Column("Volume", description: "The volume that the claim is bound to."),
            Table.Column("Capacity", description: "How much that volume holds."),
            Table.Column("Access Modes", description: "How that volume may be mounted."),
            Table.Column("StorageClass", description: "The class that the volume is to belong to."),
            Table.Column("VolumeAttributesClass", description: "The class of the volume's attributes."), age,
            volumeMode,
        ]
    ) { claim, now in
        let spec = claim.json["spec"] ?? [:]
        let status = claim.json["status"] ?? [:]
        let volume = spec.textMember("volumeName")
        let isBound = !volume.isEmpty
        return [
            .string(claim.metadata.name), phase(claim.metadata, status), .string(volume),
            isBound ? amount(status["capacity"]?["storage"]) : "",
            isBound ? accessModes(status.textMembers("accessModes")) : "", storageClass(claim.metadata, spec),
            orUnset(spec["volumeAttributesClassName"]), ageCell(claim.metadata, now), orUnset(spec["volumeMode"]),
        ]
    }

    private static func phase(_ metadata: ObjectMeta, _ status: JSON) -> JSON {
        .string(metadata.isBeingDeleted ? "Terminating" : status.textMember("phase"))
    }

    private static func amount(_ quantity: JSON?) -> JSON {
        .string(quantity.flatMap(Quantity.init(json:))?.description ?? "0")
    }

    /// An older annotation wins over the field.
    private static func storageClass(_ metadata: ObjectMeta, _ spec: JSON) -> JSON {
        let annotation = metadata.json["annotations"]?["volume.beta.kubernetes.io/storage-class"]?.string
        return .string(annotation ?? spec.textMember("storageClassName"))
    }

    private static func accessModes(_ modes: [String]) -> JSON {
        let short = [
            ("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP"),
        ]
        return .string(short.filter { modes.contains($0.0) }.map(\.1).joined(separator: ","))
    }

    private static func orUnset(_ text: JSON?) -> JSON { text ?? "<unset>" }

    private static func truth(_ value: JSON?) -> JSON { .bool(value?.bool ?? false) }

    static let storageClass = Layout([
        name, Table.Column("Provisioner", description: "Who makes the volumes."),
        Table.Column("ReclaimPolicy", description: "What becomes of volumes that are released."),
        Table.Column("VolumeBindingMode", description: "When volumes are made."),
        Table.Column("AllowVolumeExpansion", .boolean, description: "Whether volumes may grow."), age,
    ]) { object, now in
        let json = object.json
        let reclaim = json.textMember("reclaimPolicy")
        let binding = json.textMember("volumeBindingMode")
        let marks = [
            "storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class",
        ]
        return [
            markedName(object, defaultMarks: marks), .string(json.textMember("provisioner")),
            .string(reclaim.isEmpty ? "Delete" : reclaim), .string(binding.isEmpty ? "Immediate" : binding),
            truth(json["allowVolumeExpansion"]), ageCell(object.metadata, now),
        ]
    }

    /// `name (default)` where an annotation says so.
    static func markedName(_ object: Object, defaultMarks: [String]) -> JSON {
        let annotations = object.metadata.json["annotations"]
        let isDefault = defaultMarks.contains { annotations?[$0] == "true" }
        return .string(isDefault ? "\(object.metadata.name) (default)" : object.metadata.name)
    }

    static let volumeAttributesClass = Layout([
        name, Table.Column("DriverName", description: "The driver that the class is for."), age,
    ]) { object, now in
        [
            .string(object.metadata.name), .string(object.json.textMember("driverName")),
            ageCell(object.metadata, now),
        ]
    }

    static let volumeAttachment = Layout([
        name, Table.Column("Attacher", description: "The driver that attaches the volume."),
        Table.Column("PV", description: "The volume."), Table.Column("Node", description: "The node."),
        Table.Column("Attached", .boolean, description: "Whether it is attached."), age,
    ]) { object, now in
        let spec = object.json["spec"] ?? [:]
        return [
            .string(object.metadata.name), .string(spec.textMember("attacher")),
            .string(spec["source"]?.textMember("persistentVolumeName") ?? ""), .string(spec.textMember("nodeName")),
            truth(object.json["status"]?["attached"]), ageCell(object.metadata, now),
        ]
    }

    static let csiDriver = Layout([
        name, Table.Column("AttachRequired", .boolean, description: "Whether volumes are attached to nodes."),
        Table.Column("PodInfoOnMount", .boolean, description: "Whether the driver is told of the pod."),
        Table.Column("StorageCapacity", .boolean, description: "Whether the driver reports what it has left."),
        Table.Column("TokenRequests", description: "For whom the driver wants tokens of the pod's account."),
        Table.Column("RequiresRepublish", .boolean, description: "Whether the driver is called again and again."),
        Table.Column("Modes", description: "Whether volumes outlive pods."), age,
    ]) { object, now in
        let spec = object.json["spec"] ?? [:]
        let audiences = spec["tokenRequests"]?.array?.map { $0.textMember("audience") }
        return [
            .string(object.metadata.name), .bool(spec["attachRequired"]?.bool ?? true), truth(spec["podInfoOnMount"]),
            truth(spec["storageCapacity"]), .string(audiences?.joined(separator: ",") ?? "<unset>"),
            truth(spec["requiresRepublish"]), orNone(spec.textMembers("volumeLifecycleModes").joined(separator: ",")),
            ageCell(object.metadata, now),
        ]
    }

    static let csiNode = Layout([
        name, Table.Column("Drivers", .integer, description: "How many drivers the node has."), age,
    ]) { object, now in
        [
            .string(object.metadata.name), .int(Int64(object.json["spec"]?.listMember("drivers").count ?? 0)),
            ageCell(object.metadata, now),
        ]
    }

    static let csiStorageCapacity = Layout([
        name, Table.Column("StorageClassName", description: "The class that the capacity is of."),
        Table.Column("Capacity", description: "How much is left."),
    ]) { object, _ in
        [
            .string(object.metadata.name), .string(object.json.textMember("storageClassName")),
            object.json["capacity"].map { amount($0) } ?? "<unset>",
        ]
    }
}
