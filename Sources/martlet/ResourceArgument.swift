import ArgumentParser
import Cluster
import Kinds
import Model

/// What a person types to name a kind or an object: `pods`, `deploy/web`, `deployment.apps web`.
enum ResourceArgument {
    /// The names by which shells complete a type.
    static let completion = CompletionKind.list(Set(Catalog.builtIn.types.map(\.plural)).sorted() + ["all"])

    /// The resource type that a plural, singular or short name, or a kind, stands for.
    static func type(_ name: String, among types: [ResourceType]) throws -> ResourceType {
        let parts = name.lowercased().split(separator: ".", maxSplits: 1).map(String.init)
        let word = parts.first ?? ""
        let matches = types.filter { type in
            let names = [type.plural, type.singular, type.kind.kind.lowercased()] + type.shortNames
            return names.contains(word) && (parts.count == 1 || type.kind.group == parts[1])
        }
        if let found = try unambiguous(matches, word) { return found }
        let known = Set(types.map(\.plural)).sorted()
        if let near = Spelling.nearest(to: word, among: known + types.map(\.singular)) {
            throw CommandError("there is no resource type \"\(name)\"; did you mean \"\(near)\"?")
        }
        throw CommandError("there is no resource type \"\(name)\"; there are: \(known.joined(separator: ", "))")
    }

    /// Kubernetes' own kinds come before those that others define, which must be told apart by their groups.
    private static func unambiguous(_ matches: [ResourceType], _ word: String) throws -> ResourceType? {
        let own = matches.first { Catalog.builtIn.type(for: $0.kind.groupKind) != nil }
        guard own == nil, let found = matches.first else { return own }
        guard matches.contains(where: { $0.kind.groupKind != found.kind.groupKind }) else { return found }
        let names = Set(matches.map { "\($0.plural).\($0.kind.group)" }).sorted().joined(separator: " or ")
        throw CommandError("\"\(word)\" may be several types; name the group too: \(names)")
    }

    /// The types that a comma-separated list stands for; `all` is the category.
    static func types(_ names: String, among types: [ResourceType]) throws -> [ResourceType] {
        var found: [ResourceType] = []
        for name in names.split(separator: ",") {
            let members = types.filter { $0.categories.contains(String(name)) }
            found += members.isEmpty ? [try type(String(name), among: types)] : members
        }
        return found
    }

    /// All of a type, or some of its objects.
    struct Selection {
        var type: ResourceType
        /// Empty: all.
        var names: [String] = []

        /// With the columns that the kind's CustomResourceDefinition says, where there is one that may be read.
        func described(by cluster: any Cluster) async throws -> Selection {
            guard type.custom == nil, Catalog.builtIn.type(for: type.kind.groupKind) == nil else { return self }
            let key = ObjectKey(
                kind: CustomResourceDefinition.kind.groupKind, name: "\(type.plural).\(type.kind.group)")
            var selection = self
            do {
                let definition = CustomResourceDefinition(viewing: try await cluster.get(key).json)
                selection.type.custom = definition.types.first { $0.kind == type.kind }?.custom
            } catch {
                guard [.notFound, .forbidden].contains(error.reason) else { throw error }
            }
            return selection
        }
    }

    /// `TYPE[,TYPE…]`, `TYPE NAME…` or `TYPE/NAME…`, where each may be of another type.
    static func selections(_ arguments: [String], among types: [ResourceType]) throws -> [Selection] {
        guard let first = arguments.first else { throw CommandError("name a resource type, for example pods") }
        guard first.contains("/") else {
            let found = try Self.types(first, among: types)
            let names = Array(arguments.dropFirst())
            if let wrong = names.first(where: { $0.contains("/") }) {
                throw CommandError("\"\(wrong)\": after a type come plain names; or write every one as TYPE/NAME")
            }
            if found.count > 1, !names.isEmpty { throw CommandError("names go with a single type") }
            return found.map { Selection(type: $0, names: names) }
        }
        var selections: [Selection] = []
        for argument in arguments {
            let parts = argument.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw CommandError("\"\(argument)\": write every name as TYPE/NAME, for example \(first)")
            }
            let type = try type(parts[0], among: types)
            if let index = selections.firstIndex(where: { $0.type == type }) {
                selections[index].names.append(parts[1])
            } else {
                selections.append(Selection(type: type, names: [parts[1]]))
            }
        }
        return selections
    }

    /// The objects of a selection that exist, and for each that does not, why.
    static func objects(
        _ selection: Selection, namespace: String, _ cluster: any Cluster
    ) async throws -> (found: [Object], missing: [String]) {
        var (found, missing): ([Object], [String]) = ([], [])
        for name in selection.names {
            let space = selection.type.isNamespaced ? namespace : ""
            do {
                found.append(
                    try await cluster.get(
                        ObjectKey(kind: selection.type.kind.groupKind, namespace: space, name: name)))
            } catch {
                guard error.reason == .notFound else { throw error }
                guard !space.isEmpty else {
                    missing.append(error.message)
                    continue
                }
                let others = try await namespaces(of: selection.type, name, cluster)
                let list = others.joined(separator: ", ")
                let hint = others.first.map { "; it is in namespace \(list): add -n \($0)" } ?? ""
                missing.append("\(error.message) in namespace \(space)\(hint)")
            }
        }
        return (found, missing)
    }

    /// The namespaces that have an object of this name.
    private static func namespaces(
        of type: ResourceType, _ name: String, _ cluster: any Cluster
    ) async throws -> [String] {
        let byName = FieldSelector([FieldSelector.Requirement(path: "metadata.name", value: name)])
        return try await cluster.list(ListQuery(type.kind.groupKind, fields: byName)).items.map(\.metadata.namespace)
    }
}
