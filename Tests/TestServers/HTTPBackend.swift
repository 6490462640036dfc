import Glibc
import Synchronization

/// `git http-backend` behind a small HTTP server on 127.0.0.1, with the faults that a network has.
package final class HTTPBackend {
    private let responder: HTTPResponder

    /// - Parameter authorization: the exact value of the `Authorization` header that is let in.
    package init(root: String, authorization: String? = nil) {
        responder = HTTPResponder(root: root, authorization: authorization)
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<HTTPResponder>.fromOpaque(argument!).takeRetainedValue().serve()
                return nil
            }, Unmanaged.passRetained(responder).toOpaque())
        pthread_detach(thread)
    }

    deinit { responder.stop() }

    package var fault: HTTPResponder.Fault {
        get { responder.fault }
        set { responder.fault = newValue }
    }

    /// How many silent connections are open.
    package var silentConnections: Int { responder.silentConnections }
    package var port: Int { responder.port }
    package var requests: [String] { responder.requests }

    package func url(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }
}

package final class HTTPResponder: Sendable {
    package enum Fault: Sendable {
        case none
        /// Accepts connections and never says a word.
        case silence
        /// Closes the connection after so many bytes of a pack.
        case cut(after: Int)
        case status(Int)
    }

    private struct State {
        var fault = Fault.none
        var requests: [String] = []
        var held: [CInt] = []
    }

    let port: Int
    private let listener: CInt
    private let root: String
    private let authorization: String?
    private let state = Mutex(State())

    fileprivate init(root: String, authorization: String?) {
        self.root = root
        self.authorization = authorization
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        port = listenOnLoopback(listener)
    }

    deinit {
        close(listener)
        state.withLock { $0.held.forEach { close($0) } }
    }

    /// Ends `serve`, on whatever thread it runs.
    fileprivate func stop() { shutdown(listener, CInt(SHUT_RDWR)) }

    var fault: Fault {
        get { state.withLock { $0.fault } }
        set { state.withLock { $0.fault = newValue } }
    }

    var requests: [String] { state.withLock { $0.requests } }
    var silentConnections: Int { state.withLock { $0.held.count } }

    fileprivate func serve() {
        while true {
            let connection = accept(listener, nil, nil)
            if connection < 0 {
                if errno == EINTR { continue }
                return
            }
            if case .silence = fault {
                state.withLock { $0.held.append(connection) }
                continue
            }
            answer(connection)
            close(connection)
        }
    }

    private func answer(_ connection: CInt) {
        guard let request = HTTPRequest(connection) else { return }
        state.withLock { $0.requests.append("\(request.method) \(request.target)") }
        if let authorization, request.headers["authorization"] != authorization {
            send(
                connection,
                Array(
                    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        .utf8))
            return
        }
        if case .status(let status) = fault {
            send(connection, Array("HTTP/1.1 \(status) No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8))
            return
        }
        let parts = request.target.split(separator: "?", maxSplits: 1)
        let result = run(
            ["git", "http-backend"],
            environment: [
                "GIT_PROJECT_ROOT=\(root)", "GIT_HTTP_EXPORT_ALL=1", "REQUEST_METHOD=\(request.method)",
                "PATH_INFO=\(parts[0])", "QUERY_STRING=\(parts.count > 1 ? String(parts[1]) : "")",
                "CONTENT_TYPE=\(request.headers["content-type"] ?? "")", "CONTENT_LENGTH=\(request.body.count)",
                "REMOTE_ADDR=127.0.0.1",
            ], input: request.body)
        let end =
            result.output.indices.dropLast(3).first { Array(result.output[$0..<($0 + 4)]) == [13, 10, 13, 10] } ?? 0
        let head = String(decoding: result.output[..<end], as: UTF8.self)
        var body = Array(result.output.dropFirst(end + 4))
        let status = head.split(separator: "\r\n").first { $0.hasPrefix("Status: ") }?.dropFirst(8) ?? "200 OK"
        let length = body.count
        if request.method == "POST", case .cut(let limit) = fault { body = Array(body.prefix(limit)) }
        send(
            connection,
            Array("HTTP/1.1 \(status)\r\n\(head)\r\nContent-Length: \(length)\r\nConnection: close\r\n\r\n".utf8) + body
        )
    }

    private func send(_ connection: CInt, _ bytes: [UInt8]) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress! + offset, bytes.count - offset, CInt(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            offset += count
        }
    }
}

/// Binds and listens on a free port of 127.0.0.1; answers the port.
package func listenOnLoopback(_ listener: Int32) -> Int {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(listener, $0, size) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &size) == 0
        }
    }
    precondition(isBound, "cannot listen on 127.0.0.1")
    return Int(UInt16(bigEndian: address.sin_port))
}

private struct HTTPRequest {
    var method = ""
    var target = ""
    var headers: [String: String] = [:]
    var body: [UInt8] = []

    init?(_ connection: CInt) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        func more() -> Bool {
            let count = recv(connection, &chunk, chunk.count, 0)
            if count > 0 { bytes.append(contentsOf: chunk[..<count]) }
            return count > 0
        }
        var end: Int?
        while end == nil {
            end = bytes.indices.dropLast(3).first { bytes[$0...].starts(with: [13, 10, 13, 10]) }
            if end == nil, !more() { return nil }
        }
        let lines = String(decoding: bytes[..<end!], as: UTF8.self).split(separator: "\r\n")
        let words = lines[0].split(separator: " ")
        method = String(words[0])
        target = String(words[1])
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }) }
        }
        bytes.removeFirst(end! + 4)
        if headers["transfer-encoding"] == "chunked" {
            while !bytes.suffix(5).elementsEqual("0\r\n\r\n".utf8) { if !more() { return nil } }
            body = Self.dechunked(bytes)
        } else {
            let length = headers["content-length"].flatMap { Int($0) } ?? 0
            while bytes.count < length { if !more() { return nil } }
            body = bytes
        }
    }

    private static func dechunked(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let line = rest.firstIndex(of: 13) {
            let size = Int(String(decoding: rest[..<line], as: UTF8.self), radix: 16) ?? 0
            if size == 0 { break }
            let start = line + 2
            result += rest[start..<(start + size)]
            rest = rest[(start + size + 2)...]
        }
        return result
    }
}
