import Model

extension TablePrinter {
    static let template = [
        Table.Column("Containers", description: "The names of the pods' containers.", priority: 1),
        Table.Column("Images", description: "The images of the pods' containers.", priority: 1),
        Table.Column("Selector", description: "The labels of the pods.", priority: 1),
    ]

    static func templateCells(_ template: PodTemplateSpec, _ selector: LabelSelector) -> [JSON] {
        containerCells(template) + [orNone(text(of: selector))]
    }

    /// The names and images of a template's containers.
    static func containerCells(_ template: PodTemplateSpec) -> [JSON] {
        let containers = template.spec.containers
        return [
            .string(containers.map(\.name).joined(separator: ",")),
            .string(containers.map { $0.image ?? "" }.joined(separator: ",")),
        ]
    }

    /// `app=web,tier in (a,b),!old`, sorted by key.
    static func text(of selector: LabelSelector) -> String {
        var parts = selector.matchLabels.map { (key: $0.key, text: "\($0.key)=\($0.value)") }
        for requirement in selector.matchExpressions {
            let key = requirement.key
            let values = requirement.values.sorted().joined(separator: ",")
            let text =
                switch requirement.operator {
                case "In": "\(key) in (\(values))"
                case "NotIn": "\(key) notin (\(values))"
                case "DoesNotExist": "!\(key)"
                default: key
                }
            parts.append((key, text))
        }
        return parts.sorted { ($0.key, $0.text) < ($1.key, $1.text) }.map(\.text).joined(separator: ",")
    }

    static let replicaSet = Layout(
        ReplicaSet.self,
        [
            name, Table.Column("Desired", .integer, description: "How many pods are wanted."),
            Table.Column("Current", .integer, description: "How many pods there are."),
            Table.Column("Ready", .integer, description: "How many pods are ready."), age,
        ] + template
    ) { set, now in
        [
            .string(set.metadata.name), .int(Int64(set.spec.replicas ?? 1)), .int(Int64(set.status.replicas)),
            .int(Int64(set.status.readyReplicas ?? 0)), ageCell(set.metadata, now),
        ] + templateCells(set.spec.template, set.spec.selector)
    }

    static let deployment = Layout(
        Deployment.self,
        [
            name, Table.Column("Ready", description: "How many pods are ready, of how many wanted."),
            Table.Column("Up-to-date", description: "How many pods are of the current template."),
            Table.Column("Available", description: "How many pods have been ready for long enough."), age,
        ] + template
    ) { deployment, now in
        let status = deployment.status
        return [
            .string(deployment.metadata.name),
            .string("\(status.readyReplicas ?? 0)/\(deployment.spec.replicas ?? 1)"),
            .int(Int64(status.updatedReplicas ?? 0)), .int(Int64(status.availableReplicas ?? 0)),
            ageCell(deployment.metadata, now),
        ] + templateCells(deployment.spec.template, deployment.spec.selector)
    }

    static let lease = Layout(
        Lease.self, [name, Table.Column("Holder", description: "Who holds the lease."), age]
    ) { lease, now in
        [.string(lease.metadata.name), .string(lease.spec.holderIdentity ?? ""), ageCell(lease.metadata, now)]
    }

    /// Argo CD's columns, and where the rollout of the revision stands.
    static let application = Layout(
        Application.self,
        [
            name, Table.Column("Sync Status", description: "Whether the cluster equals the repository."),
            Table.Column("Health Status", description: "Whether what was synced is healthy."),
            Table.Column("Rollout", description: "Whether the revision is judged, kept or rolled back."),
            Table.Column("Revision", description: "The commit that was synced.", priority: 10),
        ]
    ) { application, _ in
        let status = application.status
        let texts = [
            status.sync.status, status.health.status, status.rollout?.phase, status.sync.revision,
        ]
        return [.string(application.metadata.name)] + texts.map { $0.map { JSON.string($0) } ?? JSON.null }
    }
}
