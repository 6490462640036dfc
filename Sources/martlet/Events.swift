import ArgumentParser
import Cluster
import Kinds
import Model

struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List what happened, oldest first.")

    @Option(name: .shortAndLong, help: "Only those of one namespace.")
    var namespace: String?
    @Option(help: "Only those about one object: KIND/NAME.")
    var `for`: String?
    @Flag(name: .shortAndLong, help: "Go on printing what comes.")
    var watch = false
    @Option(name: .shortAndLong, help: "Output format: json or yaml.")
    var output: OutputFormat?

    @OptionGroup var connection: Connection

    func run() async throws {
        let cluster = try connection.connect()
        let query = try ListQuery(Kinds.Event.kind.groupKind, namespace: namespace, fields: fields())
        let list = try await cluster.list(query)
        let events = list.items.map { $0.view(as: Kinds.Event.self) }.sorted { $0.time < $1.time }
        if let output {
            print(output.text(["apiVersion": "v1", "kind": "List", "items": .array(events.map(\.json))]))
            return
        }
        if !events.isEmpty { print(Columns.text(Self.header, events.map(Self.cells))) }
        guard watch else { return }
        for try await event in try await cluster.watch(query, from: list.resourceVersion) {
            switch event {
            case .added(let object), .modified(let object):
                print(Self.cells(object.view()).joined(separator: "   "))
            case .deleted, .bookmark: continue
            }
        }
    }

    private func fields() throws -> FieldSelector {
        guard let `for` else { return FieldSelector() }
        let parts = `for`.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw CommandError("--for takes KIND/NAME, for example Deployment/web") }
        let type = try ResourceArgument.type(parts[0], among: Catalog.builtIn.types)
        return FieldSelector([
            FieldSelector.Requirement(path: "involvedObject.kind", value: type.kind.kind),
            FieldSelector.Requirement(path: "involvedObject.name", value: parts[1]),
        ])
    }

    private static let header = ["TIME", "TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE"]

    private static func cells(_ event: Kinds.Event) -> [String] {
        let object = event.involvedObject
        return [
            event.time.description, event.type ?? "", event.reason ?? "",
            "\((object.kind ?? "").lowercased())/\(object.name ?? "")", String(event.count ?? 1), event.message ?? "",
        ]
    }
}

extension Kinds.Event {
    fileprivate var time: Timestamp {
        lastTimestamp ?? eventTime?.time ?? metadata.creationTimestamp ?? Timestamp(seconds: 0)
    }
}
