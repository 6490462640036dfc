import Cluster
import HummingbirdCore
import Kinds
import Model
import NIOCore

extension ResourceHandler {
    func get(_ call: Call, _ name: String) async throws(APIError) -> Answer {
        let representation = try call.representation()
        if let version = call.query["resourceVersion"], !["", "0"].contains(version) {
            // D1: what is read is the latest, which is not older unless that version is still to come (D2).
            var query = ListQuery(
                call.type.kind.groupKind, version: call.type.kind.version, namespace: call.path.namespace, limit: 1,
                moment: .notOlder(than: version))
            query.fields.requirements.append(FieldSelector.Requirement(path: "metadata.name", value: name))
            _ = try await cluster.list(query)
        }
        return try render(
            try await cluster.get(call.key(name), version: call.type.kind.version), for: call, as: representation)
    }

    /// One object in the form that the client wants.
    func render(
        _ object: Object, for call: Call, as representation: Representation, code: Int = 200
    ) throws(APIError) -> Answer {
        switch representation.form {
        case .whole, .aggregatedDiscovery:
            // What was stored is text already.
            if representation.encoding == .json { return .json(object.encoded, code: code) }
            return try .encoded(object.json, as: representation.encoding, code: code)
        case .partialMetadata(let version):
            let metadata = Self.versioned(Table.partialObjectMetadata(object.json), version)
            return try .encoded(metadata, as: representation.encoding, code: code)
        case .table(let version):
            let table = TablePrinter.table(
                for: call.type, objects: [object], now: clock.now,
                includedObject: try call.includedObject())
            let json = table.json(resourceVersion: object.metadata.resourceVersion)
            return try .encoded(Self.versioned(json, version), as: representation.encoding, code: code)
        }
    }

    /// `meta.k8s.io` speaks two versions of the same shape.
    static func versioned(_ json: JSON, _ version: String) -> JSON {
        var json = json
        json["apiVersion"] = .string("meta.k8s.io/\(version)")
        return json
    }

    func list(_ call: Call) async throws(APIError) -> Answer {
        let representation = try call.representation()
        try checkListOptions(call.query)
        var query = try query(call)
        query.moment = moment(call.query)
        return try render(try await cluster.list(query), for: call, as: representation)
    }

    /// Objects of one kind in the form that the client wants.
    func render(
        _ list: ObjectList, for call: Call, as representation: Representation
    ) throws(APIError) -> Answer {
        let encoding = representation.encoding
        switch representation.form {
        case .whole, .aggregatedDiscovery:
            if encoding == .json {
                return Answer(code: 200, contentType: encoding.rawValue, body: .list(Self.body(list, call.type)))
            }
            var json = Self.envelope(list, apiVersion: call.type.kind.apiVersion, kind: call.type.kind.kind + "List")
            json["items"] = .array(list.items.map(\.json))
            return try .encoded(json, as: encoding)
        case .partialMetadata(let version):
            var json = Self.envelope(list, apiVersion: "meta.k8s.io/\(version)", kind: "PartialObjectMetadataList")
            json["items"] = .array(
                list.items.map { Self.versioned(Table.partialObjectMetadata($0.json), version) })
            return try .encoded(json, as: encoding)
        case .table(let version):
            let table = TablePrinter.table(
                for: call.type, objects: list.items, now: clock.now,
                includedObject: try call.includedObject())
            let json = table.json(
                resourceVersion: list.resourceVersion, continueToken: list.continueToken,
                remainingItemCount: list.remainingItemCount)
            return try .encoded(Self.versioned(json, version), as: encoding)
        }
    }

    /// The objects that a list, watch or deletecollection is about.
    func query(_ call: Call) throws(APIError) -> ListQuery {
        var query = ListQuery(call.type.kind.groupKind, version: call.type.kind.version, namespace: call.path.namespace)
        query.labels = try call.query.labelSelector
        query.fields = try call.query.fieldSelector
        if let name = call.path.name {
            query.fields.requirements.append(FieldSelector.Requirement(path: "metadata.name", value: name))
        }
        query.limit = try call.query.integer("limit").flatMap { $0 > 0 ? $0 : nil }
        query.continueToken = call.query["continue"]
        return query
    }

