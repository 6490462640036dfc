import CZlib

/// Large answers, made smaller for clients that can read them so (semantics-api A12).
enum Compression {
    /// A smaller answer costs more time than it saves: what `kube-apiserver` compresses is larger than this.
    static let threshold = 128 << 10

    /// Whether a header `Accept-Encoding` takes gzip (RFC 9110, 12.5.3).
    static func isAccepted(_ header: String?) -> Bool {
        (header ?? "").split(separator: ",").contains { clause in
            let parts = clause.split(separator: ";").map { $0.filter { !$0.isWhitespace }.lowercased() }
            guard let coding = parts.first, coding == "gzip" || coding == "*" else { return false }
            return !parts.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) == 0 }
        }
    }

    /// The bytes in the format of gzip (RFC 1952), at the fastest level; `nil` when zlib has no memory for it.
    static func gzip(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        // 15 bits of window; 16 more ask for gzip's head and check sum.
        let begun = deflateInit2_(
            &stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard begun == Z_OK else { return nil }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, uLong(bytes.count)))
        var input = bytes
        return input.withUnsafeMutableBufferPointer { source -> [UInt8]? in
            var isDone = false
            let output = [UInt8](unsafeUninitializedCapacity: bound) { target, count in
                stream.next_in = source.baseAddress
                stream.avail_in = uInt(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = uInt(bound)
                isDone = deflate(&stream, Z_FINISH) == Z_STREAM_END
                count = isDone ? Int(stream.total_out) : 0
            }
            return isDone ? output : nil
        }
    }
}
