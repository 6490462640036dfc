import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// A client that sends requests without pause, half of them over kept-alive connections, and counts what fails.
final class LoadClient: Sendable {
    struct Report: Sendable {
        var requests = 0
        var failures = 0
    }

    private static let workers = 4
    private let url: String
    private let isStopped = Atomic(false)

    init(host: String, port: Int) {
        url = "http://\(host):\(port)/"
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    func once() async throws -> String {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: url), timeout: .seconds(5))
        guard response.status == .ok else { throw CommandError("\(url) answered \(response.status)") }
        return String(buffer: try await response.body.collect(upTo: 1 << 20))
    }

    /// Sends requests until `stop()`.
    func run() async -> Report {
        await withTaskGroup(of: Report.self) { group in
            for worker in 0..<Self.workers {
                group.addTask { await self.work(closing: worker.isMultiple(of: 2)) }
            }
            return await group.reduce(into: Report()) {
                $0.requests += $1.requests
                $0.failures += $1.failures
            }
        }
    }

    private func work(closing: Bool) async -> Report {
        var report = Report()
        while !isStopped.load(ordering: .relaxed) {
            var request = HTTPClientRequest(url: url)
            if closing { request.headers.add(name: "Connection", value: "close") }
            report.requests += 1
            do {
                let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
                _ = try await response.body.collect(upTo: 1 << 20)
                if response.status != .ok { report.failures += 1 }
            } catch {
                report.failures += 1
            }
            do {
                // A pace that leaves the two cores of a small machine to what is shown.
                try await Task.sleep(for: .milliseconds(2))
            } catch {
                break
            }
        }
        return report
    }
}
