import Model

/// What a field is when it has to be made.
enum CreatedKind: Sendable {
    case map, scalar

    var empty: JSON { self == .map ? .emptyObject : .null }
}

/// Changes of the field that a spec names.
///
/// Every function answers `nil` where nothing changes, so that what is shared between builds is not copied.
struct FieldEdit {
    let spec: FieldSpec
    var created: CreatedKind?
    /// The new value of the field.
    let change: (JSON) throws(Fault) -> JSON?

    /// The object with the field changed; `nil` when it is of another kind or has nothing to change.
    ///
    /// - Complexity: linear in the elements of the lists on the way.
    func apply(to object: JSON, kind: ResourceKind) throws(Fault) -> JSON? {
        guard kind.isSelected(by: spec.kind) else { return nil }
        do {
            return try apply(to: object, spec.components[...])
        } catch {
            throw Fault("the field \(spec.path): \(error.message)")
        }
    }

    private func apply(to value: JSON, _ path: ArraySlice<FieldSpec.Component>) throws(Fault) -> JSON? {
        guard let first = path.first else { return try change(value) }
        switch value {
        case .null: return nil
        case .array(let elements):
            var changed: [JSON]?
            for (position, element) in elements.enumerated() {
                guard let new = try apply(to: element, path) else { continue }
                if changed == nil { changed = elements }
                changed?[position] = new
            }
            return changed.map { .array($0) }
        case .object(let object): return try apply(to: object, first, path.dropFirst())
        default: throw Fault("expected a map or a list, but found a value of type \(value.typeName)")
        }
    }

    private func apply(
        to object: JSONObject, _ step: FieldSpec.Component, _ rest: ArraySlice<FieldSpec.Component>
    ) throws(Fault) -> JSON? {
        guard !step.name.isEmpty else { throw Fault("a field cannot have an empty name") }
        let kind = created.flatMap { spec.creates && !step.isList ? (rest.isEmpty ? $0 : .map) : nil }
        var child = object[step.name]
        if let kind, child == nil || child == .null { child = kind.empty }
        guard let child else { return nil }
        // A list that is null has no elements; a field that is made although nothing is set in it stays made.
        let new = step.isList && child.isNull ? nil : try apply(to: child, rest)
        guard new != nil || object[step.name] != child else { return nil }
        var result = object
        result[step.name] = new ?? child
        return .object(result)
    }
}

extension FieldEdit {
    /// Sets a scalar.
    static func setting(_ value: JSON, in spec: FieldSpec, created: CreatedKind? = .scalar) -> FieldEdit {
        FieldEdit(spec: spec, created: created) { old throws(Fault) in
            guard old.isScalar else { throw Fault("expected a single value, but found one of type \(old.typeName)") }
            return old == value ? nil : value
        }
    }

    /// Sets members of a map.
    static func setting(entries: [(key: String, value: String)], in spec: FieldSpec) -> FieldEdit {
        FieldEdit(spec: spec, created: .map) { old throws(Fault) in
            if old.isNull { return nil }
            guard var object = old.object else {
                throw Fault("expected a map, but found a value of type \(old.typeName)")
            }
            for (key, value) in entries { object[key] = .string(value) }
            return .object(object)
        }
    }
}

extension Resource {
    /// Changes a field of the object.
    ///
    /// - Parameter kind: the resource's own, which is not found anew for each of many edits.
    mutating func apply(_ edit: FieldEdit, kind: ResourceKind) throws(KustomizeError) {
        do {
            if let new = try edit.apply(to: object, kind: kind) { object = new }
        } catch {
            throw self.error(error)
        }
    }

    mutating func apply(_ edit: FieldEdit) throws(KustomizeError) { try apply(edit, kind: kind) }
}

/// Edits of all resources; which of them concern a kind is found once.
struct FieldEdits {
    private let edits: [FieldEdit]
    private var byKind: [ResourceKind: [FieldEdit]] = [:]

    init(_ edits: [FieldEdit]) {
        self.edits = edits
    }

    mutating func apply(to resource: inout Resource) throws(KustomizeError) {
        let kind = resource.kind
        let own = byKind[kind] ?? edits.filter { kind.isSelected(by: $0.spec.kind) }
        byKind[kind] = own
        for edit in own { try resource.apply(edit, kind: kind) }
    }
}
