import NIOHTTP1

/// What the head of a request says of its connection and its place.
extension HTTPRequestHead {
    /// Whether the client waits to be told before it sends the body (RFC 9110, 10.1.1).
    var expectsContinue: Bool {
        headers.first(name: "Expect").map { $0.lowercased() == "100-continue" } ?? false
    }

    /// Whether what follows would be of another protocol, to which nothing here changes: NIO reads no more requests.
    var endsHTTP: Bool { method == .CONNECT || !headers["Upgrade"].isEmpty }

    /// Path and query; also where the whole address was sent, as to a proxy (RFC 9112, 3.2.2).
    var target: String {
        guard uri.utf8.first != UInt8(ascii: "/") else { return uri }
        for scheme in ["http://", "https://"] where uri.lowercased().hasPrefix(scheme) {
            let rest = uri.dropFirst(scheme.count)
            guard let start = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
            return (rest[start] == "?" ? "/" : "") + rest[start...]
        }
        return uri
    }
}
