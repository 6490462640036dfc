/// Conversions between types (langdef: *Type conversions*).
extension Library {
    static let conversions: [Overload] =
        function("dyn", ["to_dyn": "(A) -> dyn"]) { $0[0] }
        + function("type", ["type": "(A) -> type(A)"]) { .type($0[0].typeName) }
        + function(
            "int",
            [
                "int64_to_int64": "(int) -> int", "uint64_to_int64": "(uint) -> int",
                "double_to_int64": "(double) -> int", "string_to_int64": "(string) -> int",
                "timestamp_to_int64": "(timestamp) -> int", "duration_to_int64": "(duration) -> int",
            ]
        ) { Conversion.int($0[0]) }
        + function(
            "uint",
            [
                "uint64_to_uint64": "(uint) -> uint", "int64_to_uint64": "(int) -> uint",
                "double_to_uint64": "(double) -> uint", "string_to_uint64": "(string) -> uint",
            ]
        ) { Conversion.uint($0[0]) }
        + function(
            "double",
            [
                "double_to_double": "(double) -> double", "int64_to_double": "(int) -> double",
                "uint64_to_double": "(uint) -> double", "string_to_double": "(string) -> double",
            ]
        ) { Conversion.double($0[0]) }
        + function(
            "string",
            [
                "string_to_string": "(string) -> string", "bool_to_string": "(bool) -> string",
                "int64_to_string": "(int) -> string", "uint64_to_string": "(uint) -> string",
                "double_to_string": "(double) -> string", "bytes_to_string": "(bytes) -> string",
                "timestamp_to_string": "(timestamp) -> string", "duration_to_string": "(duration) -> string",
                "ip_to_string": "(net.IP) -> string", "cidr_to_string": "(net.CIDR) -> string",
            ]
        ) { Conversion.string($0[0]) }
        + function("bytes", ["bytes_to_bytes": "(bytes) -> bytes", "string_to_bytes": "(string) -> bytes"]) {
            switch $0[0] {
            case .bytes: $0[0]
            case .string(let text): .bytes(Array(text.utf8))
            default: .noOverload
            }
        }
        + function("bool", ["bool_to_bool": "(bool) -> bool", "string_to_bool": "(string) -> bool"]) { arguments in
            switch arguments[0] {
            case .bool: return arguments[0]
            case .string(let text):
                if ["1", "t", "T", "TRUE", "true", "True"].contains(text) { return .bool(true) }
                if ["0", "f", "F", "FALSE", "false", "False"].contains(text) { return .bool(false) }
                return .error("type conversion error from 'string' to 'bool'")
            default: return .noOverload
            }
        }
        + function(
            "timestamp",
            [
                "timestamp_to_timestamp": "(timestamp) -> timestamp", "string_to_timestamp": "(string) -> timestamp",
                "int64_to_timestamp": "(int) -> timestamp",
            ]
        ) { Conversion.timestamp($0[0]) }
        + function(
            "duration",
            [
                "duration_to_duration": "(duration) -> duration", "string_to_duration": "(string) -> duration",
                "int64_to_duration": "(int) -> duration",
            ]
        ) { arguments in
            switch arguments[0] {
            case .duration: arguments[0]
            case .int(let value): .duration(value)
            case .string(let text):
                GoDuration.parse(text).map { .duration($0) }
                    ?? .error("type conversion error from 'string' to 'google.protobuf.Duration'")
            default: .noOverload
            }
        }
}

enum Conversion {
    static func int(_ value: CELValue) -> CELValue {
        switch value {
        case .int: value
        case .uint(let number): Int64(exactly: number).map { .int($0) } ?? .error("integer overflow")
        case .double(let number):
            // The bounds themselves have no exact double on one side.
            number > -0x1p63 && number < 0x1p63 ? .int(Int64(number)) : .error("integer overflow")
        case .string(let text):
            Int64(text).map { .int($0) } ?? .error("type conversion error from 'string' to 'int'")
        case .timestamp(let time): .int(time.seconds)
        case .duration(let nanoseconds): .int(nanoseconds)
        default: .noOverload
        }
    }

    static func uint(_ value: CELValue) -> CELValue {
        switch value {
        case .uint: value
        case .int(let number): UInt64(exactly: number).map { .uint($0) } ?? .error("unsigned integer overflow")
        case .double(let number):
            number > -1 && number < 0x1p64 ? .uint(UInt64(number)) : .error("unsigned integer overflow")
        case .string(let text):
            text.first == "+"
                ? .error("type conversion error from 'string' to 'uint'")
                : UInt64(text).map { .uint($0) } ?? .error("type conversion error from 'string' to 'uint'")
        default: .noOverload
        }
    }

    static func double(_ value: CELValue) -> CELValue {
        switch value {
        case .double: value
        case .int(let number): .double(Double(number))
        case .uint(let number): .double(Double(number))
        case .string(let text):
            Double(text).map { .double($0) } ?? .error("type conversion error from 'string' to 'double'")
        default: .noOverload
        }
    }

    static func string(_ value: CELValue) -> CELValue {
        switch value {
        case .string: return value
        case .bool(let flag): return .string(flag ? "true" : "false")
        case .int(let number): return .string(String(number))
        case .uint(let number): return .string(String(number))
        case .double(let number): return .string(GoNumber.shortest(number))
        case .bytes(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .error("invalid UTF-8 in bytes, cannot convert to string")
            }
            return .string(text)
        case .timestamp(let time): return .string(time.text)
        case .duration(let nanoseconds): return .string(GoDuration.text(nanoseconds))
        case .ip(let address): return .string(address.description)
        case .cidr(let prefix): return .string(prefix.description)
        default: return .noOverload
        }
    }

    static func timestamp(_ value: CELValue) -> CELValue {
        switch value {
        case .timestamp: return value
        case .int(let seconds):
            return CELTimestamp(seconds: seconds).map { .timestamp($0) } ?? .error("timestamp overflow")
        case .string(let text):
            return CELTimestamp(text).map { .timestamp($0) }
                ?? .error("type conversion error from 'string' to 'google.protobuf.Timestamp'")
        default: return .noOverload
        }
    }

    /// A value within a message.
    static func display(_ value: CELValue) -> String {
        if case .string(let text) = string(value) { return text }
        return value.typeName
    }
}
