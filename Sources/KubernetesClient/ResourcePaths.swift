import Cluster
import Kinds
import Model

/// The addresses of objects and collections below a server's URL.
enum ResourcePaths {
    static func collection(_ type: ResourceType, namespace: String?) -> String {
        let kind = type.kind
        var path = kind.group.isEmpty ? "/api/\(kind.version)" : "/apis/\(kind.group)/\(kind.version)"
        if type.isNamespaced, let namespace, !namespace.isEmpty { path += "/namespaces/\(encoded(namespace))" }
        return path + "/\(type.plural)"
    }

    static func object(_ type: ResourceType, _ key: ObjectKey, subresource: String? = nil) throws(APIError) -> String {
        // Without them the path would name the collection.
        guard !key.name.isEmpty else { throw APIError(.badRequest, "the \(type.kind.kind) has no name") }
        guard !type.isNamespaced || !key.namespace.isEmpty else {
            throw APIError(.badRequest, "the \(type.kind.kind) \(key.name) has no namespace")
        }
        let path = collection(type, namespace: key.namespace) + "/\(encoded(key.name))"
        return subresource.map { "\(path)/\($0)" } ?? path
    }

    /// Everything but RFC 3986's unreserved characters as `%41`.
    static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `?a=b&c=d`, or nothing.
    static func query(_ items: [(String, String)]) -> String {
        items.isEmpty ? "" : "?" + items.map { "\($0.0)=\(encoded($0.1))" }.joined(separator: "&")
    }

    static func items(of query: ListQuery) -> [(String, String)] {
        var items: [(String, String)] = []
        if !query.labels.isEmpty { items.append(("labelSelector", "\(query.labels)")) }
        if !query.fields.isEmpty { items.append(("fieldSelector", "\(query.fields)")) }
        return items
    }

    static func items(of options: WriteOptions) -> [(String, String)] {
        var items = [
            ("fieldManager", options.fieldManager), ("fieldValidation", options.fieldValidation.rawValue),
        ]
        if options.dryRun { items.append(("dryRun", "All")) }
        return items
    }
}
