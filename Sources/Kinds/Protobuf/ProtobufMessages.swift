import Assets
import Model

/// How the value of a field is written.
enum ProtobufType: Hashable {
    case bool, int32, int64, double, string, bytes
    case time, microTime, quantity, intOrString, fieldsV1
    /// A JSON value as its text: `RawExtension` and `apiextensions.v1.JSON`.
    case embedded
    /// A list of texts in a message of its own.
    case strings
    /// Where a schema may stand, or something simpler: a list of schemas, whether anything may, a list of names.
    case schemaOrArray, schemaOrBool, schemaOrStringArray
    /// Its place in `ProtobufMessages.table`.
    case message(Int)

    private static let named: [String: ProtobufType] = [
        "bool": .bool, "int32": .int32, "int64": .int64, "double": .double, "string": .string, "bytes": .bytes,
        "meta.v1.Time": .time, "meta.v1.MicroTime": .microTime, "Quantity": .quantity, "IntOrString": .intOrString,
        "meta.v1.FieldsV1": .fieldsV1, "RawExtension": .embedded, "apiextensions.v1.JSON": .embedded,
        "Strings": .strings, "apiextensions.v1.JSONSchemaPropsOrArray": .schemaOrArray,
        "apiextensions.v1.JSONSchemaPropsOrBool": .schemaOrBool,
        "apiextensions.v1.JSONSchemaPropsOrStringArray": .schemaOrStringArray,
    ]

    init(_ name: String, places: [String: Int]) {
        guard let type = Self.named[name] ?? places[name].map(ProtobufType.message) else {
            preconditionFailure("the embedded protobuf messages have no type \(name)")
        }
        self = type
    }

    var name: String {
        if case .message(let place) = self { return ProtobufMessages.table.messages[place].name }
        return Self.named.first { $0.value == self }?.key ?? ""
    }
}

/// The messages that stand for the built-in kinds, as Kubernetes' generated.proto numbers their fields.
enum ProtobufMessages {
    /// What Go does with a field. It writes what is no pointer even when it is zero; of JSON it leaves most of that
    /// out.
    enum Label: String {
        /// No pointer and left out of JSON when zero; of a message: a pointer.
        case single
        case repeated, map
        /// The members of the message stand in JSON beside the field's own.
        case inline
        /// A pointer: what it points to is kept even when it is zero.
        case keep
        /// No pointer, and in JSON even when it is zero.
        case always
        /// A number or text that is no pointer and left out of JSON when it is zero.
        case nonzero
    }

    struct Field {
        let number: UInt64
        let name: String
        let type: ProtobufType
        let label: Label
        /// Whether Go writes it when JSON does not have it.
        let isAlwaysWritten: Bool

        init(number: UInt64, name: String, type: ProtobufType, label: Label) {
            (self.number, self.name, self.type, self.label) = (number, name, type, label)
            isAlwaysWritten =
                switch label {
                case .always, .nonzero, .inline: true
                case .single: [.bool, .int32, .int64, .double, .string].contains(type)
                case .repeated, .map, .keep: false
                }
        }
    }

    struct Message {
        /// As `core.v1.Pod`.
        var name: String
        /// By number.
        var fields: [Field]

        /// In logarithmic time.
        func field(_ number: UInt64) -> Field? {
            var (low, high) = (0, fields.count)
            while low < high {
                let middle = (low + high) / 2
                if fields[middle].number < number { low = middle + 1 } else { high = middle }
            }
            return low < fields.count && fields[low].number == number ? fields[low] : nil
        }
    }

    struct Table {
        var messages: [Message]
        var places: [String: Int]
    }

    static let contentType = "application/vnd.kubernetes.protobuf"

    static let table: Table = {
        let bytes = UnsafeBufferPointer(start: martlet_protobuf(), count: martlet_protobuf_size())
        do {
            let document = try JSON(decoding: bytes).object ?? JSONObject()
            let places = Dictionary(uniqueKeysWithValues: document.enumerated().map { ($1.key, $0) })
            let messages = document.map { message in
                let fields = (message.value.object ?? JSONObject()).map { field in
                    Field(
                        number: UInt64(field.value[0]?.int ?? 0), name: field.key,
                        type: ProtobufType(field.value[1]?.string ?? "", places: places),
                        label: field.value[2]?.string.flatMap(Label.init) ?? .single)
                }
                return Message(name: message.key, fields: fields.sorted { $0.number < $1.number })
            }
            return Table(messages: messages, places: places)
        } catch {
            preconditionFailure("the embedded protobuf messages are broken: \(error)")
        }
    }()

    static let schemaProperties = table.places["apiextensions.v1.JSONSchemaProps"] ?? 0

    /// Kinds that are the same in every group, and are named in any of them.
    private static let common: Set<String> = [
        "DeleteOptions", "Status", "APIVersions", "APIGroup", "APIGroupList", "APIResourceList",
        "PartialObjectMetadata",
    ]

    /// The place of the message of a kind: its group's first word, or `core`; `nil` for what has none.
    static func place(of kind: GroupVersionKind) -> Int? {
        if common.contains(kind.kind) { return table.places["meta.v1.\(kind.kind)"] }
        let word = String(kind.group.prefix { $0 != "." })
        // Only Kubernetes' own groups have messages: another's first word may be the same.
        let groups = [word, "\(word).k8s.io", "rbac.authorization.k8s.io", "flowcontrol.apiserver.k8s.io"]
        guard groups.contains(kind.group), word != "core" else { return nil }
        return table.places["\(word.isEmpty ? "core" : word).\(kind.version).\(kind.kind)"]
    }
}
