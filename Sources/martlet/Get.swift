import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", _superCommandName: "martlet",
        abstract: "List objects as a table, or print them whole.", usage: "martlet get [<options>] <target> ...",
        discussion: "Values of Secrets are masked. Exit codes: 0 shown (even if there is nothing), 2 an error.")

    @Argument(
        help: "TYPE[,TYPE…], TYPE NAME… or TYPE/NAME…; 'all' is every workload.",
        completion: ResourceArgument.completion)
    var target: [String]

    @Option(name: .shortAndLong, help: ArgumentHelp("The namespace.", valueName: "namespace"))
    var namespace = "default"
    @Flag(name: [.customShort("A"), .long], help: "All namespaces.")
    var allNamespaces = false
    @Option(
        name: [.customShort("l"), .long],
        help: ArgumentHelp("Only objects with such labels: app=web,tier!=db.", valueName: "labels"))
    var selector: String?
    @Option(help: ArgumentHelp("Only objects with such fields: status.phase=Running.", valueName: "fields"))
    var fieldSelector: String?
    @Option(
        name: .shortAndLong, help: ArgumentHelp("Print whole objects, names, or more columns.", valueName: "format"))
    var output: Layout?
    @Flag(help: "Leave the header out.")
    var noHeaders = false
    @Flag(name: .shortAndLong, help: "Go on with every change.")
    var watch = false
    @Flag(help: "Print the values of Secrets instead of asterisks.")
    var showSecrets = false

    @Flag(help: "Print who set which field, too (metadata.managedFields).")
    var showManagedFields = false

    @OptionGroup var connection: Connection

    enum Layout: String, ChoiceArgument {
        case json, yaml, wide, name
    }

    func run() async throws {
        let cluster = try connection.connect()
        var selections = try ResourceArgument.selections(target, among: try await cluster.resourceTypes().preferred)
        if output == nil || output == .wide {
            for index in selections.indices { selections[index] = try await selections[index].described(by: cluster) }
        }
        if selections.contains(where: { !$0.names.isEmpty }), allNamespaces || selector != nil || fieldSelector != nil {
            throw CommandError("names go with neither -A, -l nor --field-selector")
        }
        if watch {
            guard selections.count == 1 else { throw CommandError("--watch takes a single type") }
            try await follow(selections[0], cluster)
        } else {
            try await list(selections, cluster)
        }
    }

    private func list(_ selections: [ResourceArgument.Selection], _ cluster: any Cluster) async throws {
        var groups: [(type: ResourceType, objects: [Object])] = []
        var missing: [String] = []
        for selection in selections {
            if selection.names.isEmpty {
                groups.append((selection.type, try await cluster.list(query(selection)).items))
            } else {
                let (found, faults) = try await ResourceArgument.objects(selection, namespace: namespace, cluster)
                groups.append((selection.type, found))
                missing += faults
            }
        }
        let isOne = selections.count == 1 && selections[0].names.count == 1
        show(groups, isOne: isOne && missing.isEmpty)
        if !missing.isEmpty { throw CommandError(missing.joined(separator: "\n")) }
    }

    private func query(_ selection: ResourceArgument.Selection) throws -> ListQuery {
        let type = selection.type
        return ListQuery(
            type.kind.groupKind, namespace: type.isNamespaced && !allNamespaces ? namespace : nil,
            labels: try selector.map { try Selector(parsing: $0) } ?? Selector(),
            fields: try fieldSelector.map { try FieldSelector(parsing: $0) } ?? FieldSelector())
    }

    private func show(_ groups: [(type: ResourceType, objects: [Object])], isOne: Bool) {
        let format: OutputFormat
        switch output {
        case .json: format = .json
        case .yaml: format = .yaml
        case .name:
            for (type, objects) in groups { for object in objects { print(Self.name(type, object)) } }
            return
        case .wide, nil:
            showTables(groups)
            return
        }
        let trees = groups.flatMap(\.objects).map(shown)
        print(format.text(isOne ? trees[0] : ["apiVersion": "v1", "kind": "List", "items": .array(trees)]))
    }

    private func showTables(_ groups: [(type: ResourceType, objects: [Object])]) {
        let filled = groups.filter { !$0.objects.isEmpty }
        for (index, (type, objects)) in filled.enumerated() {
            if index > 0 { print("") }
            var widths: [Int] = []
            let prefix = groups.count > 1 ? type : nil
            print(table(type, objects, header: !noHeaders, prefix: prefix, &widths), terminator: "")
        }
        guard filled.isEmpty, groups.contains(where: { !$0.objects.isEmpty }) || !isAskedByName else { return }
        let isSpread = allNamespaces || groups.allSatisfy { !$0.type.isNamespaced }
        printError(isSpread ? "no such objects" : "no such objects in namespace \(namespace); -A looks in all of them")
    }

    private var isAskedByName: Bool { target.count > 1 || target[0].contains("/") }

    private func shown(_ object: Object) -> JSON {
        let tree = showSecrets ? object.json : SecretMask.masked(object.json)
        return showManagedFields ? tree : tree.withoutManagedFields
    }

    private static func name(_ type: ResourceType, _ object: Object) -> String {
        let group = type.kind.group
        return "\(type.singular)\(group.isEmpty ? "" : ".\(group)")/\(object.metadata.name)"
    }

    /// - Parameter prefix: writes the type before each name, as where several types are shown.
    private func table(
        _ type: ResourceType, _ objects: [Object], header: Bool, prefix: ResourceType?, _ widths: inout [Int]
    ) -> String {
        var table = TablePrinter.table(for: type, objects: objects, now: SystemClock().now)
        if let prefix {
            for (index, object) in objects.enumerated() where table.rows.indices.contains(index) {
                table.rows[index].cells[0] = .string(Self.name(prefix, object))
            }
        }
        return table.text(
            wide: output == .wide, noHeaders: !header, withNamespace: allNamespaces && type.isNamespaced, &widths)
    }

    /// What is there, then every change to it.
    private func follow(_ selection: ResourceArgument.Selection, _ cluster: any Cluster) async throws {
        endWithReader()
        let query = try query(selection)
        var widths: [Int] = []
        let list = try await cluster.list(query)
        let present = list.items.filter { selection.names.isEmpty || selection.names.contains($0.metadata.name) }
        if !present.isEmpty { showChange(selection.type, present, isFirst: true, &widths) }
        var isFirst = present.isEmpty
        var version: String? = list.resourceVersion
        while true {
            for try await event in try await cluster.watch(query, from: version) {
                switch event {
                case .added(let object), .modified(let object), .deleted(let object):
                    version = object.metadata.resourceVersion
                    guard selection.names.isEmpty || selection.names.contains(object.metadata.name) else { continue }
                    showChange(selection.type, [object], isFirst: isFirst, &widths)
                    isFirst = false
                case .bookmark(let resourceVersion): version = resourceVersion
                }
            }
        }
    }

    private func showChange(_ type: ResourceType, _ objects: [Object], isFirst: Bool, _ widths: inout [Int]) {
        switch output {
        // A document each: a stream has no end at which a list could be closed.
        case .json: for object in objects { print(shown(object).text(.indented)) }
        case .yaml: for object in objects { print("---\n" + OutputFormat.yaml.text(shown(object))) }
        case .name: for object in objects { print(Self.name(type, object)) }
        case .wide, nil:
            print(table(type, objects, header: isFirst && !noHeaders, prefix: nil, &widths), terminator: "")
        }
    }
}
