import Model
import Testing

@Suite("Base64")
struct Base64Tests {
    static let pairs: [(bytes: String, text: String)] = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test("the vectors of RFC 4648 §10", arguments: pairs)
    func vectors(bytes: String, text: String) {
        #expect(Base64.encode(bytes.utf8) == text)
        #expect(Base64.decode(text) == Array(bytes.utf8))
    }

    @Test("line breaks are skipped, as Go's decoder does")
    func lineBreaks() { #expect(Base64.decode("Zm9v\r\nYg==\n") == Array("foob".utf8)) }

    @Test(
        "what is not base64 is not read",
        arguments: ["Z", "Zg", "Zg=", "Zm9vYg", "Zg===", "Z===", "====", "=Zg=", "Zg==Zg==", "Zm9 v", "Zm-_", "Zé=="])
    func others(text: String) { #expect(Base64.decode(text) == nil) }
}
