import Cluster
import Glibc
import Model
import Synchronization

@testable import Engine

/// A directory that a test has for itself.
enum TemporaryDirectory {
    static func with<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw RuntimeError(.system, "mkdtemp failed") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        do {
            let value = try await body(path)
            try PodFiles.remove(path)
            return value
        } catch {
            try PodFiles.remove(path)
            throw error
        }
    }
}

final class Flag: Sendable {
    private let state = Mutex(true)
    var isSet: Bool { state.withLock { $0 } }
    func clear() { state.withLock { $0 = false } }
}

/// Waits until something holds; answers whether it did within the time.
func eventually(within limit: Duration = .seconds(10), _ condition: () async throws -> Bool) async rethrows -> Bool {
    let clock = SystemClock()
    let deadline = clock.now + limit
    while true {
        if try await condition() { return true }
        if clock.now > deadline { return false }
        // Between two looks at what the test waits for; cancelled only with the test itself.
        try? await clock.sleep(for: .milliseconds(5))
    }
}

/// The command lines of the processes that carry a mark in their environment.
func processes(marked mark: String) -> [String] {
    PodFiles.names(in: "/proc").filter { Int($0) != nil }.compactMap { pid in
        guard let environment = PodFiles.read("/proc/\(pid)/environ"),
            String(decoding: environment, as: UTF8.self).contains(mark),
            let command = PodFiles.read("/proc/\(pid)/cmdline"), !command.isEmpty
        else { return nil }
        return String(decoding: command.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
    }
}
