/// What did not hold of some input.
package struct FuzzFailure: Error, Hashable, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Something that reads what others write: no input may make it crash, run long, or break what it promises.
///
/// libFuzzer calls it with inputs it makes up (`make fuzz`); the tests call it with those of `Tests/FuzzCorpus`.
package struct FuzzTarget: Sendable {
    package let name: String
    private let check: @Sendable (ArraySlice<UInt8>) throws(FuzzFailure) -> Void

    init(_ name: String, _ check: @escaping @Sendable (ArraySlice<UInt8>) throws(FuzzFailure) -> Void) {
        self.name = name
        self.check = check
    }

    /// - Throws: what the input shows to be broken.
    package func run(_ input: [UInt8]) throws(FuzzFailure) { try check(input[...]) }

    package static let all = [
        json, yaml, patches, fieldsV1, selectors, cel, protobuf, objects, customResources, values,
    ]
}

/// - Throws: the failure, with what was found.
func expect(_ isTrue: Bool, _ promise: @autoclosure () -> String) throws(FuzzFailure) {
    guard !isTrue else { return }
    throw FuzzFailure(promise())
}

/// The parts of an input, which lines of `--` separate.
func parts(_ input: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    let separator = Array("\n--\n".utf8)
    var parts: [ArraySlice<UInt8>] = []
    var start = input.startIndex
    var position = start
    while position < input.endIndex {
        if input[position...].starts(with: separator) {
            parts.append(input[start..<position])
            position += separator.count
            start = position
        } else {
            position += 1
        }
    }
    return parts + [input[start...]]
}
