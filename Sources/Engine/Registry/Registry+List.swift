package import Cluster
import Kinds
import Model
import Store
import Synchronization

extension Registry {
    /// Objects in the order of their keys, from one snapshot; pages of one list come from the same one (D3).
    package func list(_ query: ListQuery) async throws(APIError) -> ObjectList {
        let strategy = try strategy(of: query.kind, version: query.version)
        try checkNamespace(query, strategy.type)
        let filter = try ObjectFilter(query, strategy)
        let kind = strategy.storeKind
        let (snapshot, after, isKept) = try await position(query, kind)
        let limit = query.limit.flatMap { $0 > 0 ? $0 : nil } ?? .max
        var list = ObjectList(items: [], resourceVersion: Self.version(snapshot.revision))
        if filter.isEmpty {
            let count = snapshot.count(kind: kind, namespace: query.namespace, after: after)
            list.items.reserveCapacity(min(count, limit))
        }
        var last: StoreKey?
        var hasMore = false
        snapshot.forEach(kind: kind, namespace: query.namespace, after: after) { stored in
            guard filter.matches(stored) else { return true }
            // One more than asked tells that another page follows.
            hasMore = list.items.count == limit
            if hasMore { return false }
            list.items.append(Object(stored, as: strategy))
            if list.items.count == limit { last = stored.key }
            return true
        }
        guard hasMore, let last else { return list }
        list.continueToken = ContinueToken(revision: snapshot.revision, after: last).text
        if filter.isEmpty {
            // Only without selectors is the number known without looking at all of them (D3).
            list.remainingItemCount = snapshot.count(kind: kind, namespace: query.namespace, after: last)
        }
        if !isKept { pages.withLock { $0.keep(snapshot, at: clock.now) } }
        return list
    }

    /// Where a list starts, in which snapshot, and whether that is kept for it already.
    private func position(
        _ query: ListQuery, _ kind: String
    ) async throws(APIError) -> (Snapshot, after: StoreKey?, isKept: Bool) {
        guard let text = query.continueToken, !text.isEmpty else {
            return (try await snapshot(query.moment), nil, false)
        }
        guard let token = ContinueToken(text, kind: kind) else {
            throw APIError(.badRequest, "continue key is not valid: it must be one that a list answered")
        }
        guard let revision = token.revision else { return (store.snapshot, token.after, false) }
        if let kept = pages.withLock({ $0.snapshot(at: revision, now: clock.now) }) {
            return (kept, token.after, true)
        }
        throw APIError(
            .expired,
            "The provided continue parameter is too old to display a consistent list result. You can start a new list "
                + "without the continue parameter, or use the continue token in this response to retrieve the "
                + "remainder of the results. Continuing with the provided token results in an inconsistent list - "
                + "objects that were created, modified, or deleted between the time the first chunk was returned and "
                + "now may show up in the list.",
            details: APIError.Details(continueToken: ContinueToken(revision: nil, after: token.after).text))
    }

    /// D1, D2: the latest state is not older than any version that was ever told; an exact one of the past is made from
    /// history.
    private func snapshot(_ moment: ListMoment) async throws(APIError) -> Snapshot {
        let text: String
        switch moment {
        case .latest: return store.snapshot
        case .notOlder(let version): text = version
        case .exactly(let version): text = version
        }
        guard let revision = Revision(text) else {
            throw APIError(.badRequest, "resourceVersion: Invalid value: \"\(text)\": must be a number")
        }
        let present = store.snapshot
        do throws(StoreError) {
            guard revision <= present.revision else {
                throw .tooNew(requested: revision, current: present.revision)
            }
            if case .notOlder = moment { return present }
            return revision == present.revision ? present : try await store.snapshot(at: revision)
        } catch {
            if case .tooOld = error {
                throw APIError(.expired, "The resourceVersion for the provided list is too old.")
            }
            throw APIError(error)
        }
    }

    func checkNamespace(_ query: ListQuery, _ type: ResourceType) throws(APIError) {
        if !type.isNamespaced, query.namespace != nil {
            throw APIError(.badRequest, "\(type.plural) are not in namespaces; leave the namespace out")
        }
    }
}

/// Snapshots of lists that are being read in pages; bounded in number, and in age from the first page on, as where old
/// revisions are compacted away (D2).
struct PagedLists {
    private static let lifetime = Duration.seconds(300)

    private let limit: Int
    private var kept: [(snapshot: Snapshot, until: Timestamp)] = []

    init(limit: Int) {
        self.limit = limit
    }

    /// Keeps what a first page was read from.
    mutating func keep(_ snapshot: Snapshot, at now: Timestamp) {
        kept.removeAll { $0.until < now || $0.snapshot.revision == snapshot.revision }
        kept.append((snapshot, now + Self.lifetime))
        if kept.count > limit { kept.removeFirst(kept.count - limit) }
    }

    /// What another page is to be read from. It is the last to make room for others, but becomes no younger.
    mutating func snapshot(at revision: Revision, now: Timestamp) -> Snapshot? {
        kept.removeAll { $0.until < now }
        guard let place = kept.firstIndex(where: { $0.snapshot.revision == revision }) else { return nil }
        let found = kept.remove(at: place)
        kept.append(found)
        return found.snapshot
    }
}

/// Where the next page of a list starts, as clients carry it: base64url of a small JSON object (D3).
struct ContinueToken: Hashable {
    /// `nil` where the list shows no one moment any more (D2).
    var revision: Revision?
    var after: StoreKey

    init(revision: Revision?, after: StoreKey) {
        self.revision = revision
        self.after = after
    }

    /// Stands for no revision.
    private static let latest: Int64 = -1

    var text: String {
        let json: JSON = [
            "v": "meta.k8s.io/v1", "rv": .int(revision.map { Int64(clamping: $0.rawValue) } ?? Self.latest),
            "start": .string("\(after.namespace)/\(after.name)\u{0}"),
        ]
        return Base64URL.text(json.encoded())
    }

    init?(_ text: String, kind: String) {
        // Whatever is wrong with it, it is no token: the caller says so.
        guard let bytes = Base64URL.bytes(text), let json = try? JSON(decoding: bytes),
            let revision = json["rv"]?.int, revision >= Self.latest, let start = json["start"]?.string,
            start.hasSuffix("\u{0}")
        else { return nil }
        let parts = start.dropLast().split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        self.revision = revision == Self.latest ? nil : Revision(rawValue: UInt64(revision))
        after = StoreKey(kind: kind, namespace: String(parts[0]), name: String(parts[1]))
    }
}

/// RFC 4648 §5, without padding: base64 that needs no escapes in an address.
enum Base64URL {
    static func text(_ bytes: [UInt8]) -> String {
        let text = Base64.encode(bytes).utf8.lazy.filter { $0 != UInt8(ascii: "=") }.map { byte in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            default: byte
            }
        }
        return String(decoding: Array(text), as: UTF8.self)
    }

    /// `nil` when `text` is not of this form.
    static func bytes(_ text: String) -> [UInt8]? {
        var standard = text.utf8.filter { $0 != UInt8(ascii: "=") }
        for index in standard.indices {
            switch standard[index] {
            case UInt8(ascii: "-"): standard[index] = UInt8(ascii: "+")
            case UInt8(ascii: "_"): standard[index] = UInt8(ascii: "/")
            case UInt8(ascii: "+"), UInt8(ascii: "/"): return nil
            default: break
            }
        }
        while standard.count % 4 != 0 { standard.append(UInt8(ascii: "=")) }
        return Base64.decode(String(decoding: standard, as: UTF8.self))
    }
}
