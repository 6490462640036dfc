import Cluster
import Model

/// What makes no sense in the options of a request (D1, D4, K1): all of it is told at once, as Kubernetes does.
struct OptionFaults {
    private let kind: String
    private let group: String
    private let name: String
    private var causes: [APIError.Cause] = []

    init(kind: String, group: String = "", name: String = "") {
        self.kind = kind
        self.group = group
        self.name = name
    }

    /// Those of a list or a watch.
    static var ofList: OptionFaults { OptionFaults(kind: "ListOptions", group: "meta.k8s.io") }

    mutating func refuse(_ field: String, _ value: Int, _ reason: String) {
        causes.append(
            APIError.Cause(reason: "FieldValueInvalid", message: "Invalid value: \(value): \(reason)", field: field))
    }

    mutating func forbid(_ field: String, _ reason: String) {
        causes.append(APIError.Cause(reason: "FieldValueForbidden", message: "Forbidden: \(reason)", field: field))
    }

    mutating func forbid(match reason: String) { forbid("resourceVersionMatch", reason) }

    mutating func checkMatch(_ match: String, isOneOf known: [String]) {
        guard !known.contains(match) else { return }
        let values = known.map { JSON.string($0).text() }.joined(separator: ", ")
        causes.append(
            APIError.Cause(
                reason: "FieldValueNotSupported",
                message: "Unsupported value: \(JSON.string(match).text()): supported values: \(values)",
                field: "resourceVersionMatch"))
    }

    /// - Throws: `.invalid` where there are any.
    func check() throws(APIError) {
        guard !causes.isEmpty else { return }
        let faults = causes.map { "\($0.field): \($0.message)" }
        throw APIError(
            .invalid,
            "\(group.isEmpty ? kind : "\(kind).\(group)") \"\(name)\" is invalid: "
                + (faults.count == 1 ? faults[0] : "[\(faults.joined(separator: ", "))]"),
            details: APIError.Details(name: name, group: group, kind: kind, causes: causes))
    }
}
