import Model
import Testing

@Suite("Round trips")
struct RoundTripTests {
    @Test("JSON: decoding what was encoded gives the same tree", arguments: 0..<200 as Range<UInt64>)
    func json(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let value = JSON.random(depth: 6, using: &generator)
        #expect(try JSON(decoding: value.encoded()) == value)
        #expect(try JSON(decoding: value.encoded(.indented)) == value)
    }

    @Test("YAML: reading what was written gives the same tree", arguments: 0..<300 as Range<UInt64>)
    func yaml(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let value = JSON.random(depth: 6, using: &generator)
        let text = YAML.text(value)
        #expect(try parsed(text) == value, "\(text)")
    }

    @Test("JSON is YAML", arguments: 0..<50 as Range<UInt64>)
    func jsonAsYAML(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let value: JSON = ["v": JSON.random(depth: 4, using: &generator)]
        let text = value.text()
        // YAML 1.1 takes NEL and the Unicode separators for line breaks, also in quotes, and -0 for an integer.
        guard !text.unicodeScalars.contains("\u{2028}"), !text.contains(":-0"), !text.contains(",-0") else { return }
        guard !text.contains("[-0") else { return }
        #expect(try parsed(text) == value, "\(text)")
    }

    @Test("random damage never crashes a reader, and JSON stays JSON", arguments: 0..<100 as Range<UInt64>)
    func damage(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let value = JSON.random(depth: 6, using: &generator)
        for original in [value.encoded(), Array(YAML.text(value).utf8)] where !original.isEmpty {
            for _ in 0..<20 {
                var bytes = original
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    let position = Int.random(in: 0..<bytes.count, using: &generator)
                    switch Int.random(in: 0..<3, using: &generator) {
                    case 0: bytes[position] = .random(in: 0...255, using: &generator)
                    case 1:
                        bytes.insert(
                            UInt8("[]{}:,-\"'\n \t&*!|>%@`#?\\".utf8.randomElement(using: &generator) ?? 0),
                            at: position)
                    default: if bytes.count > 1 { bytes.remove(at: position) }
                    }
                }
                if let decoded = try? JSON(decoding: bytes) {  // Most damage is refused; what is read must round-trip.
                    #expect((try? JSON(decoding: decoded.encoded())) == decoded)  // As above.
                }
                // Most damage is refused; what is read must round-trip.
                for document in (try? YAML.documents(bytes, file: "f")) ?? [] {
                    let again = try? YAML.documents(YAML.text(document.value), file: "f")  // As above.
                    #expect(again?.first?.value == document.value || document.value.isNull)
                }
            }
        }
    }
}
