import Cluster
import HTTPTypes
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
            let quoted = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: " ")
            headers.append(("Warning", "299 - \"\(quoted)\""))
        }
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

    /// As the HTTP server sends it.
    var response: Response {
        var fields = HTTPFields()
        fields.reserveCapacity(headers.count + 4)
        // Appended, as setting looks for what is there already.
        if !contentType.isEmpty { fields.append(HTTPField(name: .contentType, value: contentType)) }
        for header in headers {
            if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
        }
        // What one user may see is nothing for a cache on the way.
        if fields[.cacheControl] == nil { fields.append(HTTPField(name: .cacheControl, value: "no-cache, private")) }
        let body: ResponseBody =
            switch self.body {
            case .bytes(let bytes): ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            case .list(let list): list.responseBody
            case .stream(let write): ResponseBody(write)
            }
        // To notice that the client goes away, a stream reads on from the connection, which ends with it; a client must
        // know that, or it may send its next request into a closing connection. HTTP/2 ends the stream alone, and knows
        // no such field (RFC 9113, 8.2.2).
        if case .stream = self.body, Connection.current?.isHTTP2 != true { fields[.connection] = "close" }
        return Response(status: HTTPResponse.Status(code: code), headers: fields, body: body)
    }
}
