import CLibyaml

extension YAMLEvents {
    /// The bracket or brace that is still open where the text ends: libyaml then only says that something is missing
    /// behind the last line.
    ///
    /// - Parameter problem: where libyaml met the error.
    static func unclosed(in source: UnsafeBufferPointer<UInt8>, before problem: Mark) -> YAMLFault? {
        guard isEnd(problem, of: source) else { return nil }
        // Read once more, since no valid text is to pay for this.
        var events = YAMLEvents(source: source)
        var open: [Mark] = []
        do throws(YAMLFault) {
            while true {
                switch try events.advance() {
                case YAML_SEQUENCE_START_EVENT:
                    let isFlow = events.event.pointee.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
                    open.append(isFlow ? events.mark : Mark(line: 0, column: 0))
                case YAML_MAPPING_START_EVENT:
                    let isFlow = events.event.pointee.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                    open.append(isFlow ? events.mark : Mark(line: 0, column: 0))
                case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: open.removeLast()
                case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return nil
                default: continue
                }
            }
        } catch {
            guard let mark = open.last, mark.line > 0 else { return nil }
            let bracket = events.character(at: mark) == UInt8(ascii: "{") ? ("{", "}") : ("[", "]")
            return YAMLFault(
                message: "the '\(bracket.0)' is never closed; add '\(bracket.1)', or quote the text", mark: mark)
        }
    }

    /// Whether nothing but white space follows.
    private static func isEnd(_ mark: Mark, of source: UnsafeBufferPointer<UInt8>) -> Bool {
        var line = 1
        for (offset, byte) in source.enumerated() {
            if line == mark.line { return source[offset...].allSatisfy { $0 <= 0x20 } }
            if byte == UInt8(ascii: "\n") { line += 1 }
        }
        return true
    }
}
