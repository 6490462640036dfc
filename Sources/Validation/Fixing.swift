package import Model

/// Mends the text of a file where that needs no thought, and leaves every other byte as it is.
package enum Fixing {
    /// The text with the fixes made.
    ///
    /// - Returns: the new text, and how many of the fixes were made: one that does not find what it expects is left
    ///   out.
    /// - Throws: `YAMLError` when the file cannot be read.
    package static func apply(
        _ fixes: [LocatedFix], to text: [UInt8], file: String
    ) throws(YAMLError) -> (text: [UInt8], count: Int) {
        let documents = try YAML.documents(text, file: file)
        let lines = LineStarts(text)
        var edits: [(range: Range<Int>, text: [UInt8])] = []
        for fix in Set(fixes) {
            guard documents.indices.contains(fix.document) else { continue }
            if let edit = edit(fix, documents[fix.document], text, lines) { edits.append(edit) }
        }
        // From the end, so that places before stay where they are; of two at one place the second is left out.
        var result = text
        var next = text.count
        var count = 0
        for edit in edits.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) where edit.range.upperBound <= next
        {
            result.replaceSubrange(edit.range, with: edit.text)
            next = edit.range.lowerBound
            count += 1
        }
        return (result, count)
    }

    private static func edit(
        _ fix: LocatedFix, _ document: YAMLDocument, _ text: [UInt8], _ lines: LineStarts
    ) -> (range: Range<Int>, text: [UInt8])? {
        switch fix.fix {
        case .replaceValue(let field, let value):
            let steps = fix.item + PathStep.steps(ofField: field)
            guard let mark = document.mark(of: steps), let old = document.value.value(at: steps)?.string else {
                return nil
            }
            return scalar(old, at: mark, text, lines).map { ($0, Array(value.utf8)) }
        case .renameKey(let field, let name):
            let steps = fix.item + PathStep.steps(ofField: field)
            guard case .key(let old)? = steps.last, let mark = document.keyMark(of: steps) else { return nil }
            return scalar(old, at: mark, text, lines).map { ($0, Array(name.utf8)) }
        }
    }

    /// The bytes of a scalar without its quotes; `nil` where the text at the mark is spelt otherwise.
    private static func scalar(_ value: String, at mark: Mark, _ text: [UInt8], _ lines: LineStarts) -> Range<Int>? {
        guard var start = lines.offset(of: mark, in: text) else { return nil }
        if text[start] == UInt8(ascii: "\"") || text[start] == UInt8(ascii: "'") { start += 1 }
        let end = start + value.utf8.count
        guard end <= text.count, text[start..<end].elementsEqual(value.utf8) else { return nil }
        return start..<end
    }
}

extension JSON {
    /// The value at the end of a way; `nil` where it leads nowhere.
    fileprivate func value(at steps: [PathStep]) -> JSON? {
        var value: JSON? = self
        for step in steps {
            switch step {
            case .key(let name): value = value?[name]
            case .index(let position): value = value?[position]
            }
        }
        return value
    }
}

/// Where the lines of a text begin.
struct LineStarts {
    private var starts = [0]

    init(_ text: [UInt8]) {
        for (position, byte) in text.enumerated() where byte == UInt8(ascii: "\n") { starts.append(position + 1) }
    }

    /// The byte at which a mark stands; `nil` beyond the text.
    func offset(of mark: Mark, in text: [UInt8]) -> Int? {
        guard mark.line >= 1, mark.line <= starts.count else { return nil }
        var offset = starts[mark.line - 1]
        // A mark of the first line counts from behind a byte-order mark.
        if mark.line == 1, text.starts(with: [0xEF, 0xBB, 0xBF]) { offset += 3 }
        var column = 1
        while column < mark.column, offset < text.count {
            offset += 1
            // Columns count characters.
            while offset < text.count, text[offset] & 0xC0 == 0x80 { offset += 1 }
            column += 1
        }
        return offset < text.count ? offset : nil
    }

    /// A line without its end; `nil` beyond the text.
    func line(_ number: Int, of text: [UInt8]) -> String? {
        guard number >= 1, number <= starts.count else { return nil }
        let start = starts[number - 1]
        let end = number < starts.count ? starts[number] : text.count
        let bytes = text[start..<end].filter { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return String(decoding: bytes, as: UTF8.self)
    }
}
