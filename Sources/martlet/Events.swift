import ArgumentParser
import Cluster
import Kinds
import Model

struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", _superCommandName: "martlet", abstract: "List what happened, oldest first.",
        usage: "martlet events [<options>]",
        discussion: "Exit codes: 0 listed, 2 an error.")

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Only those of one namespace (default: all namespaces).", valueName: "namespace"))
    var namespace: String?
    @Flag(name: [.customShort("A"), .long], help: "All namespaces; the default.")
    var allNamespaces = false
    @Option(help: ArgumentHelp("Only those about one object.", valueName: "type/name"))
    var `for`: String?
    @Flag(name: .shortAndLong, help: "Go on printing what comes.")
    var watch = false
    @Option(name: .shortAndLong, help: ArgumentHelp("Print as json or yaml.", valueName: "format"))
    var output: OutputFormat?

    @OptionGroup var connection: Connection

    func validate() throws {
        if allNamespaces, namespace != nil { throw ValidationError("-A and -n exclude each other") }
    }

    func run() async throws {
        let cluster = try connection.connect()
        if watch { endWithReader() }
        let query = try ListQuery(Kinds.Event.kind.groupKind, namespace: namespace, fields: fields())
        let list = try await cluster.list(query)
        let events = list.items.map { $0.view(as: Kinds.Event.self) }.sorted()
        var widths = [Int](repeating: 0, count: header.count)
        if let output, !watch {
            print(output.text(["apiVersion": "v1", "kind": "List", "items": .array(events.map(\.json))]))
        } else if watch || !events.isEmpty {
            if output == nil { print(Columns.text(header, events.map(cells), &widths, width: TextWidth.current)) }
            for event in events where output != nil { show(event, &widths) }
        } else {
            printError("no events\(namespace.map { " in namespace \($0)" } ?? "")")
        }
        var version: String? = list.resourceVersion
        while watch {
            for try await event in try await cluster.watch(query, from: version) {
                switch event {
                case .added(let object), .modified(let object):
                    version = object.metadata.resourceVersion
                    show(object.view(), &widths)
                case .bookmark(let resourceVersion): version = resourceVersion
                case .deleted(let object): version = object.metadata.resourceVersion
                }
            }
        }
    }

    private func show(_ event: Kinds.Event, _ widths: inout [Int]) {
        switch output {
        case .json: print(event.json.text(.indented))
        case .yaml: print("---\n" + OutputFormat.yaml.text(event.json))
        case nil: print(Columns.text(nil, [cells(event)], &widths, width: TextWidth.current))
        }
    }

    private func fields() throws -> FieldSelector {
        guard let `for` else { return FieldSelector() }
        let parts = `for`.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            throw CommandError("--for \(`for`): write TYPE/NAME, for example deployment/web")
        }
        let type = try ResourceArgument.type(parts[0], among: Catalog.builtIn.types)
        return FieldSelector([
            FieldSelector.Requirement(path: "involvedObject.kind", value: type.kind.kind),
            FieldSelector.Requirement(path: "involvedObject.name", value: parts[1]),
        ])
    }

    private var header: [String] {
        (namespace == nil ? ["NAMESPACE"] : []) + ["TIME", "AGE", "TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE"]
    }

    private func cells(_ event: Kinds.Event) -> [String] {
        let object = event.involvedObject
        return (namespace == nil ? [event.metadata.namespace] : []) + [
            event.time.description, Timestamp.age(of: event.time, at: SystemClock().now), event.type ?? "",
            event.reason ?? "",
            "\((object.kind ?? "").lowercased())/\(object.name ?? "")", String(event.count ?? 1), event.message ?? "",
        ]
    }
}

extension Kinds.Event {
    /// When it happened last.
    var time: Timestamp {
        lastTimestamp ?? eventTime?.time ?? metadata.creationTimestamp ?? Timestamp(seconds: 0)
    }
}

extension Array where Element == Kinds.Event {
    /// Oldest first; events of the same second in the order in which they were recorded.
    func sorted() -> [Kinds.Event] {
        sorted {
            ($0.time, UInt64($0.metadata.resourceVersion) ?? 0) < ($1.time, UInt64($1.metadata.resourceVersion) ?? 0)
        }
    }
}
