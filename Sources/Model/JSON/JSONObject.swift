/// The members of a JSON object in the order they were written.
///
/// Keys are told apart by their bytes. Lookup is a linear scan up to `indexThreshold` members, which is faster than
/// hashing for objects of Kubernetes' size, and a hash index above it.
package struct JSONObject: Sendable {
    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: JSON

        package init(key: String, value: JSON) {
            self.key = key
            self.value = value
        }

        package static func == (left: Self, right: Self) -> Bool {
            left.key.hasSameBytes(as: right.key) && left.value == right.value
        }
    }

    /// The number of members above which lookups go through a hash index.
    package static let indexThreshold = 16

    private(set) var members: [Member]
    private var index: [UTF8Key: Int]?

    package init() {
        members = []
    }

    /// Takes members whose keys are known to be unique.
    package init(_ members: [Member]) {
        self.members = members
        reindex()
    }

    /// Takes at most `indexThreshold` members whose keys are known to be unique.
    @inline(__always)
    init(unique members: [Member]) {
        self.members = members
    }

    /// Takes members that may repeat a key; answers where a key is repeated first instead of an object.
    init(checking members: [Member], duplicate: inout Int?) {
        self.members = members
        if members.count > Self.indexThreshold {
            var index = [UTF8Key: Int](minimumCapacity: members.count)
            for (position, member) in members.enumerated()
            where index.updateValue(position, forKey: UTF8Key(member.key)) != nil {
                duplicate = position
                return
            }
            self.index = index
            return
        }
        for position in members.indices.dropFirst() {
            let key = members[position].key
            for earlier in 0..<position where members[earlier].key.hasSameBytes(as: key) {
                duplicate = position
                return
            }
        }
    }

    /// Whether both are one value in memory; see `JSON.isShared(with:)`.
    @inline(__always)
    package func isShared(with other: JSONObject) -> Bool { members.isShared(with: other.members) }

    /// The value under `key`; setting `nil` removes the member, setting a new key appends it.
    ///
    /// - Complexity: O(1) above the index threshold, O(threshold) below; removal is O(n).
    package subscript(key: String) -> JSON? {
        get { position(of: key).map { members[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): members[position].value = value
            case (let position?, nil): remove(at: position)
            case (nil, let value?): insert(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
        _modify {
            let position = position(of: key)
            var value: JSON?
            if let position {
                value = members[position].value
                // Released here, so that the yielded value is unique and can be changed in place.
                members[position].value = .null
            }
            // Also when the access ends with an error: what was taken out must come back.
            defer {
                switch (position, value) {
                case (let position?, let value?): members[position].value = value
                case (let position?, nil): remove(at: position)
                case (nil, let value?): insert(Member(key: key, value: value))
                case (nil, nil): break
                }
            }
            yield &value
        }
    }

    /// Changes the value of the member at `position` in place.
    mutating func change(at position: Int, _ body: (inout JSON) -> Void) { body(&members[position].value) }

    /// Changes the value under `key` in place; a new one begins as null.
    mutating func update(_ key: String, _ body: (inout JSON) -> Void) {
        if let position = position(of: key) {
            body(&members[position].value)
        } else {
            var value = JSON.null
            body(&value)
            insert(Member(key: key, value: value))
        }
    }

    /// Where the member named `key` stands.
    package func position(of key: String) -> Int? {
        if let index { return index[UTF8Key(key)] }
        // A plain loop: generic algorithms cost builds for tests, which are not optimised, several times as much.
        return members.withUnsafeBufferPointer { members in
            let length = key.utf8.count
            var position = 0
            while position < members.count {
                // Short names of one length are told apart without a call.
                if members[position].key._isIdentical(to: key) { return position }
                if members[position].key.utf8.count == length, members[position].key.hasSameBytes(as: key) {
                    return position
                }
                position += 1
            }
            return nil
        }
    }

    /// The value under `key`, which probably stands at that position: objects of one kind list their members alike.
    package func value(of key: String, near position: Int) -> JSON? {
        if position < members.count, members[position].key.hasSameBytes(as: key) { return members[position].value }
        return self.position(of: key).map { members[$0].value }
    }

    private mutating func insert(_ member: Member) {
        members.append(member)
        if index != nil {
            index?[UTF8Key(member.key)] = members.count - 1
        } else {
            reindex()
        }
    }

    private mutating func remove(at position: Int) {
        members.remove(at: position)
        reindex()
    }

    private mutating func reindex() {
        guard members.count > Self.indexThreshold else {
            index = nil
            return
        }
        var index = [UTF8Key: Int](minimumCapacity: members.count)
        for (position, member) in members.enumerated() { index[UTF8Key(member.key)] = position }
        self.index = index
    }
}

extension JSONObject: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { members.count }
    package subscript(position: Int) -> Member { members[position] }
    package var keys: some Sequence<String> { members.lazy.map(\.key) }
}

extension JSONObject: Hashable {
    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.members.count == right.members.count else { return false }
        if left.isShared(with: right) { return true }
        for (position, member) in left.members.enumerated() {
            // Mostly both sides list their members in the same order; only where they differ is a lookup needed.
            let candidate = right.members[position]
            if candidate.key.hasSameBytes(as: member.key) {
                if candidate.value != member.value { return false }
            } else if right[member.key] != member.value {
                return false
            }
        }
        return true
    }

    package func hash(into hasher: inout Hasher) {
        // Members are combined by a commutative operation, since equality ignores their order.
        var combined = 0
        for member in members { combined ^= member.hashValue }
        hasher.combine(members.count)
        hasher.combine(combined)
    }
}
