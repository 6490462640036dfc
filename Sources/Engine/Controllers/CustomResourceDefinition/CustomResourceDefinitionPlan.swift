package import Kinds
package import Model

/// What a CustomResourceDefinition's status should say, decided from all definitions (semantics-api I6, I7).
package enum CustomResourceDefinitionPlan {
    /// How far the objects of a definition that is being deleted are.
    package enum Instances: Hashable, Sendable {
        /// It is not being deleted: nobody counts them.
        case untouched
        case remaining(Int)
        case gone
    }

    /// The status that the definition should have; `nil` when it says so already.
    ///
    /// - Parameters:
    ///   - others: all definitions; those of other groups and itself do not matter.
    ///   - builtIn: the kinds that are served without any definition, whose names are taken.
    package static func status(
        of definition: CustomResourceDefinition, among others: [CustomResourceDefinition], builtIn: [ResourceType],
        instances: Instances, now: Timestamp
    ) -> JSON? {
        let present = definition.json["status"] ?? [:]
        var status = present
        let taken = NamesInUse(group: definition.group, except: definition.name, others, builtIn)
        let (names, conflict) = taken.accepted(definition)
        status["acceptedNames"] = names
        var conditions = Conditions(present["conditions"]?.array ?? [], now: now)
        if let conflict {
            conditions.set("NamesAccepted", false, conflict.reason, conflict.message)
        } else {
            conditions.set("NamesAccepted", true, "NoConflicts", "no conflicts found")
        }
        if definition.needsWebhook {
            conditions.set(
                "Established", false, "ConversionNotSupported", CustomResourceDefinition.webhookRefusal)
        } else if !definition.isTrue("Established") {
            if conflict == nil {
                let message = "the initial names have been accepted"
                conditions.set("Established", true, "InitialNamesAccepted", message)
            } else {
                conditions.set("Established", false, "NotAccepted", "not all names are accepted")
            }
        }
        if let approval = Approval(definition) {
            conditions.set(
                "KubernetesAPIApprovalPolicyConformant", approval.isGiven, approval.reason, approval.message)
        }
        switch instances {
        case .untouched: break
        case .remaining:
            let message = "CustomResource deletion is in progress"
            conditions.set("Terminating", true, "InstanceDeletionInProgress", message)
        case .gone: conditions.set("Terminating", false, "InstanceDeletionCompleted", "removed all instances")
        }
        status["conditions"] = .array(conditions.all)
        return status == present ? nil : status
    }

    /// The definition without the finalizer that held it until its objects were gone.
    package static func finalized(_ definition: JSON) -> JSON {
        var definition = definition
        let finalizers = definition[path: ["metadata", "finalizers"]]?.array ?? []
        definition[path: ["metadata", "finalizers"]] = .array(
            finalizers.filter { $0 != .string(CustomResourceDefinition.finalizer) })
        return definition
    }
}

/// The names that are taken in a group.
private struct NamesInUse {
    struct Conflict {
        var reason: String
        var message: String
    }

    private var resources: Set<String> = []
    private var kinds: Set<String> = []

    init(
        group: String, except name: String, _ definitions: [CustomResourceDefinition], _ builtIn: [ResourceType]
    ) {
        for definition in definitions where definition.group == group && definition.name != name {
            let names = definition.acceptedNames
            let texts = { (key: String) in (names[key]?.array ?? []).compactMap(\.string) }
            for key in ["plural", "singular"] { names[key]?.string.map { _ = resources.insert($0) } }
            resources.formUnion(texts("shortNames"))
            for key in ["kind", "listKind"] { names[key]?.string.map { _ = kinds.insert($0) } }
        }
        for type in builtIn where type.kind.group == group {
            resources.formUnion([type.plural, type.singular] + type.shortNames)
            kinds.formUnion([type.kind.kind, type.kind.kind + "List"])
        }
    }

    /// As many of the wanted names as are free, beside those that the definition has, and the last conflict.
    func accepted(_ definition: CustomResourceDefinition) -> (JSON, Conflict?) {
        let wanted = definition.names
        var names = definition.acceptedNames
        var conflict: Conflict?
        func take(_ key: String, _ reason: String, _ used: Set<String>) {
            let name = wanted[key]?.string ?? ""
            if name != names[key]?.string ?? "", used.contains(name) {
                conflict = Conflict(reason: reason, message: Self.inUse(name))
            } else {
                names[key] = wanted[key]
            }
        }
        take("plural", "PluralConflict", resources)
        take("singular", "SingularConflict", resources)
        let own = Set(names["shortNames"]?.array ?? [])
        let short = (wanted["shortNames"]?.array ?? []).filter { !own.contains($0) }.compactMap(\.string)
        let lost = short.filter(resources.contains)
        if lost.isEmpty {
            names["shortNames"] = wanted["shortNames"]
        } else {
            let messages = lost.map(Self.inUse)
            let message = messages.count == 1 ? messages[0] : "[\(messages.joined(separator: ", "))]"
            conflict = Conflict(reason: "ShortNamesConflict", message: message)
        }
        take("kind", "KindConflict", kinds)
        take("listKind", "ListKindConflict", kinds)
        names["categories"] = wanted["categories"]
        return (names, conflict)
    }

    private static func inUse(_ name: String) -> String { "\"\(name)\" is already in use" }
}

/// What Kubernetes' community thinks of a definition in one of its own groups, by the definition's own word (I1).
private struct Approval {
    var isGiven: Bool
    var reason: String
    var message: String

    /// `nil` for groups that anybody may use.
    init?(_ definition: CustomResourceDefinition) {
        let group = ".\(definition.group)"
        guard group.hasSuffix(".k8s.io") || group.hasSuffix(".kubernetes.io") else { return nil }
        let key = "api-approved.kubernetes.io"
        let text = definition.json[path: ["metadata", "annotations", key]]?.string ?? ""
        isGiven = !text.isEmpty && !text.hasPrefix("unapproved")
        let rule = "protected groups must have approval annotation \"\(key)\""
        let place = "see https://github.com/kubernetes/enhancements/pull/1111"
        switch (text.isEmpty, isGiven) {
        case (true, _): (reason, message) = ("MissingAnnotation", "\(rule), \(place)")
        case (_, true): (reason, message) = ("ApprovedAnnotation", "approved in \(text)")
        case (_, false): (reason, message) = ("UnapprovedAnnotation", "not approved: \"\(text)\"")
        }
    }
}

/// Conditions by their type; one whose status stays keeps the time of its last change.
private struct Conditions {
    private(set) var all: [JSON]
    private let now: Timestamp

    init(_ all: [JSON], now: Timestamp) {
        self.all = all
        self.now = now
    }

    mutating func set(_ type: String, _ isTrue: Bool, _ reason: String, _ message: String) {
        let status: JSON = isTrue ? "True" : "False"
        let position = all.firstIndex { $0["type"] == .string(type) }
        let isSame = position.map { all[$0]["status"] == status } ?? false
        let since = isSame ? position.flatMap { all[$0]["lastTransitionTime"] } : nil
        let condition: JSON = [
            "type": .string(type), "status": status, "lastTransitionTime": since ?? now.json,
            "reason": .string(reason), "message": .string(message),
        ]
        guard let position else {
            all.append(condition)
            return
        }
        var kept = all[position]
        for member in condition.object ?? JSONObject() { kept[member.key] = member.value }
        all[position] = kept
    }
}
