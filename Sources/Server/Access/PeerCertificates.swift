import Model
import NIOSSL
import Synchronization
import X509

/// The certificates that a client showed for itself when it connected, and whom they turned out to stand for.
final class PeerCertificates: Sendable {
    private struct State {
        var shown: [NIOSSLCertificate] = []
        var judged: (user: User, until: Timestamp)?
    }

    private let state = Mutex(State())

    /// Its own first, then those that lead up to an authority.
    var shown: [NIOSSLCertificate] { state.withLock { $0.shown } }

    func keep(_ certificates: [NIOSSLCertificate]) {
        state.withLock { $0 = State(shown: certificates) }
    }

    /// Whom they stand for, as far as that was found out and still holds.
    func user(at now: Timestamp) -> User? {
        state.withLock { $0.judged.flatMap { now < $0.until ? $0.user : nil } }
    }

    func remember(_ user: User, until end: Timestamp) {
        state.withLock { $0.judged = (user, end) }
    }
}
