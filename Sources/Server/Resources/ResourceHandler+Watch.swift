import Cluster
import HummingbirdCore
import Kinds
import Model
import NIOCore

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
        var query = try query(call)
        if let version = options.version, !version.isEmpty { query.moment = .notOlder(than: version) }
        // Faults of the selectors are told before the stream begins; a version that is no more, or not yet, within it
        // (D2, D5).
        var start: (events: [WatchEvent], version: String)?
        let source: Result<WatchStream, APIError>
        do throws(APIError) {
            if options.version == nil || options.sendsInitialEvents {
                let list = try await cluster.list(query)
                start = (list.items.map { .added($0) }, list.resourceVersion)
            }
            source = .success(try await cluster.watch(query, from: start?.version ?? options.version))
        } catch {
            guard [.expired, .timeout].contains(error.reason) else { throw error }
            source = .failure(error)
        }
        let (type, clock, initial) = (call.type, clock, start)
        return Answer(
            code: 200, contentType: WatchEncoder.contentType(options.representation.encoding),
            body: .stream { writer in
                try await Streaming.run(call.request, writer: &writer, limit: (options.limit, clock)) {
                    (writer: inout any ResponseBodyWriter) in
                    var encoder = WatchEncoder(
                        type: type, representation: options.representation, includedObject: options.includedObject)
                    do {
                        var bytes: [UInt8] = []
                        for event in initial?.events ?? [] { try encoder.append(event, at: clock.now, to: &bytes) }
                        if let initial, options.sendsInitialEvents, options.allowsBookmarks {
                            try encoder.appendInitialEventsEnd(initial.version, to: &bytes)
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
                            try encoder.append(event, at: now, to: &bytes)
                            try await writer.write(ByteBuffer(bytes: bytes))
                        }
                    } catch let error as APIError {
                        var bytes: [UInt8] = []
                        try encoder.append(error, to: &bytes)
                        try await writer.write(ByteBuffer(bytes: bytes))
                    }
                }
            })
    }

    private func watchOptions(_ call: Call) throws(APIError) -> WatchOptions {
        let query = call.query
        let sendsInitialEvents = query.flag("sendInitialEvents")
        let allowsBookmarks = query.flag("allowWatchBookmarks")
        let match = query["resourceVersionMatch"]
        var faults = OptionFaults.ofList
        if query["sendInitialEvents"] != nil, match != "NotOlderThan" {
            faults.forbid(match: "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
        }
        if let match {
            if query["sendInitialEvents"] == nil {
                faults.forbid(
                    match: "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
            }
            faults.checkMatch(match, isOneOf: ["NotOlderThan"])
            if query["continue"] != nil {
                faults.forbid(match: "resourceVersionMatch is forbidden when continue is provided")
            }
        }
        try faults.check()
        let seconds = try query.integer("timeoutSeconds").flatMap { $0 > 0 ? $0 : nil }
        return WatchOptions(
            version: query["resourceVersion"].flatMap { $0 == "0" ? nil : $0 },
            allowsBookmarks: allowsBookmarks, sendsInitialEvents: sendsInitialEvents,
            limit: seconds.map { .seconds($0) } ?? Self.longestWatch,
            representation: try call.representation(ofStream: true),
            includedObject: try call.includedObject())
    }
}
