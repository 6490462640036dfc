/// Who owns which fields of an object: its `metadata.managedFields` (semantics-api H2).
struct FieldOwnership {
    enum Operation: String {
        case apply = "Apply"
        case update = "Update"
    }

    /// What tells one manager's entries apart.
    struct Identity: Hashable {
        var manager: String
        var operation: Operation
        /// Empty for Apply, whose entry follows the manager through versions.
        var apiVersion: String
        /// Empty for the object itself.
        var subresource: String

        init(manager: String, operation: Operation, apiVersion: String, subresource: String?) {
            self.manager = manager.isEmpty ? "unknown" : manager
            self.operation = operation
            self.apiVersion = operation == .apply ? "" : apiVersion
            self.subresource = subresource ?? ""
        }
    }

    struct Entry {
        /// The fields, or their text where nobody has asked for them yet: most writes concern few managers.
        private enum Fields {
            case read(FieldSet)
            case text(JSON)
        }

        let identity: Identity
        var apiVersion: String
        /// RFC 3339, or empty.
        var time: String {
            didSet { if time != oldValue { written?["time"] = .string(time) } }
        }
        private var content: Fields
        /// The `fieldsV1` as it was read, so that what did not change is not encoded anew.
        private var encodedFields: JSON?
        /// The whole entry as it was read, while nothing in it has changed.
        private var written: JSON?

        var fields: FieldSet {
            get {
                switch content {
                case .read(let fields): fields
                // Unreadable ones are refused before they are stored.
                case .text(let json): FieldSet(fieldsV1: json) ?? FieldSet()
                }
            }
            set {
                content = .read(newValue)
                encodedFields = nil
                written = nil
            }
        }

        init(_ identity: Identity, apiVersion: String, time: Timestamp, fields: FieldSet) {
            self.identity = identity
            self.apiVersion = apiVersion
            self.time = time.description
            content = .read(fields)
        }

        /// `nil` when the entry is none that we can read.
        ///
        /// - Parameter isStored: it was read before it was stored: its fields are looked at when they matter.
        init?(_ json: JSON, isStored: Bool = false) {
            guard let operation = json["operation"]?.string.flatMap(Operation.init(rawValue:)),
                json["fieldsType"]?.string ?? "FieldsV1" == "FieldsV1"
            else { return nil }
            let text = json["fieldsV1"] ?? .emptyObject
            if isStored {
                content = .text(text)
            } else {
                guard let fields = FieldSet(fieldsV1: text) else { return nil }
                content = .read(fields)
            }
            encodedFields = json["fieldsV1"]
            apiVersion = json["apiVersion"]?.string ?? ""
            time = json["time"]?.string ?? ""
            identity = Identity(
                manager: json["manager"]?.string ?? "", operation: operation, apiVersion: apiVersion,
                subresource: json["subresource"]?.string)
            if isStored { written = json }
        }

        /// Whether it may have some of these fields; `false` is certain, and cheap.
        func mayOwn(_ fields: FieldSet) -> Bool {
            switch content {
            case .read: true
            case .text(let json): fields.mayMeet(fieldsV1: json)
            }
        }

        /// Whether it has all of these fields; `true` is certain, and cheap.
        func surelyOwns(_ fields: FieldSet) -> Bool {
            switch content {
            case .read: false
            case .text(let json): fields.isContained(inFieldsV1: json)
            }
        }

        var json: JSON {
            if let written { return written }
            var members: [JSONObject.Member] = []
            members.reserveCapacity(7)
            func add(_ key: String, _ value: JSON) { members.append(JSONObject.Member(key: key, value: value)) }
            add("manager", .string(identity.manager))
            add("operation", .string(identity.operation.rawValue))
            add("apiVersion", .string(apiVersion))
            if !time.isEmpty { add("time", .string(time)) }
            add("fieldsType", "FieldsV1")
            add("fieldsV1", encodedFields ?? fields.fieldsV1)
            if !identity.subresource.isEmpty { add("subresource", .string(identity.subresource)) }
            return .object(JSONObject(members))
        }
    }

    /// One per identity.
    private(set) var entries: [Entry] = []

    /// How many Update entries an object keeps (H7).
    static let updateEntryLimit = 10

    init() {}

    /// `nil` when the member is there and no list of entries that can be read.
    ///
    /// - Parameter isStored: it is that of a stored object.
    init?(_ json: JSON?, isStored: Bool = false) {
        guard let json, !json.isNull else { return }
        guard let list = json.array else { return nil }
        for item in list {
            guard let entry = Entry(item, isStored: isStored) else { return nil }
            entries.append(entry)
        }
    }

    var isEmpty: Bool { entries.isEmpty }

    func entry(of identity: Identity) -> Entry? { entries.first { $0.identity == identity } }

