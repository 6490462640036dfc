import Glibc

/// `sd_notify`: tells systemd when the service is ready and when it stops, if systemd started it.
enum SystemdNotification {
    /// - Parameter socket: a path, or the name of an abstract socket behind an @.
    static func send(_ state: String, to socket: String? = Connection.currentEnvironment["NOTIFY_SOCKET"]) {
        guard let name = socket else { return }
        var path = Array(name.utf8)
        var address = sockaddr_un()
        guard !path.isEmpty, path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // An abstract socket's name begins with a zero byte, which the environment writes as @.
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let bytes = Array(state.utf8)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                // Nothing is to be done when systemd does not listen.
                _ = sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, size)
            }
        }
    }
}
