/// A compiled pattern, matched in time linear in the text: all threads of the automaton advance together (Pike's VM).
///
/// Like Go's `regexp`, the leftmost match wins, and of those the one that Perl would find first.
package struct LinearRegex: Sendable {
    enum Instruction: Sendable {
        case scalars(ScalarSet)
        /// Goes on at both places; the first one is preferred.
        case split(Int, Int)
        case jump(Int)
        case begin, end, lineBegin, lineEnd, wordBoundary, noWordBoundary
        case match
    }

    static let maximumInstructions = 50_000

    private let program: [Instruction]

    init(_ pattern: String) throws(RegexError) {
        var compiler = Compiler()
        try compiler.emit(try RegexParser.parse(pattern), pattern)
        compiler.program.append(.match)
        program = compiler.program
    }

    private struct Compiler {
        var program: [Instruction] = []

        mutating func emit(_ node: RegexNode, _ pattern: String) throws(RegexError) {
            guard program.count < maximumInstructions else {
                throw RegexError(message: "expression too large: `\(pattern)`")
            }
            switch node {
            case .empty: break
            case .set(let set): program.append(.scalars(set))
            case .begin: program.append(.begin)
            case .end: program.append(.end)
            case .lineBegin: program.append(.lineBegin)
            case .lineEnd: program.append(.lineEnd)
            case .wordBoundary: program.append(.wordBoundary)
            case .noWordBoundary: program.append(.noWordBoundary)
            case .sequence(let nodes): for node in nodes { try emit(node, pattern) }
            case .either(let nodes): try emit(alternatives: nodes, pattern)
            case .repetition(let inner, let minimum, let maximum, let greedy):
                for _ in 0..<minimum { try emit(inner, pattern) }
                guard let maximum else { return try emit(star: inner, greedy, pattern) }
                var exits: [Int] = []
                for _ in minimum..<max(minimum, maximum) {
                    exits.append(program.count)
                    program.append(.jump(0))
                    try emit(inner, pattern)
                }
                for exit in exits {
                    program[exit] = greedy ? .split(exit + 1, program.count) : .split(program.count, exit + 1)
                }
            }
        }

        private mutating func emit(star inner: RegexNode, _ greedy: Bool, _ pattern: String) throws(RegexError) {
            let start = program.count
            program.append(.jump(0))
            try emit(inner, pattern)
            program.append(.jump(start))
            program[start] = greedy ? .split(start + 1, program.count) : .split(program.count, start + 1)
        }

        private mutating func emit(alternatives nodes: [RegexNode], _ pattern: String) throws(RegexError) {
            var ends: [Int] = []
            for (index, node) in nodes.enumerated() {
                let split = program.count
                if index < nodes.count - 1 { program.append(.jump(0)) }
                try emit(node, pattern)
                if index < nodes.count - 1 {
                    ends.append(program.count)
                    program.append(.jump(0))
                    program[split] = .split(split + 1, program.count)
                }
            }
            for end in ends { program[end] = .jump(program.count) }
        }
    }

    /// Whether the pattern stands anywhere in the text.
    func matches(_ text: String) -> Bool {
        match(in: Array(text.unicodeScalars), from: 0, anyEnd: true) != nil
    }

    /// The first match from a place on.
    func find(in text: [Unicode.Scalar], from start: Int = 0) -> Range<Int>? {
        match(in: text, from: start, anyEnd: false)
    }

    /// All matches, none overlapping; at most `limit`.
    func findAll(in text: [Unicode.Scalar], limit: Int) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var position = 0
        var previousEnd = -1
        while found.count < limit, position <= text.count, let range = find(in: text, from: position) {
            // An empty match just behind another is none.
            if !(range.isEmpty && range.lowerBound == previousEnd) { found.append(range) }
            previousEnd = range.upperBound
            position = range.isEmpty ? range.upperBound + 1 : range.upperBound
        }
        return found
    }

    /// Threads in the order of preference, each with the place where its match began.
    private struct Threads {
        var places: [(instruction: Int, start: Int)] = []
        /// The step at which an instruction was last added.
        var marks: [Int]

        init(count: Int) { marks = [Int](repeating: -1, count: count) }
    }

    private func match(in text: [Unicode.Scalar], from start: Int, anyEnd: Bool) -> Range<Int>? {
        var current = Threads(count: program.count)
        var next = Threads(count: program.count)
        var found: Range<Int>?
        var position = start
        while true {
            if found == nil { add(0, start: position, at: position, text, to: &current) }
            if current.places.isEmpty { break }
            let scalar = position < text.count ? text[position].value : nil
            next.places.removeAll(keepingCapacity: true)
            threads: for (instruction, begin) in current.places {
                switch program[instruction] {
                case .scalars(let set):
                    guard let scalar, set.contains(scalar) else { continue }
                    add(instruction + 1, start: begin, at: position + 1, text, to: &next)
                case .match:
                    found = begin..<position
                    if anyEnd { return found }
                    // Threads behind this one are less preferred.
                    break threads
                default: continue
                }
            }
            guard position < text.count else { break }
            swap(&current, &next)
            position += 1
        }
        return found
    }

    /// Adds a thread, following everything that reads no text.
    private func add(
        _ first: Int, start: Int, at position: Int, _ text: [Unicode.Scalar], to threads: inout Threads
    ) {
        var stack = [first]
        while let instruction = stack.popLast() {
            if threads.marks[instruction] == position { continue }
            threads.marks[instruction] = position
            switch program[instruction] {
            case .jump(let target): stack.append(target)
            case .split(let preferred, let other):
                stack.append(other)
                stack.append(preferred)
            case .scalars, .match: threads.places.append((instruction, start))
            default:
                if holds(program[instruction], at: position, text) { stack.append(instruction + 1) }
            }
        }
    }

    private func holds(_ assertion: Instruction, at position: Int, _ text: [Unicode.Scalar]) -> Bool {
        func isWord(_ index: Int) -> Bool {
            text.indices.contains(index) && text[index].isNamePart
        }
        return switch assertion {
        case .begin: position == 0
        case .end: position == text.count
        case .lineBegin: position == 0 || text[position - 1] == "\n"
        case .lineEnd: position == text.count || text[position] == "\n"
        case .wordBoundary: isWord(position - 1) != isWord(position)
        case .noWordBoundary: isWord(position - 1) == isWord(position)
        default: false
        }
    }
}
