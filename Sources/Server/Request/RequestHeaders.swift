/// The header fields of a request that say how to answer it, found in one pass. A field that is there several times
/// counts as one with all values.
struct RequestHeaders: Sendable {
    private(set) var authorization: String?
    private(set) var accept: String?
    private(set) var acceptEncoding: String?
    private(set) var contentType: String?
    private(set) var userAgent: String?
    private(set) var ifNoneMatch: String?
    /// Those that say whom the request wants to be taken for (J9): in their order, names in lower case.
    private(set) var impersonation: [(name: String, value: String)] = []

    init(_ fields: some Sequence<(name: String, value: String)>) {
        for field in fields {
            let name = field.name.lowercased()
            switch name {
            case "authorization": Self.add(field.value, to: &authorization)
            case "accept": Self.add(field.value, to: &accept)
            case "accept-encoding": Self.add(field.value, to: &acceptEncoding)
            case "content-type": Self.add(field.value, to: &contentType)
            case "user-agent": Self.add(field.value, to: &userAgent)
            case "if-none-match": Self.add(field.value, to: &ifNoneMatch)
            case let other where other.hasPrefix("impersonate-"): impersonation.append((other, field.value))
            default: break
            }
        }
    }

    private static func add(_ value: String, to field: inout String?) {
        field = field.map { "\($0), \(value)" } ?? value
    }
}
