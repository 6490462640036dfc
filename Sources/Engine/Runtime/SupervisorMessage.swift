internal import Model
internal import NIOCore

/// The messages between the service and a pod's supervisor: frames of NUL-terminated strings, a verb and `key=value`
/// each (see CSupervisor).
struct SupervisorMessage: Sendable {
    /// What one frame may hold.
    static let limit = 4 << 20

    var verb: String
    private(set) var fields: [(key: String, value: String)] = []

    init(_ verb: String, _ fields: [(key: String, value: String)] = []) {
        self.verb = verb
        self.fields = fields
    }

    subscript(key: String) -> String? { fields.first { $0.key == key }?.value }

    mutating func add(_ key: String, _ value: some CustomStringConvertible) {
        fields.append((key, value.description))
    }

    /// A NUL would end the string early and let the rest be taken for another field: it is left out.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: text.utf8.lazy.filter { $0 != 0 })
        bytes.append(0)
    }

    func encoded(sequence: Int) -> [UInt8] {
        var payload: [UInt8] = []
        Self.append(verb, to: &payload)
        Self.append("seq=\(sequence)", to: &payload)
        for (key, value) in fields { Self.append("\(key)=\(value)", to: &payload) }
        return payload
    }

    init(decoding payload: some Sequence<UInt8>) {
        let parts = Array(payload).split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        verb = parts.first ?? ""
        for part in parts.dropFirst() {
            guard let equals = part.firstIndex(of: "=") else { continue }
            fields.append((String(part[..<equals]), String(part[part.index(after: equals)...])))
        }
    }

    /// The container that a frame `container …` tells about.
    var record: ContainerRecord? {
        guard verb == "container", let name = self["name"], let attempt = self["attempt"].flatMap({ Int($0) }),
            let started = self["started"].flatMap({ Int64($0) })
        else { return nil }
        let id = ContainerID(name, attempt: attempt)
        var record = ContainerRecord(id: id, startedAt: Timestamp(nanoseconds: started), phase: .running)
        if self["state"] == "exited" {
            record.phase = .exited(
                ContainerExit(
                    finishedAt: Timestamp(nanoseconds: self["exited"].flatMap { Int64($0) } ?? started),
                    code: self["code"].flatMap { Int($0) } ?? 255, signal: self["signal"].flatMap { Int($0) } ?? 0,
                    isLost: self["lost"] == "1"))
        }
        return record
    }
}

/// Cuts the byte stream of a supervisor's socket into frames.
struct SupervisorFrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = ByteBuffer

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        guard let length = buffer.getInteger(at: buffer.readerIndex, endianness: .little, as: UInt32.self) else {
            return .needMoreData
        }
        guard Int(length) <= SupervisorMessage.limit else {
            throw RuntimeError(.system, "a pod's supervisor sent a frame of \(length) bytes")
        }
        guard buffer.readableBytes >= 4 + Int(length) else { return .needMoreData }
        buffer.moveReaderIndex(forwardBy: 4)
        guard let frame = buffer.readSlice(length: Int(length)) else { return .needMoreData }
        context.fireChannelRead(wrapInboundOut(frame))
        return .continue
    }
}
