import Cluster
import Crypto
import FoundationEssentials
import Kinds
import KubernetesClient
import Model
import NIOSSL
import SwiftASN1
import Testing
import X509

/// An authority and what it signs, made for one test.
private struct Authority {
    let key = P256.Signing.PrivateKey()
    let name: DistinguishedName
    let pem: String

    init() throws {
        name = try DistinguishedName { CommonName("test-ca") }
        let publicKey = Certificate.PublicKey(key.publicKey)
        pem = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
            notValidBefore: .distantPast, notValidAfter: Date(timeIntervalSince1970: 4_000_000_000), issuer: name,
            subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
                SubjectKeyIdentifier(hash: publicKey)
            },
            issuerPrivateKey: Certificate.PrivateKey(key)
        ).serializeAsPEM().pemString
    }

    /// A certificate and its key in PEM.
    func certificate(names: [GeneralName], end: Double = 4_000_000_000) throws -> (certificate: String, key: String) {
        let key = P256.Signing.PrivateKey()
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: Date(timeIntervalSince1970: 0), notValidAfter: Date(timeIntervalSince1970: end),
            issuer: name, subject: try DistinguishedName { CommonName("test") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                SubjectAlternativeNames(names)
            },
            issuerPrivateKey: Certificate.PrivateKey(self.key))
        return (try certificate.serializeAsPEM().pemString, key.pemRepresentation)
    }

    /// - Parameter asksForCertificate: from clients, one that this authority signed.
    func context(
        names: [GeneralName], end: Double = 4_000_000_000, asksForCertificate: Bool = false
    ) throws -> NIOSSLContext {
        let (certificate, key) = try certificate(names: names, end: end)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)))
        if asksForCertificate {
            configuration.certificateVerification = .noHostnameVerification
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    var source: ClusterAccess.Source { .data(Array(pem.utf8)) }
}

