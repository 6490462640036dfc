import Crypto
import Kinds
import Model

/// The documents from which clients learn what is served, made from the resource types (semantics-api A1–A9).
struct DiscoveryDocuments: Sendable {
    /// Groups in the order in which they are told, the core group (`""`) first.
    private let groups: [(name: String, versions: [(version: String, types: [ResourceType])])]

    init(_ types: [ResourceType]) {
        var groups: [(name: String, versions: [(version: String, types: [ResourceType])])] = []
        for type in types.sorted(by: Self.precedes) {
            if groups.last?.name != type.kind.group { groups.append((type.kind.group, [])) }
            let last = groups.count - 1
            if let index = groups[last].versions.firstIndex(where: { $0.version == type.kind.version }) {
                groups[last].versions[index].types.append(type)
            } else {
                groups[last].versions.append((type.kind.version, [type]))
            }
        }
        // A7, A8: the first version is the preferred one. Where groups share a kind or a short name, clients take the
        // first group.
        for index in groups.indices { groups[index].versions.sort { Self.precedes($0.version, $1.version) } }
        self.groups = groups.enumerated().sorted { one, other in
            let (left, right) = (Self.rank(one.element.name), Self.rank(other.element.name))
            return (left, one.offset) < (right, other.offset)
        }.map(\.element)
    }

    /// The order of Kubernetes' own groups in `/apis`; all others follow by name.
    private static let order = [
        "", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io",
        "autoscaling", "batch",
        "certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io",
        "admissionregistration.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io",
        "node.k8s.io", "discovery.k8s.io", "flowcontrol.apiserver.k8s.io",
    ]

    private static func rank(_ group: String) -> Int { order.firstIndex(of: group) ?? order.count }

    /// `v2` before `v1`, and both before `v1beta1`.
    private static func precedes(_ one: String, _ other: String) -> Bool {
        let isOneStable = !one.contains("beta") && !one.contains("alpha")
        let isOtherStable = !other.contains("beta") && !other.contains("alpha")
        if isOneStable != isOtherStable { return isOneStable }
        let (left, right) = (one.drop { !$0.isNumber }, other.drop { !$0.isNumber })
        return (Int(left.prefix { $0.isNumber }) ?? 0, left) > (Int(right.prefix { $0.isNumber }) ?? 0, right)
    }

    /// `/`: every path that is answered but those of objects (A14).
    var rootPaths: JSON {
        var paths = ["/api", "/apis", "/apis/", "/metrics", "/openapi/v2", "/openapi/v3", "/openapi/v3/", "/version"]
        paths += [IssuerDocuments.configurationPath, IssuerDocuments.keysPath]
        paths += ["/healthz", "/livez", "/readyz"].flatMap { [$0, "\($0)/ping"] }
        paths += groupVersionPaths.map { "/\($0)" }
        paths += namedGroups.map { "/apis/\($0.name)" }
        return ["paths": Self.texts(paths.sorted())]
    }

    /// A5: names the version in which the objects are stored; the same for every version in which they are served.
    private func storageVersionHash(_ type: ResourceType) -> String {
        var kind = type.kind
        if kind.group == "events.k8s.io" { kind.group = "" }
        kind.version =
            groups.first { $0.name == kind.group }?.versions
            .first { $0.types.contains { $0.kind.kind == kind.kind } }?.version ?? kind.version
        let digest = SHA256.hash(data: Array("\(kind.group)/\(kind.version)/\(kind.kind)".utf8))
        return Base64.encode(Array(digest.prefix(8)))
    }

    /// Groups by name, their versions as clients prefer them (A8), and in these the plural names.
    private static func precedes(_ left: ResourceType, _ right: ResourceType) -> Bool {
        if left.kind.group != right.kind.group { return left.kind.group < right.kind.group }
        if left.kind.version == right.kind.version { return left.plural < right.plural }
        return VersionPriority(left.kind.version) < VersionPriority(right.kind.version)
    }

