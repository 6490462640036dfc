import Cluster
import Kinds
import Model
import NIOHTTP1

/// What a server has, from its discovery documents (semantics-api A1–A4): each group in all its versions, the preferred
/// one first.
enum Discovery {
    static func resourceTypes(over transport: Transport) async throws(APIError) -> [ResourceType] {
        var types = resourceTypes(in: try await transport.send(.GET, "/api/v1"), group: "", version: "v1")
        let groups = try await transport.send(.GET, "/apis")
        for group in groups["groups"]?.array ?? [] {
            guard let name = group["name"]?.string else { continue }
            for version in (group["versions"]?.array ?? []).compactMap({ $0["version"]?.string }) {
                do throws(APIError) {
                    let list = try await transport.send(.GET, "/apis/\(name)/\(version)")
                    types += resourceTypes(in: list, group: name, version: version)
                } catch {
                    // A10: a group whose own server is away must not hide the others.
                    guard [.serviceUnavailable, .notFound].contains(error.reason) else { throw error }
                }
            }
        }
        // The server tells the versions of a group in the order of its preference.
        let ordered = types.enumerated().sorted { left, right in
            let (one, other) = (left.element, right.element)
            if one.kind.group != other.kind.group { return one.kind.group < other.kind.group }
            return one.plural == other.plural ? left.offset < right.offset : one.plural < other.plural
        }
        return ordered.map(\.element)
    }

    static func resourceTypes(in list: JSON, group: String, version: String) -> [ResourceType] {
        var types: [ResourceType] = []
        var subresources: [String: [ResourceType.Subresource]] = [:]
        for resource in list["resources"]?.array ?? [] {
            let texts = { (member: String) in (resource[member]?.array ?? []).compactMap(\.string) }
            guard let name = resource["name"]?.string, let kind = resource["kind"]?.string else { continue }
            let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
            if parts.count == 2 {
                subresources[parts[0], default: []].append(
                    ResourceType.Subresource(name: parts[1], verbs: texts("verbs")))
                continue
            }
            types.append(
                ResourceType(
                    kind: GroupVersionKind(group: group, version: version, kind: kind), plural: name,
                    singular: resource["singularName"]?.string ?? "", shortNames: texts("shortNames"),
                    categories: texts("categories"), isNamespaced: resource["namespaced"]?.bool ?? false,
                    verbs: texts("verbs")))
        }
        for index in types.indices { types[index].subresources = subresources[types[index].plural] ?? [] }
        return types
    }
}
