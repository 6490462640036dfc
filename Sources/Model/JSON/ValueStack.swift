/// Where a parser gathers the elements of all the collections it is inside of, so that each finished collection is
/// allocated once, at its exact size.
struct ValueStack<Element>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int = 32) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit {
        base.deinitialize(count: count)
        base.deallocate()
    }

    subscript(position: Int) -> Element {
        @inline(__always)
        _read {
            assert(position < count)
            yield base[position]
        }
        @inline(__always)
        _modify {
            assert(position < count)
            yield &base[position]
        }
    }

    @inline(__always)
    mutating func push(_ element: consuming Element) {
        if count == capacity { grow() }
        (base + count).initialize(to: element)
        count += 1
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: base, count: count)
        base.deallocate()
        base = larger
        capacity *= 2
    }

    /// Moves the elements from `start` on out of the stack.
    @inline(__always)
    mutating func pop(from start: Int) -> [Element] {
        let length = count - start
        if length == 0 { return [] }
        count = start
        // Faster than `init(unsafeUninitializedCapacity:)`, which looks its storage's type up at run time.
        var array: [Element] = []
        array.reserveCapacity(length)
        for position in start..<(start + length) { array.append((base + position).move()) }
        return array
    }

    /// Moves the elements from `start` on to the end of another stack.
    @inline(__always)
    mutating func pop(from start: Int, to other: inout ValueStack) {
        for position in start..<count { other.push((base + position).move()) }
        count = start
    }

    /// Moves all elements out of the stack.
    mutating func popAll() -> [Element] {
        let elements = Array(UnsafeBufferPointer(start: base, count: count))
        base.deinitialize(count: count)
        count = 0
        return elements
    }
}

/// A quick mark of a key's bytes: keys whose marks differ differ.
@inline(__always)
func keyMask(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    let count = bytes.count
    guard count > 0 else { return 1 }
    var hash = UInt64(count) &* 0x9E37_79B9_7F4A_7C15
    hash ^= UInt64(bytes[0]) &* 0xBF58_476D_1CE4_E5B9
    hash ^= UInt64(bytes[count / 2]) &* 0x94D0_49BB_1331_11EB
    hash ^= UInt64(bytes[count - 1]) &* 0xD6E8_FEB8_6659_FD93
    return 1 << (hash >> 58)
}
