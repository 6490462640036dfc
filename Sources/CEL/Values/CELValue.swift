package import Model

/// A value of the language.
///
/// A fault is a value too: `false && (1 / 0 > 0)` is false, so an error must be able to wait for the other side.
package enum CELValue: Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case timestamp(CELTimestamp)
    /// In nanoseconds.
    case duration(Int64)
    case list(CELList)
    case map(CELMap)
    /// An object with declared fields.
    case object(CELObject)
    indirect case optional(CELValue?)
    /// A type, by its name.
    case type(String)
    case ip(IPAddress)
    case cidr(IPPrefix)
    case url(URLValue)
    case quantity(Quantity)
    case semver(SemanticVersion)
    case format(NamedFormat)
    case access(AccessValue)
    case built(BuiltObject)
    case error(Fault)

    /// Why there is no value.
    package final class Fault: Sendable {
        package let message: String
        /// Where in the source it arose.
        let offset: Int?

        init(_ message: String, offset: Int? = nil) {
            self.message = message
            self.offset = offset
        }
    }

    static func error(_ message: String) -> CELValue { .error(Fault(message)) }
    static let noOverload = CELValue.error("no such overload")
    static func list(_ values: [CELValue]) -> CELValue { .list(CELList(values)) }
    static func strings(_ values: [String]) -> CELValue { .list(CELList(values.map { .string($0) })) }

    /// The name of the value's type as `type()` gives it.
    package var typeName: String {
        switch self {
        case .null: "null_type"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "google.protobuf.Timestamp"
        case .duration: "google.protobuf.Duration"
        case .list: "list"
        case .map: "map"
        case .object(let object): object.type.name
        case .optional: "optional_type"
        case .type: "type"
        case .ip: "net.IP"
        case .cidr: "net.CIDR"
        case .url: "kubernetes.URL"
        case .quantity: "kubernetes.Quantity"
        case .semver: "kubernetes.Semver"
        case .format: "kubernetes.NamedFormat"
        case .access(let access): access.typeName
        case .built(let object): object.typeName
        case .error: "error"
        }
    }

    /// What `size()` says, by which costs are reckoned too; 1 for what has none.
    var costSize: UInt64 {
        switch self {
        case .string(let text): UInt64(text.scalarCount)
        case .bytes(let bytes): UInt64(bytes.count)
        case .list(let list): UInt64(list.count)
        case .map(let map): UInt64(map.count)
        case .object(let object): UInt64(object.members.count)
        case .optional(let value?): value.costSize
        case .ip(let address): UInt64(address.bytes.count)
        case .cidr(let prefix): UInt64((prefix.bits + 7) / 8)
        case .url(let url): UInt64(url.text.utf8.count)
        default: 1
        }
    }
}

extension String {
    /// The number of Unicode scalars, by counting the bytes that begin one.
    var scalarCount: Int {
        var copy = self
        return copy.withUTF8 { bytes in
            var count = 0
            for byte in bytes where byte & 0xc0 != 0x80 { count += 1 }
            return count
        }
    }
}
