import Kinds
import Model

extension Rule {
    /// What pods are worth (semantics-api J10, Priority): a pod that admission refuses is never made, and the rollout
    /// stands still.
    static let priorities = [
        Rule(
            "dangling-priority-class", .warning, "A pod names a PriorityClass that the repository does not have.",
            "No pod is made before the class is there. Where something else makes it, switch this rule off for the object."
        ) { subject in
            subject.workloads.compactMap { object in
                guard let pods = object.pods, let name = className(pods),
                    priority(named: name, for: object, subject) == nil
                else { return nil }
                let known = subject.objects(of: .priorityClass).map(\.name) + SystemPriorityClass.values.keys.sorted()
                let hint = Spelling.nearest(to: name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
                return Hit(object, "\(pods.path).priorityClassName", "there is no PriorityClass \(name)\(hint)")
            }
        },
        Rule(
            "priority-of-its-own", .error, "A pod gives itself a priority that is not that of its PriorityClass.",
            "No pod is made: the number is computed from `priorityClassName`. Leave `priority` out."
        ) { subject in
            subject.workloads.compactMap { object in
                guard let pods = object.pods, let asked = pods.spec["priority"]?.int else { return nil }
                let field = "\(pods.path).priority"
                if let name = className(pods) {
                    guard let value = priority(named: name, for: object, subject), value != asked else { return nil }
                    return Hit(
                        object, field, "\(asked) is not the priority of PriorityClass \(name), which is \(value)")
                }
                let byDefault = subject.objects(of: .priorityClass).filter { $0.json["globalDefault"] == true }
                guard asked != 0, !byDefault.contains(where: { $0.json["value"]?.int == asked }) else { return nil }
                return Hit(object, field, "\(asked) stands beside no priorityClassName: name a class instead")
            }
        },
    ]

    private static func className(_ pods: PodTemplate) -> String? {
        pods.spec["priorityClassName"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What a pod of a class is worth; `nil` where the repository does not say it.
    private static func priority(named name: String, for object: SubjectObject, _ subject: ValidationSubject) -> Int64?
    {
        SystemPriorityClass.values[name]
            ?? subject.object(.priorityClass, "", name, near: object).map { $0.json["value"]?.int ?? 0 }
    }
}
