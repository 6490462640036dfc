package import Kinds
package import Model

/// Judges manifests without a cluster: by Kubernetes' own rules and by those of the definitions among the manifests.
package struct OfflineValidation: Sendable {
    private let catalog: Catalog
    private let defined: Set<GroupVersionKind>

    /// - Parameter manifests: where definitions are looked for. A faulty one defines nothing; `faults` tells why.
    package init(_ manifests: some Sequence<DesiredObject>) {
        let strategies = manifests.filter { $0.key.kind == CustomResourceDefinition.kind.groupKind }
            .flatMap(Self.strategies)
        catalog = Catalog.builtIn.adding(strategies)
        defined = Set(strategies.map(\.type.kind))
    }

    private static func strategies(of definition: DesiredObject) -> [KindStrategy] {
        guard let strategy = Catalog.builtIn.strategy(for: definition.object.kind),
            faults(definition, strategy).isEmpty
        else { return [] }
        do {
            let defaulted = strategy.defaulted(definition.object.json)
            return try CustomResourceDefinition(viewing: defaulted).established.strategies()
        } catch {
            // Validation has passed the schema; what it overlooked is for the server to say.
            return []
        }
    }

    /// Whether one of the manifests defines the kind, in this version.
    package func defines(_ kind: GroupVersionKind) -> Bool { defined.contains(kind) }

    /// The object with its defaults; as it is when its kind is not known.
    package func defaulted(_ object: Object) -> Object {
        guard let strategy = catalog.strategy(for: object.kind) else { return object }
        return Object(viewing: strategy.defaulted(object.json))
    }

    /// What would be wrong with creating the object, each fault with its place in the repository.
    package func faults(_ desired: DesiredObject) -> [String] {
        guard let strategy = catalog.strategy(for: desired.object.kind) else { return [unknownKind(desired)] }
        return Self.faults(desired, strategy)
    }

    private static func faults(_ desired: DesiredObject, _ strategy: KindStrategy) -> [String] {
        let decoding = strategy.decodingFaults(desired.object.json)
        if !decoding.isEmpty { return decoding.map { "\(desired.locate($0.path.description)): \(desired.key): \($0)" } }
        var object = strategy.defaulted(desired.object.json)
        // What an object gets when it is created; what is made of it, a Job's selector, is judged too.
        object[path: ["metadata", "uid"]] = "00000000-0000-0000-0000-000000000000"
        return strategy.validateCreate(strategy.prepareForCreate(object)).map {
            "\(desired.locate($0.path.description)): \(desired.key): \($0.message)"
        }
    }

    private func unknownKind(_ desired: DesiredObject) -> String {
        let kind = desired.object.kind
        let versions = catalog.versions(of: kind.groupKind)
        let remedy =
            versions.isEmpty
            ? "it is none of Kubernetes' own, and no CustomResourceDefinition among the manifests defines it"
            : "known are \(versions.map { GroupVersionKind(group: kind.group, version: $0, kind: kind.kind).apiVersion }.joined(separator: ", "))"
        return "\(desired.origin): \(desired.key): the kind \(kind.kind) of \(kind.apiVersion) is not known; \(remedy)"
    }
}
