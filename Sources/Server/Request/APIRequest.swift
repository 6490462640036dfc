import Cluster
import Hummingbird
import Kinds
import Model

/// A request as the handlers see it.
struct APIRequest: Sendable {
    /// 3 MiB: what `kube-apiserver` accepts.
    static let bodyLimit = 3 << 20

    var method: String
    /// Without the query.
    var path: String
    var query: QueryParameters
    var user: User
    var accept: String?
    var contentType: String?
    var userAgent: String
    var ifNoneMatch: String?
    var body: [UInt8] = []
    /// Streams watch it to notice that the client went away.
    var connection: RequestBody
    /// What the answer warns of (C22).
    let warnings = RequestWarnings()

    /// A12: for people, the answer is laid out to be read.
    var wantsPrettyPrint: Bool {
        if query["pretty"] != nil { return query.flag("pretty") }
        if let clause = MediaRange.preferred(accept).first, clause.parameters["pretty"] == "1" { return true }
        return ["curl", "Wget", "Mozilla/5.0"].contains { userAgent.hasPrefix($0) }
    }

    /// The field manager, dry run and field validation of a write (C20, C21, C23).
    func writeOptions() throws(APIError) -> WriteOptions {
        let agent = userAgent.split(separator: "/").first.map(String.init) ?? "unknown"
        let manager = query["fieldManager"] ?? String(agent.prefix(128))
        guard manager.utf8.count <= 128 else {
            throw APIError(.invalid, "fieldManager: Too long: may not be more than 128 bytes")
        }
        var validation = FieldValidation.warn
        if let text = query["fieldValidation"] {
            guard let known = FieldValidation(rawValue: text) else {
                throw APIError(
                    .invalid,
                    "fieldValidation: Unsupported value: \"\(text)\": supported values: \"Ignore\", \"Strict\", \"Warn\""
                )
            }
            validation = known
        }
        return WriteOptions(
            fieldManager: manager, dryRun: try query.isDryRun, fieldValidation: validation, warnings: warnings)
    }

    /// The object in the body: JSON, YAML or protobuf, as the Content-Type says; JSON when it says nothing (A12, A17).
    ///
    /// - Throws: `.unsupportedMediaType` (415) for anything else; `.badRequest` for what is malformed.
    func decodedBody() throws(APIError) -> JSON {
        switch MediaRange(contentType ?? "").type {
        case "", "application/json": return try Self.decodeJSON(body)
        case "application/yaml": return try Self.decodeYAML(body)
        case "application/vnd.kubernetes.protobuf": return try decodedProtobuf()
        default:
            throw APIError(
                .unsupportedMediaType,
                "the body of the request was in an unknown format - accepted media types include: application/json, "
                    + "application/yaml, application/vnd.kubernetes.protobuf")
        }
    }

    /// Fields that are not known have no names here, but they are told like those in JSON (C21).
    private func decodedProtobuf() throws(APIError) -> JSON {
        let object: ProtobufObject
        do {
            object = try ProtobufObject(decoding: body)
        } catch {
            throw APIError(.badRequest, "the body of the request is not valid protobuf: \(error)")
        }
        switch query["fieldValidation"] {
        case "Ignore": break
        case "Strict":
            guard object.unknownFields.isEmpty else {
                throw APIError(
                    .badRequest, "strict decoding error: \(object.unknownFields.joined(separator: ", "))")
            }
        default: for field in object.unknownFields { warnings.add(field) }
        }
        return object.json
    }

    /// The patch in the body (G1, H1).
    ///
    /// - Parameter isCustom: custom kinds take no strategic merge patch: they say nothing of how to merge.
    func decodedPatch(isCustom: Bool) throws(APIError) -> Patch {
        switch MediaRange(contentType ?? "").type {
        case "application/json-patch+json": return .json(try Self.decodeJSON(body))
        case "application/merge-patch+json": return .merge(try Self.decodeJSON(body))
        case "application/strategic-merge-patch+json" where !isCustom: return .strategicMerge(try Self.decodeJSON(body))
        case "application/apply-patch+yaml":
            guard query["fieldManager"] != nil else {
                let message = "Required value: is required for apply patch"
                throw APIError(
                    .invalid, "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: \(message)",
                    details: APIError.Details(
                        group: "meta.k8s.io", kind: "PatchOptions",
                        causes: [APIError.Cause(reason: "FieldValueRequired", message: message, field: "fieldManager")]
                    ))
            }
            return .apply(try Self.decodeYAML(body), force: query.flag("force"))
        default:
            throw APIError(
                .unsupportedMediaType,
                "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json-patch+json, application/merge-patch+json, "
                    + (isCustom ? "" : "application/strategic-merge-patch+json, ") + "application/apply-patch+yaml")
        }
    }

    private static func decodeJSON(_ body: [UInt8]) throws(APIError) -> JSON {
        do {
            return try JSON(decoding: body)
        } catch {
            throw APIError(.badRequest, "the body of the request is not valid JSON: \(error)")
        }
    }

    private static func decodeYAML(_ body: [UInt8]) throws(APIError) -> JSON {
        let documents: [YAMLDocument]
        do {
            documents = try YAML.documents(body, file: "body")
        } catch {
            throw APIError(.badRequest, "the body of the request is not valid YAML: \(error)")
        }
        guard documents.count == 1 else {
            throw APIError(.badRequest, "the body of the request holds \(documents.count) YAML documents, not one")
        }
        return documents[0].value
    }
}
