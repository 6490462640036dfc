package import Cluster
package import Logging
import Model
import NIOCore
import NIOHTTP2
import NIOSSL
import Synchronization
import X509

/// What the server shows to clients and what clients show to it: its certificate, the authority that vouches for it,
/// the token, and the key of ServiceAccounts' tokens. Kept in a folder; the certificate is renewed while the server
/// runs.
package final class ServerIdentity: Sendable {
    /// A machine may have slept or its clock been set: the calendar is looked at so often.
    private static let lookInterval = Duration.seconds(12 * 3600)

    private struct Shown {
        var authority: KeyPair
        var chain: [NIOSSLCertificateSource]
        var key: NIOSSLPrivateKeySource
        var renewal: Timestamp
    }

    /// What lets clients in.
    package let token: AccessToken
    /// What tokens of ServiceAccounts are signed with.
    let tokenKey: TokenKey
    private let folder: CertificateFolder
    private let names: [String]
    private let clock: any WallClock
    private let shown: Mutex<Shown>

    /// Loads what earlier starts left, and makes what is missing or due.
    ///
    /// - Parameters:
    ///   - folder: where it is kept, with modes 0700 and 0600.
    ///   - hosts: names and addresses under which clients reach the server, beside those of the loopback interface.
    /// - Throws: when the folder cannot be read or written.
    package init(
        folder path: String, hosts: [String], clock: any WallClock, logger: Logger
    ) throws(CertificateFault) {
        let folder = CertificateFolder(path: path, logger: logger)
        var names = ["localhost", "127.0.0.1", "::1"]
        for host in hosts where !host.isEmpty && !names.contains(host) { names.append(host) }
        shown = Mutex(try Self.load(folder, names, at: clock.now))
        token = try folder.token()
        tokenKey = try folder.tokenKey(at: clock.now)
        self.folder = folder
        self.names = names
        self.clock = clock
    }

    private static func load(
        _ folder: CertificateFolder, _ names: [String], at now: Timestamp
    ) throws(CertificateFault) -> Shown {
        let (authority, server) = try folder.certificates(names: names, at: now)
        do {
            return Shown(
                authority: authority,
                chain: try NIOSSLCertificate.fromPEMBytes(Array(server.certificateText.utf8)).map { .certificate($0) },
                key: .privateKey(try NIOSSLPrivateKey(bytes: Array(server.keyText.utf8), format: .pem)),
                renewal: server.renewal)
        } catch {
            throw CertificateFault("the server's certificate cannot be used: \(error)")
        }
    }

    /// The authority's certificate in PEM: what clients must trust.
    package var authority: String { shown.withLock { $0.authority.certificateText } }

    /// Who vouches for clients, too.
    var authorityCertificate: Certificate { shown.withLock { $0.authority.certificate } }

    /// TLS 1.2 or newer, HTTP/2 or HTTP/1.1; each handshake takes the certificate that is current then. A client may
    /// show a certificate, too.
    var tlsConfiguration: TLSConfiguration {
        let (chain, key) = shown.withLock { ($0.chain, $0.key) }
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = NIOHTTP2SupportedALPNProtocols
        configuration.certificateVerification = .optionalVerification
        // No other authority vouches for clients; the system's are not even read.
        configuration.trustRoots = .certificates([])
        // A client that does not say goodbye must not hold up the end of the server.
        configuration.shutdownTimeout = .seconds(1)
        configuration.sslContextCallback = { [self] _, promise in
            var current = NIOSSLContextConfigurationOverride()
            (current.certificateChain, current.privateKey) = shown.withLock { ($0.chain, $0.key) }
            promise.succeed(current)
        }
        return configuration
    }

    /// Renews the certificate whenever that is due, until the task is cancelled.
    ///
    /// - Parameter onRenewal: told afterwards; the authority may be another one then.
    package func keepRenewed(onRenewal: @Sendable () async -> Void) async throws {
        while true {
            let renewal = shown.withLock { $0.renewal }
            try await clock.sleep(until: min(renewal, clock.now + Self.lookInterval))
            guard clock.now >= renewal else { continue }
            do throws(CertificateFault) {
                let renewed = try Self.load(folder, names, at: clock.now)
                shown.withLock { $0 = renewed }
                await onRenewal()
            } catch {
                folder.logger.error("the server certificate could not be renewed and is tried again later: \(error)")
                try await clock.sleep(for: .seconds(600))
            }
        }
    }
}
