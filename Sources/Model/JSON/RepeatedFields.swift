/// Keys that a document gives more than once in the same object, as Kubernetes tells them (semantics-api C21).
struct RepeatedFields {
    enum Step {
        case member(String)
        case index(Int)
    }

    /// So many are told of one document.
    static let limit = 100

    /// Where the parser is.
    var path: [Step] = []
    private(set) var messages: [String] = []

    /// Notes that the field at `path` was there before.
    mutating func note() {
        if messages.count < Self.limit { messages.append("duplicate field \"\(text)\"") }
    }

    private var text: String {
        path.reduce(into: "") { text, step in
            switch step {
            case .member(let name): text += text.isEmpty ? name : ".\(name)"
            case .index(let index): text += "[\(index)]"
            }
        }
    }
}

extension JSON {
    /// Reads a document as the Kubernetes API server does: where an object gives a field twice, the last value counts.
    ///
    /// - Parameter repeated: gets a message for each such field: `duplicate field "spec.replicas"` (C21).
    package init(
        decoding bytes: [UInt8], limits: JSONLimits = JSONLimits(), repeated: inout [String]
    ) throws(JSONError) {
        do {
            // Nearly every document repeats nothing, and is read at full speed.
            self = try JSON(decoding: bytes, limits: limits)
        } catch {
            guard bytes.count <= limits.bytes else { throw error }
            (self, repeated) = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> (JSON, [String]) in
                var parser = JSONParser(buffer: buffer, depthLimit: limits.depth, repeated: RepeatedFields())
                do throws(JSONFault) {
                    let value = try parser.document()
                    return (value, parser.repeated?.messages ?? [])
                } catch {
                    throw parser.positioned(error)
                }
            }
        }
    }
}
