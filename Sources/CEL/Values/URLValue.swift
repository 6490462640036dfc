/// The parts of an absolute URL or an absolute path, as Go's `net/url` takes them apart.
package struct URLValue: Hashable, Sendable {
    let text: String
    var scheme = ""
    var host = ""
    var path = ""
    var query = ""

    /// Why a text is no URL.
    struct Fault: Error {
        var message: String
    }

    init(_ text: String) throws(Fault) {
        self.text = text
        func fault(_ reason: String) -> Fault { Fault(message: "parse \(GoNumber.quoted(text)): \(reason)") }
        if text.isEmpty { throw fault("empty url") }
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw fault("net/url: invalid control character in URL")
        }
        var rest = text[...]
        if let colon = Self.schemeEnd(rest) {
            scheme = rest[..<colon].lowercased()
            rest = rest[rest.index(after: colon)...]
        } else if text.first == ":" {
            throw fault("missing protocol scheme")
        }
        // Fragments are cut off here; a request URI knows none, and takes them as part of the path for validity.
        if let hash = rest.firstIndex(of: "#") { rest = rest[..<hash] }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        // With a scheme, what does not begin with a slash is opaque: `mailto:someone`.
        if !scheme.isEmpty, !rest.hasPrefix("/") { return }
        guard rest.hasPrefix("/") else { throw fault("invalid URI for request") }
        if !scheme.isEmpty, rest.hasPrefix("//") {
            let authority = rest.dropFirst(2).prefix { $0 != "/" }
            rest = rest[authority.endIndex...]
            let user = authority.lastIndex(of: "@")
            host = String(user.map { authority[authority.index(after: $0)...] } ?? authority)
            if let reason = Self.faultOfHost(host) { throw fault(reason) }
        }
        guard Self.unescaped(String(rest), plus: false) != nil else {
            throw fault("invalid URL escape \(GoNumber.quoted(Self.badEscape(rest)))")
        }
        path = String(rest)
    }

    private static func schemeEnd(_ text: Substring) -> Substring.Index? {
        guard let first = text.unicodeScalars.first, first.isNameStart, first != "_" else { return nil }
        for index in text.unicodeScalars.indices {
            let scalar = text.unicodeScalars[index]
            if scalar == ":" { return index }
            guard scalar.isNamePart && scalar != "_" || "+-.".unicodeScalars.contains(scalar) else { return nil }
        }
        return nil
    }

    private static func faultOfHost(_ host: String) -> String? {
        var port = host[...]
        if host.hasPrefix("[") {
            guard let close = host.lastIndex(of: "]") else { return "missing ']' in host" }
            port = host[host.index(after: close)...]
            if !port.isEmpty, !port.hasPrefix(":") { return "invalid port \(GoNumber.quoted(String(port))) after host" }
        } else {
            for scalar in host.unicodeScalars where scalar.value < 0x80 {
                if " \"<>\\^`{|}".unicodeScalars.contains(scalar) {
                    return "invalid character \(GoNumber.quoted(String(scalar))) in host name"
                }
            }
            port = host.lastIndex(of: ":").map { host[$0...] } ?? ""
        }
        guard port.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return "invalid port \(GoNumber.quoted(String(port))) after host"
        }
        return unescaped(host, plus: false) == nil ? "invalid URL escape" : nil
    }

    private static func badEscape(_ text: Substring) -> String {
        guard let percent = text.firstIndex(of: "%") else { return "%" }
        return String(text[percent...].prefix(3))
    }

    /// The host without its port and brackets.
    var hostname: String {
        if host.hasPrefix("["), let close = host.lastIndex(of: "]") {
            return String(host[host.index(after: host.startIndex)..<close])
        }
        return host.lastIndex(of: ":").map { String(host[..<$0]) } ?? host
    }

    var port: String {
        if host.hasPrefix("["), let close = host.lastIndex(of: "]") {
            return String(host[host.index(after: close)...].dropFirst())
        }
        return host.lastIndex(of: ":").map { String(host[host.index(after: $0)...]) } ?? ""
    }

    /// The path with what must be escaped in one escaped.
    var escapedPath: String {
        var escaped = ""
        for byte in path.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isNamePart || "-_.~$&+,/:;=@!'()*%[]".unicodeScalars.contains(scalar) {
                escaped.unicodeScalars.append(scalar)
            } else {
                escaped += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }

    /// The parameters of the query with all their values.
    var parameters: [(name: String, values: [String])] {
        var parameters: [(name: String, values: [String])] = []
        for part in query.split(separator: "&") where !part.contains(";") {
            let equals = part.firstIndex(of: "=")
            let name = Self.unescaped(String(equals.map { part[..<$0] } ?? part), plus: true)
            let value = Self.unescaped(equals.map { String(part[part.index(after: $0)...]) } ?? "", plus: true)
            guard let name, let value else { continue }
            if let index = parameters.firstIndex(where: { $0.name == name }) {
                parameters[index].values.append(value)
            } else {
                parameters.append((name, [value]))
            }
        }
        return parameters
    }

    static func unescaped(_ text: String, plus: Bool) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == 0x25 {
                guard rest.count >= 2, let high = Unicode.Scalar(rest.removeFirst()).hexValue,
                    let low = Unicode.Scalar(rest.removeFirst()).hexValue
                else { return nil }
                bytes.append(UInt8(high << 4 | low))
            } else {
                bytes.append(plus && byte == 0x2b ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
