import Cluster
import Foundation
import Kinds
import KubernetesClient
import Model
import NIOCore
import NIOSSL
import Synchronization

extension Measurement {
    /// What clients of the API wait for, and what many objects cost. In brackets what `kube-apiserver` with `etcd` gave on
    /// a machine of two cores, its clients on the same ones.
    static var api: [Measurement] {
        [
            Measurement(name: "api/create-16-clients [1410]", unit: "/s", limit: .atLeast(10_000)) {
                try await creations(connections: 16)
            },
            Measurement(name: "api/create-1-client [322]", unit: "/s", limit: .atLeast(2500)) {
                try await creations(connections: 1)
            },
            Measurement(name: "api/get-16-clients [2083]", unit: "/s", limit: .atLeast(20_000)) {
                let service = ServiceUnderTest()
                try service.start()
                try await service.create(maps: 100)
                return try await service.load { number in
                    "GET \(path)/map-\(number % 100) HTTP/1.1"
                }.run(connections: 16, for: .seconds(4))
            },
            Measurement(name: "api/list-10000 [94]", unit: "ms", limit: .atMost(10)) {
                let service = ServiceUnderTest()
                try service.start()
                // Five megabytes, with what the server adds to each object.
                try await service.create(maps: 10_000, textLength: 120)
                let rate = try await service.load { _ in "GET \(path) HTTP/1.1" }
                    .run(connections: 1, for: .seconds(4))
                return 1000 / rate
            },
            Measurement(name: "kubectl/get-table-10000 [2600]", unit: "ms", limit: .atMost(1200)) {
                let service = ServiceUnderTest()
                try service.start()
                try await service.create(maps: 10_000)
                // In one piece: kubectl asks for pages of 500 otherwise, and after ten of them only five times a second.
                return try await median(of: 3) {
                    try service.kubectl("get", "configmaps", "-n", "default", "--chunk-size=0").milliseconds
                }
            },
            Measurement(name: "kubectl/apply-1000-unchanged [3600]", unit: "ms", limit: .atMost(1800)) {
                try await unchangedApply()
            },
            Measurement(name: "api/watch-latency-p50 [3.4]", unit: "ms", limit: .atMost(0.5)) {
                try await watchLatency(0.5)
            },
            Measurement(name: "api/watch-latency-p99 [7.1]", unit: "ms", limit: .atMost(3)) {
                try await watchLatency(0.99)
            },
            Measurement(name: "api/memory-with-10000 [627]", unit: "MB", limit: .atMost(100)) {
                let service = ServiceUnderTest()
                try service.start()
                try await service.create(maps: 10_000)
                let client = try service.client()
                for _ in 0..<4 { _ = try await client.list(ListQuery(ConfigMap.kind.groupKind)) }
                try await client.shutdown()
                return try service.memory()
            },
            Measurement(name: "api/idle-processor [4.2]", unit: "% core", limit: .atMost(0.1)) {
                let service = ServiceUnderTest()
                try service.start()
                try await Task.sleep(for: .seconds(2))  // What was begun comes to rest.
                let before = try service.processorTime()
                try await Task.sleep(for: .seconds(30))  // Idle is what is measured.
                return (try service.processorTime() - before) / .seconds(30) * 100
            },
            Measurement(name: "api/start-empty [3100]", unit: "ms", limit: .atMost(100)) {
                let service = ServiceUnderTest()
                try service.start()
                return try await median(of: 7) {
                    service.stop()
                    return try service.start().milliseconds
                }
            },
            Measurement(name: "api/start-with-10000 [2500]", unit: "ms", limit: .atMost(300)) {
                let service = ServiceUnderTest()
                try service.start()
                try await service.create(maps: 10_000)
                return try await median(of: 5) {
                    service.stop()
                    return try service.start().milliseconds
                }
            },
        ]
    }

    private static let path = "/api/v1/namespaces/default/configmaps"

    private static func creations(connections: Int) async throws -> Double {
        let service = ServiceUnderTest()
        try service.start()
        return try await service.load(body: ServiceUnderTest.map) { _ in "POST \(path) HTTP/1.1" }
            .run(connections: connections, for: .seconds(4))
    }

