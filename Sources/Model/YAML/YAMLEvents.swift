import CLibyaml

/// libyaml's parser over a text that outlives it, one event at a time.
struct YAMLEvents: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// The event that `next` read last; valid until it is called again.
    let event: UnsafeMutablePointer<yaml_event_t>
    private let source: UnsafeBufferPointer<UInt8>

    init(source: UnsafeBufferPointer<UInt8>) {
        self.source = source
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        event = .allocate(capacity: 1)
        event.initialize(to: yaml_event_t())
        guard yaml_parser_initialize(parser) == 1 else { fatalError("libyaml is out of memory") }
        // libyaml wants an address even for no bytes at all.
        withUnsafePointer(to: 0 as UInt8) {
            yaml_parser_set_input_string(parser, source.baseAddress ?? $0, source.count)
        }
    }

    deinit {
        yaml_event_delete(event)
        yaml_parser_delete(parser)
        event.deallocate()
        parser.deallocate()
    }

    @inline(__always)
    mutating func next() throws(YAMLFault) -> yaml_event_type_t {
        yaml_event_delete(event)
        guard yaml_parser_parse(parser, event) == 1 else { throw fault() }
        return event.pointee.type
    }

    /// Like `next`, but with libyaml's bare words where it fails.
    mutating func advance() throws(YAMLFault) -> yaml_event_type_t {
        yaml_event_delete(event)
        guard yaml_parser_parse(parser, event) == 1 else {
            throw YAMLFault(message: "", mark: Mark(parser.pointee.problem_mark))
        }
        return event.pointee.type
    }

    var mark: Mark { Mark(event.pointee.start_mark) }

    var place: YAMLMarks.Place {
        @inline(__always)
        get {
            YAMLMarks.Place(
                line: UInt32(truncatingIfNeeded: event.pointee.start_mark.line &+ 1),
                column: UInt32(truncatingIfNeeded: event.pointee.start_mark.column &+ 1))
        }
    }

    private func fault() -> YAMLFault {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "out of memory"
        if parser.pointee.error == YAML_READER_ERROR { return readerFault(problem) }
        let mark = Mark(parser.pointee.problem_mark)
        if let stray = strayByteOrderMark(before: mark) { return stray }
        if parser.pointee.error == YAML_PARSER_ERROR, let open = Self.unclosed(in: source, before: mark) { return open }
        var message = explained(problem, at: mark)
        if let context = parser.pointee.context {
            message += " (\(String(cString: context)) that starts at \(Mark(parser.pointee.context_mark)))"
        }
        return YAMLFault(message: message, mark: mark)
    }

    /// libyaml knows only the byte's offset where the text itself cannot be decoded.
    private func readerFault(_ problem: String) -> YAMLFault {
        let offset = min(parser.pointee.problem_offset, source.count)
        let before = source[..<offset]
        let line = before.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        // Characters, not bytes: continuation bytes do not count.
        let column = source[lineStart..<offset].reduce(1) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
        let value = parser.pointee.problem_value
        let message =
            problem.contains("control characters")
            ? "the control character 0x\(String(value, radix: 16)) is not allowed; escape it in double quotes"
            : "the text is not valid UTF-8: \(problem)"
        return YAMLFault(message: message, mark: Mark(line: line, column: column))
    }

    /// A byte order mark inside the text, as joined files have it, reads as a letter and breaks the line's indentation.
    private func strayByteOrderMark(before mark: Mark) -> YAMLFault? {
        let lines = source.split(separator: UInt8(ascii: "\n"), maxSplits: mark.line, omittingEmptySubsequences: false)
        guard mark.line > 1, mark.line <= lines.count, lines[mark.line - 1].starts(with: [0xEF, 0xBB, 0xBF]) else {
            return nil
        }
        return YAMLFault(message: Self.strayByteOrderMark, mark: Mark(line: mark.line, column: 1))
    }

    static let strayByteOrderMark =
        "a byte order mark inside the text; remove it (it may only stand at the very beginning)"

    /// libyaml's words, and what would be right where they do not say.
    private func explained(_ problem: String, at mark: Mark) -> String {
        switch problem {
        case "found character that cannot start any token":
            switch character(at: mark) {
            case UInt8(ascii: "\t"): return "a tab cannot indent YAML; use spaces"
            case .some(let byte) where (0x21..<0x7F).contains(byte):
                return "a value cannot start with '\(Character(Unicode.Scalar(byte)))'; quote it"
            default: return problem
            }
        case "mapping values are not allowed in this context":
            return "a ':' is not allowed here; quote a text that contains ': ', or mend the indentation"
        case "could not find expected ':'":
            return "expected ': ' after a key"
        case "did not find expected key":
            return "expected a key; check the indentation and the quotes of the lines above"
        case "did not find expected '-' indicator":
            return "expected '- '; check the indentation"
        default: return problem
        }
    }

    func character(at mark: Mark) -> UInt8? {
        var line = 1
        var column = 1
        for byte in source {
            if line == mark.line, column >= mark.column, byte & 0xC0 != 0x80 { return byte }
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return nil
    }
}

extension Mark {
    init(_ mark: yaml_mark_t) {
        self.init(line: mark.line + 1, column: mark.column + 1)
    }
}