    /// D1: which state of the collection is asked for.
    private func moment(_ query: QueryParameters) -> ListMoment {
        guard query["continue"] == nil, let version = query["resourceVersion"], version != "0" else { return .latest }
        let isExact = query["resourceVersionMatch"].map { $0 == "Exact" } ?? (query["limit"] != nil)
        return isExact ? .exactly(at: version) : .notOlder(than: version)
    }

    /// D1: which combinations of options make sense.
    private func checkListOptions(_ query: QueryParameters) throws(APIError) {
        _ = try query.integer("timeoutSeconds")
        let version = query["resourceVersion"]
        var faults = OptionFaults.ofList
        if let match = query["resourceVersionMatch"] {
            if version == nil {
                faults.forbid(match: "resourceVersionMatch is forbidden unless resourceVersion is provided")
            }
            if query["continue"] != nil {
                faults.forbid(match: "resourceVersionMatch is forbidden when continue is provided")
            }
            faults.checkMatch(match, isOneOf: ["Exact", "NotOlderThan", ""])
            if match == "Exact", version == "0" {
                faults.forbid(match: "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")
            }
        }
        if query["sendInitialEvents"] != nil {
            faults.forbid("sendInitialEvents", "sendInitialEvents is forbidden for list")
        }
        try faults.check()
        if query["continue"] != nil, let version, version != "0" {
            throw APIError(.badRequest, "specifying resource version is not allowed when using continue")
        }
    }

    private static func envelope(_ list: ObjectList, apiVersion: String, kind: String) -> JSON {
        var metadata: JSON = ["resourceVersion": .string(list.resourceVersion)]
        if let token = list.continueToken, !token.isEmpty { metadata["continue"] = .string(token) }
        if let count = list.remainingItemCount { metadata["remainingItemCount"] = .int(Int64(count)) }
        return ["kind": .string(kind), "apiVersion": .string(apiVersion), "metadata": metadata]
    }

    /// A list out of the texts that its objects have already.
    static func body(_ list: ObjectList, _ type: ResourceType) -> ListBody {
        var head = envelope(list, apiVersion: type.kind.apiVersion, kind: type.kind.kind + "List").encoded()
        head.removeLast()
        head += ",\"items\":[".utf8
        return ListBody(head: head, items: list.items.map(\.text), tail: Array("]}".utf8))
    }

    // MARK: Logs

    /// K1.
    func log(_ call: Call, _ name: String) async throws(APIError) -> Answer {
        var query = LogQuery(namespace: call.path.namespace ?? "", pod: name, container: call.query["container"])
        query.follow = call.query.flag("follow")
        query.previous = call.query.flag("previous")
        query.timestamps = call.query.flag("timestamps")
        query.tailLines = try call.query.integer("tailLines")
        query.limitBytes = try call.query.integer("limitBytes")
        let seconds = try call.query.integer("sinceSeconds")
        let time = call.query["sinceTime"]
        try checkLogOptions(query, seconds: seconds, hasTime: time != nil)
        if let seconds { query.since = clock.now - .seconds(seconds) }
        if let time {
            guard let since = Timestamp(time) else {
                throw APIError(.badRequest, "the query parameter sinceTime=\(time) is not an RFC 3339 time")
            }
            query.since = since
        }
        let stream = try await cluster.logs(query)
        return Answer(
            code: 200, contentType: "text/plain",
            body: .stream { writer in
                try await Streaming.run(call.request, writer: &writer) { (writer: inout any ResponseBodyWriter) in
                    for try await chunk in stream { try await writer.write(ByteBuffer(bytes: chunk)) }
                }
            })
    }

    private func checkLogOptions(_ query: LogQuery, seconds: Int?, hasTime: Bool) throws(APIError) {
        var faults = OptionFaults(kind: "PodLogOptions", name: query.pod)
        if let lines = query.tailLines, lines < 0 {
            faults.refuse("tailLines", lines, "must be greater than or equal to 0")
        }
        if let limit = query.limitBytes, limit < 1 { faults.refuse("limitBytes", limit, "must be greater than 0") }
        if seconds != nil, hasTime {
            // Kubernetes' name for a field without one.
            faults.forbid("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified")
        } else if let seconds, seconds < 1 {
            faults.refuse("sinceSeconds", seconds, "must be greater than 0")
        }
        try faults.check()
    }
}
