import Cluster
import Model

/// What makes no sense in the options of a list or a watch (D1, D4): all of it is told at once, as Kubernetes does.
struct ListOptionFaults {
    private var causes: [APIError.Cause] = []

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
            "ListOptions.meta.k8s.io \"\" is invalid: "
                + (faults.count == 1 ? faults[0] : "[\(faults.joined(separator: ", "))]"),
            details: APIError.Details(group: "meta.k8s.io", kind: "ListOptions", causes: causes))
    }
}
