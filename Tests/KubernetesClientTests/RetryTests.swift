import Cluster
import Kinds
import KubernetesClient
import Model
import Testing

@Suite("Retries of the Kubernetes client", .timeLimit(.minutes(1)))
struct RetryTests {
    static let map: JSON = [
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "a", "namespace": "default"],
    ]

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// What the first requests are answered; the ones after them succeed.
        var replies: [ScriptedServer.Reply]
        var isWrite = false
        /// Pauses in milliseconds.
        var pauses: [Int]
        /// `nil`: it succeeds in the end.
        var failure: APIError.Reason?
    }

    static func refusal(_ status: String, _ headers: String...) -> ScriptedServer.Reply {
        .answer(status, headers: headers, "not now")
    }

    static let patience: JSON = [
        "kind": "Status", "status": "Failure", "reason": "TooManyRequests", "code": 429, "message": "slow down",
        "details": ["retryAfterSeconds": 3],
    ]

    static let cases = [
        Case(
            testDescription: "503 with Retry-After is sent again after that time",
            replies: [refusal("503 Service Unavailable", "Retry-After: 2")], pauses: [2000]),
        Case(
            testDescription: "429 with Retry-After is sent again, and as often as it takes up to four times in all",
            replies: [ScriptedServer.Reply](repeating: refusal("429 Too Many Requests", "Retry-After: 1"), count: 3),
            pauses: [1000, 1000, 1000]),
        Case(
            testDescription: "the fourth refusal is final",
            replies: [ScriptedServer.Reply](repeating: refusal("429 Too Many Requests", "Retry-After: 1"), count: 4),
            pauses: [1000, 1000, 1000], failure: .tooManyRequests),
        Case(
            testDescription: "a Status's own retryAfterSeconds counts (C1)",
            replies: [.json(patience, status: "429 Too Many Requests")], pauses: [3000]),
        Case(
            testDescription: "no server may ask for more than 30 s",
            replies: [refusal("503 Service Unavailable", "Retry-After: 86400")], pauses: [30_000]),
        Case(
            testDescription: "a write is sent again as well: the server has not begun with it",
            replies: [refusal("429 Too Many Requests", "Retry-After: 1")], isWrite: true, pauses: [1000]),
        Case(
            testDescription: "503 without Retry-After is final",
            replies: [refusal("503 Service Unavailable")], pauses: [], failure: .serviceUnavailable),
        Case(
            testDescription: "500 is final, whatever Retry-After says",
            replies: [refusal("500 Internal Server Error", "Retry-After: 1")], pauses: [], failure: .internalError),
        Case(
            testDescription: "a broken connection: a read is sent again after 100 ms, doubling",
            replies: [.close, .close, .close], pauses: [100, 200, 400]),
        Case(
            testDescription: "a connection that breaks four times is given up",
            replies: [.close, .close, .close, .close], pauses: [100, 200, 400], failure: .serviceUnavailable),
        Case(
            testDescription: "a broken connection: a write may have been carried out and is not sent again",
            replies: [.close], isWrite: true, pauses: [], failure: .serviceUnavailable),
    ]

    @Test("what may help is tried again, and nothing else", arguments: cases)
    func retries(_ item: Case) async throws {
        let clock = NotingClock()
        try await ScriptedServer.run({ _, number in
            number <= item.replies.count ? item.replies[number - 1] : .json(Self.map)
        }) { server in
            let failure = try await KubernetesClient.with(ClusterAccess(server: server.url), clock: clock) { client in
                do {
                    if item.isWrite {
                        _ = try await client.create(
                            Object(viewing: Self.map), options: WriteOptions(fieldManager: "test"))
                    } else {
                        _ = try await client.get(ConfigMap.key("a", in: "default"))
                    }
                    return APIError?.none
                } catch {
                    return error as? APIError
                }
            }
            #expect(failure?.reason == item.failure, "\(failure?.message ?? "")")
            #expect(server.requests.count == item.pauses.count + 1)
        }
        #expect(clock.pauses == item.pauses.map { .milliseconds($0) })
    }

    @Test("the number of tries and the first pause are settings")
    func settings() async throws {
        let clock = NotingClock()
        var limits = KubernetesClient.Limits()
        limits.attempts = 2
        limits.firstBackoff = .milliseconds(7)
        let settings = limits
        try await ScriptedServer.run({ _, _ in .close }) { server in
            try await KubernetesClient.with(ClusterAccess(server: server.url), clock: clock, limits: settings) {
                client in
                let error = await #expect(throws: APIError.self) {
                    try await client.get(ConfigMap.key("a", in: "default"))
                }
                #expect(error?.message.contains("the connection was closed") == true, "\(error?.message ?? "")")
            }
            #expect(server.requests.count == 2)
        }
        #expect(clock.pauses == [.milliseconds(7)])
    }

    @Test("a server that does not answer in time is not waited for, nor asked again")
    func deadline() async throws {
        var limits = KubernetesClient.Limits()
        limits.request = .milliseconds(200)
        let settings = limits
        try await ScriptedServer.run({ _, _ in .silence }) { server in
            try await KubernetesClient.with(ClusterAccess(server: server.url), limits: settings) { client in
                let error = await #expect(throws: APIError.self) {
                    try await client.get(ConfigMap.key("a", in: "default"))
                }
                #expect(error?.reason == .serviceUnavailable)
                #expect(error?.message.contains("no answer in time") == true, "\(error?.message ?? "")")
            }
            #expect(server.requests.count == 1)
        }
    }

    @Test("a request ends with its task, at once")
    func cancellation() async throws {
        try await ScriptedServer.run({ _, _ in .silence }) { server in
            try await KubernetesClient.with(ClusterAccess(server: server.url)) { client in
                let reason = await withTaskGroup(of: APIError.Reason?.self) { group in
                    group.addTask {
                        do throws(APIError) {
                            _ = try await client.get(ConfigMap.key("a", in: "default"))
                            return nil
                        } catch {
                            return error.reason
                        }
                    }
                    while server.requests.isEmpty { await Task.yield() }
                    group.cancelAll()
                    return await group.next() ?? nil
                }
                #expect(reason == .timeout)
            }
        }
    }

    @Test("who cannot be reached is named, with what to do")
    func unreachable() async throws {
        try await KubernetesClient.with(ClusterAccess(server: "http://127.0.0.1:1", credentials: .token("x"))) {
            client in
            let error = await #expect(throws: APIError.self) { try await client.get(Pod.key("x", in: "default")) }
            #expect(error?.reason == .serviceUnavailable)
            #expect(
                error?.message.contains("http://127.0.0.1:1: Connection refused") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("martlet serve") == true)
        }
    }
}
