internal import Cluster
internal import Glibc
internal import Model

/// What containers say of their end (I17).
extension ProcessRuntime {
    private static let logLines = 80
    private static let logBytes = 2048

    /// The empty file for a container's termination message. One of an earlier run goes.
    func makeTerminationFile(_ launch: ContainerLaunch, in uid: String) throws(RuntimeError) -> String {
        let path = terminationFile(of: launch.id, in: uid)
        // A start that is repeated finds what the container has said by now.
        if PodFiles.exists(path) { return path }
        try PodFiles.makeDirectory(Self.parent(of: path))
        for name in PodFiles.names(in: Self.parent(of: path)) {
            try PodFiles.remove("\(Self.parent(of: path))/\(name)")
        }
        // Whoever the container runs as may write it, as with Kubernetes.
        try PodFiles.write([], to: path, mode: 0o666)
        chmod(path, 0o666)
        return path
    }

    private func terminationFile(of id: ContainerID, in uid: String) -> String {
        "\(directory(of: uid))/termination/\(id.name)/\(id.attempt)"
    }

    package func terminationMessage(
        of id: ContainerID, in uid: String, limit: Int, fallsBackToLog: Bool
    ) async -> String? {
        if let bytes = PodFiles.tail(terminationFile(of: id, in: uid), limit: limit), !bytes.isEmpty {
            return String(decoding: bytes, as: UTF8.self)
        }
        guard fallsBackToLog, let path = logPath(of: id, in: uid) else { return nil }
        let query = LogQuery(namespace: "", pod: "", tailLines: Self.logLines)
        let reader = LogReader(path: path, query: query, clock: SystemClock()) { false }
        var tail: [UInt8] = []
        do {
            while let lines = try await reader.next() { tail = Array((tail + lines).suffix(min(limit, Self.logBytes))) }
        } catch {
            // A log that cannot be read says as little as an empty one.
            return nil
        }
        return tail.isEmpty ? nil : String(decoding: tail, as: UTF8.self)
    }
}
