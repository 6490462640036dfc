import Kinds
import Model
import Testing

@Suite("Columns of custom resources (E5)")
struct CustomColumnTests {
    private static let now = Timestamp(seconds: 1_700_000_000)

    private static func table(_ columns: JSON, _ object: JSON) throws -> Table {
        let type = try Things.strategy(["type": "object"], version: ["additionalPrinterColumns": columns]).type
        return TablePrinter.table(for: type, objects: [Object(viewing: object)], now: now)
    }

    private static let object: JSON = [
        "apiVersion": "example.com/v1", "kind": "Thing",
        "metadata": ["name": "a", "creationTimestamp": "2023-11-14T22:03:20Z"],
        "spec": ["size": 3, "on": true, "ratio": .number("1.5"), "tags": ["x", "y"], "when": "2023-11-14T21:13:20Z"],
        "status": ["conditions": [["type": "Old", "status": "False"], ["type": "Ready", "status": "True"]]],
    ]

    static let cells: [(type: String, path: String, cell: JSON)] = [
        ("integer", ".spec.size", 3), ("string", ".spec.size", "3"), ("boolean", ".spec.on", true),
        ("string", ".spec.on", "true"), ("number", ".spec.ratio", .number("1.5")), ("integer", ".spec.ratio", 1),
        ("string", ".spec.tags", #"["x","y"]"#), ("string", ".spec.tags[1]", "y"), ("string", ".spec.tags[-1]", "y"),
        ("string", #".status.conditions[?(@.type=="Ready")].status"#, "True"), ("date", ".spec.when", "60m"),
        ("date", ".metadata.name", "<invalid>"), ("string", ".spec.none", .null), ("integer", ".metadata.name", .null),
        ("string", ".spec.tags[*]", "x"),
    ]

    @Test("show what their paths lead to, where it is of their type", arguments: cells.indices)
    func cell(index: Int) throws {
        let (type, path, cell) = Self.cells[index]
        let column: JSON = ["name": "Column", "type": .string(type), "jsonPath": .string(path), "priority": 1]
        let table = try Self.table([column], Self.object)
        #expect(table.columns.map(\.name) == ["Name", "Column"])
        #expect(table.columns[1].priority == 1)
        #expect(table.rows[0].cells == ["a", cell])
    }

    @Test("without any, the age is shown")
    func age() throws {
        let table = try Self.table([], Self.object)
        #expect(table.columns.map(\.name) == ["Name", "Age"])
        #expect(table.rows[0].cells == ["a", "10m"])
    }
}
