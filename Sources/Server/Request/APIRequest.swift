import Cluster
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
    var content: any RequestContent
    /// What the answer warns of (C22).
    let warnings = RequestWarnings()

    /// Whose request it is, as objects and policies know it.
    var requester: Requester {
        Requester(name: user.name, uid: user.uid, groups: user.groups, extra: user.extra)
    }

    /// A12: for people, the answer is laid out to be read.
    var wantsPrettyPrint: Bool {
        if query["pretty"] != nil { return query.flag("pretty") }
        if let clause = MediaRange.preferred(accept).first, clause.parameters["pretty"] == "1" { return true }
        return ["curl", "Wget", "Mozilla/5.0"].contains { userAgent.hasPrefix($0) }
    }

    /// The field manager, dry run and field validation of a write (C20, C21, C23).
    ///
    /// - Throws: `.invalid`, of an object named as Kubernetes names it: CreateOptions, UpdateOptions or PatchOptions.
    func writeOptions() throws(APIError) -> WriteOptions {
        let kind =
            switch method {
            case "PUT": "UpdateOptions"
            case "PATCH": "PatchOptions"
            default: "CreateOptions"
            }
        let manager = query["fieldManager"] ?? agentName
        guard manager.utf8.count <= 128 else {
            throw .invalidOptions(kind, "fieldManager", "FieldValueTooLong", "Too long: may not be more than 128 bytes")
        }
        // All of ASCII that is printable is so at a glance; of the rest each sign is looked up.
        if !manager.utf8.allSatisfy({ (0x20...0x7E).contains($0) }),
            let position = manager.unicodeScalars.firstIndex(where: { !$0.isPrintable })
        {
            let scalar = manager.unicodeScalars[position]
            let code = String(scalar.value, radix: 16, uppercase: true)
            let number = manager.utf8.distance(from: manager.startIndex, to: position)
            throw .invalidOptions(
                kind, "fieldManager", "FieldValueInvalid",
                "Invalid value: \(JSON.string(manager).text()): invalid character "
                    + "U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code) (at position \(number))")
        }
        var validation = FieldValidation.warn
        if let text = query["fieldValidation"] {
            guard let known = FieldValidation(rawValue: text) else {
                throw .invalidOptions(
                    kind, "fieldValidation", "FieldValueNotSupported",
                    "Unsupported value: \(JSON.string(text).text()): "
                        + "supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"")
            }
            validation = known
        }
        if let value = query["dryRun"], value != "All" {
            throw .invalidOptions(
                kind, "dryRun", "FieldValueNotSupported",
                "Unsupported value: [\(JSON.string(value).text())]: supported values: \"All\"")
        }
        var options = WriteOptions(
            fieldManager: manager, dryRun: query["dryRun"] != nil, fieldValidation: validation, warnings: warnings)
        options.requester = requester
        return options
    }

    /// Who manages what is written where the request does not say so: the client's program, up to its version, without
    /// what cannot be printed, and cut to 128 bytes (C23).
    private var agentName: String {
        let end = userAgent.firstIndex(ofASCII: "/") ?? userAgent.endIndex
        var name = userAgent[..<end]
        if name.utf8.count > 128 || !name.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) {
            name.unicodeScalars.removeAll { !$0.isPrintable }
            while name.utf8.count > 128 { name.unicodeScalars.removeLast() }
        }
        return name.isEmpty ? "unknown" : String(name)
    }

    /// The object in the body, as `decodedBody()`; what it says twice is noted in the options (C21).
    func decodedBody(_ options: inout WriteOptions) throws(APIError) -> JSON {
        switch MediaRange(contentType ?? "").type {
        case "", "application/json": return try Self.decodeJSON(body, repeated: &options.repeatedFields)
        case "application/yaml":
            let value = try Self.decodeYAML(body, repeated: &options.repeatedFields)
            if !options.repeatedFields.isEmpty {
                let list = options.repeatedFields.joined(separator: "\n  ")
                options.repeatedFields = ["yaml: unmarshal errors:\n  \(list)"]
            }
            return value
        default: return try decodedBody()
        }
    }

    /// The object in the body: JSON, YAML or protobuf, as the Content-Type says; JSON when it says nothing (A12, A17).
    ///
    /// - Throws: `.unsupportedMediaType` (415) for anything else; `.badRequest` for what is malformed.
    func decodedBody() throws(APIError) -> JSON {
        switch MediaRange(contentType ?? "").type {
        case "", "application/json":
            var repeated: [String] = []
            return try Self.decodeJSON(body, repeated: &repeated)
        case "application/yaml":
            var repeated: [String] = []
            return try Self.decodeYAML(body, repeated: &repeated)
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

    /// The patch in the body (G1, H1); what it says twice is noted in the options (C21).
    ///
    /// - Parameter isCustom: custom kinds take no strategic merge patch: they say nothing of how to merge.
    func decodedPatch(_ options: inout WriteOptions, isCustom: Bool) throws(APIError) -> Patch {
        switch MediaRange(contentType ?? "").type {
        case "application/json-patch+json":
            let patch = try Self.decodeJSON(body, repeated: &options.repeatedFields)
            options.repeatedFields = options.repeatedFields.map { "json patch \($0)" }
            return .json(patch)
        case "application/merge-patch+json":
            return .merge(try Self.decodeJSON(body, repeated: &options.repeatedFields))
        case "application/strategic-merge-patch+json" where !isCustom:
            return .strategicMerge(try Self.decodeJSON(body, repeated: &options.repeatedFields))
        case "application/apply-patch+yaml":
            guard query["fieldManager"] != nil else {
                throw .invalidOptions(
                    "PatchOptions", "fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
            }
            return .apply(
                try Self.decodeYAML(body, repeated: &options.repeatedFields), force: query.flag("force"))
        default:
            throw APIError(
                .unsupportedMediaType,
                "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json-patch+json, application/merge-patch+json, "
                    + (isCustom ? "" : "application/strategic-merge-patch+json, ") + "application/apply-patch+yaml")
        }
    }

    private static func decodeJSON(_ body: [UInt8], repeated: inout [String]) throws(APIError) -> JSON {
        do {
            return try JSON(decoding: body, repeated: &repeated)
        } catch {
            throw APIError(.badRequest, "the body of the request is not valid JSON: \(error)")
        }
    }

    private static func decodeYAML(_ body: [UInt8], repeated: inout [String]) throws(APIError) -> JSON {
        let documents: [YAMLDocument]
        do {
            documents = try YAML.documents(body, file: "body", repeated: &repeated)
        } catch {
            throw APIError(.badRequest, "error decoding YAML: \(error)")
        }
        guard documents.count == 1 else {
            throw APIError(.badRequest, "the body of the request holds \(documents.count) YAML documents, not one")
        }
        return documents[0].value
    }
}

extension APIError {
    /// 422 for a query parameter, as Kubernetes words it: of an object of `meta.k8s.io`.
    static func invalidOptions(_ kind: String, _ field: String, _ reason: String, _ message: String) -> APIError {
        APIError(
            .invalid, "\(kind).meta.k8s.io \"\" is invalid: \(field): \(message)",
            details: APIError.Details(
                group: "meta.k8s.io", kind: kind,
                causes: [APIError.Cause(reason: reason, message: message, field: field)]))
    }
}

extension Unicode.Scalar {
    /// Letters, marks, numbers, punctuation, symbols and the space (Go's `unicode.IsPrint`).
    fileprivate var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: self == " "
        default: true
        }
    }
}
