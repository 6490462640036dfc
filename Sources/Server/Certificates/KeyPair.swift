import Crypto
import FoundationEssentials
import Glibc
import Model
import SwiftASN1
import X509

/// Why a certificate cannot be made or used.
package struct CertificateFault: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A certificate with its private key: ECDSA on the curve P-256, which is fast to make, to sign with and to verify.
struct KeyPair: Sendable {
    /// Ten years: whoever copied a kubeconfig keeps getting in.
    static let authorityLifetime = Duration.seconds(10 * 365 * 86400)
    /// As long as those that kubeadm makes.
    static let serverLifetime = Duration.seconds(365 * 86400)
    /// Renewed when a third of its life is left.
    static let renewalMargin = Duration.seconds(120 * 86400)
    /// Clocks may differ by so much.
    private static let skew = Duration.seconds(300)

    let certificate: Certificate
    let key: P256.Signing.PrivateKey
    /// In PEM.
    let certificateText: String

    private init(_ certificate: Certificate, _ key: P256.Signing.PrivateKey) throws {
        self.certificate = certificate
        self.key = key
        certificateText = try certificate.serializeAsPEM().pemString + "\n"
    }

    var keyText: String { key.pemRepresentation + "\n" }
    var end: Timestamp { Timestamp(seconds: Int64(certificate.notValidAfter.timeIntervalSince1970)) }

    // MARK: - Making

    /// A certificate that vouches for itself and for those that it signs.
    static func authority(
        key: P256.Signing.PrivateKey = P256.Signing.PrivateKey(), at now: Timestamp
    ) throws(CertificateFault) -> KeyPair {
        do {
            let name = try DistinguishedName { CommonName("martlet-ca") }
            let publicKey = Certificate.PublicKey(key.publicKey)
            let certificate = try Certificate(
                version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
                notValidBefore: Date(now - skew), notValidAfter: Date(now + authorityLifetime), issuer: name,
                subject: name, signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                    Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                    SubjectKeyIdentifier(hash: publicKey)
                },
                issuerPrivateKey: Certificate.PrivateKey(key))
            return try KeyPair(certificate, key)
        } catch {
            throw CertificateFault("the certificate of the authority could not be made: \(error)")
        }
    }

    /// A certificate for a server under these names, signed by this authority.
    func serverCertificate(names: [String], at now: Timestamp) throws(CertificateFault) -> KeyPair {
        do {
            return try signed(try DistinguishedName { CommonName("martlet") }, for: Self.serverLifetime, at: now) {
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(names.map(Self.generalName))
            }
        } catch {
            throw CertificateFault(
                "a server certificate for \(names.joined(separator: ", ")) could not be made: \(error)")
        }
    }

    /// A certificate by which a client is known as this user, in these groups (semantics-api J1).
    func clientCertificate(
        user: String, groups: [String], for lifetime: Duration, at now: Timestamp
    ) throws(CertificateFault) -> KeyPair {
        do {
            let organizations = groups.map { group in
                RelativeDistinguishedName(
                    RelativeDistinguishedName.Attribute(
                        type: .RDNAttributeType.organizationName, utf8String: group))
            }
            let name = RelativeDistinguishedName(
                RelativeDistinguishedName.Attribute(type: .RDNAttributeType.commonName, utf8String: user))
            return try signed(DistinguishedName(organizations + [name]), for: lifetime, at: now) {
                try ExtendedKeyUsage([.clientAuth])
            }
        } catch {
            throw CertificateFault("a certificate for the user \(user) could not be made: \(error)")
        }
    }

    /// A new key with a certificate that this authority vouches for, and that can vouch for nobody.
    private func signed(
        _ subject: DistinguishedName, for lifetime: Duration, at now: Timestamp,
        @ExtensionsBuilder _ more: () throws -> Result<Certificate.Extensions, any Error>
    ) throws -> KeyPair {
        let key = P256.Signing.PrivateKey()
        let identifier = SubjectKeyIdentifier(hash: certificate.publicKey).keyIdentifier
        var extensions = try Certificate.Extensions {
            Critical(BasicConstraints.notCertificateAuthority)
            Critical(KeyUsage(digitalSignature: true))
            AuthorityKeyIdentifier(keyIdentifier: identifier)
        }
        for addition in try more().get() { try extensions.append(addition) }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: Date(now - Self.skew), notValidAfter: Date(min(now + lifetime, end)),
            issuer: self.certificate.subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: extensions, issuerPrivateKey: Certificate.PrivateKey(self.key))
        return try KeyPair(certificate, key)
    }

    /// An address as its bytes, anything else as a DNS name.
    private static func generalName(_ name: String) -> GeneralName {
        if let bytes = address(name) { return .ipAddress(ASN1OctetString(contentBytes: bytes[...])) }
        return .dnsName(name)
    }

    private static func address(_ text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes[..<4]) }
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }

    // MARK: - Reading

    /// - Throws: when a text is no PEM of its kind, or the two do not belong together.
    init(certificateText: String, keyText: String) throws(CertificateFault) {
        do {
            let certificate = try Certificate(pemEncoded: certificateText)
            let key = try P256.Signing.PrivateKey(pemRepresentation: keyText)
            guard certificate.publicKey == Certificate.PublicKey(key.publicKey) else {
                throw CertificateFault("the key is not that of the certificate")
            }
            try self.init(certificate, key)
        } catch let fault as CertificateFault {
            throw fault
        } catch {
            throw CertificateFault("\(error)")
        }
    }

    // MARK: - Judging

    private func isValid(at now: Timestamp) -> Bool {
        Date(now) >= certificate.notValidBefore && Date(now) <= certificate.notValidAfter
    }

    /// An authority is used as long as it outlives the server certificate that it would sign now.
    func isUsableAuthority(at now: Timestamp) -> Bool {
        isValid(at: now) && end >= now + Self.serverLifetime
    }

    /// Whether this is still the certificate that a server under these names should show.
    func isUsable(signedBy authority: KeyPair, names: [String], at now: Timestamp) -> Bool {
        guard isValid(at: now), now < renewal else { return false }
        guard authority.certificate.publicKey.isValidSignature(certificate.signature, for: certificate) else {
            return false
        }
        do {
            let found = try certificate.extensions.subjectAlternativeNames ?? SubjectAlternativeNames()
            return Set(found) == Set(names.map(Self.generalName))
        } catch {
            return false
        }
    }

    /// When a server certificate is to be replaced.
    var renewal: Timestamp { end - Self.renewalMargin }
}

extension Date {
    fileprivate init(_ time: Timestamp) {
        self.init(timeIntervalSince1970: Double(time.seconds))
    }
}
