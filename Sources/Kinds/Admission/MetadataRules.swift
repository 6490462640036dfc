package import Model

extension FieldErrors {
    private static let metadataPath = FieldPath("metadata")

    /// The metadata of a new object (C24-C26).
    mutating func checkMetadata(_ metadata: ObjectMeta, of type: ResourceType, names: NameRule) {
        let path = Self.metadataPath
        if metadata.name.isEmpty {
            required(path["name"], "name or generateName is required")
        } else {
            invalid(path["name"], metadata.name, names.faults(metadata.name))
        }
        if !metadata.generateName.isEmpty {
            invalid(path["generateName"], metadata.generateName, names.faults(metadata.generateName, isPrefix: true))
        }
        if !type.isNamespaced {
            if !metadata.namespace.isEmpty { forbidden(path["namespace"], "not allowed on this type") }
        } else if metadata.namespace.isEmpty {
            required(path["namespace"])
        } else {
            invalid(path["namespace"], metadata.namespace, NameSyntax.label(metadata.namespace))
        }
        if let generation = metadata.generation, generation < 0 {
            invalid(path["generation"], .int(Int64(generation)), "must be greater than or equal to 0")
        }
        checkSharedMetadata(metadata)
    }

    /// What an update may not change in metadata (C11).
    mutating func checkMetadataUpdate(_ metadata: ObjectMeta, from old: ObjectMeta) {
        let path = Self.metadataPath
        if old.deletionTimestamp != nil {
            let added = Set(metadata.finalizers).subtracting(old.finalizers).sortedByBytes().map { "\"\($0)\"" }
            if !added.isEmpty {
                let list = "[]string{\(added.joined(separator: ", "))}"
                let rule = "no new finalizers can be added if the object is being deleted, found new finalizers \(list)"
                forbidden(path["finalizers"], rule)
            }
        }
        for name in Self.immutableMetadata {
            let new = metadata.json[name]
            let previous = old.json[name]
            if new != previous, !(new == "" && previous == nil) { immutable(path[name], new, previous) }
        }
        checkSharedMetadata(metadata, knowing: old)
    }

    private static let immutableMetadata = [
        "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    ]

    /// - Parameter old: the metadata before: what is one in memory with that was judged when it came.
    private mutating func checkSharedMetadata(_ metadata: ObjectMeta, knowing old: ObjectMeta? = nil) {
        let path = Self.metadataPath
        let isNew = { (name: String) in
            guard let value = metadata.json[name] else { return false }
            return old?.json[name]?.isShared(with: value) != true
        }
        if isNew("labels") { checkLabels(metadata.json["labels"], path["labels"]) }
        if isNew("annotations") { checkAnnotations(metadata.json["annotations"], path["annotations"]) }
        if isNew("ownerReferences") { checkOwners(metadata, path["ownerReferences"]) }
        if isNew("finalizers") { checkFinalizers(metadata.finalizers, path["finalizers"]) }
    }

    /// Keys and values of labels, and of selectors by labels (C25).
    mutating func checkLabels(_ labels: JSON?, _ path: FieldPath) {
        for label in labels?.object ?? JSONObject() {
            invalid(path, label.key, NameSyntax.qualifiedName(label.key))
            if let value = label.value.string { invalid(path, value, NameSyntax.labelValue(value)) }
        }
    }

    /// Keys of annotations, and their size: 256 KiB in all (C25).
    mutating func checkAnnotations(_ annotations: JSON?, _ path: FieldPath) {
        var size = 0
        for annotation in annotations?.object ?? JSONObject() {
            let faults = NameSyntax.qualifiedName(annotation.key)
            // Their case does not matter; only what is malformed as written is looked at again.
            if !faults.isEmpty { invalid(path, annotation.key, NameSyntax.qualifiedName(annotation.key.lowercased())) }
            size += annotation.key.utf8.count + (annotation.value.string?.utf8.count ?? 0)
        }
        if size > 262_144 { tooLong(path, limit: 262_144) }
    }

    /// C26: every owner is fully named, and at most one controls.
    private mutating func checkOwners(_ metadata: ObjectMeta, _ path: FieldPath) {
        var controller: String?
        for owner in metadata.ownerReferences {
            if owner.apiVersion.isEmpty { invalid(path["apiVersion"], "", "version must not be empty") }
            if owner.kind.isEmpty { invalid(path["kind"], "", "must not be empty") }
            if owner.name.isEmpty { invalid(path["name"], "", "must not be empty") }
            if owner.uid.isEmpty { invalid(path["uid"], "", "must not be empty") }
            if owner.apiVersion == "v1", owner.kind == "Event" {
                invalid(path, owner.json, "/v1, Kind=Event is disallowed from being an owner")
            }
            guard owner.controller == true else { continue }
            let name = "\(owner.kind)/\(owner.name)"
            if let first = controller {
                let rule = "Only one reference can have Controller set to true. Found \"true\" in references for"
                invalid(path, metadata.json["ownerReferences"], "\(rule) \(first) and \(name)")
            } else {
                controller = name
            }
        }
    }

    private static let standardFinalizers: Set<String> = ["kubernetes", "orphan", "foregroundDeletion"]

    /// The finalizers of a new object of a built-in kind say whose they are.
    mutating func checkFinalizerNames(_ metadata: ObjectMeta) {
        for (index, name) in metadata.finalizers.enumerated()
        where !name.utf8.contains(UInt8(ascii: "/")) && !Self.standardFinalizers.contains(name) {
            let rule = "name is neither a standard finalizer name nor is it fully qualified"
            invalid(Self.metadataPath["finalizers"][index], .string(name), rule)
        }
    }

    private mutating func checkFinalizers(_ finalizers: [String], _ path: FieldPath) {
        for finalizer in finalizers { invalid(path, finalizer, NameSyntax.qualifiedName(finalizer)) }
        if finalizers.contains("orphan"), finalizers.contains("foregroundDeletion") {
            let list = JSON.array(finalizers.map(JSON.string))
            invalid(path, list, "finalizer orphan and foregroundDeletion cannot be both set")
        }
    }

    /// A label selector. Its operators are the schema's to check.
    mutating func checkSelector(_ selector: LabelSelector?, _ path: FieldPath) {
        guard let selector else { return }
        checkLabels(selector.json["matchLabels"], path["matchLabels"])
        for (index, requirement) in selector.matchExpressions.enumerated() {
            let path = path["matchExpressions"][index]
            let takesValues = requirement.operator == "In" || requirement.operator == "NotIn"
            if takesValues, requirement.values.isEmpty {
                required(path["values"], "must be specified when `operator` is 'In' or 'NotIn'")
            } else if ["Exists", "DoesNotExist"].contains(requirement.operator), !requirement.values.isEmpty {
                forbidden(path["values"], "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
            }
            if !requirement.key.isEmpty {
                invalid(path["key"], requirement.key, NameSyntax.qualifiedName(requirement.key))
            }
            for (position, value) in requirement.values.enumerated() {
                invalid(path["values"][position], value, NameSyntax.labelValue(value))
            }
        }
    }
}

extension LabelSelector {
    /// Whether it selects everything.
    var isEmpty: Bool { matchLabels.isEmpty && matchExpressions.isEmpty }

    /// The selector that it stands for.
    package var selector: Selector { Selector(matching: self) }
}
