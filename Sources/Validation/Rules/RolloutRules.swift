import Kinds
import Model

extension Rule {
    /// What goes wrong only when something changes.
    static let rollouts = [
        Rule(
            "no-readiness-probe", .warning,
            "A Deployment promises that no replica is missing, but has no readiness probe.",
            "With `maxUnavailable: 0` a new pod must be available before an old one goes. Without a probe it counts as "
                + "available as soon as its process runs: the promise is not kept, and a broken commit is not noticed."
        ) { subject in
            subject.objects(of: .deployment).compactMap { deployment in
                guard replicas(deployment) > 0, deployment.json[path: ["spec", "strategy", "type"]] != "Recreate",
                    isZero(deployment.json[path: ["spec", "strategy", "rollingUpdate", "maxUnavailable"]]),
                    let container = deployment.pods?.servingContainers.first(where: {
                        $0.json["readinessProbe"] == nil && !($0.json["ports"]?.array ?? []).isEmpty
                    })
                else { return nil }
                return Hit(
                    deployment, container.path,
                    "container \(container.name) has no readinessProbe, though maxUnavailable is 0")
            }
        },
        Rule(
            "budget-blocks-evictions", .warning, "A PodDisruptionBudget never lets a pod be evicted.",
            "Nodes cannot be drained. Let the budget leave at least one pod free, or run more replicas."
        ) { subject in subject.objects(of: .budget).compactMap { blockedEvictions($0, subject) } },
        Rule(
            "replicas-beside-autoscaler", .warning, "A workload fixes its replicas beside an autoscaler.",
            "Every sync takes back what the autoscaler has done. Leave `replicas` out."
        ) { subject in
            subject.objects(of: .autoscaler).compactMap { autoscaler in
                guard let target = autoscaler.json[path: ["spec", "scaleTargetRef"]],
                    let kind = target["kind"]?.string, let name = target["name"]?.string,
                    let workload = subject.object(
                        GroupVersionKind(apiVersion: target["apiVersion"]?.string ?? "", kind: kind).groupKind,
                        autoscaler.namespace, name, near: autoscaler),
                    workload.written.json[path: ["spec", "replicas"]] != nil
                else { return nil }
                return Hit(workload, "spec.replicas", "\(autoscaler.key) sets the replicas: leave the field out")
            }
        },
        Rule(
            "config-without-rollout", .warning, "A ConfigMap or Secret changed, but the pods that read it do not.",
            "Running pods keep what they read when they started, and a later restart takes the change in without a "
                + "rollout that could be taken back. Give the object a name with a hash (configMapGenerator), or an "
                + "annotation with a checksum to the pod template. Needs --against."
        ) { subject in
            (subject.objects(of: .configMap) + subject.objects(of: .secret)).compactMap { silentChange($0, subject) }
        },
    ]

    private static func replicas(_ object: SubjectObject) -> Int64 {
        object.json[path: ["spec", "replicas"]]?.int ?? 1
    }

    private static func isZero(_ value: JSON?) -> Bool { value == 0 || value == "0" || value == "0%" }

    private static func blockedEvictions(_ budget: SubjectObject, _ subject: ValidationSubject) -> Hit? {
        guard let selector = budget.json[path: ["spec", "selector"]] else { return nil }
        let selected = subject.workloads(
            matching: Selector(matching: LabelSelector(viewing: selector)), of: budget)
        let counted = selected.filter { [.deployment, .statefulSet].contains($0.key.kind) }
        if isZero(budget.json[path: ["spec", "maxUnavailable"]]) {
            return Hit(budget, "spec.maxUnavailable", "maxUnavailable 0 never lets a pod be evicted")
        }
        guard let least = budget.json[path: ["spec", "minAvailable"]], !counted.isEmpty else { return nil }
        let total = counted.reduce(0) { $0 + replicas($1) }
        let needed: Int64
        if let number = least.int {
            needed = number
        } else if let text = least.string, text.hasSuffix("%"), let share = Int64(text.dropLast()) {
            // Rounded up, as the disruption controller does.
            needed = (total * share + 99) / 100
        } else {
            return nil
        }
        guard total > 0, needed >= total else { return nil }
        let names = counted.map(\.key.description).sorted().joined(separator: ", ")
        return Hit(
            budget, "spec.minAvailable",
            "minAvailable \(least.string ?? least.text()) needs all \(total) replicas of \(names): none can be evicted")
    }

    private static func silentChange(_ object: SubjectObject, _ subject: ValidationSubject) -> Hit? {
        let members = ["data", "binaryData", "stringData"]
        guard let before = subject.earlier[object.key]?.json,
            members.contains(where: { before[$0] != object.written.json[$0] })
        else { return nil }
        let unaware = subject.workloads.filter { workload in
            guard workload.namespace == object.namespace, let pods = workload.pods,
                pods.configuration.contains(where: { $0.kind == object.key.kind && $0.name == object.name }),
                let earlier = subject.earlier[workload.key],
                let template = PodTemplate(of: workload.key.kind, subject.offline.defaulted(earlier).json)
            else { return false }
            // Annotations of the template count: they are where checksums stand.
            return template.spec == pods.spec
                && metadata(workload.json, pods.path)
                    == metadata(
                        subject.offline.defaulted(earlier).json, pods.path)
        }
        guard !unaware.isEmpty else { return nil }
        let names = unaware.map(\.key.description).sorted().joined(separator: ", ")
        return Hit(object, "data", "it changed, but the pods of \(names), which read it, do not")
    }

    private static func metadata(_ object: JSON, _ path: String) -> JSON? {
        object[path: path.split(separator: ".").dropLast().map(String.init) + ["metadata"]]
    }
}
