package import Model

/// The suffix that tells a Deployment's ReplicaSets apart (A6): FNV-32a over the template's canonical JSON, then over
/// the collision count, its decimal digits spelled in letters that cannot form words.
package struct PodTemplateHash {
    private var value: UInt32 = 2_166_136_261

    static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)

    /// - Parameter template: without the label that the hash becomes.
    package static func text(of template: JSON, collisionCount: Int?) -> String {
        var hash = PodTemplateHash()
        hash.combine(template)
        if let collisionCount { hash.combine(bytes: String(collisionCount).utf8) }
        let letters = String(hash.value).utf8.map { alphabet[Int($0) % alphabet.count] }
        return String(decoding: letters, as: UTF8.self)
    }

    private mutating func combine(bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt32(byte)) &* 16_777_619 }
    }

    /// Members in the order of their names, `null` like absence: what means the same hashes the same.
    private mutating func combine(_ json: JSON) {
        switch json {
        case .array(let elements):
            combine(bytes: "[".utf8)
            for element in elements {
                combine(element)
                combine(bytes: ",".utf8)
            }
            combine(bytes: "]".utf8)
        case .object(let object):
            combine(bytes: "{".utf8)
            for member in object.sorted(by: { $0.key < $1.key }) where !member.value.isNull {
                combine(.string(member.key))
                combine(bytes: ":".utf8)
                combine(member.value)
                combine(bytes: ",".utf8)
            }
            combine(bytes: "}".utf8)
        default: combine(bytes: json.encoded())
        }
    }
}
