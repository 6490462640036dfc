package import Cluster
import Kinds
package import Model

/// Why the cluster did not take a step of a plan, in the words of whoever wrote the manifest: each fault with the place
/// of its field in the repository.
package struct Refusal: Hashable, Sendable {
    package var key: ObjectKey
    /// `file:line:column: what is wrong and what would be right`, one for each fault.
    package var faults: [String]
    /// The same manifest may be accepted another time.
    package var isRetryable: Bool

    /// A manifest that is known to be wrong before anybody is asked.
    init(of step: SyncPlan.Step, faults: [String]) {
        key = step.key
        self.faults = faults
        isRetryable = false
    }

    package init(_ error: APIError, of step: SyncPlan.Step) {
        key = step.key
        isRetryable = Self.isRetryable(error)
        switch step {
        case .delete(let object): faults = ["\(object.key): \(error.message)"]
        case .create(let desired), .apply(let desired, _):
            let malformed = Self.isAboutForm(error) ? Self.decodingFaults(desired) : []
            if !malformed.isEmpty {
                faults = malformed
                isRetryable = false
            } else {
                faults = Self.located(error, desired)
            }
        }
    }

    /// What the server said of single fields, or else all that it said.
    private static func located(_ error: APIError, _ desired: DesiredObject) -> [String] {
        let causes = error.details.causes.filter { !$0.field.isEmpty }
        guard error.reason == .invalid, !causes.isEmpty, causes.count == error.details.causes.count else {
            return ["\(desired.origin): \(error.message)\(remedy(for: error))"]
        }
        let name = "\(desired.key.kind) \"\(desired.key.name)\" is invalid"
        return causes.map {
            "\(desired.locate($0.field)): \(name): \($0.field): \(shown($0.message, of: desired.key, from: "Invalid value: "))"
        }
    }

    private static func remedy(for error: APIError) -> String {
        guard error.reason == .notFound, error.details.kind == "namespaces" else { return "" }
        return "; add its manifest, or the sync option CreateNamespace=true"
    }

    private static let untyped = "failed to create typed patch object"

    /// Whether the server could not even read the object; it then speaks of the request, not of the manifest.
    private static func isAboutForm(_ error: APIError) -> Bool {
        switch error.reason {
        case .badRequest, .invalid: true
        // H1: what a server-side apply of a wrong type or an unknown field is answered with.
        case .internalError: error.message.contains(untyped)
        default: false
        }
    }

    private static func decodingFaults(_ desired: DesiredObject) -> [String] {
        guard let strategy = Catalog.builtIn.strategy(for: desired.object.kind) else { return [] }
        let name = "\(desired.key.kind) \"\(desired.key.name)\""
        return strategy.decodingFaults(desired.object.json).map { fault in
            let text = fault.isStrictOnly ? "\(fault)" : shown("\(fault)", of: desired.key, from: ", found ")
            return "\(desired.locate(fault.path.description)): \(name): \(text)"
        }
    }

    /// The text, for a Secret only up to where its value would show.
    private static func shown(_ text: String, of key: ObjectKey, from sign: String) -> String {
        guard key.kind == Secret.kind.groupKind, let range = text.firstRange(of: sign) else { return text }
        return text[..<range.lowerBound] + (sign.hasPrefix(",") ? ", found something else" : sign + "(hidden)")
    }

    private static func isRetryable(_ error: APIError) -> Bool {
        switch error.reason {
        case .badRequest, .invalid, .methodNotAllowed, .tooLarge, .unsupportedMediaType, .notAcceptable: false
        // H1: what does not fit the schema never will.
        case .internalError: !error.message.contains(untyped)
        default: true
        }
    }
}
