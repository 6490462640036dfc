import Cluster
import Kinds
import Model

/// What a person types to name a kind or an object: `pods`, `deploy/web`, `deployment.apps web`.
enum ResourceArgument {
    /// The resource type that a plural, singular or short name, or a kind, stands for.
    static func type(_ name: String, among types: [ResourceType]) throws -> ResourceType {
        let parts = name.lowercased().split(separator: ".", maxSplits: 1).map(String.init)
        let word = parts.first ?? ""
        let matches = types.filter { type in
            let names = [type.plural, type.singular, type.kind.kind.lowercased()] + type.shortNames
            return names.contains(word) && (parts.count == 1 || type.kind.group == parts[1])
        }
        if let found = matches.first { return found }
        let known = types.map(\.plural).sorted().joined(separator: ", ")
        throw CommandError("there is no resource type \"\(name)\"; there are: \(known)")
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

    /// `TYPE NAME…` or `TYPE/NAME…` as (type, name) pairs; a lone type has no names.
    static func split(_ arguments: [String]) throws -> (types: String, names: [String]) {
        guard let first = arguments.first else { throw CommandError("name a resource type, for example pods") }
        if let slash = first.firstIndex(of: "/") {
            let type = String(first[..<slash])
            let names = try arguments.map { argument in
                let parts = argument.split(separator: "/", maxSplits: 1)
                guard parts.count == 2, parts[0] == type else {
                    throw CommandError("\"\(argument)\": write every name as \(type)/NAME")
                }
                return String(parts[1])
            }
            return (type, names)
        }
        return (first, Array(arguments.dropFirst()))
    }
}
