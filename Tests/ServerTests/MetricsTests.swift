import Cluster
import KubernetesClient
import Model
import Synchronization
import Testing

@testable import Server

@Suite("Metrics")
struct MetricsTests {
    private static func lines(_ server: TestServer) async throws -> [String] {
        let answer = try await RawHTTP.send("GET", "/metrics", to: server)
        #expect(answer.status == 200)
        #expect(answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
        return answer.text.split(separator: "\n").map(String.init)
    }

    @Test("requests are counted by verb, resource, scope and code")
    func counts() async throws {
        try await TestServer.run { server in
            let path = "/api/v1/namespaces/default/configmaps"
            let map = "{\"metadata\":{\"name\":\"a\"}}"
            for code in [201, 409] {
                #expect(try await RawHTTP.send("POST", path, to: server, body: map).status == code)
            }
            _ = try await RawHTTP.send(
                "POST", path + "?dryRun=All", to: server, body: map.replacing("a\"}", with: "b\"}"))
            _ = try await RawHTTP.send("GET", path, to: server)
            _ = try await RawHTTP.send("GET", path + "/a", to: server)
            _ = try await RawHTTP.send("GET", "/api/v1/configmaps", to: server)
            _ = try await RawHTTP.send(
                "PATCH", path + "/a?fieldManager=x", to: server,
                headers: ["Content-Type": "application/apply-patch+yaml"],
                body: "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}")
            _ = try await RawHTTP.send("GET", path + "?watch=true&timeoutSeconds=1", to: server)
            _ = try await RawHTTP.send("GET", "/readyz", to: server)
            let lines = try await Self.lines(server)
            func labels(_ verb: String, _ scope: String, dryRun: String = "") -> String {
                "component=\"apiserver\",dry_run=\"\(dryRun)\",group=\"\",resource=\"configmaps\",scope=\"\(scope)\","
                    + "subresource=\"\",verb=\"\(verb)\",version=\"v1\""
            }
            for (code, counted) in [
                ("201", labels("POST", "resource")), ("409", labels("POST", "resource")),
                ("201", labels("POST", "resource", dryRun: "All")), ("200", labels("LIST", "namespace")),
                ("200", labels("GET", "resource")), ("200", labels("LIST", "cluster")),
                ("200", labels("APPLY", "resource")), ("200", labels("WATCH", "namespace")),
            ] {
                #expect(lines.contains("apiserver_request_total{code=\"\(code)\",\(counted)} 1"), "\(code) \(counted)")
            }
            #expect(
                lines.contains(
                    "apiserver_request_duration_seconds_bucket{\(labels("POST", "resource")),le=\"+Inf\"} 2"))
            #expect(lines.contains("apiserver_request_duration_seconds_count{\(labels("POST", "resource"))} 2"))
            let watching = labels("WATCH", "namespace").replacing("dry_run=\"\",", with: "")
            #expect(lines.contains("apiserver_longrunning_requests{\(watching)} 0"))
            // This one is under way.
            #expect(lines.contains("apiserver_current_inflight_requests{request_kind=\"readOnly\"} 1"))
            #expect(lines.contains("apiserver_current_inflight_requests{request_kind=\"mutating\"} 0"))
            #expect(
                lines.contains {
                    $0.hasPrefix("apiserver_request_total{code=\"200\"") && $0.contains("subresource=\"/readyz\"")
                })
            for name in ["cpu_seconds_total", "max_fds", "open_fds", "resident_memory_bytes", "start_time_seconds"] {
                let line = lines.first { $0.hasPrefix("process_\(name) ") }
                #expect(line?.split(separator: " ").last.flatMap { Double($0) }.map { $0 > 0 } == true, "\(name)")
            }
        }
    }

    @Test("every sample follows the kind of its metric, which is told once")
    func format() async throws {
        try await TestServer.run { server in
            _ = try await RawHTTP.send("GET", "/api/v1/pods", to: server)
            var current = ""
            var told: Set<String> = []
            for line in try await Self.lines(server) {
                let words = line.split(separator: " ", omittingEmptySubsequences: false)
                if line.hasPrefix("# TYPE ") {
                    current = String(words[2])
                    #expect(told.insert(current).inserted, "\(line)")
                } else if !line.hasPrefix("# HELP ") {
                    #expect(!current.isEmpty && line.hasPrefix(current), "\(line)")
                    #expect(words.last.flatMap { Double($0) } != nil, "\(line)")
                }
            }
            #expect(told.contains("apiserver_request_duration_seconds"))
        }
    }

    @Test("metrics are for administrators and those who watch over the system")
    func access() async throws {
        try await TestServer.run { server in
            let anonymous = try await RawHTTP.send("GET", "/metrics", to: server, token: nil)
            #expect(anonymous.status == 401)
            for (group, status) in [("dev", 403), ("system:monitoring", 200), ("system:masters", 200)] {
                let headers = ["Impersonate-User": "bob", "Impersonate-Group": group]
                let answer = try await RawHTTP.send("GET", "/metrics", to: server, headers: headers)
                #expect(answer.status == status, "\(group)")
            }
        }
    }

    @Test("what somebody makes up is counted without its names")
    func madeUp() async throws {
        try await TestServer.run { server in
            for path in ["/apis/made.up/v1/things", "/nowhere", "/api/v1/namespaces/default/things/x"] {
                #expect(try await RawHTTP.send("GET", path, to: server).status == 404)
            }
            #expect(try await RawHTTP.send("GET", "/apis/made.up/v1/things", to: server, token: "no").status == 401)
            let lines = try await Self.lines(server)
            #expect(!lines.contains { $0.contains("made.up") || $0.contains("things") || $0.contains("nowhere") })
            #expect(lines.contains { $0.hasPrefix("apiserver_request_total{code=\"404\"") && $0.hasSuffix(" 1") })
            #expect(lines.contains { $0.hasPrefix("apiserver_request_total{code=\"401\"") })
        }
    }

    private static func labels(_ name: String) -> RequestLabels {
        RequestLabels(
            .resource(verb: "list", .init(version: "v1", resource: name)), isApply: false, isDryRun: false)
    }

    @Test("nothing is lost when many count the same at once, and there is an end to what is counted apart")
    func concurrentCounts() async {
        let metrics = RequestMetrics()
        await withTaskGroup { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<1000 {
                        metrics.count(
                            Self.labels("r\(number % 100)"), code: 200 + (number + task) % 3, took: .milliseconds(30))
                    }
                }
            }
        }
        let snapshots = metrics.snapshots
        #expect(snapshots.count == 100)
        #expect(
            snapshots.allSatisfy {
                $0.codes.map(\.count).reduce(0, +) == 80 && $0.codes.map(\.code) == [200, 201, 202]
            })
        #expect(snapshots.allSatisfy { $0.cumulated[1] == 0 && $0.cumulated[2] == 80 && $0.cumulated.last == 80 })
        #expect(snapshots.map(\.labels.resource) == snapshots.map(\.labels.resource).sorted())
        for number in 0..<5000 { metrics.count(Self.labels("more\(number)"), code: 200, took: .zero) }
        #expect(metrics.snapshots.count == RequestMetrics.seriesLimit + 1)
        let all = metrics.snapshots.flatMap(\.codes).map(\.count).reduce(0, +)
        #expect(all == 13_000)
    }

    @Test("what labels hold cannot break the text")
    func escaping() {
        var text = MetricsText()
        text.sample("a", 1, [("b", "x\"y\\z\nw")])
        #expect(text.text == "a{b=\"x\\\"y\\\\z\\nw\"} 1\n")
    }
}
