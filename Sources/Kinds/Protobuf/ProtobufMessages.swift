import Assets
import Model

/// The messages that stand for the built-in kinds, with their fields by number.
enum ProtobufMessages {
    enum Label: String {
        case single, repeated, map, inline, keep, nonzero
    }

    struct Field {
        var name: String
        /// `string`, `bool`, …, or a message.
        var type: String
        var label: Label
    }

    static let contentType = "application/vnd.kubernetes.protobuf"

    /// By name, as `core.v1.Pod`.
    static let all: [String: [UInt64: Field]] = {
        let bytes = UnsafeBufferPointer(start: martlet_protobuf(), count: martlet_protobuf_size())
        do {
            var messages: [String: [UInt64: Field]] = [:]
            for message in try JSON(decoding: bytes).object ?? JSONObject() {
                var fields: [UInt64: Field] = [:]
                for field in message.value.object ?? JSONObject() {
                    let label = field.value[2]?.string.flatMap(Label.init) ?? .single
                    fields[UInt64(field.value[0]?.int ?? 0)] = Field(
                        name: field.key, type: field.value[1]?.string ?? "", label: label)
                }
                messages[message.key] = fields
            }
            return messages
        } catch {
            preconditionFailure("the embedded protobuf messages are broken: \(error)")
        }
    }()

    /// The message of a kind: its group's first word, or `core`. Every group has options of its own kind, which are all
    /// the same.
    static func message(apiVersion: String, kind: String) -> String {
        guard kind != "DeleteOptions" else { return "meta.v1.DeleteOptions" }
        let type = GroupVersionKind(apiVersion: apiVersion, kind: kind)
        let group = type.group.isEmpty ? "core" : String(type.group.prefix { $0 != "." })
        return "\(group).\(type.version).\(kind)"
    }
}
