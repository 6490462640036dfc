import Crypto
import Logging
import Model

/// The folder that keeps the authority's and the server's certificate and key between starts, with kubeadm's names:
/// `ca.crt`, `ca.key`, `apiserver.crt`, `apiserver.key`, and `sa.key` for tokens of ServiceAccounts; and the token of
/// the kubeconfig in `admin.token`.
///
/// One process at a time uses it: the one that holds the data directory.
struct CertificateFolder: Sendable {
    let path: String
    let logger: Logger

    /// The authority and the server's certificate, made or renewed where that is due.
    ///
    /// What cannot be read is set aside with a warning, never deleted.
    func certificates(
        names: [String], at now: Timestamp
    ) throws(CertificateFault) -> (authority: KeyPair, server: KeyPair) {
        do throws(PrivateFile.Failure) {
            try PrivateFile.makeFolder(path)
        } catch {
            throw CertificateFault("\(error)")
        }
        let authority = try self.authority(at: now)
        if let server = try keyPair("apiserver", at: now),
            server.isUsable(signedBy: authority, names: names, at: now)
        {
            return (authority, server)
        }
        let server = try authority.serverCertificate(names: names, at: now)
        try keep(server, as: "apiserver")
        logger.info("made a server certificate for \(names.joined(separator: ", ")), valid until \(server.end)")
        return (authority, server)
    }

    private func authority(at now: Timestamp) throws(CertificateFault) -> KeyPair {
        if let kept = try keyPair("ca", at: now) {
            if kept.isUsableAuthority(at: now) { return kept }
            logger.warning(
                """
                the certificate authority \(path)/ca.crt ends \(kept.end): a new one is made, and copies of the \
                kubeconfig must be replaced
                """)
            try setAside("ca", at: now)
        }
        let authority = try KeyPair.authority(at: now)
        try keep(authority, as: "ca")
        logger.info("made a certificate authority, valid until \(authority.end)")
        return authority
    }

    private func file(_ name: String) -> String { "\(path)/\(name)" }

    /// - Returns: `nil` when there is none that can be used.
    private func keyPair(_ name: String, at now: Timestamp) throws(CertificateFault) -> KeyPair? {
        let fault: String
        do {
            let certificate = try PrivateFile.read(file("\(name).crt"))
            let key = try PrivateFile.read(file("\(name).key"))
            guard let certificate, let key else {
                // The key is written first, so a crash may have left it alone.
                guard certificate != nil || key != nil else { return nil }
                throw CertificateFault("\(name).\(certificate == nil ? "crt" : "key") is missing")
            }
            return try KeyPair(
                certificateText: String(decoding: certificate, as: UTF8.self),
                keyText: String(decoding: key, as: UTF8.self))
        } catch {
            fault = "\(error)"
        }
        logger.warning("\(file(name)).crt and .key cannot be used and are set aside: \(fault)")
        try setAside(name, at: now)
        return nil
    }

    private func setAside(_ name: String, at now: Timestamp) throws(CertificateFault) {
        do throws(PrivateFile.Failure) {
            for suffix in ["crt", "key"] {
                _ = try PrivateFile.setAside(file("\(name).\(suffix)"), mark: "\(now.nanoseconds)")
            }
        } catch {
            throw CertificateFault("\(error)")
        }
    }

    private func keep(_ pair: KeyPair, as name: String) throws(CertificateFault) {
        do throws(PrivateFile.Failure) {
            try PrivateFile.write(Array(pair.keyText.utf8), to: file("\(name).key"))
            try PrivateFile.write(Array(pair.certificateText.utf8), to: file("\(name).crt"))
        } catch {
            throw CertificateFault("\(error)")
        }
    }

    /// Signs a certificate for a client with the authority that is here, also while a service uses the folder: nothing
    /// is written.
    func clientCertificate(
        user: String, groups: [String], for lifetime: Duration, at now: Timestamp
    ) throws(CertificateFault) -> (authority: String, client: KeyPair) {
        let texts: (certificate: [UInt8]?, key: [UInt8]?)
        do throws(PrivateFile.Failure) {
            texts = (try PrivateFile.read(file("ca.crt")), try PrivateFile.read(file("ca.key")))
        } catch {
            throw CertificateFault("\(error)")
        }
        guard let certificate = texts.certificate, let key = texts.key else {
            throw CertificateFault("there is no certificate authority in \(path); start 'martlet serve' once first")
        }
        let authority = try KeyPair(
            certificateText: String(decoding: certificate, as: UTF8.self), keyText: String(decoding: key, as: UTF8.self)
        )
        return (
            authority.certificateText,
            try authority.clientCertificate(user: user, groups: groups, for: lifetime, at: now)
        )
    }

    // MARK: - The token

    /// The token of earlier starts, so that copies of the kubeconfig stay good; a new one where there is none.
    func token() throws(CertificateFault) -> AccessToken {
        do throws(PrivateFile.Failure) {
            let path = file("admin.token")
            if let bytes = try PrivateFile.read(path) {
                let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
                // Half a token, or an empty one, must never let anybody in.
                if text.utf8.count == 64, text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) {
                    return AccessToken(secret: text)
                }
                logger.warning("\(path) holds no token of 64 hexadecimal digits: a new one is made")
            }
            var random = SystemRandomNumberGenerator()
            let token = AccessToken.create(using: &random)
            try PrivateFile.write(Array("\(token.secret)\n".utf8), to: path)
            return token
        } catch {
            throw CertificateFault("\(error)")
        }
    }

    // MARK: - ServiceAccounts

    /// The key of earlier starts, so that tokens stay good; a new one where there is none that can be used.
    func tokenKey(at now: Timestamp) throws(CertificateFault) -> TokenKey {
        let path = file("sa.key")
        do throws(PrivateFile.Failure) {
            if let bytes = try PrivateFile.read(path) {
                do {
                    return try TokenKey(pem: String(decoding: bytes, as: UTF8.self))
                } catch {
                    logger.warning(
                        "\(path) cannot be used and is set aside; tokens of ServiceAccounts must be fetched anew")
                }
                _ = try PrivateFile.setAside(path, mark: "\(now.nanoseconds)")
            }
            let key = TokenKey()
            try PrivateFile.write(Array(key.text.utf8), to: path)
            return key
        } catch {
            throw CertificateFault("\(error)")
        }
    }
}
