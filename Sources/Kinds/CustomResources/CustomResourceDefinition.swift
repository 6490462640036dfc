package import Model

/// A CustomResourceDefinition, as those read it who serve what it defines (semantics-api I1, I6, I7).
package struct CustomResourceDefinition: Hashable, Sendable {
    package static let kind = GroupVersionKind(
        group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition")
    /// Holds a definition until its objects are gone.
    package static let finalizer = "customresourcecleanup.apiextensions.k8s.io"

    package let json: JSON

    package init(viewing json: JSON) {
        self.json = json
    }

    private var spec: JSON { json["spec"] ?? [:] }
    package var name: String { json["metadata"]?.textMember("name") ?? "" }
    package var group: String { spec.textMember("group") }
    package var isNamespaced: Bool { spec["scope"] != "Cluster" }
    package var isBeingDeleted: Bool { json[path: ["metadata", "deletionTimestamp"]] != nil }
    /// The kind that it defines.
    package var groupKind: GroupKind { GroupKind(group: group, kind: names.textMember("kind")) }
    /// The names that it asks for.
    package var names: JSON { spec["names"] ?? [:] }
    /// The names that it was given.
    package var acceptedNames: JSON { json["status"]?["acceptedNames"] ?? [:] }
    package var versions: [JSON] { spec.listMember("versions") }
    package var storageVersion: String { versions.first { $0["storage"] == true }?.textMember("name") ?? "" }

    /// Whether objects would have to be converted by a webhook, which is not done.
    package var needsWebhook: Bool {
        spec["conversion"]?["strategy"] == "Webhook" && versions.count { $0["served"] == true } > 1
    }

    /// Why a kind is not served that needs one.
    package static let webhookRefusal =
        "spec.conversion.strategy: Webhook is not supported where several versions are served: use None, or serve one "
        + "version"

    package func condition(_ type: String) -> JSON? {
        json["status"]?.listMember("conditions").first { $0["type"] == .string(type) }
    }

    package func isTrue(_ type: String) -> Bool { condition(type)?["status"] == "True" }

    /// Whether its kind is served: it is established, and its names are the ones that it was given.
    package var isServed: Bool { isTrue("Established") }

    /// As it will be where it gets the names that it asks for.
    package var established: CustomResourceDefinition {
        var json = json
        json["status"] = ["acceptedNames": names, "conditions": [["type": "Established", "status": "True"]]]
        return CustomResourceDefinition(viewing: json)
    }

    /// The resource types that it makes served: one for each served version, the preferred one first.
    package var types: [ResourceType] { types(served: true) }

    private func types(served: Bool) -> [ResourceType] {
        guard isServed else { return [] }
        return versions.filter { ($0["served"] == true) == served }.map(type).sorted {
            VersionPriority($0.kind.version) < VersionPriority($1.kind.version)
        }
    }

    private static let verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"]
        .sorted()
    private static let subresourceVerbs = ["get", "patch", "update"]

    private func type(_ version: JSON) -> ResourceType {
        let names = acceptedNames
        let kind = GroupVersionKind(group: group, version: version.textMember("name"), kind: names.textMember("kind"))
        let subresources = ["status", "scale"].filter { version["subresources"]?[$0] != nil }
        return ResourceType(
            kind: kind, plural: names.textMember("plural"), singular: names.textMember("singular"),
            shortNames: names.textMembers("shortNames"), categories: names.textMembers("categories"),
            isNamespaced: isNamespaced, verbs: Self.verbs,
            subresources: subresources.map { ResourceType.Subresource(name: $0, verbs: Self.subresourceVerbs) },
            custom: CustomResource(
                schema: version["schema"]?["openAPIV3Schema"] ?? ["type": "object"],
                printerColumns: version.listMember("additionalPrinterColumns"), scale: Self.scale(version),
                selectableFields: version.listMember("selectableFields").map {
                    String($0.textMember("jsonPath").drop { $0 == "." })
                }, deprecationWarning: deprecationWarning(version, kind)))
    }

    private static func scale(_ version: JSON) -> CustomResource.ScalePaths? {
        guard let scale = version["subresources"]?["scale"] else { return nil }
        return CustomResource.ScalePaths(
            specReplicas: scale.textMember("specReplicasPath"), statusReplicas: scale.textMember("statusReplicasPath"),
            labelSelector: scale["labelSelectorPath"]?.string)
    }

    private func deprecationWarning(_ version: JSON, _ kind: GroupVersionKind) -> String? {
        guard version["deprecated"] == true else { return nil }
        let written = version.textMember("deprecationWarning")
        return written.isEmpty ? "\(kind.apiVersion) \(kind.kind) is deprecated" : written
    }

    /// How objects get into the store and out of it, for each served version.
    ///
    /// - Throws: `SchemaError` when a version's schema is none, which its validation does not let pass.
    package func strategies() throws(SchemaError) -> [KindStrategy] { try strategies(of: types) }

    /// The same for its other versions: managers may have recorded in them what they own.
    ///
    /// - Throws: as `strategies`.
    package func unservedStrategies() throws(SchemaError) -> [KindStrategy] { try strategies(of: types(served: false)) }

    private func strategies(of types: [ResourceType]) throws(SchemaError) -> [KindStrategy] {
        var strategies: [KindStrategy] = []
        for type in types {
            guard let custom = type.custom else { continue }
            let schema = try CustomResourceSchema(custom.schema, kind: type.kind, scale: custom.scale)
            let storage = GroupVersionKind(group: group, version: storageVersion, kind: type.kind.kind)
            strategies.append(
                KindStrategy(
                    type: type, schema: schema.schema, rules: CustomResourceRules(),
                    conversion: RenamingConversion(storage: storage, version: type.kind),
                    custom: schema))
        }
        return strategies
    }
}
