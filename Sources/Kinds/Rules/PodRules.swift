import Model

/// Pods: semantics-api C13, C14, C17, C26, F; semantics-workloads H1, I15.
struct PodRules: KindRules {
    var generation: GenerationRule { .spec }

    var fillsSpecAlone: Bool { true }

    func fillDefaults(_ object: inout JSON) {
        object.change("spec") { spec in
            PodDefaults.fill(&spec)
            spec.setDefault("enableServiceLinks", true)
            for list in ["containers", "initContainers"] {
                spec.changeEach(list) { PodDefaults.fillRequests(&$0) }
            }
            guard spec["hostNetwork"]?.bool == true else { return }
            for list in ["containers", "initContainers"] {
                spec.changeEach(list) { container in
                    container.changeEach("ports") { port in
                        if port["hostPort"]?.int ?? 0 == 0 { port["hostPort"] = port["containerPort"] }
                    }
                }
            }
        }
    }

    func prepareForCreate(_ object: inout JSON) {
        let spec = PodSpec(viewing: object["spec"] ?? [:])
        var status = PodStatus()
        status.phase = "Pending"
        if !spec.schedulingGates.isEmpty {
            var condition = PodCondition()
            condition.type = "PodScheduled"
            condition.status = "False"
            condition.reason = "SchedulingGated"
            condition.message = "Scheduling is blocked due to non-empty scheduling gates"
            status.conditions = [condition]
        }
        status.qosClass = spec.qosClass
        object["status"] = status.json
    }

    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?) {
        if subresource == nil {
            // Set when the pod was created (semantics-workloads K13): a client need not know them.
            object.change("spec") { spec in
                for name in ["priority", "preemptionPolicy"] where spec[name] == nil { spec[name] = old["spec"]?[name] }
            }
        }
        guard subresource == "status" else { return }
        // C13: who owns the pod and whether it goes is not for status updates to say.
        for name in ["ownerReferences", "deletionTimestamp", "deletionGracePeriodSeconds"] {
            object["metadata"]?[name] = old["metadata"]?[name]
        }
        if object["status"]?["qosClass"] == nil, let previous = old["status"]?["qosClass"] {
            object["status"]?["qosClass"] = previous
        }
    }

    func validate(_ object: JSON, _ errors: inout FieldErrors) {
        errors.checkPodSpec(PodSpec(viewing: object["spec"] ?? [:]), FieldPath("spec"))
    }

    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {
        let spec = PodSpec(viewing: object["spec"] ?? [:])
        if !spec.ephemeralContainers.isEmpty {
            errors.forbidden(FieldPath("spec", "ephemeralContainers"), "cannot be set on create")
        }
        if !spec.nodeName.isEmpty, !spec.schedulingGates.isEmpty {
            errors.forbidden(
                FieldPath("spec", "nodeName"), "cannot be set until all schedulingGates have been cleared")
        }
    }

    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let spec = PodSpec(viewing: object["spec"] ?? [:])
        let previous = PodSpec(viewing: old["spec"] ?? [:])
        if spec.json == previous.json { return }
        errors.checkPodUpdate(spec, from: previous)
    }

    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {
        let status = PodStatus(viewing: object["status"] ?? [:])
        let previous = PodStatus(viewing: old["status"] ?? [:])
        if let qosClass = previous.qosClass, status.qosClass != qosClass {
            errors.immutable(FieldPath("status", "qosClass"), status.json["qosClass"], .string(qosClass))
        }
        let policy = old["spec"]?["restartPolicy"]?.string
        if policy == "Always" { return }
        for (index, container) in previous.containerStatuses.enumerated() {
            guard let terminated = container.state.terminated else { continue }
            if terminated.exitCode != 0, policy == "OnFailure" { continue }
            let successor = status.containerStatuses.first { $0.name == container.name }
            if let successor, successor.state.terminated == nil {
                let path = FieldPath("status", "containerStatuses")[index]["state"]
                errors.forbidden(path, "may not be transitioned to non-terminated state")
            }
        }
    }
}

extension FieldErrors {
    private static let changeablePodFields = [
        "`spec.containers[*].image`", "`spec.initContainers[*].image`", "`spec.activeDeadlineSeconds`",
        "`spec.tolerations` (only additions to existing tolerations)",
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
    ]