@Suite("TLS of the Kubernetes client", .timeLimit(.minutes(1)))
struct TLSTests {
    private static let loopback = GeneralName.ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1]))
    private static let gate = GeneralName.dnsName("gate.example")

    /// Asks a server with this context for an object; answers the error and what the server saw.
    private static func ask(
        _ context: NIOSSLContext?, greeting: String? = nil, _ access: @escaping @Sendable (_ port: Int) -> ClusterAccess
    ) async throws -> (error: String?, requests: [ScriptedServer.Request]) {
        try await ScriptedServer.run(tls: context, greeting: greeting, { _, _ in .json(RetryTests.map) }) { server in
            var limits = KubernetesClient.Limits()
            limits.attempts = 1
            limits.request = .seconds(20)
            let error = try await KubernetesClient.with(access(server.port), limits: limits) { client in
                do throws(APIError) {
                    _ = try await client.get(ConfigMap.key("a", in: "default"))
                    return String?.none
                } catch {
                    #expect(error.reason == .serviceUnavailable)
                    #expect(error.message.contains("https://127.0.0.1:\(server.port)"), "\(error.message)")
                    return error.message
                }
            }
            return (error, server.requests)
        }
    }

    @Test("a server is trusted under a name or address that its certificate has")
    func trusted() async throws {
        let authority = try Authority()
        let source = authority.source
        let context = try authority.context(names: [Self.loopback])
        let (error, _) = try await Self.ask(context) {
            ClusterAccess(server: "https://127.0.0.1:\($0)", certificateAuthority: source)
        }
        #expect(error == nil)
    }

    @Test("a certificate for other names is refused, and the error says where to put the right one")
    func otherName() async throws {
        let authority = try Authority()
        let source = authority.source
        let context = try authority.context(names: [Self.gate])
        let (error, requests) = try await Self.ask(context) {
            ClusterAccess(server: "https://127.0.0.1:\($0)", certificateAuthority: source)
        }
        #expect(error?.contains("its certificate is for another name or address") == true, "\(error ?? "")")
        #expect(error?.contains("tls-server-name") == true)
        #expect(requests.isEmpty)
    }

    @Test("tls-server-name is the name to verify, in place of the URL's; the request still goes to the URL's server")
    func serverName() async throws {
        let authority = try Authority()
        let source = authority.source
        let context = try authority.context(names: [Self.gate])
        let (error, requests) = try await Self.ask(context) {
            ClusterAccess(
                server: "https://127.0.0.1:\($0)", certificateAuthority: source, serverName: "gate.example")
        }
        #expect(error == nil)
        #expect(requests.first?.headers["host"]?.hasPrefix("127.0.0.1:") == true)
        let other = try authority.context(names: [GeneralName.dnsName("other.example")])
        let (refusal, _) = try await Self.ask(other) {
            ClusterAccess(
                server: "https://127.0.0.1:\($0)", certificateAuthority: source, serverName: "gate.example")
        }
        #expect(refusal?.contains("its certificate is for another name or address") == true, "\(refusal ?? "")")
    }

    @Test("a certificate of another authority, and one that has ended, are refused", arguments: [true, false])
    func untrusted(isEnded: Bool) async throws {
        let authority = try Authority()
        let trusted = isEnded ? authority.source : try Authority().source
        let context = try authority.context(names: [Self.loopback], end: isEnded ? 1_000_000_000 : 4_000_000_000)
        let (error, requests) = try await Self.ask(context) {
            ClusterAccess(server: "https://127.0.0.1:\($0)", certificateAuthority: trusted)
        }
        #expect(
            error?.contains("not signed by the kubeconfig's certificate authority, or has ended") == true,
            "\(error ?? "")")
        #expect(requests.isEmpty)
    }

    @Test("insecure-skip-tls-verify trusts whoever answers")
    func skipped() async throws {
        let context = try Authority().context(names: [Self.gate])
        let (error, _) = try await Self.ask(context) {
            ClusterAccess(server: "https://127.0.0.1:\($0)", skipsCertificateVerification: true)
        }
        #expect(error == nil)
    }

    @Test("a server that speaks no TLS is told as such")
    func plain() async throws {
        let (error, requests) = try await Self.ask(nil, greeting: "SSH-2.0-OpenSSH_9.2p1\r\n") {
            ClusterAccess(server: "https://127.0.0.1:\($0)")
        }
        #expect(error?.contains("it does not speak TLS: is another program listening there?") == true, "\(error ?? "")")
        #expect(requests.isEmpty)
    }

    @Test("a client certificate gets in where the server asks for one; without one the error is about TLS")
    func clientCertificate() async throws {
        let authority = try Authority()
        let source = authority.source
        let context = try authority.context(names: [Self.loopback], asksForCertificate: true)
        let own = try authority.certificate(names: [Self.gate])
        let (error, requests) = try await Self.ask(context) {
            ClusterAccess(
                server: "https://127.0.0.1:\($0)",
                credentials: .certificate(.data(Array(own.certificate.utf8)), key: .data(Array(own.key.utf8))),
                certificateAuthority: source)
        }
        #expect(error == nil)
        #expect(requests.first?.headers["authorization"] == nil)
        let (refusal, none) = try await Self.ask(context) {
            ClusterAccess(server: "https://127.0.0.1:\($0)", certificateAuthority: source)
        }
        #expect(refusal?.contains("the TLS handshake failed") == true, "\(refusal ?? "")")
        #expect(none.isEmpty)
    }

    struct Unusable: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var access: ClusterAccess
        var message: String
    }

    static let unusable = [
        Unusable(
            testDescription: "an authority that is no certificate",
            access: ClusterAccess(server: "https://x", certificateAuthority: .data(Array("no".utf8))),
            message: "the certificates for https://x cannot be used: "),
        Unusable(
            testDescription: "a client certificate that is none",
            access: ClusterAccess(
                server: "https://x", credentials: .certificate(.data(Array("no".utf8)), key: .data(Array("no".utf8)))),
            message: "the certificates for https://x cannot be used: "),
        Unusable(
            testDescription: "a file that is not there",
            access: ClusterAccess(server: "https://x", certificateAuthority: .file("/nonexistent/ca.crt")),
            message: "cannot read /nonexistent/ca.crt: No such file or directory"),
    ]

    @Test("certificates that cannot be used are told before anything is sent", arguments: unusable)
    func unusableCertificates(_ item: Unusable) async throws {
        let error = await #expect(throws: APIError.self) { try await KubernetesClient.with(item.access) { _ in } }
        #expect(error?.message.hasPrefix(item.message) == true, "\(error?.message ?? "")")
    }
}