    /// A1. Without `apiVersion`, as Kubernetes has it.
    func coreVersions(serverAddress: String) -> JSON {
        let versions = groups.filter { $0.name.isEmpty }.flatMap(\.versions).map { JSON.string($0.version) }
        return [
            "kind": "APIVersions", "versions": .array(versions),
            "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": .string(serverAddress)]],
        ]
    }

    /// A2.
    var groupList: JSON {
        ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(namedGroups.map(Self.group))]
    }

    /// A2; `nil` for an unknown group.
    func group(_ name: String) -> JSON? {
        guard let group = namedGroups.first(where: { $0.name == name }) else { return nil }
        let document = Self.group(group)
        return (["kind": "APIGroup", "apiVersion": "v1"] as JSON).merged(with: document)
    }

    /// A1–A4; `nil` for an unknown group and version.
    func resourceList(group: String, version: String) -> JSON? {
        guard let types = types(group: group, version: version) else { return nil }
        var document: JSON = ["kind": "APIResourceList"]
        if !group.isEmpty { document["apiVersion"] = "v1" }
        document["groupVersion"] = .string(group.isEmpty ? version : "\(group)/\(version)")
        document["resources"] = .array(types.flatMap(resources))
        return document
    }

    /// A7, A8: the core group alone on `/api`, all others on `/apis`.
    func aggregated(core: Bool) -> JSON {
        let items = groups.filter { $0.name.isEmpty == core }.map { group -> JSON in
            let versions = group.versions.map { version -> JSON in
                [
                    "version": .string(version.version), "freshness": "Current",
                    "resources": .array(version.types.map(Self.aggregatedResource)),
                ]
            }
            var metadata: JSON = ["creationTimestamp": .null]
            if !group.name.isEmpty { metadata["name"] = .string(group.name) }
            return ["metadata": metadata, "versions": .array(versions)]
        }
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": [:],
            "items": .array(items),
        ]
    }

    /// Groups and versions as they are written in paths: `api/v1`, `apis/apps/v1`.
    var groupVersionPaths: [String] {
        groups.flatMap { group in
            group.versions.map { group.name.isEmpty ? "api/\($0.version)" : "apis/\(group.name)/\($0.version)" }
        }
    }

    func types(group: String, version: String) -> [ResourceType]? {
        groups.first { $0.name == group }?.versions.first { $0.version == version }?.types
    }

    private var namedGroups: [(name: String, versions: [(version: String, types: [ResourceType])])] {
        groups.filter { !$0.name.isEmpty }
    }

    private static func group(_ group: (name: String, versions: [(version: String, types: [ResourceType])])) -> JSON {
        let versions = group.versions.map { version -> JSON in
            ["groupVersion": .string("\(group.name)/\(version.version)"), "version": .string(version.version)]
        }
        return ["name": .string(group.name), "versions": .array(versions), "preferredVersion": versions[0]]
    }

    /// The group, version and kind that a subresource speaks, where they are not its resource's own (A3).
    static func kind(of subresource: String, in type: ResourceType) -> (group: String, version: String, kind: String)? {
        switch subresource {
        case "scale": ("autoscaling", "v1", "Scale")
        case "binding": ("", "v1", "Binding")
        case "eviction": ("policy", "v1", "Eviction")
        case "token": ("authentication.k8s.io", "v1", "TokenRequest")
        default: nil
        }
    }

    private func resources(_ type: ResourceType) -> [JSON] {
        var resource: JSON = [
            "name": .string(type.plural), "singularName": .string(type.singular),
            "namespaced": .bool(type.isNamespaced), "kind": .string(type.kind.kind), "verbs": Self.texts(type.verbs),
        ]
        if !type.shortNames.isEmpty { resource["shortNames"] = Self.texts(type.shortNames) }
        if !type.categories.isEmpty { resource["categories"] = Self.texts(type.categories) }
        resource["storageVersionHash"] = .string(storageVersionHash(type))
        let subresources = type.subresources.map { subresource -> JSON in
            var document: JSON = [
                "name": .string("\(type.plural)/\(subresource.name)"), "singularName": "",
                "namespaced": .bool(type.isNamespaced), "kind": .string(type.kind.kind),
                "verbs": Self.texts(subresource.verbs),
            ]
            if let other = Self.kind(of: subresource.name, in: type) {
                document["kind"] = .string(other.kind)
                if other.group != type.kind.group || other.version != type.kind.version {
                    document["group"] = .string(other.group)
                    document["version"] = .string(other.version)
                }
            }
            return document
        }
        return [resource] + subresources
    }

    private static func aggregatedResource(_ type: ResourceType) -> JSON {
        var resource: JSON = [
            "resource": .string(type.plural),
            "responseKind": ["group": "", "version": "", "kind": .string(type.kind.kind)],
            "scope": type.isNamespaced ? "Namespaced" : "Cluster", "singularResource": .string(type.singular),
            "verbs": texts(type.verbs),
        ]
        if !type.shortNames.isEmpty { resource["shortNames"] = texts(type.shortNames) }
        if !type.categories.isEmpty { resource["categories"] = texts(type.categories) }
        let subresources = type.subresources.map { subresource -> JSON in
            let other = kind(of: subresource.name, in: type)
            return [
                "subresource": .string(subresource.name),
                // A9: an entry without a kind is dropped by clients, one without responseKind crashes some.
                "responseKind": [
                    "group": .string(other?.group ?? ""), "version": .string(other?.version ?? ""),
                    "kind": .string(other?.kind ?? type.kind.kind),
                ],
                "verbs": texts(subresource.verbs),
            ]
        }
        if !subresources.isEmpty { resource["subresources"] = .array(subresources) }
        return resource
    }

    private static func texts(_ strings: [String]) -> JSON { .array(strings.map { .string($0) }) }
}

extension JSON {
    fileprivate func merged(with other: JSON) -> JSON {
        var merged = self
        for member in other.object ?? JSONObject() { merged[member.key] = member.value }
        return merged
    }
}