    mutating func set(_ entry: Entry) {
        if let position = entries.firstIndex(where: { $0.identity == entry.identity }) {
            entries[position] = entry
        } else {
            entries.append(entry)
        }
    }

    /// Follows schemas that changed since the fields were recorded.
    ///
    /// - Parameter schema: that of a version; `nil` where there is none such any more.
    mutating func adopt(_ schema: (_ apiVersion: String) -> Schema?) {
        for position in entries.indices {
            let fields = entries[position].fields
            let adopted = fields.adopted(schema(entries[position].apiVersion))
            // Entries that stay as they are keep their text as it was written.
            if adopted != fields { entries[position].fields = adopted }
        }
    }

    mutating func remove(_ identity: Identity) {
        entries.removeAll { $0.identity == identity }
    }

    /// Takes what a write touched away from every manager but one; managers left without any are forgotten, and so are
    /// those whose fields are of a version that is no more.
    mutating func take(_ comparison: inout VersionedComparison, except identity: Identity?) {
        if comparison.own.touched.isEmpty { return }
        for position in entries.indices.reversed() where entries[position].identity != identity {
            guard let taken = comparison.change(in: entries[position].apiVersion)?.touched else {
                entries.remove(at: position)
                continue
            }
            guard entries[position].mayOwn(taken) else { continue }
            let fields = entries[position].fields
            // Entries that lose nothing keep their text as it was written.
            if fields.intersection(taken).isEmpty { continue }
            let rest = fields.subtracting(taken)
            if rest.isEmpty { entries.remove(at: position) } else { entries[position].fields = rest }
        }
    }

    /// Gives a manager what its write set, and takes from it what the write removed; its time moves with what it set.
    mutating func note(_ change: VersionedComparison.Change, of identity: Identity, at now: Timestamp) {
        let entry = entry(of: identity)
        let set = change.changed.subtracting(ServerSideApply.neverTracked)
        if let entry, entry.surelyOwns(set), !entry.mayOwn(change.removed) {
            // Only values changed, as in most statuses: the fields need not be read.
            if !set.isEmpty { touch(entry, at: now) }
            return
        }
        let owned = entry?.fields ?? FieldSet()
        let fields = owned.subtracting(change.removed).union(set)
        if set.isEmpty, fields == owned { return }
        if fields.isEmpty { return remove(identity) }
        guard var next = entry else {
            entries.append(Entry(identity, apiVersion: identity.apiVersion, time: now, fields: fields))
            return
        }
        if fields != owned { next.fields = fields }
        // Who only lost something keeps the time.
        if set.isEmpty { self.set(next) } else { touch(next, at: now) }
    }

    private mutating func touch(_ entry: Entry, at now: Timestamp) {
        var entry = entry
        entry.time = now.description
        set(entry)
    }

    /// Collapses the oldest Update entries into one `ancient-changes` for each version (H7).
    mutating func collapseOldUpdates() {
        if entries.count <= Self.updateEntryLimit { return }
        var updates = entries.filter { $0.identity.operation == .update }.sorted {
            [$0.time, $0.identity.manager].precedeByBytes([$1.time, $1.identity.manager])
        }[...]
        var remaining = updates.count
        var firsts: [String: Identity] = [:]
        while remaining > Self.updateEntryLimit, let oldest = updates.popFirst() {
            let bucket = Identity(
                manager: "ancient-changes", operation: .update, apiVersion: oldest.apiVersion, subresource: nil)
            guard let first = firsts[oldest.apiVersion] else {
                firsts[oldest.apiVersion] = oldest.identity
                continue
            }
            let collapsed = entry(of: bucket) ?? entry(of: first)
            let fields = oldest.fields.union(collapsed?.fields ?? FieldSet())
            if entry(of: bucket) == nil { remove(first) }
            remove(oldest.identity)
            var entry = Entry(
                bucket, apiVersion: oldest.apiVersion, time: Timestamp(seconds: 0), fields: fields)
            // The newest of the times collapsed so far.
            entry.time = oldest.time
            set(entry)
            remaining -= 1
        }
    }

    /// The `managedFields` list in Kubernetes' order (H2); `nil` when nobody owns anything.
    var json: JSON? {
        if entries.isEmpty { return nil }
        let sorted = entries.sorted { left, right in
            let (one, two) = (left.identity, right.identity)
            if one.operation != two.operation { return one.operation == .apply }
            // One after the other: mostly the first tells.
            let times = left.time.byteOrder(to: right.time)
            if times != 0 { return times < 0 }
            let managers = one.manager.byteOrder(to: two.manager)
            if managers != 0 { return managers < 0 }
            return [left.apiVersion, one.subresource].precedeByBytes([right.apiVersion, two.subresource])
        }
        return .array(sorted.map(\.json))
    }
}
