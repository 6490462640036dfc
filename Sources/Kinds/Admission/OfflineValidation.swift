package import Model

/// Judges objects without a cluster: by Kubernetes' own rules and by those of the definitions among them.
package struct OfflineValidation: Sendable {
    /// What would be wrong with creating an object.
    package struct Fault: Hashable, Sendable {
        package enum Reason: Hashable, Sendable {
            case unknownKind
            /// What the field was probably meant to be.
            case unknownField(suggestion: String?)
            /// Of a wrong type, or a value that is not allowed.
            case value
        }

        package var reason: Reason
        /// As Kubernetes writes it: `spec.replicas`; empty for the object as a whole.
        package var field: String
        package var message: String
    }

    private let catalog: Catalog
    private let defined: Set<GroupVersionKind>

    /// - Parameter objects: where definitions are looked for. A faulty one defines nothing; its own faults tell why.
    package init(_ objects: some Sequence<Object>) {
        let strategies = objects.filter { $0.kind.groupKind == CustomResourceDefinition.kind.groupKind }
            .flatMap(Self.strategies)
        catalog = Catalog.builtIn.adding(strategies)
        defined = Set(strategies.map(\.type.kind))
    }

    private static func strategies(of definition: Object) -> [KindStrategy] {
        guard let strategy = Catalog.builtIn.strategy(for: definition.kind), faults(definition, strategy).isEmpty else {
            return []
        }
        do {
            let defaulted = strategy.defaulted(definition.json)
            return try CustomResourceDefinition(viewing: defaulted).established.strategies()
        } catch {
            // Validation has passed the schema; what it overlooked is for the server to say.
            return []
        }
    }

    /// Whether one of the objects defines the kind, in this version.
    package func defines(_ kind: GroupVersionKind) -> Bool { defined.contains(kind) }

    /// The versions in which the kind is known, the preferred one first.
    package func versions(of kind: GroupKind) -> [String] { catalog.versions(of: kind) }

    /// `nil` where the kind is not known in this version.
    package func type(_ kind: GroupVersionKind) -> ResourceType? { catalog.strategy(for: kind)?.type }

    /// The object with its defaults; as it is when its kind is not known.
    package func defaulted(_ object: Object) -> Object {
        guard let strategy = catalog.strategy(for: object.kind) else { return object }
        return Object(viewing: strategy.defaulted(object.json))
    }

    /// What would be wrong with creating the object.
    package func faults(_ object: Object) -> [Fault] {
        guard let strategy = catalog.strategy(for: object.kind) else {
            return [Fault(reason: .unknownKind, field: "", message: unknownKind(object.kind))]
        }
        return Self.faults(object, strategy)
    }

    private static func faults(_ object: Object, _ strategy: KindStrategy) -> [Fault] {
        let decoding = strategy.decodingFaults(object.json)
        if !decoding.isEmpty {
            return decoding.map { fault in
                let reason: Fault.Reason = fault.isStrictOnly ? .unknownField(suggestion: fault.suggestedName) : .value
                return Fault(reason: reason, field: fault.path.description, message: "\(fault)")
            }
        }
        var json = strategy.defaulted(object.json)
        // What an object gets when it is created; what is made of it, a Job's selector, is judged too.
        json[path: ["metadata", "uid"]] = "00000000-0000-0000-0000-000000000000"
        return strategy.validateCreate(strategy.prepareForCreate(json)).map {
            Fault(reason: .value, field: $0.path.description, message: $0.message)
        }
    }

    private func unknownKind(_ kind: GroupVersionKind) -> String {
        let versions = catalog.versions(of: kind.groupKind)
        let known = versions.map { GroupVersionKind(group: kind.group, version: $0, kind: kind.kind).apiVersion }
        let remedy =
            known.isEmpty
            ? "no CustomResourceDefinition among the manifests defines it"
            : "known are \(known.joined(separator: ", "))"
        return "the kind \(kind.kind) of \(kind.apiVersion) is not known; \(remedy)"
    }
}

extension DecodingFault {
    /// The name in `did you mean "replicas"?`.
    fileprivate var suggestedName: String? {
        suggestion.flatMap { $0.split(separator: "\"").dropFirst().first.map(String.init) }
    }
}
