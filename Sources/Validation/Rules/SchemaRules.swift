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
            "duplicate-object", .error, "An object is defined twice.",
            "Which of the two would win depends on the order of files. Remove one."
        ) { subject in
            subject.errors.filter { $0.reason == .duplicate }.map { Hit(file: $0.file, $0.mark, $0.message) }
        },
        Rule(
            "unknown-kind", .error, "Nobody knows the object's kind.",
            "It is none of Kubernetes' own, and no CustomResourceDefinition in the repository defines it. Where the "
                + "definition comes from elsewhere, switch this rule off for the object or in the configuration."
        ) { subject in
            subject.objects.flatMap { object in
                guard RemovedVersion(of: object.kind) == nil else { return [Hit]() }
                return object.faults.compactMap { fault in
                    fault.reason == .unknownKind ? Hit(object, "apiVersion", fault.message) : nil
                }
            }
        },
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
}