    private static func watchLatency(_ share: Double) async throws -> Double {
        let service = ServiceUnderTest()
        try service.start()
        let load = try service.load(body: ServiceUnderTest.map) { _ in "POST \(path) HTTP/1.1" }
        let watch = try service.load { _ in "GET \(path)?watch=true HTTP/1.1" }
        let latencies = try await WatchLatency(load: load, watch: watch.request(0)).run(writes: 2000)
        return latencies[Int(Double(latencies.count - 1) * share)]
    }

    private static func unchangedApply() async throws -> Double {
        let service = ServiceUnderTest()
        try service.start()
        let items = (0..<1000).map { ServiceUnderTest.map($0) }.joined(separator: ",")
        try service.directory.write(
            "manifests.json", "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\(items)]}")
        try service.kubectl("apply", "--server-side", "-f", "manifests.json")
        let client = try service.client()
        let before = try await client.list(ListQuery(ConfigMap.kind.groupKind)).resourceVersion
        let elapsed = try await median(of: 3) {
            try service.kubectl("apply", "--server-side", "-f", "manifests.json").milliseconds
        }
        let after = try await client.list(ListQuery(ConfigMap.kind.groupKind)).resourceVersion
        try await client.shutdown()
        print("  \(UInt64(after).flatMap { now in UInt64(before).map { now - $0 } } ?? 0) writes meanwhile")
        return elapsed
    }
}

extension ServiceUnderTest {
    /// A ConfigMap of about half a kilobyte, as it is sent.
    @Sendable static func map(_ number: Int) -> String { map(number, textLength: 380) }

    private static func map(_ number: Int, textLength: Int) -> String {
        let text = String(repeating: "x", count: textLength)
        return "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"map-\(number)\","
            + "\"namespace\":\"default\"},\"data\":{\"text\":\"\(text)\"}}"
    }

    func create(maps count: Int, textLength: Int = 380) async throws {
        let client = try client()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<16 {
                group.addTask {
                    for number in stride(from: worker, to: count, by: 16) {
                        let map = Object(
                            viewing: try JSON(decoding: Array(Self.map(number, textLength: textLength).utf8)))
                        _ = try await client.create(map, options: WriteOptions(fieldManager: "bench"))
                    }
                }
            }
            try await group.waitForAll()
        }
        try await client.shutdown()
    }

    /// A load of requests with the administrator's token.
    ///
    /// - Parameters:
    ///   - body: of the request with that number.
    ///   - line: its first line.
    func load(
        body: (@Sendable (Int) -> String)? = nil, _ line: @escaping @Sendable (Int) -> String
    ) throws -> RequestLoad {
        let path = "\(data)/kubeconfig"
        let access = try ClusterAccess(kubeconfig: [UInt8](Data(contentsOf: URL(filePath: path))), path: path)
        guard case .token(let token) = access.credentials, case .data(let authority)? = access.certificateAuthority,
            let address = URL(string: access.server), let host = address.host(), let port = address.port
        else { throw BenchError("\(path) is not as expected") }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authority))
        return RequestLoad(host: host, port: port, tls: try NIOSSLContext(configuration: configuration)) { number in
            var text = "\(line(number))\r\nHost: bench\r\nUser-Agent: bench\r\nAuthorization: Bearer \(token)\r\n"
            let content = body?(number)
            if let content { text += "Content-Type: application/json\r\nContent-Length: \(content.utf8.count)\r\n" }
            return ByteBuffer(string: text + "\r\n" + (content ?? ""))
        }
    }

    /// Runs `kubectl`, which must succeed; answers how long that took, its own start included.
    @discardableResult
    func kubectl(_ arguments: String...) throws -> Duration {
        let environment = ["env", "HOME=\(directory.path)", "KUBECONFIG=\(data)/kubeconfig"]
        let result = try directory.run(environment + ["kubectl"] + arguments)
        guard result.code == 0 else { throw BenchError("kubectl: \(result.output.prefix(500))") }
        return result.elapsed
    }
}
