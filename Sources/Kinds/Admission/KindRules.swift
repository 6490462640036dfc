import Model

/// What is particular to one kind on the way into the store, beside what its schema says.
///
/// Everything here is pure: values in, values out.
protocol KindRules: Sendable {
    var names: NameRule { get }
    var generation: GenerationRule { get }
    /// Whether an update may leave `metadata.resourceVersion` out (C10).
    var allowsUnconditionalUpdate: Bool { get }
    /// Whether PUT of an object that is not there creates it (C9).
    var allowsCreateOnUpdate: Bool { get }
    /// Whether new objects may have finalizers whose names are not qualified: those of custom kinds.
    var takesAnyFinalizer: Bool { get }
    /// Whether an update of the status leaves all of the metadata as it was (C13).
    var keepsMetadataOnStatusUpdate: Bool { get }
    /// Whether a new object may come with a status: what registers itself, as a Node does.
    var keepsStatusOnCreate: Bool { get }

    /// The defaults that depend on other fields (F). The schema's own are in place already.
    func fillDefaults(_ object: inout JSON)
    /// Whether these are all within `spec`, and depend on nothing else.
    var fillsSpecAlone: Bool { get }
    /// Rules beyond the schema, for new objects and changed ones alike.
    func validate(_ object: JSON, _ errors: inout FieldErrors)
    /// Rules for new objects only.
    func validateCreate(_ object: JSON, _ errors: inout FieldErrors)
    /// What an update of the object itself may change (C26).
    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors)
    /// What an update through `/status` may change.
    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors)
    /// What is taken but will not do what it seems to (C22).
    func warnings(_ object: JSON) -> [String]
    func prepareForCreate(_ object: inout JSON)
    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?)
    /// Writes down when something changed, where the server does that.
    func stamp(_ object: inout JSON, from old: JSON, subresource: String?, at now: Timestamp)
    /// What a write never owns, where that is not the status, or all but the status for this itself (H10).
    func resetFields(of subresource: String?) -> FieldSet?
}

/// The form that names of a kind have (C24).
enum NameRule: Sendable {
    case subdomain
    case label
    case label1035
    /// Roles and their bindings: what can stand between two slashes.
    case pathSegment
    /// An IP address in canonical form.
    case address

    /// - Parameter isPrefix: a `generateName`, to which characters will be added: it may end with a hyphen.
    func faults(_ name: String, isPrefix: Bool = false) -> [String] {
        let text = isPrefix && name.count > 1 && name.hasSuffix("-") ? name.dropLast() + "a" : name
        return switch self {
        case .subdomain: NameSyntax.subdomain(text)
        case .label: NameSyntax.label(text)
        case .label1035: NameSyntax.label1035(text)
        case .pathSegment: NameSyntax.pathSegment(text)
        case .address: NetworkAddress.faults(of: text)
        }
    }
}

/// Which changes raise `metadata.generation` (C14).
enum GenerationRule: Sendable {
    case none
    case spec
    /// Deployments (A2).
    case specAndAnnotations
    /// Custom resources and EndpointSlices: any change outside of metadata and status.
    case content
}

extension KindRules {
    var names: NameRule { .subdomain }
    var generation: GenerationRule { .none }
    var allowsUnconditionalUpdate: Bool { true }
    var allowsCreateOnUpdate: Bool { false }
    var takesAnyFinalizer: Bool { false }
    var keepsMetadataOnStatusUpdate: Bool { false }
    var keepsStatusOnCreate: Bool { false }
    func fillDefaults(_ object: inout JSON) {}
    var fillsSpecAlone: Bool { false }
    func validate(_ object: JSON, _ errors: inout FieldErrors) {}
    func validateCreate(_ object: JSON, _ errors: inout FieldErrors) {}
    func validateUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {}
    func validateStatusUpdate(_ object: JSON, from old: JSON, _ errors: inout FieldErrors) {}
    func warnings(_ object: JSON) -> [String] { [] }
    func prepareForCreate(_ object: inout JSON) {}
    func prepareForUpdate(_ object: inout JSON, from old: JSON, subresource: String?) {}
    func stamp(_ object: inout JSON, from old: JSON, subresource: String?, at now: Timestamp) {}
    func resetFields(of subresource: String?) -> FieldSet? { nil }
}

/// The rules of a kind that has none of its own: those of a custom resource.
struct CustomResourceRules: KindRules {
    var generation: GenerationRule { .content }
    var allowsUnconditionalUpdate: Bool { false }
    var takesAnyFinalizer: Bool { true }
    var keepsMetadataOnStatusUpdate: Bool { true }
}

extension JSONView {
    /// The elements of a list as they are: rules look at every list, most are not there, and views of none cost too.
    func elements(_ key: String) -> [JSON] { json[key]?.array ?? [] }
}

extension JSON {
    /// Changes every element of the list under `key` in place.
    mutating func changeEach(_ key: String, _ body: (inout JSON) -> Void) {
        change(key) { list in
            guard case .array(var elements) = list else { return }
            list = .null
            for index in elements.indices { body(&elements[index]) }
            list = .array(elements)
        }
    }

    /// Sets the member `key` unless it is there; an empty text counts as absent, as in Kubernetes' own types.
    mutating func setDefault(_ key: String, _ value: @autoclosure () -> JSON) {
        let present = self[key]
        if present == nil || present == "" || present == .null { self[key] = value() }
    }
}
