import Cluster
import Kinds
import Model

/// Which API is served: discovery (A1–A13) and OpenAPI (B1–B10).
extension APIResponder {
    private static let version3Protobuf = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
    private static let oldVersion3Protobuf = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"
    private static let version2Protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    /// What clients have asked for since the first days, and `client-go` still does.
    private static let oldVersion2Protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"

    func discovery(_ request: APIRequest, _ path: APIPath) async throws(APIError) -> Answer {
        let types = try await cluster.resourceTypes()
        switch path {
        case .openAPIIndex:
            return Answer(tagged: documents.openAPIIndex(for: types), "application/json", request)
        case .openAPI(let name): return openAPI(name, request, for: types)
        case .openAPIVersion2(let isProtobufAlone):
            return openAPIVersion2(request, isProtobufAlone: isProtobufAlone, for: types)
        default: break
        }
        let isRoot = path == .coreVersions || path == .groups
        let representation = try Representation(
            accepting: request.accept, of: Representation.Offer(hasAggregatedDiscovery: isRoot))
        if representation.form == .aggregatedDiscovery {
            let document = documents.aggregated(core: path == .coreVersions, for: types)
            // A7: clients choose the decoder by the parameters.
            let contentType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            var answer = Answer(tagged: document, contentType, request)
            answer.headers += [("Vary", "Accept"), ("Cache-Control", "public")]
            return answer
        }
        let discovery = documents.discovery(for: types)
        let document: JSON?
        switch path {
        case .coreVersions: document = discovery.coreVersions(serverAddress: address.description)
        case .groups: document = discovery.groupList
        case .group(let name): document = discovery.group(name)
        case .resourceList(let group, let version): document = discovery.resourceList(group: group, version: version)
        default: document = nil
        }
        guard let document else { return .pageNotFound }
        return try .encoded(document, as: representation.encoding)
    }

    /// B2: an address that names its content may be kept for ever; one that names other content leads to what there is.
    private func openAPI(_ name: String, _ request: APIRequest, for types: [ResourceType]) -> Answer {
        let offered = ["application/json", Self.version3Protobuf, Self.oldVersion3Protobuf]
        guard let accepted = Self.accepted(request, of: offered) else { return Self.notAcceptable }
        let asProtobuf = accepted != "application/json"
        guard let document = documents.openAPI(name, asProtobuf: asProtobuf, for: types) else { return .pageNotFound }
        let hash = request.query["hash"]
        if let hash, hash != document.hash {
            return Answer(
                code: 301, contentType: "text/plain",
                headers: [("Location", OpenAPIDocuments.address(of: name, hash: document.hash))], body: .bytes([]))
        }
        var answer = Answer(tagged: document, asProtobuf ? Self.version3Protobuf : accepted, request)
        answer.headers.append(("Vary", "Accept"))
        if hash != nil {
            let year = handler.clock.now + .seconds(365 * 86400)
            answer.headers += [("Cache-Control", "public, immutable"), ("Expires", year.httpDate)]
        }
        return answer
    }

    private func openAPIVersion2(
        _ request: APIRequest, isProtobufAlone: Bool, for types: [ResourceType]
    ) -> Answer {
        let offered = ["application/json", Self.version2Protobuf, Self.oldVersion2Protobuf]
        let accepted = isProtobufAlone ? Self.version2Protobuf : Self.accepted(request, of: offered)
        guard let contentType = accepted else { return Self.notAcceptable }
        let asProtobuf = contentType != "application/json"
        guard let document = documents.openAPIVersion2(asProtobuf: asProtobuf, for: types) else {
            return .pageNotFound
        }
        var answer = Answer(tagged: document, asProtobuf ? Self.version2Protobuf : contentType, request)
        answer.headers.append(("Vary", "Accept"))
        return answer
    }

    private static let notAcceptable = Answer(code: 406, contentType: "", body: .bytes([]))

    /// The media type on offer that the client likes best; the first where it does not say.
    private static func accepted(_ request: APIRequest, of offered: [String]) -> String? {
        let clauses = MediaRange.preferred(request.accept)
        guard !clauses.isEmpty else { return offered.first }
        for clause in clauses {
            if let type = offered.first(where: { clause.matches($0) }) { return type }
        }
        return nil
    }
}

extension Answer {
    /// Bytes with their entity tag; 304 without them for a client that has them already.
    fileprivate init(tagged document: TaggedBytes, _ contentType: String, _ request: APIRequest) {
        let tag = "\"\(document.hash)\""
        let known = (request.ifNoneMatch ?? "").split(separator: ",").map { text in
            String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()).replacing("W/", with: "")
        }
        let isKnown = known.contains(tag) || known == ["*"]
        self.init(
            code: isKnown ? 304 : 200, contentType: contentType, headers: [("ETag", tag)],
            body: .bytes(isKnown ? [] : document.bytes))
    }
}