    /// C26: the few fields of a pod that an update may change.
    mutating func checkPodUpdate(_ spec: PodSpec, from old: PodSpec) {
        let path = FieldPath("spec")
        for (list, count, previous) in [
            ("containers", spec.containers.count, old.containers.count),
            ("initContainers", spec.initContainers.count, old.initContainers.count),
        ] where count != previous {
            forbidden(path[list], "pod updates may not add or remove containers")
            return
        }
        checkDeadlineUpdate(spec, from: old, path["activeDeadlineSeconds"])
        for toleration in old.tolerations where !spec.tolerations.contains(where: { toleration.isKept(as: $0) }) {
            let rule = "existing toleration can not be modified except its tolerationSeconds"
            forbidden(path["tolerations"], rule)
            break
        }
        let gates = Set(old.schedulingGates.map(\.name))
        for (index, gate) in spec.schedulingGates.enumerated() where !gates.contains(gate.name) {
            let rule = "only deletion is allowed, but found new scheduling gate '\(gate.name)'"
            forbidden(path["schedulingGates"][index]["name"], rule)
        }
        let merged = mergingImmutable(spec, old)
        let changed = changedMembers(of: merged, from: old.json)
        if !changed.isEmpty {
            let fields = Self.changeablePodFields.joined(separator: ",")
            let names = changed.map { "`spec.\($0)`" }.joined(separator: ", ")
            forbidden(path, "pod updates may not change fields other than \(fields)\nchanged: \(names)")
        }
    }

    private mutating func checkDeadlineUpdate(_ spec: PodSpec, from old: PodSpec, _ path: FieldPath) {
        switch (spec.activeDeadlineSeconds, old.activeDeadlineSeconds) {
        case (let new?, let previous?) where new > previous:
            invalid(path, .int(Int64(new)), "must be less than or equal to previous value")
        case (nil, _?): invalid(path, .null, "must not update from a positive integer to nil value")
        default: break
        }
    }

    /// The new spec with everything that may change set back to what it was.
    private func mergingImmutable(_ spec: PodSpec, _ old: PodSpec) -> JSON {
        var merged = spec.json
        for list in ["containers", "initContainers"] {
            guard case .array(var containers)? = merged[list], let previous = old.json[list]?.array else { continue }
            for (index, container) in previous.enumerated() { containers[index]["image"] = container["image"] }
            merged[list] = .array(containers)
        }
        for name in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] { merged[name] = old.json[name] }
        if spec.terminationGracePeriodSeconds == 1, let grace = old.terminationGracePeriodSeconds, grace < 0 {
            merged["terminationGracePeriodSeconds"] = .int(Int64(grace))
        }
        if !old.schedulingGates.isEmpty {
            // While a pod is gated its placement may be tightened.
            let added = spec.nodeSelector.merging(old.nodeSelector) { _, previous in previous }
            if added == spec.nodeSelector { merged["nodeSelector"] = old.json["nodeSelector"] }
        }
        return merged
    }

    private func changedMembers(of new: JSON, from old: JSON) -> [String] {
        let names = Set((new.object ?? JSONObject()).keys).union((old.object ?? JSONObject()).keys)
        return names.filter { new[$0] != old[$0] }.sorted()
    }
}

extension Toleration {
    fileprivate func isKept(as other: Toleration) -> Bool {
        key == other.key && self.operator == other.operator && value == other.value && effect == other.effect
    }
}

extension PodSpec {
    /// `Guaranteed`, `Burstable` or `BestEffort` (I15), from the requests and limits of all containers.
    package var qosClass: String {
        var isBestEffort = true
        var isGuaranteed = true
        for container in containers + initContainers {
            let requests = container.resources.requests
            let limits = container.resources.limits
            for name in ["cpu", "memory"] {
                let limit = limits[name] ?? .zero
                let request = requests[name] ?? limit
                if limit > .zero || request > .zero { isBestEffort = false }
                if limit <= .zero || request != limit { isGuaranteed = false }
            }
        }
        return isBestEffort ? "BestEffort" : isGuaranteed ? "Guaranteed" : "Burstable"
    }
}
