import Model

extension TablePrinter {
    /// The name, and what `additionalPrinterColumns` say; without any, the age (E5).
    static func layout(_ custom: CustomResource) -> Layout {
        if custom.printerColumns.isEmpty { return plain }
        let columns = custom.printerColumns.map(CustomColumn.init)
        return Layout([name] + columns.map(\.column)) { object, now in
            [.string(object.metadata.name)] + columns.map { $0.cell(object.json, now) }
        }
    }
}

/// A column that a CustomResourceDefinition describes.
private struct CustomColumn: Sendable {
    let column: Table.Column
    /// `nil` for a path of a form that is not understood: its cells are empty.
    private let path: JSONPath?

    init(_ json: JSON) {
        var description = json.textMember("description")
        if description.isEmpty {
            description = "Custom resource definition column (in JSONPath format): \(json.textMember("jsonPath"))"
        }
        column = Table.Column(
            json.textMember("name"), Table.Column.ValueType(rawValue: json.textMember("type")) ?? .string,
            format: json.textMember("format"), description: description, priority: Int(json["priority"]?.int ?? 0))
        path = JSONPath(json.textMember("jsonPath"))
    }

    /// What the path leads to first, where that is of the column's type.
    func cell(_ object: JSON, _ now: Timestamp) -> JSON {
        guard let value = path?.values(in: object).first else { return .null }
        switch (column.type, value) {
        case (.string, .string), (.boolean, .bool), (.integer, .int), (.number, .int), (.number, .number): return value
        case (.string, .null): return .null
        case (.string, _): return .string(value.text())
        case (.integer, .number):
            return value.double.flatMap { Int64(exactly: $0.rounded(.towardZero)) }.map { .int($0) } ?? .null
        case (.date, .string(let text)):
            return .string(Timestamp(text).map { Timestamp.age(of: $0, at: now) } ?? "<invalid>")
        default: return .null
        }
    }
}
