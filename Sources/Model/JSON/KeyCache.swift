/// The long keys that a parser has met, so that those of one spelling share one text: manifests repeat a few dozen.
///
/// Keys of up to 15 bytes need no memory of their own. A slot keeps the last key that fell into it.
struct KeyCache: ~Copyable {
    private static let slotCount = 64
    private var slots: UnsafeMutablePointer<String>?

    deinit {
        slots?.deinitialize(count: Self.slotCount)
        slots?.deallocate()
    }

    /// The text of `bytes`, which must be valid UTF-8.
    @inline(__always)
    mutating func key(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        bytes.count <= 15 ? String(decoding: bytes, as: UTF8.self) : sharedKey(bytes)
    }

    private mutating func sharedKey(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard let base = bytes.baseAddress else { return "" }
        let slots = slots ?? makeSlots()
        let raw = UnsafeRawPointer(base)
        var hash = raw.loadUnaligned(as: UInt64.self) ^ UInt64(bytes.count)
        hash = (hash ^ (hash >> 29)) &* 0xBF58_476D_1CE4_E5B9
        hash ^= raw.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self)
        hash = (hash ^ (hash >> 32)) &* 0x94D0_49BB_1331_11EB
        let slot = slots + Int(hash >> 58)
        if slot.pointee.utf8.count == bytes.count, Self.isEqual(slot.pointee, raw, bytes.count) { return slot.pointee }
        let key = String(decoding: bytes, as: UTF8.self)
        slot.pointee = key
        return key
    }

    private mutating func makeSlots() -> UnsafeMutablePointer<String> {
        let slots = UnsafeMutablePointer<String>.allocate(capacity: Self.slotCount)
        slots.initialize(repeating: "", count: Self.slotCount)
        self.slots = slots
        return slots
    }

    /// Eight bytes at a time; the last eight overlap those before.
    @inline(__always)
    private static func isEqual(_ text: String, _ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { buffer in
            guard let base = buffer.baseAddress else { return false }
            let raw = UnsafeRawPointer(base)
            var position = 0
            while position < count - 8 {
                let left = raw.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                if left != bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) { return false }
                position += 8
            }
            let left = raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
            return left == bytes.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
        } ?? false
    }
}
