import Model
import Testing

@Suite("Quantities")
struct QuantityTests {
    /// From apimachinery's own tests: what is parsed, and how it is written back.
    static let canonical: [(String, String)] = [
        ("0", "0"), ("0n", "0"), ("0Ki", "0"), ("0e5", "0"), ("00", "0"), ("-0", "0"), ("0.0", "0"), ("1", "1"),
        ("+1", "1"),
        ("1Ki", "1Ki"), ("8Ki", "8Ki"), ("1Mi", "1Mi"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("3Ei", "3Ei"),
        ("1024Ki", "1Mi"), ("1000M", "1G"), ("1000k", "1M"), ("1024M", "1024M"), ("0.5", "500m"), ("1.5", "1500m"),
        ("0.001", "1m"), (".001", "1m"), ("0.0005k", "500m"), ("1.", "1"), ("1.G", "1G"), ("100.035k", "100035"),
        ("1e3", "1e3"), ("1E3", "1e3"), ("1e6", "1e6"), ("12e6", "12e6"), ("1e4", "10e3"), ("1e-3", "1e-3"),
        ("0.5e0", "500e-3"),
        ("1.2e3", "1200"), ("1e+6", "1e6"), ("1e21", "1e21"), ("3.001n", "4n"), ("0.9n", "1n"), ("0.0000000001", "1n"),
        ("0.00000012345", "124n"), ("1.1E-9", "2e-9"), ("1e-1000", "1e-9"), ("5n", "5n"), ("4u", "4u"), ("1000n", "1u"),
        ("9Ei", "9223372036854775807"), ("9223372036854775807Ki", "9223372036854775807"), ("12E", "12E"),
        ("1000E", "1000E"),
        (".001Ki", "1024m"), (".000001Ki", "1024u"), (".000000001Ki", "1024n"), (".000000000001Ki", "2n"),
        ("0.5Mi", "512Ki"), ("0.05Gi", "53687091200m"), ("0.5Ki", "512"), ("1000Ki", "1000Ki"), ("500m", "500m"),
        ("100m", "100m"),
        ("-1.5Gi", "-1536Mi"), ("-0.5", "-500m"), ("-3.001n", "-4n"), ("1234567890123456789", "1234567890123456789"),
        ("9223372036854775808", "9223372036854775808"), ("0.3Ki", "307200m"), ("512", "512"), ("1000", "1k"),
        ("10000", "10k"),
    ]

    @Test("are written canonically, as Kubernetes does", arguments: canonical)
    func canonicalisation(_ text: String, _ expected: String) throws {
        let quantity = try #require(Quantity(text))
        #expect(quantity.description == expected)
        let again = try #require(Quantity(quantity.description))
        #expect(again == quantity)
        #expect(again.description == expected)
    }

    @Test(
        "refuse what is none",
        arguments: [
            "", " ", "1 ", " 1", "1 Ki", "a", "1.1.M", "1+1.0M", "0.1mi", "0.1am", ".5i", "1i", "-3.01i", "-3.01e-",
            "e", "K", "1K",
            "1KI", "--1", "+-1", ".", "-", "1e", "1e3.5", "1e9223372036854775808", "1e1000", "１", "1e30000000",
        ])
    func refusals(_ text: String) {
        // `1e` has the suffix `e`, which is none; `1E` would be exa.
        #expect(Quantity(text) == nil)
    }

    @Test("count up to whole units and thousandths, and never overflow")
    func values() throws {
        #expect(try #require(Quantity("1500m")).value == 2)
        #expect(try #require(Quantity("1.5Gi")).value == 1_610_612_736)
        #expect(try #require(Quantity("0.0001")).milliValue == 1)
        #expect(try #require(Quantity("12E")).value == .max)
        #expect((Quantity(1) + Quantity(milli: 500)).description == "1500m")
        let binary = try #require(Quantity("1Gi"))
        #expect((Quantity.zero + binary).description == "1Gi")
        #expect((Quantity.zero - binary).description == "-1Gi")
        #expect(try #require(Quantity("1000m")) == Quantity(1))
        let large = try #require(Quantity("1e28"))
        let sum = (0..<100).reduce(Quantity.zero) { sum, _ in sum + large }
        #expect(sum > large)
    }
}

@Suite("Times and counts")
struct TimeTests {
    @Test(
        "RFC 3339 times are read and written",
        arguments: [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
            ("2024-02-29T23:59:59.123456789Z", "2024-02-29T23:59:59.123456Z"),
            ("2026-11-22T10:00:00+02:30", "2026-11-22T07:30:00.000000Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"),
            ("2000-01-01T00:00:00-00:00", "2000-01-01T00:00:00.000000Z"),
            ("1700-03-01T00:00:00Z", "1700-03-01T00:00:00.000000Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
            ("1677-09-21T00:12:43.145Z", "1677-09-21T00:12:43.145000Z"),
            ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999Z"),
            ("9999-12-31T23:59:59+00:01", "9999-12-31T23:58:59.000000Z"),
        ])
    func reading(_ text: String, _ expected: String) throws {
        #expect(try #require(Timestamp(text)).microText == expected)
    }

    @Test(
        "what is no time is refused",
        arguments: [
            "", "2024-01-01", "2024-01-01T00:00:00", "2024-13-01T00:00:00Z", "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00.Z",
            "2024-01-01 00:00:00Z",
            "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01", "2024-01-01T00:00:00+2:00",
            "2024-01-01T00:00:00Zx",
            "é024-01-01T00:00:00Z",
        ])
    func refusals(_ text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("arithmetic with any duration saturates")
    func arithmetic() {
        let time = Timestamp(seconds: 1_700_000_000)
        #expect(time + .seconds(1.5) == Timestamp(nanoseconds: 1_700_000_001_500_000_000))
        #expect(time + .seconds(Int64.max) == .last)
        #expect(time - .seconds(Int64.max) == .first)
        #expect(time - .seconds(Int64.min) == .last)
        #expect(Timestamp.last + .nanoseconds(1) == .last)
        #expect(Timestamp(seconds: .min) == .first)
        #expect(Timestamp(seconds: .max) == .last)
        #expect(time - Timestamp(seconds: 1_699_999_990) == .seconds(10))
        #expect(Timestamp.last - .first == .seconds(315_569_519_999) + .nanoseconds(999_999_999))
        #expect(Timestamp(seconds: 5) - .nanoseconds(1) == Timestamp(seconds: 4, nanosecond: 999_999_999))
        #expect(Timestamp.first.description == "0000-01-01T00:00:00Z")
        #expect(Timestamp.last.text(fractionDigits: 9) == "9999-12-31T23:59:59.999999999Z")
    }

    @Test(
        "nanoseconds since the epoch are kept as far as 64 bits hold them",
        arguments: [
            (Int64.min, "1677-09-21T00:12:43.145224192Z"), (.min + 1, "1677-09-21T00:12:43.145224193Z"),
            (-1_000_000_000, "1969-12-31T23:59:59.000000000Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
            (0, "1970-01-01T00:00:00.000000000Z"), (.max, "2262-04-11T23:47:16.854775807Z"),
        ])
    func nanoseconds(_ nanoseconds: Int64, _ text: String) {
        let time = Timestamp(nanoseconds: nanoseconds)
        #expect(time.text(fractionDigits: 9) == text)
        #expect(time.nanoseconds == nanoseconds)
        #expect(Timestamp(text) == time)
        #expect(Timestamp.first.nanoseconds == .min)
        #expect(Timestamp.last.nanoseconds == .max)
    }

    @Test(
        "percentages scale with their rounding",
        arguments: [
            (IntOrString.string("25%"), 10, 3, 2), (.string("50%"), 3, 2, 1), (.string("100%"), 7, 7, 7),
            (.string("0%"), 7, 0, 0), (.int(4), 10, 4, 4),
            (.string("1%"), 1, 1, 0), (.string("200%"), 3, 6, 6),
        ] as [(IntOrString, Int, Int, Int)])
    func percentages(_ value: IntOrString, _ total: Int, _ up: Int, _ down: Int) {
        #expect(value.scaled(to: total, rounding: .up) == up)
        #expect(value.scaled(to: total, rounding: .down) == down)
    }

    @Test("what is no percentage scales to nothing", arguments: ["25", "x%", "%", "9223372036854775807%", "1.5%"])
    func noPercentage(_ text: String) {
        #expect(IntOrString.string(text).scaled(to: 10, rounding: .up) == nil)
    }
}

@Suite("Parts of a text")
struct SplitTextTests {
    @Test(
        "a text is split at a character as Swift does it",
        arguments: ["", "/", "a", "a/b", "/a//b/", "ä/ö\u{301}/€", "//", "a/", "/a"], [true, false])
    func split(text: String, omittingEmpty: Bool) {
        let expected = text.split(separator: "/", omittingEmptySubsequences: omittingEmpty)
        #expect(text.split(at: "/", omittingEmpty: omittingEmpty) == expected)
        #expect("x/\(text)".dropFirst(2).split(at: "/", omittingEmpty: omittingEmpty) == expected)
    }

    @Test("a separator with a mark on it is still one, as to every program that counts bytes")
    func marked() {
        #expect("a/\u{301}b".split(at: "/") == ["a", "\u{301}b"])
    }
}
