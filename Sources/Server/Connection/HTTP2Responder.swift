import HTTPTypes
import HummingbirdCore
import NIOCore

extension APIResponder {
    /// Answers a request that came by HTTP/2, of which Hummingbird reads and writes the parts.
    ///
    /// - Throws: what ends the stream.
    @concurrent func respond(
        to request: Request, _ certificates: PeerCertificates, _ writer: consuming ResponseWriter
    ) async throws {
        let fields = request.headers.lazy.map { (name: $0.name.canonicalName, value: $0.value) }
        let answer = await answer(
            to: IncomingRequest(
                method: request.method.rawValue, target: request.head.path ?? "/", headers: RequestHeaders(fields),
                content: HTTP2Content(body: request.body), certificates: certificates))
        try await writer.write(
            response: HTTPResponse(status: HTTPResponse.Status(code: answer.code), headerFields: answer.httpFields),
            body: request.method == .head ? ResponseBody() : answer.body.responseBody)
    }
}

/// What comes with a request by HTTP/2.
private struct HTTP2Content: RequestContent {
    let body: RequestBody

    func collect(upTo limit: Int) async throws -> [UInt8] {
        do {
            return Array(buffer: try await body.collect(upTo: limit))
        } catch is NIOTooManyBytesError {
            throw BodyTooLong()
        }
    }

    func whileClientStays(_ operation: @escaping @Sendable () async throws -> Void) async throws {
        try await body.consumeWithCancellationOnInboundClose { _ in try await operation() }
    }
}

extension Answer {
    fileprivate var httpFields: HTTPFields {
        var result = HTTPFields()
        let fields = fields
        result.reserveCapacity(fields.count)
        for field in fields {
            // Appended, as setting looks for what is there already.
            if let name = HTTPField.Name(field.0) { result.append(HTTPField(name: name, value: field.1)) }
        }
        return result
    }
}

extension Answer.Body {
    fileprivate var responseBody: ResponseBody {
        switch transfer {
        case .whole(let bytes): ResponseBody(byteBuffer: bytes)
        case .pieces(let write): ResponseBody(write)
        }
    }
}
