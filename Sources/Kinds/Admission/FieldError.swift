package import Model

/// One reason why an object is invalid, with the texts of Kubernetes' field errors (semantics-api C2).
package struct FieldError: Error, Hashable, Sendable {
    /// The raw value is the `reason` of the cause in a `Status`.
    package enum ErrorType: String, Sendable {
        case notFound = "FieldValueNotFound"
        case required = "FieldValueRequired"
        case duplicate = "FieldValueDuplicate"
        case invalid = "FieldValueInvalid"
        case typeInvalid = "FieldValueTypeInvalid"
        case notSupported = "FieldValueNotSupported"
        case forbidden = "FieldValueForbidden"
        case tooLong = "FieldValueTooLong"
        case tooMany = "FieldValueTooMany"
        case internalError = "InternalError"

        var text: String {
            switch self {
            case .notFound: "Not found"
            case .required: "Required value"
            case .duplicate: "Duplicate value"
            case .invalid, .typeInvalid: "Invalid value"
            case .notSupported: "Unsupported value"
            case .forbidden: "Forbidden"
            case .tooLong: "Too long"
            case .tooMany: "Too many"
            case .internalError: "Internal error"
            }
        }

        var showsValue: Bool {
            switch self {
            case .required, .forbidden, .tooLong, .internalError: false
            default: true
            }
        }
    }

    package var type: ErrorType
    package var path: String
    package var value: JSON?
    package var detail: String
    /// Whether the message says nothing of the value though its type would.
    package var omitsValue = false

    package init(_ type: ErrorType, at path: FieldPath, value: JSON? = nil, detail: String = "") {
        self.type = type
        self.path = path.description
        self.value = value
        self.detail = detail
    }

    /// What is wrong, without the path: `Invalid value: "x": must be ...`.
    package var body: String {
        var text = type.text
        if type.showsValue, !omitsValue { text += ": " + (value ?? .null).text() }
        return detail.isEmpty ? text : "\(text): \(detail)"
    }

    /// `path: body`.
    package var message: String { "\(path): \(body)" }

    /// The entry of `Status.details.causes`.
    package var cause: (reason: String, message: String, field: String) { (type.rawValue, body, path) }
}

extension FieldError: CustomStringConvertible {
    package var description: String { message }
}

/// The errors found so far. Rules are its `mutating` methods, so that they need not pass lists around.
package struct FieldErrors: Sendable {
    package private(set) var all: [FieldError] = []

    package init() {}

    package mutating func add(_ error: FieldError) { all.append(error) }
    package mutating func add(contentsOf errors: [FieldError]) { all += errors }

    mutating func required(_ path: FieldPath, _ detail: String = "") {
        all.append(FieldError(.required, at: path, detail: detail))
    }

    mutating func invalid(_ path: FieldPath, _ value: JSON?, _ detail: String) {
        all.append(FieldError(.invalid, at: path, value: value, detail: detail))
    }

    /// `Invalid value` without saying which: of what is too large to repeat.
    mutating func invalidWithoutValue(_ path: FieldPath, _ detail: String) {
        var error = FieldError(.invalid, at: path, detail: detail)
        error.omitsValue = true
        all.append(error)
    }

    /// One error for each message, as the tests of names and values give them.
    mutating func invalid(_ path: FieldPath, _ value: String, _ messages: [String]) {
        for message in messages { invalid(path, .string(value), message) }
    }

    mutating func notSupported(_ path: FieldPath, _ value: JSON?, _ supported: [String]) {
        let values = supported.map { "\"\($0)\"" }.joined(separator: ", ")
        all.append(FieldError(.notSupported, at: path, value: value, detail: "supported values: \(values)"))
    }

    mutating func duplicate(_ path: FieldPath, _ value: JSON) {
        all.append(FieldError(.duplicate, at: path, value: value))
    }

    mutating func notFound(_ path: FieldPath, _ value: JSON) {
        all.append(FieldError(.notFound, at: path, value: value))
    }

    mutating func forbidden(_ path: FieldPath, _ detail: String) {
        all.append(FieldError(.forbidden, at: path, detail: detail))
    }

    mutating func tooLong(_ path: FieldPath, limit bytes: Int) {
        all.append(FieldError(.tooLong, at: path, detail: "may not be more than \(bytes) bytes"))
    }

    mutating func tooMany(_ path: FieldPath, _ count: Int, limit: Int) {
        let detail = "must have at most \(limit) items"
        all.append(FieldError(.tooMany, at: path, value: .int(Int64(count)), detail: detail))
    }

    /// `field is immutable` unless both are equal; an absent value equals an empty one (C11).
    mutating func immutable(_ path: FieldPath, _ new: JSON?, _ old: JSON?) {
        if new != old { invalid(path, new, "field is immutable") }
    }
}
