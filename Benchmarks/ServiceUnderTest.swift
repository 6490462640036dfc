import Cluster
import Foundation
import Glibc
import KubernetesClient
import Logging

/// The martlet that was built beside this program, run as a service in a directory of its own.
final class ServiceUnderTest {
    let directory = BenchDirectory()
    var data: String { "\(directory.path)/data" }
    private(set) var process: Process?

    static let martlet: String = {
        let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        return own.deletingLastPathComponent().appending(path: "martlet").path
    }()

    /// Starts the service, and answers how long it took until it said that it is ready (`sd_notify`).
    @discardableResult
    func start(_ options: [String] = []) throws -> Duration {
        let notifications = try NotificationSocket("\(directory.path)/notify")
        let process = Process()
        process.executableURL = URL(filePath: Self.martlet)
        process.arguments =
            ["serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--bake-time", "500ms", "--stop-pods"] + options
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["NOTIFY_SOCKET": "\(directory.path)/notify"]) { _, new in new }
        try Data().write(to: URL(filePath: "\(directory.path)/log"))
        let log = try FileHandle(forWritingTo: URL(filePath: "\(directory.path)/log"))
        process.standardOutput = log
        process.standardError = log
        let start = ContinuousClock().now
        try process.run()
        self.process = process
        guard notifications.waitForReady() else {
            let text = try String(contentsOf: URL(filePath: "\(directory.path)/log"), encoding: .utf8)
            throw BenchError("the service did not become ready: \(text)")
        }
        return ContinuousClock().now - start
    }

    func stop() {
        guard let process else { return }
        process.terminate()
        process.waitUntilExit()
        self.process = nil
    }

    deinit { stop() }

    func client() throws -> KubernetesClient {
        let path = "\(data)/kubeconfig"
        let access = try ClusterAccess(kubeconfig: [UInt8](Data(contentsOf: URL(filePath: path))), path: path)
        return try KubernetesClient(access, clock: SystemClock(), logger: Logger(label: "bench"))
    }

    /// Runs a verb against the service.
    func martlet(_ arguments: String...) throws -> BenchDirectory.Run {
        try directory.run([Self.martlet] + arguments + ["--data-dir", data])
    }

    /// Resident memory in MB.
    func memory() throws -> Double {
        let status = try String(contentsOf: URL(filePath: "/proc/\(pid)/status"), encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
        else { throw BenchError("/proc/\(pid)/status has no VmRSS") }
        return kilobytes / 1000
    }

    /// CPU time that the service has used so far.
    func processorTime() throws -> Duration {
        let text = try String(contentsOf: URL(filePath: "/proc/\(pid)/stat"), encoding: .utf8)
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw BenchError("/proc/\(pid)/stat cannot be read")
        }
        return .seconds((user + system) / Double(sysconf(Int32(_SC_CLK_TCK))))
    }

    private var pid: Int32 { process?.processIdentifier ?? 0 }

    /// Waits until the condition holds.
    func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock().now + .seconds(60)
        while !(try await condition()) {
            guard ContinuousClock().now < deadline else { throw BenchError("it never came true that \(what)") }
            // Between two looks; the condition decides, not the time.
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// The socket on which a service tells systemd that it is ready.
private final class NotificationSocket {
    private let descriptor: Int32
    private let path: String

    init(_ path: String) throws {
        self.path = path
        unlink(path)
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8) + [0]) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw BenchError("\(path): \(String(cString: strerror(errno)))") }
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    func waitForReady() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return false }
            if String(decoding: buffer[..<count], as: UTF8.self).contains("READY=1") { return true }
        }
    }
}
