/// A version of Semantic Versioning 2.0.0.
package struct SemanticVersion: Sendable {
    let numbers: [UInt64]
    let prerelease: [Substring]

    /// - Parameter normalized: also reads `v1`, `1.2` and `01.2.3`.
    package init?(_ text: String, normalized: Bool = false) {
        var rest = text[...]
        if normalized, rest.first == "v" { rest = rest.dropFirst() }
        var build = Substring()
        var hasBuild = false
        if let plus = rest.firstIndex(of: "+") {
            build = rest[rest.index(after: plus)...]
            hasBuild = true
            rest = rest[..<plus]
        }
        var prerelease = Substring()
        var hasPrerelease = false
        if let dash = rest.firstIndex(of: "-") {
            prerelease = rest[rest.index(after: dash)...]
            hasPrerelease = true
            rest = rest[..<dash]
        }
        var parts = rest.split(separator: ".", omittingEmptySubsequences: false)
        if normalized {
            if parts.count < 3, hasBuild || hasPrerelease { return nil }
            parts = parts.map { part in
                let trimmed = part.drop { $0 == "0" }
                return trimmed.isEmpty && !part.isEmpty ? "0" : trimmed
            }
            while parts.count < 3 { parts.append("0") }
        }
        guard parts.count == 3 else { return nil }
        var numbers: [UInt64] = []
        for part in parts {
            guard Self.isNumber(part), let number = UInt64(part) else { return nil }
            numbers.append(number)
        }
        self.numbers = numbers
        self.prerelease = hasPrerelease ? prerelease.split(separator: ".", omittingEmptySubsequences: false) : []
        for part in self.prerelease {
            let isNumeric = part.utf8.allSatisfy { (0x30...0x39).contains($0) }
            guard Self.isIdentifier(part), !isNumeric || Self.isNumber(part) else { return nil }
        }
        if hasBuild {
            let parts = build.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.allSatisfy({ Self.isIdentifier($0) }) else { return nil }
        }
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            && (text.utf8.count == 1 || text.first != "0")
    }

    private static func isIdentifier(_ text: Substring) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.isNamePart && $0 != "_" || $0 == "-" }
    }

    /// -1, 0 or 1; builds do not count.
    func compare(to other: SemanticVersion) -> Int {
        for (left, right) in zip(numbers, other.numbers) where left != right { return left < right ? -1 : 1 }
        if prerelease.isEmpty || other.prerelease.isEmpty {
            return prerelease.isEmpty == other.prerelease.isEmpty ? 0 : prerelease.isEmpty ? 1 : -1
        }
        for (left, right) in zip(prerelease, other.prerelease) where left != right {
            switch (UInt64(left), UInt64(right)) {
            case (let left?, let right?): return left < right ? -1 : 1
            case (_?, nil): return -1
            case (nil, _?): return 1
            case (nil, nil): return left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
            }
        }
        let (left, right) = (prerelease.count, other.prerelease.count)
        return left == right ? 0 : left < right ? -1 : 1
    }
}
