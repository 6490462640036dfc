package import Cluster
import Glibc

/// Small files that access to a cluster needs.
package enum TextFile {
    /// No kubeconfig, token or certificate is larger.
    private static let limit = 8 << 20

    /// The bytes of a file.
    ///
    /// - Throws: `.serviceUnavailable` with the path and the reason.
    package static func read(_ path: String) throws(APIError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw unreadable(path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path) }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                throw APIError(.serviceUnavailable, "cannot read \(path): it is larger than \(limit) bytes")
            }
        }
    }

    private static func unreadable(_ path: String) -> APIError {
        APIError(.serviceUnavailable, "cannot read \(path): \(String(cString: strerror(errno)))")
    }
}
