package import Kinds
package import Model

/// Why a request was refused: Kubernetes' `Status` as a Swift error.
///
/// One case per reason of semantics-api C1; `status` is the only place that knows the HTTP code and the JSON shape.
package struct APIError: Error, Hashable, Sendable {
    package enum Reason: String, Sendable, CaseIterable {
        case badRequest = "BadRequest"
        case unauthorized = "Unauthorized"
        case forbidden = "Forbidden"
        case notFound = "NotFound"
        case methodNotAllowed = "MethodNotAllowed"
        case notAcceptable = "NotAcceptable"
        case alreadyExists = "AlreadyExists"
        case conflict = "Conflict"
        case expired = "Expired"
        case tooLarge = "RequestEntityTooLarge"
        case unsupportedMediaType = "UnsupportedMediaType"
        case invalid = "Invalid"
        case tooManyRequests = "TooManyRequests"
        case internalError = "InternalError"
        case serverTimeout = "ServerTimeout"
        case serviceUnavailable = "ServiceUnavailable"
        case timeout = "Timeout"

        /// The HTTP status code (semantics-api C1).
        package var code: Int {
            switch self {
            case .badRequest: 400
            case .unauthorized: 401
            case .forbidden: 403
            case .notFound: 404
            case .methodNotAllowed: 405
            case .notAcceptable: 406
            case .alreadyExists, .conflict: 409
            case .expired: 410
            case .tooLarge: 413
            case .unsupportedMediaType: 415
            case .invalid: 422
            case .tooManyRequests: 429
            case .internalError, .serverTimeout: 500
            case .serviceUnavailable: 503
            case .timeout: 504
            }
        }
    }

    /// One of several faults, with the path of the field it concerns.
    package struct Cause: Hashable, Sendable {
        package var reason: String
        package var message: String
        package var field: String

        package init(reason: String, message: String, field: String) {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    /// What the error is about.
    package struct Details: Hashable, Sendable {
        package var name: String
        package var group: String
        /// The plural resource, or for `Invalid` the kind (C1).
        package var kind: String
        package var uid: String
        package var causes: [Cause]
        package var retryAfterSeconds: Int?
        /// With which a list that expired goes on, if it need not show one moment (D2); empty: it cannot.
        package var continueToken: String

        package init(
            name: String = "", group: String = "", kind: String = "", uid: String = "", causes: [Cause] = [],
            retryAfterSeconds: Int? = nil, continueToken: String = ""
        ) {
            self.continueToken = continueToken
            self.name = name
            self.group = group
            self.kind = kind
            self.uid = uid
            self.causes = causes
            self.retryAfterSeconds = retryAfterSeconds
        }
    }

    package var reason: Reason
    package var message: String
    package var details: Details
    /// What the caller sent is at fault, although Kubernetes calls it an internal error (C5, H1). It is not sent, and
    /// so is no part of what makes two errors the same.
    package var isCallersFault: Bool

    package init(
        _ reason: Reason, _ message: String, details: Details = Details(), isCallersFault: Bool = false
    ) {
        self.reason = reason
        self.message = message
        self.details = details
        self.isCallersFault = isCallersFault
    }

    package static func == (left: APIError, right: APIError) -> Bool {
        left.reason == right.reason && left.message == right.message && left.details == right.details
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(reason)
        hasher.combine(message)
        hasher.combine(details)
    }
}

extension APIError: CustomStringConvertible {
    package var description: String { message }
}

extension APIError {
    /// `deployments.apps "x" not found`
    package static func notFound(_ type: String, group: String = "", name: String) -> APIError {
        let resource = group.isEmpty ? type : "\(type).\(group)"
        return APIError(
            .notFound, "\(resource) \"\(name)\" not found", details: Details(name: name, group: group, kind: type))
    }

    package static func alreadyExists(_ type: String, group: String = "", name: String) -> APIError {
        let resource = group.isEmpty ? type : "\(type).\(group)"
        return APIError(
            .alreadyExists, "\(resource) \"\(name)\" already exists",
            details: Details(name: name, group: group, kind: type))
    }

    package static func conflict(_ type: String, group: String = "", name: String, because why: String) -> APIError {
        let resource = group.isEmpty ? type : "\(type).\(group)"
        return APIError(
            .conflict, "Operation cannot be fulfilled on \(resource) \"\(name)\": \(why)",
            details: Details(name: name, group: group, kind: type))
    }

    /// The text of every lost optimistic update; clients search for it.
    package static let modified =
        "the object has been modified; please apply your changes to the latest version and try again"
}

extension APIError {
    /// 422 with a cause for each fault (semantics-api C1, C2).
    ///
    /// - Parameters:
    ///   - errors: at least one; what is told twice is in the message once.
    ///   - name: the object's; empty where it has none.
    package init(invalid errors: [FieldError], of kind: GroupVersionKind, name: String = "") {
        var messages: [String] = []
        for error in errors where !messages.contains(error.message) { messages.append(error.message) }
        let list = messages.count == 1 ? messages[0] : "[\(messages.joined(separator: ", "))]"
        self.init(
            .invalid, "\(kind.groupKind) \"\(name)\" is invalid: \(list)",
            details: Details(
                name: name, group: kind.group, kind: kind.kind,
                causes: errors.map { Cause(reason: $0.cause.reason, message: $0.cause.message, field: $0.path) }))
    }
}

extension APIError {
    /// The `Status` object that says this on the wire (semantics-api C1).
    package var status: JSON {
        var status: JSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure",
            "message": .string(message), "reason": .string(reason.rawValue),
        ]
        if !details.continueToken.isEmpty {
            status[path: ["metadata", "continue"]] = .string(details.continueToken)
        }
        var fields: JSON = [:]
        if !details.name.isEmpty { fields["name"] = .string(details.name) }
        if !details.group.isEmpty { fields["group"] = .string(details.group) }
        if !details.kind.isEmpty { fields["kind"] = .string(details.kind) }
        if !details.uid.isEmpty { fields["uid"] = .string(details.uid) }
        if !details.causes.isEmpty {
            fields["causes"] = .array(
                details.causes.map { cause in
                    var json: JSON = [:]
                    for (member, text) in [
                        ("reason", cause.reason), ("message", cause.message), ("field", cause.field),
                    ] where !text.isEmpty {
                        json[member] = .string(text)
                    }
                    return json
                })
        }
        if let seconds = details.retryAfterSeconds { fields["retryAfterSeconds"] = .int(Int64(seconds)) }
        if fields != .emptyObject { status["details"] = fields }
        status["code"] = .int(Int64(reason.code))
        return status
    }

    /// Reads a `Status` that a server sent.
    package init(status: JSON) {
        let reason = status["reason"]?.string.flatMap(Reason.init(rawValue:))
        let code = status["code"]?.int ?? 500
        let causes = status["details"]?["causes"]?.array ?? []
        self.init(
            reason ?? Reason.allCases.first { $0.code == Int(code) } ?? .internalError,
            status["message"]?.string ?? "the server answered \(code) without a message",
            details: Details(
                name: status["details"]?["name"]?.string ?? "", group: status["details"]?["group"]?.string ?? "",
                kind: status["details"]?["kind"]?.string ?? "", uid: status["details"]?["uid"]?.string ?? "",
                causes: causes.map {
                    Cause(
                        reason: $0["reason"]?.string ?? "", message: $0["message"]?.string ?? "",
                        field: $0["field"]?.string ?? "")
                },
                retryAfterSeconds: (status["details"]?["retryAfterSeconds"]?.int).map { Int($0) },
                continueToken: status[path: ["metadata", "continue"]]?.string ?? ""))
    }
}
