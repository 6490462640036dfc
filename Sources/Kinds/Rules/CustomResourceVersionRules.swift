import Model

/// The versions of a custom resource (semantics-api I1).
extension FieldErrors {
    private static let columnTypes = ["boolean", "date", "integer", "number", "string"]
    private static let columnFormats = [
        "byte", "date", "date-time", "double", "float", "int32", "int64", "password",
    ]
    private static let selectableLimit = 8

    mutating func checkVersions(_ spec: JSON, _ path: FieldPath) {
        let versions = spec.listMember("versions")
        let path = path["versions"]
        for (index, version) in versions.enumerated() where version["schema"]?["openAPIV3Schema"] == nil {
            required(path[index]["schema"]["openAPIV3Schema"], "schemas are required")
        }
        for (index, version) in versions.enumerated() {
            let path = path[index]
            let name = version.textMember("name")
            let faults = NameSyntax.label1035(name)
            if !faults.isEmpty { invalid(path["name"], .string(name), faults.joined(separator: ",")) }
            checkVersion(version, path)
        }
        let names = versions.map { $0.textMember("name") }
        if Set(names).count < names.count {
            invalid(path, spec["versions"] ?? [], "must contain unique version names")
        }
        if versions.count(where: { $0["storage"]?.bool == true }) != 1 {
            let rule = "must have exactly one version marked as storage version"
            invalid(path, spec["versions"] ?? [], rule)
        }
    }

    private mutating func checkVersion(_ version: JSON, _ path: FieldPath) {
        checkDeprecation(version, path["deprecationWarning"])
        if let schema = version["schema"]?["openAPIV3Schema"] {
            let hasStatus = version["subresources"]?["status"] != nil
            checkResourceSchema(schema, hasStatus: hasStatus, path["schema"]["openAPIV3Schema"])
        }
        if let scale = version["subresources"]?["scale"] { checkScale(scale, path["subresources"]) }
        for (index, column) in version.listMember("additionalPrinterColumns").enumerated() {
            checkColumn(column, path["additionalPrinterColumns"][index])
        }
        checkSelectableFields(version, path["selectableFields"])
    }

    private mutating func checkDeprecation(_ version: JSON, _ path: FieldPath) {
        guard let warning = version["deprecationWarning"]?.string else { return }
        if version["deprecated"]?.bool != true {
            invalid(path, .string(warning), "can only be set for deprecated versions")
            return
        }
        if warning.utf8.count > 256 { invalid(path, .string(warning), "must be <= 256 characters long") }
        if warning.isEmpty { invalid(path, "", "must not be an empty string") }
        var offset = 0
        for scalar in warning.unicodeScalars {
            // As Go sees it, no white space but the plain one can be printed.
            let isHidden: Bool =
                switch scalar.properties.generalCategory {
                case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: true
                case .spaceSeparator: scalar != " "
                default: false
                }
            if isHidden {
                let rule =
                    "must only contain printable UTF-8 characters; non-printable character found at index \(offset)"
                invalid(path, .string(warning), rule)
                return
            }
            offset += String(scalar).utf8.count
        }
    }

    private mutating func checkScale(_ scale: JSON, _ path: FieldPath) {
        for (member, roots) in [
            ("specReplicasPath", ["spec"]), ("statusReplicasPath", ["status"]),
            ("labelSelectorPath", ["spec", "status"]),
        ] {
            let text = scale.textMember(member)
            if text.isEmpty { continue }
            let place = path["scale"][member]
            if !text.hasPrefix(".") {
                invalid(place, .string(text), "must be a simple json path starting with .")
            } else if !roots.contains(where: { text.hasPrefix(".\($0).") }) {
                let list = roots.map { ".\($0)" }.joined(separator: " or ")
                let rule = "should be a json path under \(roots.count > 1 ? "either " : "")\(list)"
                invalid(place, .string(text), rule)
            }
        }
    }

    private mutating func checkColumn(_ column: JSON, _ path: FieldPath) {
        let type = column.textMember("type")
        let types = "must be one of \(Self.columnTypes.joined(separator: ","))"
        if type.isEmpty {
            required(path["type"], types)
        } else if !Self.columnTypes.contains(type) {
            invalid(path["type"], .string(type), types)
        }
        let format = column.textMember("format")
        if !format.isEmpty, !Self.columnFormats.contains(format) {
            let formats = "must be one of \(Self.columnFormats.joined(separator: ","))"
            invalid(path["format"], .string(format), formats)
        }
        let text = column.textMember("jsonPath")
        if !text.isEmpty, !text.hasPrefix(".") {
            invalid(path["JSONPath"], .string(text), "must be a simple json path starting with .")
        }
    }

    private mutating func checkSelectableFields(_ version: JSON, _ path: FieldPath) {
        var seen: Set<String> = []
        for (index, field) in version.listMember("selectableFields").enumerated() {
            let text = field.textMember("jsonPath")
            if text.isEmpty { continue }
            let place = path[index]["jsonPath"]
            let steps = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            var schema = version["schema"]?["openAPIV3Schema"]
            for step in steps.dropFirst() { schema = schema?["properties"]?[step] }
            guard steps.first == "", steps.count > 1, let schema else {
                invalid(place, .string(text), "is an invalid path: does not refer to a valid field")
                continue
            }
            if steps[1] == "metadata" { invalid(place, .string(text), "must not point to fields in metadata") }
            if !["string", "boolean", "integer"].contains(schema.textMember("type")) {
                let rule =
                    "must point to a field of type string, boolean or integer. Enum string fields and strings with "
                    + "formats are allowed."
                invalid(place, .string(text), rule)
            }
            if !seen.insert(text).inserted { duplicate(place, .string(text)) }
        }
        if seen.count > Self.selectableLimit { tooMany(path, seen.count, limit: Self.selectableLimit) }
    }
}
