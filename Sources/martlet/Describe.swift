import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

struct Describe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "describe", _superCommandName: "martlet",
        abstract: "Show everything about objects, and the events about them.",
        usage: "martlet describe [<options>] <target> ...",
        discussion: "Values of Secrets are masked. Exit codes: 0 shown, 2 an error.")

    @Argument(
        help: "TYPE NAME… or TYPE/NAME…; a TYPE alone describes all of it.", completion: ResourceArgument.completion)
    var target: [String]

    @Option(name: .shortAndLong, help: ArgumentHelp("The namespace.", valueName: "namespace"))
    var namespace = "default"

    @OptionGroup var connection: Connection

    func run() async throws {
        let cluster = try connection.connect()
        var objects: [Object] = []
        var missing: [String] = []
        for selection in try ResourceArgument.selections(target, among: try await cluster.resourceTypes().preferred) {
            if selection.names.isEmpty {
                let type = selection.type
                let query = ListQuery(type.kind.groupKind, namespace: type.isNamespaced ? namespace : nil)
                objects += try await cluster.list(query).items
            } else {
                let (found, faults) = try await ResourceArgument.objects(selection, namespace: namespace, cluster)
                objects += found
                // A pod's full name is hard to type: like kubectl, take what begins with it.
                let begun = found.isEmpty ? try await named(like: selection, cluster) : []
                objects += begun
                missing += begun.isEmpty ? faults : []
            }
        }
        for (index, object) in objects.enumerated() {
            if index > 0 { print("\n") }
            print(Self.text(object))
            print(try await events(about: object, cluster))
        }
        if !missing.isEmpty { throw CommandError(missing.joined(separator: "\n")) }
        if objects.isEmpty { printError("no such objects in namespace \(namespace)") }
    }

    /// The objects whose names begin with the one that was asked for.
    private func named(like selection: ResourceArgument.Selection, _ cluster: any Cluster) async throws -> [Object] {
        guard selection.names.count == 1 else { return [] }
        let query = ListQuery(
            selection.type.kind.groupKind, namespace: selection.type.isNamespaced ? namespace : nil)
        return try await cluster.list(query).items.filter { $0.metadata.name.hasPrefix(selection.names[0]) }
    }

    /// The object as an indented outline, with names as people read them; Secrets are masked.
    static func text(_ object: Object) -> String {
        let tree = SecretMask.masked(object.json)
        let object = Object(viewing: tree)
        var lines: [String] = []
        for (label, value) in [
            ("Name", object.metadata.name), ("Namespace", object.metadata.namespace), ("Kind", object.kindName),
            ("API Version", object.apiVersion), ("Created", object.metadata.creationTimestamp?.description ?? ""),
        ] where !value.isEmpty {
            lines.append("\(label):".padded(to: 14) + value)
        }
        for (label, map) in [("Labels", object.metadata.labels), ("Annotations", object.metadata.annotations)] {
            // What kubectl last applied is the object once more.
            let entries = map.filter { $0.key != "kubectl.kubernetes.io/last-applied-configuration" }
                .sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            lines.append("\(label):".padded(to: 14) + (entries.first ?? "<none>"))
            lines += entries.dropFirst().map { String(repeating: " ", count: 14) + $0 }
        }
        if let owner = object.metadata.controller {
            lines.append("Owner:".padded(to: 14) + "\(owner.kind)/\(owner.name)")
        }
        for member in tree.object ?? JSONObject() where !["apiVersion", "kind", "metadata"].contains(member.key) {
            outline(title(member.key), member.value, indent: 0, into: &lines)
        }
        return lines.joined(separator: "\n")
    }

    private static func outline(_ label: String, _ value: JSON, indent: Int, into lines: inout [String]) {
        let space = String(repeating: " ", count: indent)
        switch value {
        case .object(let members) where members.isEmpty: lines.append("\(space)\(label): <none>")
        case .object(let members):
            lines.append("\(space)\(label):")
            let isMap = mapLabels.contains(label) && members.allSatisfy { $0.value.object == nil }
            for member in members {
                outline(isMap ? member.key : title(member.key), member.value, indent: indent + 2, into: &lines)
            }
        case .array(let elements):
            lines.append("\(space)\(label):")
            for element in elements { item(element, indent: indent + 2, into: &lines) }
        case .string(let text) where text.contains("\n"):
            lines.append("\(space)\(label):")
            lines += text.split(separator: "\n").map { "\(space)  \($0)" }
        default: lines.append("\(space)\(label): \(scalar(value))")
        }
    }

    private static func item(_ value: JSON, indent: Int, into lines: inout [String]) {
        let space = String(repeating: " ", count: indent)
        guard let members = value.object else {
            lines.append("\(space)- \(scalar(value))")
            return
        }
        let start = lines.count
        for member in members { outline(title(member.key), member.value, indent: indent + 2, into: &lines) }
        if start < lines.count {
            lines[start] = "\(space)- \(lines[start].dropFirst(indent + 2))"
        }
    }

    /// Fields whose keys are data: they are shown as they are.
    private static let mapLabels: Set<String> = [
        "Match Labels", "Labels", "Annotations", "Selector", "Data", "String Data", "Binary Data", "Node Selector",
        "Limits", "Requests", "Capacity", "Allocatable", "Hard", "Used",
    ]

    private static func scalar(_ value: JSON) -> String { value.string ?? value.text() }

    /// `readinessProbe` reads `Readiness Probe`.
    private static func title(_ key: String) -> String {
        guard key.allSatisfy({ $0.isLetter || $0.isNumber }), let first = key.first else { return key }
        var text = String(first).uppercased()
        for character in key.dropFirst() {
            if character.isUppercase, text.last?.isLowercase == true { text += " " }
            text.append(character)
        }
        return text
    }

    private func events(about object: Object, _ cluster: any Cluster) async throws -> String {
        let query = ListQuery(
            Event.kind.groupKind, namespace: object.metadata.namespace.isEmpty ? nil : object.metadata.namespace,
            fields: FieldSelector([
                FieldSelector.Requirement(path: "involvedObject.uid", value: object.metadata.uid)
            ]))
        let events = try await cluster.list(query).items.map { $0.view(as: Event.self) }.sorted()
        if events.isEmpty { return "Events:       <none>" }
        let now = SystemClock().now
        let rows = events.map { event in
            let count = event.count ?? 1
            let age = Timestamp.age(of: event.time, at: now) + (count > 1 ? " (x\(count))" : "")
            return [
                "  \(event.type ?? "")", event.reason ?? "", age, event.source.component ?? "", event.message ?? "",
            ]
        }
        return "Events:\n"
            + Columns.text(["  TYPE", "REASON", "AGE", "FROM", "MESSAGE"], rows, width: TextWidth.current)
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
