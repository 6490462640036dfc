/// Why a server-side apply changed nothing.
package enum ApplyError: Error, Hashable, CustomStringConvertible {
    /// Fields that other managers own with other values (semantics-api H9); forcing would take them.
    case conflicts([ApplyConflict])
    /// The configuration is not one: the message says where and why (H1).
    case invalid(String)

    package var description: String {
        switch self {
        case .conflicts(let conflicts): ApplyConflict.message(of: conflicts)
        case .invalid(let message): message
        }
    }
}

/// One field that an apply would have to take from another manager.
package struct ApplyConflict: Hashable, Sendable {
    package var path: PathElement.Path
    /// The other manager as messages describe it: `"kubectl" using apps/v1`.
    package var manager: String

    /// The cause's `message` (H9).
    package var message: String { "conflict with \(manager)" }
    /// The cause's `field`.
    package var field: String { path.description }

    package init(path: PathElement.Path, manager: String) {
        self.path = path
        self.manager = manager
    }

    init(path: PathElement.Path, owner: FieldOwnership.Entry) {
        self.path = path
        var text = "\"\(owner.identity.manager)\""
        if !owner.identity.subresource.isEmpty { text += " with subresource \"\(owner.identity.subresource)\"" }
        if owner.identity.operation == .update { text += " using \(owner.apiVersion)" }
        manager = text
    }

    /// The message of the whole answer (H9).
    package static func message(of conflicts: [ApplyConflict]) -> String {
        if conflicts.count == 1, let only = conflicts.first {
            return "Apply failed with 1 conflict: conflict with \(only.manager): \(only.path)"
        }
        var lines: [String] = []
        for manager in Set(conflicts.map(\.manager)).sortedByBytes() {
            lines.append("conflicts with \(manager):")
            lines += conflicts.filter { $0.manager == manager }.map { "- \($0.path)" }
        }
        return "Apply failed with \(conflicts.count) conflicts: " + lines.joined(separator: "\n")
    }
}
