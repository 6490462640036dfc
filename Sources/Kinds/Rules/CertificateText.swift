import Model

/// One block of a PEM text (RFC 7468), as Go reads it: text around blocks is skipped, and so is a block that is none.
struct PEMBlock {
    var type: String
    var hasHeaders: Bool
    var content: [UInt8]

    /// The first block and what follows it, in time linear in the text.
    static func first(in text: ArraySlice<UInt8>) -> (block: PEMBlock, rest: ArraySlice<UInt8>)? {
        var open: (type: String, hasHeaders: Bool, lines: [Substring])?
        var start = text.startIndex
        while start < text.endIndex {
            let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
            let line = String(decoding: text[start..<end], as: UTF8.self).trimmingBlanks
            start = end < text.endIndex ? end + 1 : end
            if let type = label(line, after: "-----BEGIN ") {
                open = (type, false, [])
            } else if let type = label(line, after: "-----END ") {
                defer { open = nil }
                guard let found = open, found.type == type,
                    let content = Base64.decode(found.lines.joined())
                else { continue }
                return (PEMBlock(type: type, hasHeaders: found.hasHeaders, content: content), text[start...])
            } else if line.utf8.contains(UInt8(ascii: ":")) {
                open?.hasHeaders = true
            } else {
                open?.lines.append(line)
            }
        }
        return nil
    }

    private static func label(_ line: Substring, after start: String) -> String? {
        guard line.hasPrefix(start), line.hasSuffix("-----"), line.utf8.count >= start.utf8.count + 5 else {
            return nil
        }
        return String(line.dropFirst(start.count).dropLast(5))
    }
}

/// Certificates as PEM.
enum CertificateText {
    /// What is wrong with them, in Kubernetes' words; nothing is wrong with none at all.
    static func fault(in text: [UInt8]) -> String? {
        if text.isEmpty { return nil }
        var rest = text[...]
        var count = 0
        while let next = PEMBlock.first(in: rest) {
            let block = next.block
            rest = next.rest
            count += 1
            if block.type != "CERTIFICATE" {
                return "only CERTIFICATE PEM blocks are allowed, found \(JSON.string(block.type).text())"
            }
            if block.hasHeaders { return "no PEM block headers are permitted" }
            guard let certificates = SignedDocument.count(in: block.content) else {
                return "x509: malformed certificate"
            }
            if certificates == 0 { return "found CERTIFICATE PEM block containing 0 certificates" }
        }
        return count == 0 ? "must contain at least one CERTIFICATE PEM block" : nil
    }
}

/// The outline that certificates and requests for them share in DER: what is signed, how, and the signature.
enum SignedDocument {
    private static let sequence: UInt8 = 0x30
    private static let bitString: UInt8 = 0x03

    /// How many there are, one after the other; `nil` when it is something else.
    static func count(in bytes: [UInt8]) -> Int? {
        guard let documents = elements(of: bytes[...]) else { return nil }
        for document in documents {
            guard document.tag == sequence, let parts = elements(of: document.content),
                parts.map(\.tag) == [sequence, sequence, bitString]
            else { return nil }
        }
        return documents.count
    }

    /// The values that bytes are made of; `nil` when a length does not fit.
    private static func elements(of bytes: ArraySlice<UInt8>) -> [(tag: UInt8, content: ArraySlice<UInt8>)]? {
        var elements: [(tag: UInt8, content: ArraySlice<UInt8>)] = []
        var rest = bytes
        while let tag = rest.popFirst() {
            guard let first = rest.popFirst() else { return nil }
            var length = Int(first)
            if first >= 0x80 {
                // Four bytes of length are more than any request has.
                let size = Int(first & 0x7F)
                guard (1...4).contains(size), rest.count >= size else { return nil }
                length = rest.prefix(size).reduce(0) { $0 << 8 | Int($1) }
                rest = rest.dropFirst(size)
            }
            guard rest.count >= length else { return nil }
            elements.append((tag, rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return elements
    }
}

extension String {
    /// Without blanks and line ends around it.
    fileprivate var trimmingBlanks: Substring {
        let isBlank = { (character: Character) in character.isWhitespace }
        var line = drop(while: isBlank)
        while let last = line.last, isBlank(last) { line.removeLast() }
        return line
    }
}
