import Cluster
import Hummingbird
import Kinds
import Model

extension ResourceHandler {
    /// How long a watch lasts when the client does not say: after that it watches anew (D4).
    private static let longestWatch = Duration.seconds(45 * 60)
    /// The least time between two bookmarks that nothing else calls for.
    private static let bookmarkInterval = Duration.seconds(10)

    /// What a client asked of a watch (D4–D8).
    private struct WatchOptions: Sendable {
        var version: String?
        var allowsBookmarks: Bool
        var sendsInitialEvents: Bool
        var limit: Duration
        var representation: Representation
        var includedObject: Table.IncludedObject
    }

    func watch(_ call: Call) async throws(APIError) -> Answer {
        let options = try watchOptions(call)
        let query = try query(call)
        // Faults of the selectors are told before the stream begins; an expired version within it (D5).
        var start: (events: [WatchEvent], version: String)?
        if options.version == nil || options.sendsInitialEvents {
            let list = try await cluster.list(query)
            start = (list.items.map { .added($0) }, list.resourceVersion)
        }
        let source: Result<WatchStream, APIError>
        do throws(APIError) {
            source = .success(try await cluster.watch(query, from: start?.version ?? options.version))
        } catch {
            guard [.expired, .timeout].contains(error.reason) else { throw error }
            source = .failure(error)
        }
        let (type, clock, initial) = (call.type, clock, start)
        return Answer(
            code: 200, contentType: "application/json",
            body: .stream { writer in
                try await Streaming.run(call.request, writer: &writer, limit: (options.limit, clock)) {
                    (writer: inout any ResponseBodyWriter) in
                    var encoder = WatchEncoder(
                        type: type, representation: options.representation, includedObject: options.includedObject)
                    do {
                        var bytes: [UInt8] = []
                        for event in initial?.events ?? [] { encoder.append(event, at: clock.now, to: &bytes) }
                        if let initial, options.sendsInitialEvents, options.allowsBookmarks {
                            encoder.appendInitialEventsEnd(initial.version, to: &bytes)
                        }
                        // Also when there is nothing yet: the client learns that the watch stands.
                        try await writer.write(ByteBuffer(bytes: bytes))
                        var lastBookmark = clock.now
                        for try await event in try source.get() {
                            let now = clock.now
                            if case .bookmark = event {
                                guard options.allowsBookmarks, now - lastBookmark >= Self.bookmarkInterval else {
                                    continue
                                }
                                lastBookmark = now
                            }
                            bytes.removeAll(keepingCapacity: true)
                            encoder.append(event, at: now, to: &bytes)
                            try await writer.write(ByteBuffer(bytes: bytes))
                        }
                    } catch let error as APIError {
                        var bytes: [UInt8] = []
                        encoder.append(error, to: &bytes)
                        try await writer.write(ByteBuffer(bytes: bytes))
                    }
                }
            })
    }

    private func watchOptions(_ call: Call) throws(APIError) -> WatchOptions {
        let query = call.query
        let sendsInitialEvents = query.flag("sendInitialEvents")
        let match = query["resourceVersionMatch"]
        if query["sendInitialEvents"] != nil, match != "NotOlderThan" {
            throw Self.invalidListOptions(
                "resourceVersionMatch",
                "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        }
        if query["sendInitialEvents"] == nil, match != nil {
            throw Self.invalidListOptions(
                "resourceVersionMatch",
                "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
        }
        let seconds = try query.integer("timeoutSeconds").flatMap { $0 > 0 ? $0 : nil }
        return WatchOptions(
            version: query["resourceVersion"].flatMap { $0 == "0" ? nil : $0 },
            allowsBookmarks: query.flag("allowWatchBookmarks"), sendsInitialEvents: sendsInitialEvents,
            limit: seconds.map { .seconds($0) } ?? Self.longestWatch, representation: try call.representation(),
            includedObject: try call.includedObject())
    }
}

/// Writes the lines of a watch (D4, D7, D8, D11).
struct WatchEncoder: Sendable {
    let type: ResourceType
    let representation: Representation
    let includedObject: Table.IncludedObject
    /// A table's columns are told once (D11).
    private var hasToldColumns = false

    init(type: ResourceType, representation: Representation, includedObject: Table.IncludedObject) {
        self.type = type
        self.representation = representation
        self.includedObject = includedObject
    }

    mutating func append(_ event: WatchEvent, at now: Timestamp, to bytes: inout [UInt8]) {
        switch event {
        case .added(let object): append("ADDED", encoded(object, at: now), to: &bytes)
        case .modified(let object): append("MODIFIED", encoded(object, at: now), to: &bytes)
        case .deleted(let object): append("DELETED", encoded(object, at: now), to: &bytes)
        case .bookmark(let version): append("BOOKMARK", bookmark(version, annotations: nil), to: &bytes)
        }
    }

    func appendInitialEventsEnd(_ version: String, to bytes: inout [UInt8]) {
        append("BOOKMARK", bookmark(version, annotations: ["k8s.io/initial-events-end": "true"]), to: &bytes)
    }

    func append(_ error: APIError, to bytes: inout [UInt8]) {
        append("ERROR", error.status.encoded(), to: &bytes)
    }

    private func append(_ name: String, _ object: [UInt8], to bytes: inout [UInt8]) {
        bytes.reserveCapacity(bytes.count + object.count + 32)
        bytes += "{\"type\":\"".utf8
        bytes += name.utf8
        bytes += "\",\"object\":".utf8
        bytes += object
        bytes += "}\n".utf8
    }

    private mutating func encoded(_ object: Object, at now: Timestamp) -> [UInt8] {
        switch representation {
        case .json, .yaml, .aggregatedDiscovery: return object.encoded
        case .partialMetadata(let version):
            return ResourceHandler.versioned(Table.partialObjectMetadata(object.json), version).encoded()
        case .table(let version):
            let table = TablePrinter.table(
                for: type, objects: [object], now: now, includedObject: includedObject)
            let json = table.json(
                resourceVersion: object.metadata.resourceVersion, includingColumns: !hasToldColumns)
            hasToldColumns = true
            return ResourceHandler.versioned(json, version).encoded()
        }
    }

    private func bookmark(_ version: String, annotations: JSON?) -> [UInt8] {
        var metadata: JSON = ["resourceVersion": .string(version)]
        metadata["annotations"] = annotations
        switch representation {
        case .table(let metaVersion):
            // Clients read the version from the object in the only row.
            let object: JSON = [
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            ]
            let table: JSON = [
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": ["resourceVersion": .string(version)],
                "columnDefinitions": [], "rows": [["cells": [], "object": object]],
            ]
            return ResourceHandler.versioned(table, metaVersion).encoded()
        case .partialMetadata(let metaVersion):
            let object: JSON = ["kind": "PartialObjectMetadata", "apiVersion": "", "metadata": metadata]
            return ResourceHandler.versioned(object, metaVersion).encoded()
        default:
            let object: JSON = [
                "kind": .string(type.kind.kind), "apiVersion": .string(type.kind.apiVersion), "metadata": metadata,
            ]
            return object.encoded()
        }
    }
}
