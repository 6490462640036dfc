import Cluster

/// The form in which an answer is wanted (semantics-api A12, D11, D12).
enum Representation: Hashable, Sendable {
    case json
    case yaml
    /// Rows of printed columns, in that version of `meta.k8s.io`.
    case table(version: String)
    case partialMetadata(version: String)
    /// `/api` and `/apis` in one document (A7).
    case aggregatedDiscovery

    var contentType: String {
        switch self {
        case .yaml: "application/yaml"
        case .aggregatedDiscovery: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        default: "application/json"
        }
    }
}

/// One clause of an `Accept` header, or a `Content-Type`.
struct MediaRange: Hashable, Sendable {
    /// In lower case, without parameters: `application/json`.
    var type: String
    var parameters: [String: String] = [:]

    init(_ text: some StringProtocol) {
        let parts = text.split(separator: ";").map { String($0).trimmed }
        type = (parts.first ?? "").lowercased()
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            if pair.count == 2 { parameters[pair[0]] = pair[1] }
        }
    }

    var quality: Double { parameters["q"].flatMap { Double($0) } ?? 1 }

    /// The best of what a client accepts.
    ///
    /// - Parameter isDiscovery: whether aggregated discovery is on offer; otherwise tables and partial metadata are.
    /// - Throws: `.notAcceptable` when nothing is.
    static func negotiate(_ accept: String?, isDiscovery: Bool = false) throws(APIError) -> Representation {
        let clauses = (accept ?? "").split(separator: ",").map { MediaRange($0) }
        guard !clauses.isEmpty else { return .json }
        let ranked = clauses.enumerated().sorted { ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset) }
        for clause in ranked.map(\.element) where clause.quality > 0 {
            if let representation = clause.representation(isDiscovery: isDiscovery) { return representation }
        }
        throw APIError(
            .notAcceptable, "only the following media types are accepted: application/json, application/yaml")
    }

    private func representation(isDiscovery: Bool) -> Representation? {
        switch type {
        case "*/*", "application/*", "application/json":
            let version = parameters["v"] ?? "v1"
            switch (parameters["as"], parameters["g"]) {
            case (nil, _): return .json
            case ("APIGroupDiscoveryList", "apidiscovery.k8s.io"):
                return isDiscovery && version == "v2" ? .aggregatedDiscovery : nil
            case ("Table", "meta.k8s.io"):
                return isDiscovery || !["v1", "v1beta1"].contains(version) ? nil : .table(version: version)
            case ("PartialObjectMetadata", "meta.k8s.io"), ("PartialObjectMetadataList", "meta.k8s.io"):
                return isDiscovery || !["v1", "v1beta1"].contains(version) ? nil : .partialMetadata(version: version)
            default: return nil
            }
        case "application/yaml": return .yaml
        default: return nil
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = Substring(self)
        while let first = text.first, first.isWhitespace { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
