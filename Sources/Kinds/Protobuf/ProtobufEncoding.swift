package import Model

/// Objects in protobuf, with the bytes that Kubernetes' generated code writes (semantics-api A17).
package enum ProtobufEncoding {
    /// Whether that kind, which is served, can be written; kinds that are not Kubernetes' own have no messages.
    package static func covers(_ kind: GroupVersionKind) -> Bool { served.contains(kind) }

    /// Found once, as every request asks.
    private static let served = Set(Catalog.builtIn.types.map(\.kind).filter { ProtobufMessages.place(of: $0) != nil })

    /// An object of a kind that is covered, or a list of such, in its envelope: `k8s`, a zero byte and
    /// `runtime.Unknown`. What the kind's message has no field for is left out.
    ///
    /// - Throws: for a kind that is not covered, or a value of another type than its field's.
    package static func encoded(_ object: JSON) throws(ProtobufError) -> [UInt8] {
        let kind = GroupVersionKind(
            apiVersion: object["apiVersion"]?.string ?? "", kind: object["kind"]?.string ?? "")
        if ProtobufMessages.place(of: kind) == nil, let items = object["items"]?.array {
            return try encodedList(kind, metadata: object["metadata"] ?? [:], items: items)
        }
        let place = try place(of: kind)
        return try enveloped(kind) { (writer) throws(ProtobufError) in
            try write(ProtobufMessages.table.messages[place], object, to: &writer)
        }
    }

    /// A list, item by item.
    ///
    /// - Parameter kind: the list's, such as `PodList`.
    package static func encodedList(
        _ kind: GroupVersionKind, metadata: JSON, items: some Sequence<JSON>
    ) throws(ProtobufError) -> [UInt8] {
        var item = kind
        item.kind = String(kind.kind.dropLast("List".count))
        let place = try place(of: item)
        return try enveloped(kind) { (writer) throws(ProtobufError) in
            if let meta = ProtobufMessages.table.places["meta.v1.ListMeta"] {
                try writeMessage(1, meta, metadata, to: &writer)
            }
            for item in items { try writeMessage(2, place, item, to: &writer) }
        }
    }

    /// One event of a watch: its length in four bytes, then `meta.v1.WatchEvent`.
    ///
    /// - Parameter object: in its envelope.
    package static func watchFrame(_ type: String, _ object: [UInt8]) -> [UInt8] {
        var writer = ProtobufWriter([0, 0, 0, 0])
        writer.text(1, type)
        let start = writer.open(2)
        writer.bytes(1, object)
        writer.close(start)
        var bytes = writer.bytes
        let length = UInt32(bytes.count - 4)
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index)) }
        return bytes
    }

    private static func place(of kind: GroupVersionKind) throws(ProtobufError) -> Int {
        guard let place = ProtobufMessages.place(of: kind) else {
            throw ProtobufError("there is no kind \(kind.kind) of \(kind.apiVersion) in protobuf; ask for JSON")
        }
        return place
    }

    private static func enveloped(
        _ kind: GroupVersionKind, _ body: (inout ProtobufWriter) throws(ProtobufError) -> Void
    ) throws(ProtobufError) -> [UInt8] {
        var writer = ProtobufWriter(ProtobufObject.magic)
        let type = writer.open(1)
        writer.text(1, kind.apiVersion)
        writer.text(2, kind.kind)
        writer.close(type)
        let raw = writer.open(2)
        try body(&writer)
        writer.close(raw)
        writer.text(3, "")
        writer.text(4, "")
        return writer.bytes
    }

    // MARK: - Messages

    private static func writeMessage(
        _ number: UInt64, _ place: Int, _ object: JSON, to writer: inout ProtobufWriter
    ) throws(ProtobufError) {
        let start = writer.open(number)
        try write(ProtobufMessages.table.messages[place], object, to: &writer)
        writer.close(start)
    }

    private static func write(
        _ message: ProtobufMessages.Message, _ json: JSON, to writer: inout ProtobufWriter
    ) throws(ProtobufError) {
        guard let object = json.object else { throw misfit(json, message.name) }
        for field in message.fields {
            let value = field.label == .inline ? json : object[field.name]
            guard let value, !value.isNull else {
                if field.isAlwaysWritten { writeZero(field, to: &writer) }
                continue
            }
            switch field.label {
            case .repeated:
                guard let items = value.array else { throw misfit(value, "a list of \(field.type.name)") }
                for item in items { try write(field.number, field.type, item, to: &writer) }
            case .map:
                guard let entries = value.object else { throw misfit(value, "a map of \(field.type.name)") }
                for entry in entries.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                    let start = writer.open(field.number)
                    writer.text(1, entry.key)
                    try write(2, field.type, entry.value, to: &writer)
                    writer.close(start)
                }
            case .single, .inline, .keep, .always, .nonzero:
                try write(field.number, field.type, value, to: &writer)
            }
        }
    }

    /// What is no pointer is written even when there is nothing.
    private static func writeZero(_ field: ProtobufMessages.Field, to writer: inout ProtobufWriter) {
        switch field.type {
        case .bool, .int32, .int64: writer.number(field.number, 0)
        case .double: writer.double(field.number, 0)
        case .string: writer.text(field.number, "")
        case .intOrString: writeIntOrString(field.number, isText: false, 0, "", to: &writer)
        case .quantity:
            let start = writer.open(field.number)
            writer.text(1, "0")
            writer.close(start)
        case .message(let place):
            let start = writer.open(field.number)
            let message = ProtobufMessages.table.messages[place]
            for field in message.fields where field.isAlwaysWritten { writeZero(field, to: &writer) }
            writer.close(start)
        default: writer.close(writer.open(field.number))
        }
    }

    private static func write(
        _ number: UInt64, _ type: ProtobufType, _ value: JSON, to writer: inout ProtobufWriter
    ) throws(ProtobufError) {
        switch (type, value) {
        case (.bool, .bool(let value)): writer.number(number, value ? 1 : 0)
        case (.int32, .int(let value)), (.int64, .int(let value)):
            writer.number(number, UInt64(bitPattern: value))
        case (.double, _):
            guard let value = value.double else { throw misfit(value, type.name) }
            writer.double(number, value)
        case (.string, .string(let value)): writer.text(number, value)
        case (.bytes, .string(let text)):
            guard let bytes = Base64.decode(text) else { throw ProtobufError("a text is not base64") }
            writer.bytes(number, bytes)
        case (.intOrString, .int(let value)): writeIntOrString(number, isText: false, value, "", to: &writer)
        case (.intOrString, .string(let value)): writeIntOrString(number, isText: true, 0, value, to: &writer)
        case (.message(let place), _): try writeMessage(number, place, value, to: &writer)
        default:
            let start = writer.open(number)
            try writeContent(type, value, to: &writer)
            writer.close(start)
        }
    }

    /// The fields of a message that stands for a value of another type.
    private static func writeContent(
        _ type: ProtobufType, _ value: JSON, to writer: inout ProtobufWriter
    ) throws(ProtobufError) {
        switch (type, value) {
        // One that was never set, which only a map can have.
        case (.time, .null), (.microTime, .null): break
        case (.time, .string(let text)), (.microTime, .string(let text)):
            guard let time = Timestamp(text) else { throw ProtobufError("\(text) is no time") }
            writer.number(1, UInt64(bitPattern: time.seconds))
            writer.number(2, type == .time ? 0 : UInt64(time.nanosecond / 1000 * 1000))
        case (.quantity, _):
            guard let text = (CanonicalText.quantity(value) ?? value).string else { throw misfit(value, type.name) }
            writer.text(1, text)
        case (.fieldsV1, _): writer.bytes(1, value.encoded())
        case (.embedded, _): if !value.isNull { writer.bytes(1, value.encoded()) }
        case (.strings, .array(let texts)): for text in texts { try write(1, .string, text, to: &writer) }
        case (.schemaOrArray, .array(let schemas)):
            for schema in schemas { try writeMessage(2, ProtobufMessages.schemaProperties, schema, to: &writer) }
        case (.schemaOrStringArray, .array(let names)): for name in names { try write(2, .string, name, to: &writer) }
        case (.schemaOrArray, _), (.schemaOrStringArray, _):
            try writeMessage(1, ProtobufMessages.schemaProperties, value, to: &writer)
        case (.schemaOrBool, .bool(let allows)): writer.number(1, allows ? 1 : 0)
        case (.schemaOrBool, _):
            writer.number(1, 1)
            try writeMessage(2, ProtobufMessages.schemaProperties, value, to: &writer)
        default: throw misfit(value, type.name)
        }
    }

    private static func writeIntOrString(
        _ number: UInt64, isText: Bool, _ value: Int64, _ text: String, to writer: inout ProtobufWriter
    ) {
        let start = writer.open(number)
        writer.number(1, isText ? 1 : 0)
        writer.number(2, UInt64(bitPattern: value))
        writer.text(3, text)
        writer.close(start)
    }

    private static func misfit(_ value: JSON, _ type: String) -> ProtobufError {
        ProtobufError("\(value.typeName) stands where \(type) belongs")
    }
}
