import ArgumentParser
import Model

/// `-o`: how objects are printed for programs.
enum OutputFormat: String, ChoiceArgument {
    case json
    case yaml

    func text(_ value: JSON) -> String {
        switch self {
        case .json: value.text(.indented)
        case .yaml: YAML.text(value).trimmingNewline
        }
    }
}

extension JSON {
    /// The object without the record of who set which field: as kubectl prints objects.
    var withoutManagedFields: JSON {
        var copy = self
        copy[path: ["metadata", "managedFields"]] = nil
        return copy
    }
}

extension String {
    fileprivate var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
