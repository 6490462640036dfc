import Cluster
import HummingbirdCore
import Kinds
import Model
import NIOCore

/// What is sent back.
struct Answer: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        case list(ListBody)
        /// Written while it comes about: watches and followed logs.
        case stream(@concurrent @Sendable (inout any ResponseBodyWriter) async throws -> Void)

        /// How long it is; `nil` where nobody knows yet.
        var count: Int? {
            switch self {
            case .bytes(let bytes): bytes.count
            case .list(let list): list.count
            case .stream: nil
            }
        }

        /// All of it; `nil` where it is still coming about.
        var whole: [UInt8]? {
            switch self {
            case .bytes(let bytes): bytes
            case .list(let list): list.bytes
            case .stream: nil
            }
        }

        var isStream: Bool {
            if case .stream = self { true } else { false }
        }

        /// How it is sent.
        enum Transfer: Sendable {
            case whole(ByteBuffer)
            /// Written piece by piece to a writer, which is finished.
            case pieces(@concurrent @Sendable (inout any ResponseBodyWriter) async throws -> Void)
        }

        var transfer: Transfer {
            switch self {
            case .bytes(let bytes): .whole(ByteBuffer(bytes: bytes))
            case .list(let list) where list.count <= ListBody.pieceSize: .whole(ByteBuffer(bytes: list.bytes))
            case .list(let list): .pieces { try await list.write(to: &$0) }
            case .stream(let write): .pieces(write)
            }
        }
    }

    var code: Int
    var contentType: String
    var headers: [(name: String, value: String)] = []
    var body: Body
    /// Whether its address named nothing that is served.
    private(set) var namesNothing = false

    static func json(_ bytes: [UInt8], code: Int = 200) -> Answer {
        Answer(code: code, contentType: "application/json", body: .bytes(bytes))
    }

    static func json(_ value: JSON, code: Int = 200) -> Answer { .json(value.encoded(), code: code) }

    /// A value in the encoding that was asked for.
    static func encoded(
        _ value: JSON, as encoding: Representation.Encoding, code: Int = 200
    ) throws(APIError) -> Answer {
        let bytes: [UInt8]
        switch encoding {
        case .json: bytes = value.encoded()
        case .yaml: bytes = Array(YAML.text(value).utf8)
        case .protobuf:
            do {
                bytes = try ProtobufEncoding.encoded(value)
            } catch {
                throw APIError(.internalError, "Internal error occurred: the object cannot be written: \(error)")
            }
        }
        return Answer(code: code, contentType: encoding.rawValue, body: .bytes(bytes))
    }

    static func text(_ text: String, code: Int = 200) -> Answer {
        Answer(
            code: code, contentType: "text/plain; charset=utf-8",
            headers: [("X-Content-Type-Options", "nosniff")], body: .bytes(Array(text.utf8)))
    }

    /// A16.
    static let pageNotFound = {
        var answer = Answer.text("404 page not found\n", code: 404)
        answer.namesNothing = true
        return answer
    }()

    /// C1, with `Retry-After` where the error says so, and how to get in where that is what is missing.
    ///
    /// - Parameter accept: what the client accepts (A13).
    init(_ error: APIError, accept: String?) {
        do {
            self = try .encoded(
                error.status, as: Representation.encodingOfErrors(accept), code: error.reason.code)
        } catch {
            preconditionFailure("a Status has a message in protobuf, and all its fields: \(error)")
        }
        if error.reason == .unauthorized { headers.append(("WWW-Authenticate", "Bearer")) }
        if let seconds = error.details.retryAfterSeconds { headers.append(("Retry-After", "\(seconds)")) }
    }

    init(code: Int, contentType: String, headers: [(name: String, value: String)] = [], body: Body) {
        self.code = code
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    /// Adds `Warning: 299` headers (C22): each text once; when they are long together, each is cut.
    mutating func warn(_ warnings: [String]) {
        var unique: [String] = []
        for warning in warnings where !unique.contains(warning) { unique.append(warning) }
        let isLong = unique.reduce(0) { $0 + $1.unicodeScalars.count } > 4096
        for warning in unique {
            let text = isLong ? String(String.UnicodeScalarView(warning.unicodeScalars.prefix(256))) : warning
            let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            headers.append(("Warning", "299 - \"\(Self.withoutControls(quoted))\""))
        }
    }

    /// A field of HTTP holds no line breaks, nor anything else that controls (RFC 9110, 5.5): spaces stand for them.
    private static func withoutControls(_ text: String) -> String {
        func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }
        guard text.utf8.contains(where: isControl) else { return text }
        return String(decoding: text.utf8.map { isControl($0) ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }

    /// The same JSON laid out for people.
    func prettyPrinted() -> Answer {
        guard contentType.hasPrefix("application/json"), let bytes = body.whole else { return self }
        var answer = self
        do {
            answer.body = .bytes(try JSON(decoding: bytes).encoded(.indented) + [UInt8(ascii: "\n")])
        } catch {
            // What is no JSON is sent as it is.
        }
        return answer
    }

    /// In the format of gzip where the client takes that and it is worth it (A12).
    ///
    /// - Parameter encodings: the header `Accept-Encoding`.
    func compressed(for encodings: String?) -> Answer {
        guard Compression.isAccepted(encodings), let count = body.count, count > Compression.threshold,
            let bytes = body.whole, let smaller = Compression.gzip(bytes)
        else { return self }
        var answer = self
        answer.body = .bytes(smaller)
        answer.headers += [("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")]
        return answer
    }

    /// The fields of its head, whichever version of HTTP sends them. Those of the connection are not among them.
    var fields: [(String, String)] {
        var fields: [(String, String)] = []
        fields.reserveCapacity(headers.count + 5)
        if !contentType.isEmpty { fields.append(("Content-Type", contentType)) }
        for header in headers { fields.append(header) }
        // What one user may see is nothing for a cache on the way.
        if !headers.contains(where: { $0.name == "Cache-Control" }) {
            fields.append(("Cache-Control", "no-cache, private"))
        }
        if let count = body.count { fields.append(("Content-Length", String(count))) }
        return fields
    }
}
