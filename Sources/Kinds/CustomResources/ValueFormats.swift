import CEL
import Model

/// The formats that Kubernetes checks in custom resources; all others are taken for comments
/// (`k8s.io/apiextensions-apiserver/pkg/apiserver/validation/formats.go`).
enum ValueFormats {
    static func accepts(_ text: String, _ format: String) -> Bool {
        if let pattern = patterns[format] { return GoPattern.matches(pattern, text) ?? true }
        switch format {
        case "ipv4": return AddressSyntax.family(of: text) == .v4
        case "ipv6": return AddressSyntax.family(of: text) == .v6
        case "cidr": return AddressSyntax.isBlock(text)
        case "byte": return CanonicalText.isBase64(text)
        case "date": return Timestamp("\(text)T00:00:00Z") != nil
        case "date-time", "datetime": return Timestamp(text) != nil
        // A text that is no duration is just that: what else is wrong with it is not told.
        case "duration": return (try? GoDuration.duration(text)) != nil
        case "hostname": return text.utf8.count <= 255 && NameSyntax.subdomain(text.lowercased()).isEmpty
        case "k8s-short-name": return NameSyntax.label(text).isEmpty
        case "k8s-long-name": return NameSyntax.subdomain(text).isEmpty
        case "isbn10": return isISBN10(text)
        case "isbn13": return isISBN13(text)
        case "isbn": return isISBN10(text) || isISBN13(text)
        case "creditcard": return isCardNumber(text)
        default: return true
        }
    }

    private static let hex = "[0-9a-fA-F]"
    private static let patterns: [String: String] = [
        "bsonobjectid": "^\(hex){24}$", "ssn": "^\\d{3}[- ]?\\d{2}[- ]?\\d{4}$",
        "hexcolor": "^#?(\(hex){3}|\(hex){6})$",
        "rgbcolor": "^rgb\\(\\s*(\(octet)\\s*,\\s*){2}\(octet)\\s*\\)$",
        "mac": "^(\(hex){2}([:-]\(hex){2}){5}|\(hex){2}([:-]\(hex){2}){7}|\(hex){4}(\\.\(hex){4}){2,3})$",
        "uuid": "^\(hex){8}-?\(hex){4}-?\(hex){4}-?\(hex){4}-?\(hex){12}$",
        "uuid3": "^\(hex){8}-?\(hex){4}-?3\(hex){3}-?\(hex){4}-?\(hex){12}$",
        "uuid4": "^\(hex){8}-?\(hex){4}-?4\(hex){3}-?[89abAB]\(hex){3}-?\(hex){12}$",
        "uuid5": "^\(hex){8}-?\(hex){4}-?5\(hex){3}-?[89abAB]\(hex){3}-?\(hex){12}$",
        "email": "^[^@\\s<>]+@[^@\\s<>]+$", "uri": "^(/|[a-zA-Z][a-zA-Z0-9+.-]*:)[^\\s]*$",
    ]
    private static let octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"

    private static func digits(_ text: String) -> [Int]? {
        let kept = text.filter { $0 != "-" && $0 != " " }
        let digits = kept.compactMap(\.wholeNumberValue)
        return digits.count == kept.count ? digits : nil
    }

    private static func isISBN10(_ text: String) -> Bool {
        let kept = text.filter { $0 != "-" && $0 != " " }
        guard kept.count == 10, let last = kept.last, var digits = digits(String(kept.dropLast())) else { return false }
        guard let check = last == "X" ? 10 : last.wholeNumberValue else { return false }
        digits.append(check)
        return digits.enumerated().reduce(0) { $0 + (10 - $1.offset) * $1.element } % 11 == 0
    }

    private static func isISBN13(_ text: String) -> Bool {
        guard let digits = digits(text), digits.count == 13 else { return false }
        return digits.enumerated().reduce(0) { $0 + ($1.offset % 2 == 0 ? 1 : 3) * $1.element } % 10 == 0
    }

    /// Luhn's sum.
    private static func isCardNumber(_ text: String) -> Bool {
        guard let digits = digits(text), (13...19).contains(digits.count) else { return false }
        let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
            let value = digit.offset % 2 == 0 ? digit.element : digit.element * 2
            return sum + (value > 9 ? value - 9 : value)
        }
        return sum % 10 == 0
    }
}
