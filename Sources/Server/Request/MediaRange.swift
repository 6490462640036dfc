import Cluster
import Model

/// One clause of an `Accept` header, or a `Content-Type`.
struct MediaRange: Hashable, Sendable {
    /// In lower case, without parameters: `application/json`.
    var type: String
    var parameters: [String: String] = [:]

    init(_ text: some StringProtocol) {
        if text.utf8.allSatisfy(Self.isPlain) {
            type = String(text)
            return
        }
        let parts = text.split(separator: ";").map { String($0).trimmed }
        type = (parts.first ?? "").lowercased()
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            if pair.count == 2 { parameters[pair[0]] = pair[1] }
        }
    }

    /// Of which a type without parameters consists, as clients mostly write them.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"),
            UInt8(ascii: "*"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"):
            true
        default: false
        }
    }

    var quality: Double { parameters["q"].flatMap { Double($0) } ?? 1 }

    /// Whether it stands for that media type, by a wildcard too.
    func matches(_ mediaType: String) -> Bool {
        if type == "*/*" || type == mediaType { return true }
        return type.hasSuffix("/*") && mediaType.hasPrefix(type.dropLast())
    }

    /// The clauses of an `Accept` header by preference: by quality, then those without wildcards, then in order.
    static func preferred(_ accept: String?) -> [MediaRange] {
        let clauses = (accept ?? "").split(separator: ",").map { MediaRange($0) }.filter { $0.quality > 0 }
        func rank(_ clause: MediaRange) -> Int { clause.type == "*/*" ? 2 : clause.type.hasSuffix("/*") ? 1 : 0 }
        return clauses.enumerated().sorted { one, other in
            let (left, right) = (one.element, other.element)
            if left.quality != right.quality { return left.quality > right.quality }
            return (rank(left), one.offset) < (rank(right), other.offset)
        }.map(\.element)
    }
}

/// The form in which an answer is wanted (semantics-api A12, D11, D12).
struct Representation: Hashable, Sendable {
    enum Form: Hashable, Sendable {
        /// The object as it is.
        case whole
        /// Rows of printed columns, in that version of `meta.k8s.io`.
        case table(version: String)
        case partialMetadata(version: String)
        /// `/api` and `/apis` in one document (A7).
        case aggregatedDiscovery
    }

    /// In the order in which a wildcard takes them, which is also the order of error texts.
    enum Encoding: String, CaseIterable, Sendable {
        case json = "application/json"
        case yaml = "application/yaml"
        case protobuf = "application/vnd.kubernetes.protobuf"

        /// Whether watches speak it.
        var streams: Bool { self != .yaml }
    }

    /// What an endpoint has on offer.
    struct Offer: Sendable {
        /// Whether its objects have messages in protobuf; their metadata has.
        var hasProtobuf = true
        var hasTransforms = false
        /// Whether it has columns to print, where it has transforms.
        var hasTables = true
        var hasAggregatedDiscovery = false
        var isStream = false

        /// What is said when no clause can be met (A12).
        static let notAcceptable = notAcceptable(Encoding.allCases.map(\.rawValue))
        /// What is said when a clause is met in which no watch can be written.
        static let notAcceptableForStreams = notAcceptable(
            Encoding.allCases.filter(\.streams).map { "\($0.rawValue);stream=watch" })

        private static func notAcceptable(_ types: [String]) -> APIError {
            APIError(.notAcceptable, "only the following media types are accepted: \(types.joined(separator: ", "))")
        }

        /// - Returns: `nil` when the clause asks for what is not on offer.
        func representation(_ clause: MediaRange, in encoding: Encoding) -> Representation? {
            let parameters = clause.parameters
            if let stream = parameters["stream"], !stream.isEmpty, stream != "watch" || !encoding.streams { return nil }
            if let version = parameters["sv"], !["", "v1"].contains(version) { return nil }
            guard parameters["as"] != nil || parameters["g"] != nil || parameters["v"] != nil else {
                return encoding == .protobuf && !hasProtobuf ? nil : Representation(form: .whole, encoding: encoding)
            }
            let version = parameters["v"] ?? ""
            let form: Form
            switch (parameters["as"] ?? "", parameters["g"] ?? "", version) {
            case ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2")
            where hasAggregatedDiscovery && encoding == .json:
                form = .aggregatedDiscovery
            case ("Table", "meta.k8s.io", "v1"), ("Table", "meta.k8s.io", "v1beta1"):
                // Tables have no messages.
                guard hasTransforms, hasTables, encoding != .protobuf else { return nil }
                form = .table(version: version)
            case ("PartialObjectMetadata", "meta.k8s.io", "v1"), ("PartialObjectMetadata", "meta.k8s.io", "v1beta1"),
                ("PartialObjectMetadataList", "meta.k8s.io", "v1"),
                ("PartialObjectMetadataList", "meta.k8s.io", "v1beta1"):
                guard hasTransforms else { return nil }
                form = .partialMetadata(version: version)
            default: return nil
            }
            return Representation(form: form, encoding: encoding)
        }
    }

    var form: Form
    var encoding: Encoding

    static let json = Representation(form: .whole, encoding: .json)

    /// The best of what a client accepts, among what is on offer.
    ///
    /// - Throws: `.notAcceptable` (406) when nothing is.
    init(accepting accept: String?, of offer: Offer) throws(APIError) {
        guard let accept, !accept.isEmpty else {
            self = .json
            return
        }
        for clause in MediaRange.preferred(accept) {
            for encoding in Encoding.allCases where clause.matches(encoding.rawValue) {
                guard let found = offer.representation(clause, in: encoding) else { continue }
                // Kubernetes looks no further once a clause fits, even if no watch can be written so.
                guard !offer.isStream || encoding.streams else { throw Offer.notAcceptableForStreams }
                self = found
                return
            }
        }
        throw Offer.notAcceptable
    }

    private init(form: Form, encoding: Encoding) {
        self.form = form
        self.encoding = encoding
    }

    /// In which a failure is told: what the client accepts when it asks for no transformation, or JSON (A13).
    static func encodingOfErrors(_ accept: String?) -> Encoding {
        do {
            return try Representation(accepting: accept, of: Offer()).encoding
        } catch {
            return .json
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
