import Crypto
import Model

/// The key with which tokens of ServiceAccounts are signed: ECDSA on the curve P-256 (`ES256`, RFC 7518).
struct TokenKey: Sendable {
    static let algorithm = "ES256"

    private let key: P256.Signing.PrivateKey
    /// Names the key in tokens and in the published set: the hash of its public part, as Kubernetes makes it.
    let id: String

    init(_ key: P256.Signing.PrivateKey = P256.Signing.PrivateKey()) {
        self.key = key
        id = Base64URL.encode(Array(SHA256.hash(data: key.publicKey.derRepresentation)))
    }

    /// - Throws: when the text is no PEM of such a key.
    init(pem: String) throws { self.init(try P256.Signing.PrivateKey(pemRepresentation: pem)) }

    /// In PEM.
    var text: String { key.pemRepresentation + "\n" }

    /// What a token says in its compact form (RFC 7515): header, content and signature.
    ///
    /// - Throws: when the machine has no randomness to sign with.
    func signed(_ claims: JSON) throws -> String {
        let header: JSON = ["alg": .string(Self.algorithm), "kid": .string(id)]
        let content = Base64URL.encode(header.encoded()) + "." + Base64URL.encode(claims.encoded())
        let signature = try key.signature(for: Array(content.utf8))
        return content + "." + Base64URL.encode(Array(signature.rawRepresentation))
    }

    /// Whether this key signed a text.
    func verifies(_ signature: [UInt8], of content: String) -> Bool {
        do {
            let signature = try P256.Signing.ECDSASignature(rawRepresentation: signature)
            return key.publicKey.isValidSignature(signature, for: Array(content.utf8))
        } catch {
            return false
        }
    }

    /// The public part (RFC 7517).
    var published: JSON {
        let point = Array(key.publicKey.rawRepresentation)
        return [
            "use": "sig", "kty": "EC", "kid": .string(id), "crv": "P-256", "alg": .string(Self.algorithm),
            "x": .string(Base64URL.encode(point[..<32])), "y": .string(Base64URL.encode(point[32...])),
        ]
    }
}

/// The base64 of RFC 4648 for addresses, without padding.
enum Base64URL {
    static func encode(_ bytes: some Collection<UInt8>) -> String {
        Base64.encode(bytes).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// - Returns: `nil` for what is not in this alphabet.
    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var digits: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "-"): digits.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): digits.append(UInt8(ascii: "/"))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits.append(byte)
            default: return nil
            }
        }
        while digits.count % 4 != 0 { digits.append(UInt8(ascii: "=")) }
        return Base64.decode(String(decoding: digits, as: UTF8.self))
    }
}
