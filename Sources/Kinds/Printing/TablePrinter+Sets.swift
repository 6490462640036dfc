import Model

extension TablePrinter {
    static let statefulSet = Layout(
        StatefulSet.self,
        [name, Table.Column("Ready", description: "How many pods are ready, of how many wanted."), age]
            + template.prefix(2)
    ) { set, now in
        [
            .string(set.metadata.name), .string("\(set.status.readyReplicas ?? 0)/\(set.spec.replicas ?? 1)"),
            ageCell(set.metadata, now),
        ] + containerCells(set.spec.template)
    }

    static let daemonSet = Layout(
        DaemonSet.self,
        [
            name, Table.Column("Desired", .integer, description: "How many nodes should run its pod."),
            Table.Column("Current", .integer, description: "How many of them run it."),
            Table.Column("Ready", .integer, description: "How many pods are ready."),
            Table.Column("Up-to-date", .integer, description: "How many pods are of the current template."),
            Table.Column("Available", .integer, description: "How many pods have been ready for long enough."),
            Table.Column("Node Selector", description: "The labels of the nodes that should run it."), age,
        ] + template
    ) { set, now in
        let status = set.status
        let counts = [
            status.desiredNumberScheduled, status.currentNumberScheduled, status.numberReady,
            status.updatedNumberScheduled ?? 0, status.numberAvailable ?? 0,
        ]
        return [.string(set.metadata.name)] + counts.map { .int(Int64($0)) }
            + [labels(set.spec.template.spec.nodeSelector), ageCell(set.metadata, now)]
            + templateCells(set.spec.template, set.spec.selector)
    }

    static let replicationController = Layout(
        ReplicationController.self,
        [
            name, Table.Column("Desired", .integer, description: "How many pods are wanted."),
            Table.Column("Current", .integer, description: "How many pods there are."),
            Table.Column("Ready", .integer, description: "How many pods are ready."), age,
        ] + template
    ) { controller, now in
        let counts = [
            controller.spec.replicas ?? 1, controller.status.replicas, controller.status.readyReplicas ?? 0,
        ]
        let spec = controller.json["spec"] ?? [:]
        let selector = LabelSelector(viewing: ["matchLabels": spec["selector"] ?? .emptyObject])
        return [.string(controller.metadata.name)] + counts.map { .int(Int64($0)) }
            + [ageCell(controller.metadata, now)]
            + templateCells(PodTemplateSpec(viewing: spec["template"] ?? [:]), selector)
    }

    static let podTemplate = Layout(
        PodTemplate.self,
        [
            name, Table.Column("Containers", description: "The names of the pods' containers."),
            Table.Column("Images", description: "The images of the pods' containers."),
            Table.Column("Pod Labels", description: "The labels of the pods."),
        ]
    ) { template, _ in
        [.string(template.metadata.name)] + containerCells(template.template)
            + [labels(template.template.metadata.labels)]
    }

    static let controllerRevision = Layout(
        ControllerRevision.self,
        [
            name, Table.Column("Controller", description: "What it is a revision of."),
            Table.Column("Revision", .integer, description: "The revision's number."), age,
        ]
    ) { revision, now in
        let owner = revision.metadata.controller.map { owner in
            let kind = GroupVersionKind(apiVersion: owner.apiVersion, kind: owner.kind)
            let group = kind.group.isEmpty ? "" : ".\(kind.group)"
            return "\(kind.kind)\(group)".lowercased() + "/\(owner.name)"
        }
        return [
            .string(revision.metadata.name), orNone(owner), .int(revision.json["revision"]?.int ?? 0),
            ageCell(revision.metadata, now),
        ]
    }

    static let podDisruptionBudget = Layout([
        name, Table.Column("Min Available", description: "How many pods must stay available."),
        Table.Column("Max Unavailable", description: "How many pods may be unavailable."),
        Table.Column("Allowed Disruptions", .integer, description: "How many pods may be evicted now."), age,
    ]) { budget, now in
        let bound = { (name: String) -> JSON in
            let value = budget.json["spec"]?[name].flatMap(IntOrString.init(json:))
            return .string(value?.description ?? "N/A")
        }
        return [
            .string(budget.metadata.name), bound("minAvailable"), bound("maxUnavailable"),
            .int(budget.json["status"]?["disruptionsAllowed"]?.int ?? 0), ageCell(budget.metadata, now),
        ]
    }
}
