import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List objects as a table, or print them whole.")

    @Argument(help: "TYPE[,TYPE…] [NAME…] or TYPE/NAME…; 'all' is every workload.")
    var target: [String]

    @Option(name: .shortAndLong, help: "The namespace.")
    var namespace = "default"
    @Flag(name: [.customShort("A"), .long], help: "All namespaces.")
    var allNamespaces = false
    @Option(name: [.customShort("l"), .long], help: "Only objects with such labels: app=web,tier!=db.")
    var selector: String?
    @Option(help: "Only objects with such fields: status.phase=Running.")
    var fieldSelector: String?
    @Option(name: .shortAndLong, help: "json, yaml, wide or name.")
    var output: Layout?
    @Flag(help: "Leave the header out.")
    var noHeaders = false
    @Flag(name: .shortAndLong, help: "Go on with every change.")
    var watch = false
    @Flag(help: "Print the values of Secrets instead of asterisks.")
    var showSecrets = false

    @OptionGroup var connection: Connection

    enum Layout: String, ExpressibleByArgument, CaseIterable {
        case json, yaml, wide, name
    }

    func run() async throws {
        let cluster = try connection.connect()
        let (names, objects) = try ResourceArgument.split(target)
        let types = try ResourceArgument.types(names, among: try await cluster.resourceTypes())
        if types.count > 1, !objects.isEmpty { throw CommandError("names go with a single type") }
        var printed = 0
        for type in types {
            printed += try await show(type, objects, cluster, severalTypes: types.count > 1)
        }
        if printed == 0, output == nil || output == .wide {
            printError(allNamespaces ? "no such objects" : "no such objects in namespace \(namespace)")
        }
        if watch {
            guard types.count == 1 else { throw CommandError("--watch takes a single type") }
            try await follow(types[0], objects, cluster)
        }
    }

    private func query(_ type: ResourceType) throws -> ListQuery {
        ListQuery(
            type.kind.groupKind, namespace: type.isNamespaced && !allNamespaces ? namespace : nil,
            labels: try selector.map { try Selector(parsing: $0) } ?? Selector(),
            fields: try fieldSelector.map { try FieldSelector(parsing: $0) } ?? FieldSelector())
    }

    private func show(
        _ type: ResourceType, _ names: [String], _ cluster: any Cluster, severalTypes: Bool
    ) async throws -> Int {
        var objects: [Object] = []
        if names.isEmpty {
            objects = try await cluster.list(query(type)).items
        }
        for name in names {
            let key = ObjectKey(
                kind: type.kind.groupKind, namespace: type.isNamespaced ? namespace : "", name: name)
            objects.append(try await cluster.get(key))
        }
        if objects.isEmpty, severalTypes { return 0 }
        switch output {
        case .json, .yaml:
            let trees = objects.map { showSecrets ? $0.json : SecretMask.masked($0.json) }
            let value: JSON =
                names.count == 1 ? trees[0] : ["apiVersion": "v1", "kind": "List", "items": .array(trees)]
            print(output == .json ? OutputFormat.json.text(value) : OutputFormat.yaml.text(value))
        case .name:
            for object in objects { print("\(type.singular)/\(object.metadata.name)") }
        case .wide, nil:
            if !objects.isEmpty { print(table(type, objects, header: !noHeaders)) }
            if severalTypes, !objects.isEmpty { print("") }
        }
        return objects.count
    }

    private func table(_ type: ResourceType, _ objects: [Object], header: Bool) -> String {
        let table = TablePrinter.table(for: type.kind.groupKind, objects: objects, now: SystemClock().now)
        let text = table.text(
            wide: output == .wide, noHeaders: !header, withNamespace: allNamespaces && type.isNamespaced)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    private func follow(_ type: ResourceType, _ names: [String], _ cluster: any Cluster) async throws {
        let query = try query(type)
        let version = try await cluster.list(query).resourceVersion
        for try await event in try await cluster.watch(query, from: version) {
            switch event {
            case .added(let object), .modified(let object), .deleted(let object):
                if names.isEmpty || names.contains(object.metadata.name) { print(table(type, [object], header: false)) }
            case .bookmark: continue
            }
        }
    }
}
