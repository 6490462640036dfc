package import Model

/// A Kubernetes object that came as protobuf, which is how typed clients write since kubectl 1.32 (semantics-api A17).
package struct ProtobufObject: Hashable, Sendable {
    /// As it would have come in JSON.
    package var json: JSON
    /// Fields that no message here has: from a newer client, or from a broken one.
    package var unknownFields: [String]

    /// Starts every such body.
    static let magic = Array("k8s\0".utf8)
    /// No kind is nested deeper, except by intent.
    private static let depth = 64

    /// - Throws: when the bytes are malformed, or of a kind that is not built in.
    package init(decoding bytes: [UInt8]) throws(ProtobufError) {
        guard bytes.starts(with: Self.magic) else {
            throw ProtobufError("it does not begin with \"k8s\" and a zero byte")
        }
        let envelope = try Self.envelope(bytes[Self.magic.count...])
        guard envelope.contentEncoding.isEmpty, ["", ProtobufMessages.contentType].contains(envelope.contentType) else {
            throw ProtobufError("its content is \(envelope.contentType) \(envelope.contentEncoding), not protobuf")
        }
        let kind = GroupVersionKind(apiVersion: envelope.apiVersion, kind: envelope.kind)
        guard let message = ProtobufMessages.place(of: kind) else {
            throw ProtobufError(
                "there is no kind \(envelope.kind) of \(envelope.apiVersion) in protobuf; send it as JSON")
        }
        var unknown: [String] = []
        var json: JSON = ["apiVersion": .string(envelope.apiVersion), "kind": .string(envelope.kind)]
        let content = try Self.object(message, envelope.raw, depth: Self.depth, unknown: &unknown)
        for member in content { json[member.key] = member.value }
        self.json = json
        unknownFields = unknown
    }

    private struct Envelope {
        var apiVersion = ""
        var kind = ""
        var raw: ArraySlice<UInt8> = []
        var contentEncoding = ""
        var contentType = ""
    }

    /// `runtime.Unknown`: typeMeta 1 (apiVersion 1, kind 2), raw 2, contentEncoding 3, contentType 4.
    private static func envelope(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> Envelope {
        var envelope = Envelope()
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            guard case .bytes(let bytes) = value else { continue }
            switch number {
            case 1:
                var type = ProtobufReader(bytes)
                while let (number, value) = try type.next() {
                    guard case .bytes(let bytes) = value else { continue }
                    if number == 1 { envelope.apiVersion = try text(bytes) }
                    if number == 2 { envelope.kind = try text(bytes) }
                }
            case 2: envelope.raw = bytes
            case 3: envelope.contentEncoding = try text(bytes)
            case 4: envelope.contentType = try text(bytes)
            default: continue
            }
        }
        return envelope
    }

    private static func text(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw ProtobufError("a text is not UTF-8") }
        return text
    }

    // MARK: - Messages

    private static func object(
        _ place: Int, _ bytes: ArraySlice<UInt8>, depth: Int, unknown: inout [String]
    ) throws(ProtobufError) -> JSONObject {
        guard depth > 0 else { throw ProtobufError("it is nested deeper than \(Self.depth) messages") }
        let message = ProtobufMessages.table.messages[place]
        var result = JSONObject()
        // Gathered apart, since each entry comes by itself: what is in place would be copied for each.
        var lists: [String: [JSON]] = [:]
        var maps: [String: JSONObject] = [:]
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            guard let field = message.field(number) else {
                unknown.append("unknown field \(number) of \(message.name)")
                continue
            }
            switch field.label {
            case .map:
                let (key, item) = try entry(field, value, depth: depth, unknown: &unknown)
                if maps[field.name] == nil { result[field.name] = [:] }
                maps[field.name, default: JSONObject()][key] = item
            case .repeated:
                let item = try json(field.type, value, depth: depth, unknown: &unknown) ?? .null
                if lists[field.name] == nil { result[field.name] = [] }
                lists[field.name, default: []].append(item)
            case .inline:
                guard case .bytes(let bytes) = value, case .message(let inlined) = field.type else {
                    throw ProtobufError("\(message.name).\(field.name) is no message")
                }
                let members = try object(inlined, bytes, depth: depth - 1, unknown: &unknown)
                for member in members { result[member.key] = member.value }
            case .single, .keep, .always, .nonzero:
                let item = try json(field.type, value, depth: depth, unknown: &unknown)
                let isKept = field.label == .keep || field.label == .always
                guard let item, isKept || !isZero(item, field) else { continue }
                result[field.name] = item
            }
        }
        for (name, list) in lists { result[name] = .array(list) }
        for (name, map) in maps { result[name] = .object(map) }
        return result
    }

    /// Go writes fields that are no pointers even when they are zero; in JSON it leaves them out.
    private static func isZero(_ value: JSON, _ field: ProtobufMessages.Field) -> Bool {
        switch value {
        case .string(""), .bool(false): true
        case .int(0): field.type != .intOrString || field.label == .nonzero
        default: false
        }
    }

    /// One entry of a map: key 1, value 2.
    private static func entry(
        _ field: ProtobufMessages.Field, _ value: ProtobufReader.Value, depth: Int, unknown: inout [String]
    ) throws(ProtobufError) -> (String, JSON) {
        guard case .bytes(let bytes) = value else { throw ProtobufError("\(field.name) is no map") }
        var key = ""
        var item: JSON?
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            if number == 1, case .bytes(let bytes) = value { key = try text(bytes) }
            if number == 2 { item = try json(field.type, value, depth: depth, unknown: &unknown) ?? .null }
        }
        if let item { return (key, item) }
        // What is left out is empty: a text, bytes, a quantity, a message; or 0.
        let empty: ProtobufReader.Value =
            switch field.type {
            case .bool, .int32, .int64, .double: .number(0)
            default: .bytes([])
            }
        return (key, try json(field.type, empty, depth: depth, unknown: &unknown) ?? .null)
    }

    /// - Returns: `nil` for what stands for nothing: a time that was never set.
    private static func json(
        _ type: ProtobufType, _ value: ProtobufReader.Value, depth: Int, unknown: inout [String]
    ) throws(ProtobufError) -> JSON? {
        switch (type, value) {
        case (.bool, .number(let number)): return .bool(number != 0)
        case (.int32, .number(let number)): return .int(Int64(Int32(truncatingIfNeeded: number)))
        case (.int64, .number(let number)): return .int(Int64(bitPattern: number))
        case (.string, .bytes(let bytes)): return .string(try text(bytes))
        case (.bytes, .bytes(let bytes)): return .string(Base64.encode(bytes))
        case (.double, .number(let bits)): return number(Double(bitPattern: bits))
        case (.time, .bytes(let bytes)): return try time(bytes, fractionDigits: 0)
        case (.microTime, .bytes(let bytes)): return try time(bytes, fractionDigits: 6)
        case (.quantity, .bytes(let bytes)):
            var reader = ProtobufReader(bytes)
            guard let (number, value) = try reader.next() else { return "0" }
            guard number == 1, case .bytes(let bytes) = value else { throw ProtobufError("a quantity is no text") }
            return .string(try text(bytes))
        case (.intOrString, .bytes(let bytes)): return try intOrString(bytes)
        case (.fieldsV1, .bytes(let bytes)): return try embedded(bytes, in: "fieldsV1") ?? [:]
        case (.embedded, .bytes(let bytes)): return try embedded(bytes, in: type.name) ?? .null
        case (.strings, .bytes(let bytes)): return try strings(bytes)
        case (.schemaOrArray, .bytes(let bytes)), (.schemaOrBool, .bytes(let bytes)),
            (.schemaOrStringArray, .bytes(let bytes)):
            return try schemaOrOther(type, bytes, depth: depth, unknown: &unknown)
        case (.message(let place), .bytes(let bytes)):
            return .object(try object(place, bytes, depth: depth - 1, unknown: &unknown))
        case (_, .bytes): throw ProtobufError("text stands where \(type.name) belongs")
        case (_, .number): throw ProtobufError("a number stands where \(type.name) belongs")
        }
    }

    /// A JSON value that is sent as its text, in field 1; `nil` when there is none.
    private static func embedded(_ bytes: ArraySlice<UInt8>, in place: String) throws(ProtobufError) -> JSON? {
        var reader = ProtobufReader(bytes)
        guard let (_, value) = try reader.next() else { return nil }
        guard case .bytes(let bytes) = value else { throw ProtobufError("\(place) is no text") }
        do {
            return try JSON(decoding: Array(bytes))
        } catch {
            throw ProtobufError("\(place) is no JSON: \(error)")
        }
    }

    private static func strings(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> JSON {
        var reader = ProtobufReader(bytes)
        var texts: [JSON] = []
        while let (number, value) = try reader.next() {
            guard number == 1, case .bytes(let bytes) = value else { throw ProtobufError("a list holds no texts") }
            texts.append(.string(try text(bytes)))
        }
        return .array(texts)
    }

    /// As Go writes it in JSON: a whole number without a fraction.
    private static func number(_ value: Double) -> JSON {
        if let whole = Int64(exactly: value) { return .int(whole) }
        return value.isFinite ? .number("\(value)") : .null
    }

    /// Schemas 1 and 2, names 2, whether anything may 1.
    private static func schemaOrOther(
        _ type: ProtobufType, _ bytes: ArraySlice<UInt8>, depth: Int, unknown: inout [String]
    ) throws(ProtobufError) -> JSON {
        var reader = ProtobufReader(bytes)
        var schema: JSON?
        var list: [JSON] = []
        var allows = false
        while let (field, value) = try reader.next() {
            switch (type, field, value) {
            case (.schemaOrBool, 1, .number(let number)): allows = number != 0
            case (.schemaOrArray, 1, .bytes(let bytes)), (.schemaOrBool, 2, .bytes(let bytes)),
                (.schemaOrStringArray, 1, .bytes(let bytes)):
                let place = ProtobufMessages.schemaProperties
                schema = .object(try object(place, bytes, depth: depth - 1, unknown: &unknown))
            case (.schemaOrArray, 2, .bytes(let bytes)):
                let place = ProtobufMessages.schemaProperties
                list.append(.object(try object(place, bytes, depth: depth - 1, unknown: &unknown)))
            case (.schemaOrStringArray, 2, .bytes(let bytes)): list.append(.string(try text(bytes)))
            default: throw ProtobufError("\(type.name) has the unknown field \(field)")
            }
        }
        if !list.isEmpty { return .array(list) }
        return schema ?? (type == .schemaOrBool ? .bool(allows) : .null)
    }

    /// Seconds 1, nanoseconds 2; a time that was never set is an empty message.
    private static func time(_ bytes: ArraySlice<UInt8>, fractionDigits: Int) throws(ProtobufError) -> JSON? {
        guard !bytes.isEmpty else { return nil }
        var reader = ProtobufReader(bytes)
        var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
        while let (number, value) = try reader.next() {
            guard case .number(let part) = value else { throw ProtobufError("a time is no number") }
            if number == 1 {
                seconds = Int64(bitPattern: part)
            } else {
                nanoseconds = Int64(Int32(truncatingIfNeeded: part))
            }
        }
        let time = Timestamp(seconds: seconds) + .nanoseconds(nanoseconds)
        return .string(time.text(fractionDigits: fractionDigits))
    }

    /// Type 1 (0: number, 1: text), number 2, text 3.
    private static func intOrString(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> JSON {
        var reader = ProtobufReader(bytes)
        var isText = false
        var number: Int64 = 0
        var string = ""
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .number(let type)): isText = type == 1
            case (2, .number(let value)): number = Int64(Int32(truncatingIfNeeded: value))
            case (3, .bytes(let bytes)): string = try text(bytes)
            default: throw ProtobufError("a number or text has the unknown field \(field)")
            }
        }
        return isText ? .string(string) : .int(number)
    }
}
