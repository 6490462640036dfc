import Kinds
import Model

extension FuzzTarget {
    /// An object of any built-in kind, and what it was before, on their way through a write.
    static let objects = FuzzTarget("objects") { input throws(FuzzFailure) in
        let parts = parts(input)
        guard let object = decoded(parts, 0) else { return }
        let kind = GroupVersionKind(
            apiVersion: object["apiVersion"]?.string ?? "", kind: object["kind"]?.string ?? "")
        guard let strategy = Catalog.builtIn.strategy(for: kind) else { return }
        try pass(object, over: decoded(parts, 1), through: strategy)
    }

    /// A definition of a custom resource, an object of its kind, and what it was before.
    static let customResources = FuzzTarget("customResources") { input throws(FuzzFailure) in
        let parts = parts(input)
        guard let written = decoded(parts, 0), written.object != nil,
            let definitions = Catalog.builtIn.strategy(for: CustomResourceDefinition.kind),
            definitions.decodingFaults(written).isEmpty
        else { return }
        let definition = definitions.prepareForCreate(definitions.defaulted(written))
        guard definitions.validateCreate(definition).isEmpty else { return }
        let strategies: [KindStrategy]
        do {
            strategies = try CustomResourceDefinition(viewing: definition).strategies()
        } catch {
            throw FuzzFailure("a definition was taken whose schema is none: \(error)")
        }
        guard let object = decoded(parts, 1) else { return }
        for strategy in strategies { try pass(object, over: decoded(parts, 2), through: strategy) }
    }

    /// Decodes, completes, prepares, judges, prints and encodes.
    private static func pass(
        _ object: JSON, over other: JSON?, through strategy: KindStrategy
    ) throws(FuzzFailure) {
        // What does not fit the types goes no further.
        guard object.object != nil, strategy.decodingFaults(object).allSatisfy(\.isStrictOnly) else { return }
        let defaulted = strategy.defaulted(object)
        try expect(strategy.defaulted(defaulted) == defaulted, "defaults change what has them: \(defaulted.text())")
        try expectSame(defaulted, defaulted.encoded())
        let created = strategy.prepareForCreate(defaulted)
        for fault in strategy.validateCreate(created) { _ = fault.description }
        var old = created
        if let other, other.object != nil {
            guard strategy.decodingFaults(other).allSatisfy(\.isStrictOnly) else { return }
            old = strategy.prepareForCreate(strategy.defaulted(other))
        }
        for subresource in [nil, "status"] {
            let updated = strategy.prepareForUpdate(defaulted, from: old, subresource: subresource)
            for fault in strategy.validateUpdate(updated, from: old, subresource: subresource) {
                _ = fault.description
            }
        }
        let table = TablePrinter.table(
            for: strategy.type.kind.groupKind, objects: [Object(viewing: defaulted)], now: fuzzTime)
        _ = table.text(wide: true)
        guard ProtobufEncoding.covers(strategy.type.kind) else { return }
        _ = try? ProtobufEncoding.encoded(defaulted)  // What cannot be written is refused: it must not crash.
    }
}
