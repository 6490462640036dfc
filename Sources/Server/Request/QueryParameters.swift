import Cluster
import Kinds
import Model

/// The parameters after the `?` of a request.
struct QueryParameters: Hashable, Sendable {
    private var values: [String: [String]] = [:]
    /// A part that cannot be read.
    private var unreadable: String?

    init(_ query: String?) {
        for pair in (query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.compactMap { String(percentEncoded: String($0.map { $0 == "+" ? " " : $0 })) }
            if decoded.count == parts.count {
                values[decoded[0], default: []].append(decoded.count > 1 ? decoded[1] : "")
            } else {
                unreadable = unreadable ?? String(pair)
            }
        }
    }

    /// Without a selector that cannot be read, a deletion would take everything. Kubernetes passes over such parts
    /// (`net/url`), or takes bytes for what they are.
    ///
    /// - Throws: `.badRequest`.
    func checkReadable() throws(APIError) {
        guard let unreadable else { return }
        throw APIError(
            .badRequest,
            "the query parameter \(unreadable) cannot be read: a % is followed by two hexadecimal digits, "
                + "and what is decoded is UTF-8")
    }

    /// The first value; an empty one counts as absent, as Kubernetes has it.
    subscript(name: String) -> String? {
        values[name]?.first.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Every value, where a parameter may stand more than once.
    func all(_ name: String) -> [String] { values[name] ?? [] }

    /// All but `false` and `0` are true, also a name without a value (`Convert_Slice_string_To_bool`).
    func flag(_ name: String) -> Bool {
        guard let value = values[name]?.first else { return false }
        return value != "0" && value.lowercased() != "false"
    }

    func integer(_ name: String) throws(APIError) -> Int? {
        guard let text = self[name] else { return nil }
        guard let value = Int(text) else {
            throw APIError(.badRequest, "the query parameter \(name)=\(text) is not an integer")
        }
        return value
    }

    /// C8: how long a client would wait. It is checked, as Kubernetes does; no answer here takes long.
    func checkTimeout() throws(APIError) {
        guard let text = self["timeout"] else { return }
        do throws(GoDuration.Fault) {
            _ = try GoDuration.duration(text)
        } catch {
            throw APIError(.badRequest, "invalid timeout specified in the request URL - \(error)")
        }
    }

    var labelSelector: Selector {
        get throws(APIError) {
            guard let text = self["labelSelector"] else { return Selector() }
            do {
                return try Selector(parsing: text)
            } catch {
                throw APIError(.badRequest, "\(error)")
            }
        }
    }

    var fieldSelector: FieldSelector {
        get throws(APIError) {
            guard let text = self["fieldSelector"] else { return FieldSelector() }
            do {
                return try FieldSelector(parsing: text)
            } catch {
                throw APIError(.badRequest, "\(error)")
            }
        }
    }

    /// C20: only `dryRun=All`.
    var isDryRun: Bool {
        get throws(APIError) {
            guard let value = self["dryRun"] else { return false }
            guard value == "All" else { throw Self.unsupportedDryRun(value) }
            return true
        }
    }

    static func unsupportedDryRun(_ value: String) -> APIError {
        .invalidOptions(
            "DeleteOptions", "dryRun", "FieldValueNotSupported",
            "Unsupported value: [\(JSON.string(value).text())]: supported values: \"All\"")
    }
}
