import Cluster
import Model
import NIOCore
import NIOHTTP1

/// What is said, in the words of Go's server, to who sends no HTTP, or such as is not understood. The connection ends
/// with it: where the next request begins is not certain.
struct RequestRefusal: Hashable, Sendable {
    var status: HTTPResponseStatus
    var reason = ""

    init(of error: HTTPParserError) {
        status =
            switch error {
            case .headerOverflow: .requestHeaderFieldsTooLarge
            case .invalidVersion: .httpVersionNotSupported
            default: .badRequest
            }
    }

    /// - Returns: `nil` where the request can be answered.
    init?(of head: HTTPRequestHead) {
        if let fault = head.transferEncodingFault {
            (status, reason) = fault
        } else if head.version != .http1_0, let fault = head.hostFault {
            (status, reason) = (.badRequest, fault)
        } else if let expected = head.headers.first(name: "Expect"), expected.lowercased() != "100-continue" {
            status = .expectationFailed
        } else {
            return nil
        }
    }

    /// What Kubernetes answers where a body takes too long to come.
    static var timeout: SentPart {
        let error = APIError(.timeout, "Timeout: request did not complete within the allotted timeout")
        let body = ByteBuffer(bytes: error.status.encoded())
        let fields: HTTPHeaders = [
            "Content-Type": "application/json", "Connection": "close", "Content-Length": "\(body.readableBytes)",
        ]
        return .whole(HTTPResponseHead(version: .http1_1, status: .gatewayTimeout, headers: fields), body)
    }

    var text: String { "\(status.code) \(status.reasonPhrase)" + (reason.isEmpty ? "" : ": \(reason)") }

    var answer: SentPart {
        let text = text
        let fields: HTTPHeaders = [
            "Content-Type": "text/plain; charset=utf-8", "Connection": "close", "Content-Length": "\(text.utf8.count)",
        ]
        return .whole(
            HTTPResponseHead(version: .http1_1, status: status, headers: fields), ByteBuffer(string: text))
    }
}

extension HTTPRequestHead {
    /// RFC 9112, 6.1: what is coded in another way than in chunks cannot be read, and before HTTP/1.1 there were none;
    /// a server in front of this one might read it otherwise.
    fileprivate var transferEncodingFault: (HTTPResponseStatus, String)? {
        let codings = headers["Transfer-Encoding"]
        guard !codings.isEmpty else { return nil }
        guard version != .http1_0 else { return (.badRequest, "transfer encoding in HTTP/1.0") }
        guard codings.count == 1, codings[0].lowercased() == "chunked" else {
            return (.notImplemented, "unsupported transfer encoding")
        }
        return nil
    }

    /// RFC 9112, 3.2.
    fileprivate var hostFault: String? {
        switch headers["Host"].count {
        case 0: "missing required Host header"
        case 1: nil
        default: "too many Host headers"
        }
    }
}
