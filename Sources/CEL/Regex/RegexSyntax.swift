/// A regular expression's tree (RE2's syntax).
indirect enum RegexNode {
    case empty
    case set(ScalarSet)
    case begin, end, lineBegin, lineEnd, wordBoundary, noWordBoundary
    case sequence([RegexNode])
    case either([RegexNode])
    /// - Parameter maximum: `nil` for any number.
    case repetition(RegexNode, minimum: Int, maximum: Int?, greedy: Bool)
}

/// A set of Unicode scalars as sorted ranges.
struct ScalarSet: Sendable {
    private(set) var ranges: [ClosedRange<UInt32>]

    static let all = ScalarSet([0...0x10ffff])
    static let digits = ScalarSet([0x30...0x39])
    static let space = ScalarSet([0x09...0x0a, 0x0c...0x0d, 0x20...0x20])
    static let word = ScalarSet([0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])

    init(_ ranges: [ClosedRange<UInt32>]) {
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
                merged[merged.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    var inverted: ScalarSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { gaps.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= 0x10ffff { gaps.append(next...0x10ffff) }
        return ScalarSet(gaps)
    }

    func contains(_ scalar: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].lowerBound <= scalar
    }

    func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(ranges + other.ranges) }

    /// With the other case of every letter in it.
    var ignoringCase: ScalarSet {
        var added: [ClosedRange<UInt32>] = []
        for range in ranges {
            // Beyond these few planes' letters no script has cases; large ranges hold both cases already.
            guard range.upperBound - range.lowerBound < 0x3000 else { continue }
            for value in range {
                guard let properties = Unicode.Scalar(value)?.properties else { continue }
                for mapped in [properties.lowercaseMapping, properties.uppercaseMapping] {
                    let scalars = mapped.unicodeScalars
                    if scalars.count == 1, let other = scalars.first?.value, other != value {
                        added.append(other...other)
                    }
                }
            }
        }
        return ScalarSet(ranges + added)
    }

    static let posix: [String: ScalarSet] = [
        "alnum": ScalarSet([0x30...0x39, 0x41...0x5a, 0x61...0x7a]), "alpha": ScalarSet([0x41...0x5a, 0x61...0x7a]),
        "ascii": ScalarSet([0...0x7f]), "blank": ScalarSet([0x09...0x09, 0x20...0x20]),
        "cntrl": ScalarSet([0...0x1f, 0x7f...0x7f]), "digit": digits, "graph": ScalarSet([0x21...0x7e]),
        "lower": ScalarSet([0x61...0x7a]), "print": ScalarSet([0x20...0x7e]),
        "punct": ScalarSet([0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e]),
        "space": ScalarSet([0x09...0x0d, 0x20...0x20]), "upper": ScalarSet([0x41...0x5a]), "word": word,
        "xdigit": ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66]),
    ]

    /// The scalars of a general category by its one or two letters; `nil` for what is none.
    static func category(_ name: String) -> ScalarSet? {
        if name == "Any" { return all }
        return categories[name]
    }

    private static let categories: [String: ScalarSet] = {
        var ranges: [String: [ClosedRange<UInt32>]] = [:]
        var start: UInt32 = 0
        var current = abbreviation(of: 0)
        func close(_ end: UInt32) {
            ranges[current, default: []].append(start...end)
            ranges[String(current.prefix(1)), default: []].append(start...end)
        }
        for value in UInt32(1)...0x10ffff {
            let next = abbreviation(of: value)
            if next != current {
                close(value - 1)
                start = value
                current = next
            }
        }
        close(0x10ffff)
        return ranges.mapValues { ScalarSet($0) }
    }()

    private static func abbreviation(of value: UInt32) -> String {
        guard let scalar = Unicode.Scalar(value) else { return "Cs" }
        return switch scalar.properties.generalCategory {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        default: "Cn"
        }
    }
}
