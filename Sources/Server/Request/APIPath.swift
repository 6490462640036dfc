import Model

/// What the path of a request names, in the Kubernetes API's layout (semantics-api A1, A2, A15, A16).
enum APIPath: Hashable, Sendable {
    case root
    /// `/healthz`, `/livez` or `/readyz`, or a single check below one.
    case health(endpoint: String, check: String?)
    case version
    case metrics
    /// `/api`
    case coreVersions
    /// `/apis`
    case groups
    /// `/apis/<group>`
    case group(String)
    /// `/api/v1` or `/apis/<group>/<version>`
    case resourceList(group: String, version: String)
    case openAPIIndex
    /// `/openapi/v3/<api/v1 or apis/group/version>`
    case openAPI(String)
    /// `/openapi/v2`, or the older address that answers protobuf alone (B9, B10).
    case openAPIVersion2(isProtobufAlone: Bool)
    /// `/.well-known/openid-configuration` and `/openid/v1/jwks`: by what tokens are checked.
    case issuerConfiguration
    case issuerKeys
    case resource(ResourcePath)
    case unknown

    /// - Parameter path: without the query.
    init(_ path: String) {
        var segments = Self.segments(of: path)
        if path.firstIndex(ofASCII: "%") != nil {
            let decoded = segments.compactMap { String(percentEncoded: $0) }
            guard decoded.count == segments.count else {
                self = .unknown
                return
            }
            segments = decoded
        }
        self = Self.parse(segments[...])
    }

    /// By bytes: a slash is one, whatever stands beside it. Every request comes through here.
    private static func segments(of path: String) -> [String] {
        var path = path
        return path.withUTF8 { bytes in
            var segments: [String] = []
            segments.reserveCapacity(8)
            var start = 0
            for end in 0...bytes.count where end == bytes.count || bytes[end] == UInt8(ascii: "/") {
                if end > start { segments.append(String(decoding: bytes[start..<end], as: UTF8.self)) }
                start = end + 1
            }
            return segments
        }
    }

    /// Whether the answer may be a large one, which is long in the making: a list, a description of the API, metrics.
    func mayTakeLong(_ method: String) -> Bool {
        switch self {
        case .resource(let path): path.name == nil && method != "POST"
        case .root, .health, .version, .issuerConfiguration, .issuerKeys, .unknown: false
        default: true
        }
    }

    /// Whether the method does not matter, as for what Kubernetes serves beside its routes.
    var answersAnyMethod: Bool {
        switch self {
        case .health, .openAPIIndex, .openAPI, .openAPIVersion2: true
        default: false
        }
    }

    /// Whether the answer goes on for as long as somebody reads it: watches and logs, which no timeout of a request
    /// ends.
    func lastsLong(_ query: QueryParameters) -> Bool {
        guard case .resource(let path) = self else { return false }
        return path.isLegacyWatch || query.flag("watch") || path.subresource == "log"
    }

    private static func parse(_ segments: ArraySlice<String>) -> APIPath {
        let rest = segments.dropFirst()
        switch segments.first {
        case nil: return .root
        case "healthz", "livez", "readyz":
            return rest.count > 1 ? .unknown : .health(endpoint: segments[0], check: rest.first)
        case "version": return rest.isEmpty ? .version : .unknown
        case "metrics": return rest.isEmpty ? .metrics : .unknown
        case ".well-known": return Array(rest) == ["openid-configuration"] ? .issuerConfiguration : .unknown
        case "openid": return Array(rest) == ["v1", "jwks"] ? .issuerKeys : .unknown
        case "openapi":
            let name = rest.dropFirst()
            if rest.first == "v2", name.isEmpty { return .openAPIVersion2(isProtobufAlone: false) }
            guard rest.first == "v3" else { return .unknown }
            return name.isEmpty ? .openAPIIndex : .openAPI(name.joined(separator: "/"))
        case "swagger-2.0.0.pb-v1": return rest.isEmpty ? .openAPIVersion2(isProtobufAlone: true) : .unknown
        case "api":
            guard let version = rest.first else { return .coreVersions }
            return parse(rest.dropFirst(), group: "", version: version)
        case "apis":
            guard let group = rest.first else { return .groups }
            guard let version = rest.dropFirst().first else { return .group(group) }
            return parse(rest.dropFirst(2), group: group, version: version)
        default: return .unknown
        }
    }

    private static func parse(_ segments: ArraySlice<String>, group: String, version: String) -> APIPath {
        var rest = segments
        let isLegacyWatch = rest.first == "watch"
        if isLegacyWatch { rest = rest.dropFirst() }
        guard let plural = rest.popFirst() else {
            return isLegacyWatch ? .unknown : .resourceList(group: group, version: version)
        }
        var path = ResourcePath(group: group, version: version, plural: plural, isLegacyWatch: isLegacyWatch)
        // A namespace's own subresources look like collections inside it; no kind has their names.
        if plural == "namespaces", let inner = rest.dropFirst().first, inner != "status", inner != "finalize" {
            path.namespace = rest.popFirst()
            path.plural = inner
            rest = rest.dropFirst()
        }
        path.name = rest.popFirst()
        path.subresource = rest.popFirst()
        return rest.isEmpty ? .resource(path) : .unknown
    }
}

/// A collection, an object or a subresource.
struct ResourcePath: Hashable, Sendable {
    var group: String
    var version: String
    var namespace: String?
    var plural: String
    var name: String?
    var subresource: String?
    /// `/api/v1/watch/…`, the old form of `?watch=true` (A16).
    var isLegacyWatch = false
}

extension String {
    /// Decodes `%41` and the like; `nil` when that yields no UTF-8.
    init?(percentEncoded text: some StringProtocol) {
        guard text.utf8.contains(UInt8(ascii: "%")) else {
            self = String(text)
            return
        }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ UnicodeScalar($0).properties.isASCIIHexDigit }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        self.init(validating: bytes, as: UTF8.self)
    }
}
