import Model

/// A small reproducible generator (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension JSON {
    /// A tree with everything that codecs get wrong: odd texts, odd keys, odd numbers, empty and large collections.
    static func random(depth: Int, using generator: inout SeededGenerator) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 10 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .int(.random(in: .min ... .max, using: &generator))
        case 3:
            let numbers = ["0.5", "1e+21", "-0", "18446744073709551616", "3.14159265358979323846", "1e-7"]
            return .number(numbers.randomElement(using: &generator) ?? "0.5")
        case 4, 5: return .string(randomText(using: &generator))
        case 6, 7:
            let count = Int.random(in: 0..<6, using: &generator)
            return .array((0..<count).map { _ in random(depth: depth - 1, using: &generator) })
        default:
            let count = Int.random(in: 0..<(Bool.random(using: &generator) ? 6 : 30), using: &generator)
            var object = JSON.emptyObject
            for _ in 0..<count {
                object[randomText(using: &generator)] = random(depth: depth - 2, using: &generator)
            }
            return object
        }
    }

    static func randomText(using generator: inout SeededGenerator) -> String {
        let pieces = [
            "a", "name", "yes", "1", ": ", " ", "\n", "#", "- ", "é", "\u{301}", "🟔", "\"", "\\", "'", "\t", "~",
            "null",
            "0x", ".", "|", ">", "{", "[", "%", "\r", "\u{0}", "\u{2028}", "containers", "=", "!", "&", "*", "<<", "e3",
        ]
        let count = Int.random(in: 0..<6, using: &generator)
        return (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    }
}
