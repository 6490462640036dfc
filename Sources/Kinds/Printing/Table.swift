package import Model

/// Objects laid out for people: what `kubectl get` shows (semantics-api D11, E).
package struct Table: Hashable, Sendable {
    package struct Column: Hashable, Sendable {
        package enum ValueType: String, Sendable {
            case string, integer, number, boolean, date
        }

        package var name: String
        package var type: ValueType
        /// `name` marks the column that names the object.
        package var format: String
        package var description: String
        /// Zero for what is always shown; higher for wide output only.
        package var priority: Int

        package init(
            _ name: String, _ type: ValueType = .string, format: String = "", description: String, priority: Int = 0
        ) {
            self.name = name
            self.type = type
            self.format = format
            self.description = description
            self.priority = priority
        }
    }

    /// A remark on a row: that its pod has completed.
    package struct RowCondition: Hashable, Sendable {
        package var type: String
        package var status: String
        package var reason: String
        package var message: String
    }

    package struct Row: Hashable, Sendable {
        /// One for each column, wide ones included.
        package var cells: [JSON]
        package var conditions: [RowCondition] = []
        package var namespace: String
        /// The object as far as the request wants it with its row.
        package var object: JSON?
    }

    /// How much of the object comes with its row (`includeObject`, D11).
    package enum IncludedObject: String, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    package var columns: [Column]
    package var rows: [Row]

    package init(columns: [Column], rows: [Row]) {
        self.columns = columns
        self.rows = rows
    }
}

extension Table {
    /// The `meta.k8s.io/v1` Table that is sent (D11).
    ///
    /// - Parameter includingColumns: false for the later events of a watch, whose first event defined the columns.
    package func json(
        resourceVersion: String = "", continueToken: String? = nil, remainingItemCount: Int? = nil,
        includingColumns: Bool = true
    ) -> JSON {
        var metadata: JSON = [:]
        if !resourceVersion.isEmpty { metadata["resourceVersion"] = .string(resourceVersion) }
        if let continueToken { metadata["continue"] = .string(continueToken) }
        if let remainingItemCount { metadata["remainingItemCount"] = .int(Int64(remainingItemCount)) }
        return [
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "columnDefinitions": .array(includingColumns ? columns.map(\.json) : []),
            "rows": .array(rows.map(\.json)),
        ]
    }

    /// What stands for an object of which only the metadata is wanted (D12).
    package static func partialObjectMetadata(_ object: JSON) -> JSON {
        [
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
            "metadata": object["metadata"] ?? .emptyObject,
        ]
    }
}

extension Table.Column {
    package var json: JSON {
        [
            "name": .string(name), "type": .string(type.rawValue), "format": .string(format),
            "description": .string(description), "priority": .int(Int64(priority)),
        ]
    }
}

extension Table.Row {
    package var json: JSON {
        var json: JSON = ["cells": .array(cells)]
        if !conditions.isEmpty {
            json["conditions"] = .array(
                conditions.map {
                    [
                        "type": .string($0.type), "status": .string($0.status), "reason": .string($0.reason),
                        "message": .string($0.message),
                    ]
                })
        }
        json["object"] = object
        return json
    }
}

extension Table {
    /// The table as text for a terminal, laid out as kubectl does: three spaces between columns, none after the last.
    ///
    /// - Parameters:
    ///   - wide: whether to show the columns of lower priority, too.
    ///   - withNamespace: whether a first column names each object's namespace.
    package func text(wide: Bool = false, noHeaders: Bool = false, withNamespace: Bool = false) -> String {
        var widths: [Int] = []
        return text(wide: wide, noHeaders: noHeaders, withNamespace: withNamespace, &widths)
    }

    /// The same, aligned with what was printed before.
    ///
    /// - Parameter widths: of the columns so far; they only grow. Empty at first.
    package func text(wide: Bool, noHeaders: Bool, withNamespace: Bool, _ widths: inout [Int]) -> String {
        let shown = columns.indices.filter { wide || columns[$0].priority == 0 }
        var lines: [[String]] = []
        if !noHeaders {
            lines.append((withNamespace ? ["NAMESPACE"] : []) + shown.map { columns[$0].name.uppercased() })
        }
        for row in rows {
            let cells = shown.map { $0 < row.cells.count ? Self.text(of: row.cells[$0]) : "" }
            lines.append((withNamespace ? [row.namespace] : []) + cells)
        }
        let count = lines.first?.count ?? 0
        widths = (0..<count).map { column in
            let before = widths.indices.contains(column) ? widths[column] : Self.minimumWidth
            return max(before, (lines.map { $0[column].unicodeScalars.count }.max() ?? 0) + Self.padding)
        }
        let final = widths
        return lines.map { line in
            var text = ""
            for (column, cell) in line.enumerated() {
                text += cell
                guard column < line.count - 1 else { continue }
                text += String(repeating: " ", count: final[column] - cell.unicodeScalars.count)
            }
            return text + "\n"
        }.joined()
    }

    private static let minimumWidth = 6
    private static let padding = 3

    /// Cut at the first line break (D11); escape sequences are shown, not sent to the terminal.
    private static func text(of cell: JSON) -> String {
        guard let text = cell.string else { return cell.isNull ? "" : cell.text() }
        let line = text.unicodeScalars.prefix { $0 != "\n" && $0 != "\r" && $0 != "\u{c}" }
        var shown = ""
        for scalar in line {
            switch scalar {
            case "\u{1b}": shown += "^["
            case "\t": shown += " "
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return line.count < text.unicodeScalars.count ? shown + "..." : shown
    }
}
