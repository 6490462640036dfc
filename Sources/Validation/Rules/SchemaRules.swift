import Kinds
import Model
import Rendering

extension Rule {
    /// What can be read, and what kinds say of their objects.
    static let schema = [
        Rule(
            "unreadable", .error, "A file or directory cannot be read as manifests.",
            "Nothing of a faulty file is applied, and a revision with one is not synced at all. The message says what is "
                + "wrong and where."
        ) { subject in
            subject.errors.filter { $0.reason == .other }.map { Hit(file: $0.file, $0.mark, $0.message) }
        },
        Rule(
            "no-manifest", .note, "A YAML or JSON file holds something else than manifests.",
            "Where an Application follows its folder, nothing is synced. Exclude it there, or move it; here it can be "
                + "listed under `ignore`. Files in hidden folders are passed over."
        ) { subject in
            subject.errors.filter { $0.reason == .noManifest }.map { Hit(file: $0.file, $0.mark, $0.message) }
        },
        Rule(
            "not-rendered", .note, "A directory is for a tool that Martlet does not render by.",
            "Its manifests are not judged. Render them elsewhere and validate the result, or list it under `ignore`."
        ) { subject in
            subject.errors.filter { $0.reason == .notRendered }.map { Hit(file: $0.file, $0.mark, $0.message) }
        },
        Rule(
            "duplicate-object", .error, "An object is defined twice in one folder.",
            "Which of the two would win depends on the order of files. Remove one. The same object in several folders is "
                + "taken for one in several environments."
        ) { subject in
            subject.duplicates.map { first, second in
                let place = "\(first.source.file):\(first.source.mark)"
                return Hit(second, "", "it is already defined at \(place): remove one of the two")
            }
        },
        Rule(
            "unknown-kind", .error, "Kubernetes has no such kind in this version.",
            "No cluster takes the object. Mostly apiVersion or kind is misspelt."
        ) { subject in unknownKinds(subject) { isKubernetes($0.group) } },
        Rule(
            "undefined-kind", .warning, "Nothing in the repository defines the object's kind.",
            "It cannot be judged. Add its CustomResourceDefinition to the repository; where that comes from elsewhere, "
                + "switch this rule off for the object or in the configuration."
        ) { subject in unknownKinds(subject) { !isKubernetes($0.group) } },
        Rule(
            "unknown-field", .error, "A field does not exist in the kind.",
            "Kubernetes drops it: whatever it should do does not happen. Mostly a name is misspelt or stands at the wrong "
                + "depth."
        ) { subject in
            subject.objects.flatMap { object in
                object.faults.compactMap { fault -> Hit? in
                    guard case .unknownField(let suggestion) = fault.reason else { return nil }
                    let fix = suggestion.map { Fix.renameKey(field: fault.field, to: $0) }
                    return Hit(object, fault.field, fault.message, fix: fix)
                }
            }
        },
        Rule(
            "invalid-value", .error, "A value is of a wrong type or not allowed.",
            "The API server refuses the object. Types, formats, quantities, names, selectors that do not match their "
                + "template, and all that Kubernetes and the repository's own definitions require are judged."
        ) { subject in
            subject.objects.flatMap { object in
                object.faults.compactMap { fault in
                    fault.reason == .value ? Hit(object, fault.field, fault.message) : nil
                }
            }
        },
    ]

    private static func unknownKinds(
        _ subject: ValidationSubject, where isMeant: (GroupVersionKind) -> Bool
    ) -> [Hit] {
        subject.objects.flatMap { object -> [Hit] in
            let kind = object.kind
            guard isMeant(kind), !unjudgedGroups.contains(kind.group), RemovedVersion(of: kind) == nil else {
                return []
            }
            return object.faults.compactMap { fault in
                fault.reason == .unknownKind ? Hit(object, "apiVersion", fault.message) : nil
            }
        }
    }

    /// Whether a group is Kubernetes' own; all others belong to whoever has their domain.
    private static func isKubernetes(_ group: String) -> Bool { !group.contains(".") || group.hasSuffix(".k8s.io") }

    /// Groups of Kubernetes about whose kinds Martlet knows nothing.
    private static let unjudgedGroups: Set<String> = [
        "admissionregistration.k8s.io", "apiregistration.k8s.io", "certificates.k8s.io",
        "flowcontrol.apiserver.k8s.io", "gateway.networking.k8s.io", "internal.apiserver.k8s.io", "metrics.k8s.io",
        "resource.k8s.io", "snapshot.storage.k8s.io", "storagemigration.k8s.io",
    ]
}
