import Cluster
import NIOSSL

/// What a failed TLS handshake means to the user.
enum TLSFailure {
    /// - Returns: `nil` when the error is none of TLS.
    static func explain(_ error: any Error, server: String) -> APIError? {
        let text = "\(error)"
        let cause: String
        switch error {
        case NIOSSLError.uncleanShutdown:
            // A kept connection, or one in use, that ended without a goodbye: like any that broke.
            var failure = APIError(.serviceUnavailable, "the connection to \(server) was closed")
            failure.details.causes = [
                APIError.Cause(reason: Transport.brokenConnection, message: "closed", field: "")
            ]
            return failure
        case is NIOSSLExtraError:
            cause =
                "its certificate is for another name or address (\(text)): use a name that the certificate has, or set "
                + "tls-server-name in the kubeconfig"
        case is NIOSSLError, is BoringSSLError:
            if text.contains("CERTIFICATE_VERIFY_FAILED") {
                cause =
                    "its certificate is not signed by the kubeconfig's certificate authority, or has ended: use the "
                    + "kubeconfig that the service has written last, in its data directory"
            } else if text.contains("WRONG_VERSION_NUMBER") {
                cause = "it does not speak TLS: is another program listening there?"
            } else {
                cause = "the TLS handshake failed: \(text)"
            }
        default: return nil
        }
        return APIError(.serviceUnavailable, "cannot trust the cluster at \(server): \(cause)")
    }
}
