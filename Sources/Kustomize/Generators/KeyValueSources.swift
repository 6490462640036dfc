import GitSource
import Model

/// The pairs that a generator's `envs`, `literals` and `files` give, in that order.
struct KeyValueSources {
    let loader: Loader
    let place: Loader.Place

    func pairs(of arguments: GeneratorArguments) throws(KustomizeError) -> [(key: String, value: [UInt8])] {
        var result: [(key: String, value: [UInt8])] = []
        for source in arguments.envs {
            let (entry, text) = try loader.read(source, in: place)
            result += try Self.lines(of: text, file: entry.path)
        }
        for source in arguments.literals { result.append(try Self.literal(source)) }
        for source in arguments.files {
            let (key, path) = try Self.file(source)
            let (_, content) = try loader.read(Reference(text: path, field: source.field), in: place)
            result.append((key, content))
        }
        var seen: Set<UTF8Key> = []
        for (key, _) in result where !seen.insert(UTF8Key(key)).inserted {
            throw arguments.field.error("the key \"\(key)\" is given twice")
        }
        return result
    }

    /// `KEY=value`; quotes around the value are taken off.
    static func literal(_ source: Reference) throws(KustomizeError) -> (key: String, value: [UInt8]) {
        let text = Array(source.text.utf8)
        guard let equals = text.firstIndex(of: UInt8(ascii: "=")), equals > 0 else {
            throw source.field.error("\"\(source.text)\" must be written KEY=value")
        }
        var value = text[(equals + 1)...]
        if value.count >= 2, let quote = value.first, quote == value.last,
            quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'")
        {
            value = value.dropFirst().dropLast()
        }
        return (String(decoding: text[..<equals], as: UTF8.self), Array(value))
    }

    /// `path`, whose last part is then the key, or `KEY=path`.
    static func file(_ source: Reference) throws(KustomizeError) -> (key: String, path: String) {
        let parts = source.text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1:
            let name = source.text.split(separator: "/").last.map(String.init)
            return (name ?? (source.text.isEmpty ? "." : "/"), source.text)
        case 2 where parts[0].isEmpty: throw source.field.error("the key before = is missing in \"\(source.text)\"")
        case 2 where parts[1].isEmpty: throw source.field.error("the path behind = is missing in \"\(source.text)\"")
        case 2: return (parts[0], parts[1])
        default: throw source.field.error("\"\(source.text)\" has more than one =; write KEY=path")
        }
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    /// As much as Go's line scanner takes.
    private static let lineLimit = 64 << 10

    /// The lines `KEY=value` of an environment file; a key alone has an empty value.
    static func lines(of text: [UInt8], file: String) throws(KustomizeError) -> [(key: String, value: [UInt8])] {
        var result: [(key: String, value: [UInt8])] = []
        var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (number, wholeLine) in lines.enumerated() {
            var line = wholeLine
            let mark = Mark(line: number + 1, column: 1)
            // Go's scanner stops without a word at a line that is too long; what came before would be half a file.
            guard line.count < lineLimit else {
                throw KustomizeError(file: file, mark: mark, message: "the line has more than \(lineLimit) bytes")
            }
            if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
            guard String(validating: line, as: UTF8.self) != nil else {
                throw KustomizeError(file: file, mark: mark, message: "the line is not UTF-8 text: convert the file")
            }
            if number == 0, line.starts(with: byteOrderMark) { line = line.dropFirst(byteOrderMark.count) }
            let content = String(decoding: line, as: UTF8.self).unicodeScalars.drop { $0.properties.isWhitespace }
            guard let first = content.first, first != "#" else { continue }
            let bytes = Array(String(String.UnicodeScalarView(content)).utf8)
            let equals = bytes.firstIndex(of: UInt8(ascii: "=")) ?? bytes.count
            if equals == 0 { continue }
            let key = String(decoding: bytes[..<equals], as: UTF8.self)
            result.append((key, Array(bytes[min(equals + 1, bytes.count)...])))
        }
        return result
    }
}
