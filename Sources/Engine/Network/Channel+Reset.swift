import Glibc
import NIOCore

extension Channel {
    /// Closes with a reset instead of an orderly end, so that the other side sees a failure and not an empty answer.
    func closeWithReset() {
        if let options = self as? any SocketOptionProvider {
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in self.close(promise: nil) }
        } else {
            close(promise: nil)
        }
    }
}
