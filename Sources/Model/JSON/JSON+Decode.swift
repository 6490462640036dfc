/// What was wrong with a text that should have been JSON, and where.
package struct JSONError: Error, Hashable, CustomStringConvertible {
    package var message: String
    /// Both count from 1; the column counts bytes.
    package var line: Int
    package var column: Int

    package var description: String { "\(line):\(column): \(message)" }
}

/// Bounds on a document, so that no input can exhaust the stack or memory.
package struct JSONLimits: Sendable {
    package var depth: Int
    package var bytes: Int

    package init(depth: Int = 512, bytes: Int = 64 << 20) {
        self.depth = depth
        self.bytes = bytes
    }
}

extension JSON {
    /// Reads one RFC 8259 document.
    ///
    /// Refuses what would silently change or lose data: invalid UTF-8, duplicate keys, lone surrogates, trailing text.
    ///
    /// - Throws: `JSONError` with the line and column of the fault.
    /// - Complexity: linear in the number of bytes.
    package init(decoding bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(JSONError) {
        self = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
            try JSON(decoding: buffer, limits: limits)
        }
    }

    package init(decoding text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        try self.init(decoding: Array(text.utf8), limits: limits)
    }

    package init(decoding buffer: UnsafeBufferPointer<UInt8>, limits: JSONLimits = JSONLimits()) throws(JSONError) {
        guard buffer.count <= limits.bytes else {
            let message = "the document has \(buffer.count) bytes; the limit is \(limits.bytes)"
            throw JSONError(message: message, line: 1, column: 1)
        }
        var parser = JSONParser(buffer: buffer, depthLimit: limits.depth)
        do {
            self = try parser.document()
        } catch {
            throw parser.positioned(error)
        }
    }
}
