import Cluster
import FoundationEssentials
import Model
import NIOSSL
import SwiftASN1
import X509

/// Judges the certificates with which clients say who they are (semantics-api J1).
struct ClientCertificates: Sendable {
    /// Who vouches for clients: the authority that signed the server's own certificate.
    let authority: @Sendable () -> Certificate
    let clock: any WallClock

    /// Whom the certificates of a connection stand for: the common name is the user's, each organization a group.
    ///
    /// Found out once for a connection, and again when the certificate has ended.
    ///
    /// - Returns: `nil` when no certificate was shown.
    /// - Throws: `.unauthorized` when one was that is not to be believed.
    func user(of peer: PeerCertificates) async throws(APIError) -> User? {
        let now = clock.now
        if let user = peer.user(at: now) { return user }
        let shown = peer.shown
        guard !shown.isEmpty else { return nil }
        let chain: [Certificate]
        do {
            chain = try shown.map { try Certificate(derEncoded: try $0.toDERBytes()) }
        } catch {
            throw APIError(.unauthorized, "Unauthorized")
        }
        guard await isVouchedFor(chain, at: now), let user = Self.user(named: chain[0].subject) else {
            throw APIError(.unauthorized, "Unauthorized")
        }
        let end = Timestamp(seconds: Int64(chain[0].notValidAfter.timeIntervalSince1970))
        peer.remember(user, until: min(end, now + Self.longestTrust))
        return user
    }

    /// After so long the authority is asked anew: it may have been replaced.
    private static let longestTrust = Duration.seconds(600)

    private func isVouchedFor(_ chain: [Certificate], at now: Timestamp) async -> Bool {
        // A certificate that says what it is for must say that it is for clients.
        let usage: ExtendedKeyUsage?
        do { usage = try chain[0].extensions.extendedKeyUsage } catch { return false }
        if let usage, !usage.contains(.clientAuth), !usage.contains(.any) { return false }
        // The policy below looks at the machine's clock, which may be another than ours.
        let date = Date(timeIntervalSince1970: Double(now.seconds))
        guard chain.allSatisfy({ $0.notValidBefore <= date && date <= $0.notValidAfter }) else { return false }
        var verifier = Verifier(rootCertificates: CertificateStore([authority()])) {
            RFC5280Policy()
            KnownUsages()
        }
        let result = await verifier.validate(leaf: chain[0], intermediates: CertificateStore(chain.dropFirst()))
        if case .validCertificate = result { return true }
        return false
    }

    private static func user(named subject: DistinguishedName) -> User? {
        var name: String?
        var groups: [String] = []
        for attribute in subject.joined() {
            guard let text = String(attribute.value) else { continue }
            switch attribute.type {
            case .RDNAttributeType.commonName: name = text
            case .RDNAttributeType.organizationName: groups.append(text)
            default: continue
            }
        }
        guard let name, !name.isEmpty else { return nil }
        return User(name: name, groups: groups + [User.authenticatedGroup])
    }
}

/// What a certificate is for was looked at already, so that it may say so as something critical.
private struct KnownUsages: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [.X509ExtensionID.extendedKeyUsage]

    mutating func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) async -> PolicyEvaluationResult {
        .meetsPolicy
    }
}
