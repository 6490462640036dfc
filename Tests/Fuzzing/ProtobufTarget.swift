import Kinds
import Model

extension FuzzTarget {
    /// A whole body, or one byte that chooses a kind, and its message.
    ///
    /// What Kubernetes cannot say in JSON is lost in the first reading; what was read once stays as it is.
    static let protobuf = FuzzTarget("protobuf") { input throws(FuzzFailure) in
        let object: JSON
        do throws(ProtobufError) {
            object = try ProtobufObject(decoding: body(of: input)).json
        } catch {
            try expect(!error.description.isEmpty, "a body is refused without a reason")
            return
        }
        try expectSame(object, object.encoded())
        let kept: JSON
        do {
            kept = try ProtobufObject(decoding: try ProtobufEncoding.encoded(object)).json
        } catch {
            throw FuzzFailure("what was read cannot be written and read again: \(error)\n\(object.text())")
        }
        do {
            let again = try ProtobufObject(decoding: try ProtobufEncoding.encoded(kept)).json
            try expect(again == kept, "\(kept.text()) is read as \(again.text())")
        } catch let error as FuzzFailure {
            throw error
        } catch {
            throw FuzzFailure("what was written cannot be read: \(error)\n\(kept.text())")
        }
    }

    private static let kinds = Catalog.builtIn.types.map(\.kind).filter { ProtobufEncoding.covers($0) }

    private static func body(of input: ArraySlice<UInt8>) -> [UInt8] {
        guard let first = input.first, !input.starts(with: "k8s".utf8) else { return Array(input) }
        let kind = kinds[Int(first) % kinds.count]
        let type = field(1, Array(kind.apiVersion.utf8)) + field(2, Array(kind.kind.utf8))
        return Array("k8s\0".utf8) + field(1, type) + field(2, Array(input.dropFirst()))
    }

    private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = []
        var rest = content.count
        while rest >= 0x80 {
            length.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return [number << 3 | 2] + length + [UInt8(rest)] + content
    }
}
