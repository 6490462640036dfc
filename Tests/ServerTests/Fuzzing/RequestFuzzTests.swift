import Cluster
import Engine
import FoundationEssentials
import Kinds
import Logging
import Model
import Store
import Testing

@testable import Server

/// Whole requests, without a socket: whatever is asked, the answer is one that HTTP and Kubernetes know.
///
/// The server with all it stands on is not built for libFuzzer, whose build would take longer than its run: here a
/// seeded loop changes the requests of the corpus by their grammar.
@Suite("Requests that nobody would send", .timeLimit(.minutes(15)))
struct RequestFuzzTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    private static let folder = "\(root)/Tests/FuzzCorpus/http"
    /// Says which requests ended the process, should they.
    private static let current = "\(root)/.build-fuzz/crashes/http-last"

    private static func corpus() throws -> [(name: String, bytes: [UInt8])] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            (name, Array(try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"))))
        }
    }

    @Test("every request of the corpus, and every one that failed once, is answered as it should be")
    func corpusIsAnswered() async throws {
        for input in try Self.corpus() {
            let faults = try await FuzzedServer.faults(of: FuzzedRequest.sequence(input.bytes))
            #expect(faults == [], "\(input.name)")
        }
    }

    /// `FUZZ_SECONDS` makes it run that long, from another seed each time.
    @Test("changed requests are answered as they should be")
    func changedRequestsAreAnswered() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seconds = environment["FUZZ_SECONDS"].flatMap { Int($0) }
        let seed = environment["FUZZ_SEED"].flatMap { UInt64($0) } ?? (seconds == nil ? 1 : .random(in: 1 ... .max))
        let end = ContinuousClock.now + .seconds(seconds ?? 60)
        let corpus = try Self.corpus().map { FuzzedRequest.sequence($0.bytes) }
        var mutator = RequestMutator(random: SplitMix64(seed: seed))
        try FileManager.default.createDirectory(
            atPath: "\(Self.root)/.build-fuzz/crashes", withIntermediateDirectories: true)
        var count = 0
        while ContinuousClock.now < end, seconds != nil || count < 300 {
            count += 1
            let requests = mutator.sequence(from: corpus)
            let bytes = FuzzedRequest.bytes(requests)
            try Data(bytes).write(to: URL(filePath: Self.current))
            let start = ContinuousClock.now
            var faults = try await FuzzedServer.faults(of: requests)
            let time = ContinuousClock.now - start
            if time > .seconds(10) { faults.append("it took \(time)") }
            guard !faults.isEmpty else { continue }
            let kept = "\(Self.root)/.build-fuzz/crashes/http-\(seed)-\(count)"
            try Data(bytes).write(to: URL(filePath: kept))
            Issue.record("input \(count) of seed \(seed), kept in \(kept): \(faults.joined(separator: "; "))")
            return
        }
        try FileManager.default.removeItem(atPath: Self.current)
        if seconds != nil { print("http: \(count) inputs from seed \(seed)") }
    }
}

/// All of a body, from a client that stays.
private struct FixedContent: RequestContent {
    let bytes: [UInt8]

    func collect(upTo limit: Int) async throws -> [UInt8] {
        guard bytes.count <= limit else { throw BodyTooLong() }
        return bytes
    }

    func whileClientStays(_ operation: @escaping @Sendable () async throws -> Void) async throws {
        try await operation()
    }
}

/// A server over a new registry, called without a socket.
private struct FuzzedServer {
    /// Waits for nothing.
    private struct StillClock: WallClock {
        let now = Timestamp(seconds: 1_800_000_000)

        func sleep(until deadline: Timestamp) async throws { try Task.checkCancellation() }
    }

    private static let quiet: Logger = {
        var logger = Logger(label: "fuzz")
        logger.logLevel = .critical
        return logger
    }()

    /// What is wrong with the answers.
    static func faults(of requests: [FuzzedRequest]) async throws -> [String] {
        let clock = StillClock()
        let addresses = try #require(AddressRange("127.97.0.0/16"))
        let registry = Registry(
            store: try Store(persistence: MemoryPersistence()), clock: clock, random: SplitMix64(seed: 3),
            configuration: .init(serviceAddresses: addresses))
        _ = try await registry.create(
            Object(viewing: Namespace(named: "default").json), options: WriteOptions(fieldManager: "test"))
        let (_, logEnd) = AsyncStream.makeStream(of: Void.self)
        registry.attach(logs: FixedLogs(ended: logEnd))
        let access = Access(
            token: AccessToken(secret: "secret"),
            certificates: ClientCertificates(authority: { preconditionFailure("nobody has one") }, clock: clock),
            serviceAccounts: ServiceAccountTokens(TokenKey(), cluster: registry, clock: clock))
        let responder = APIResponder(
            cluster: registry,
            handler: ResourceHandler(cluster: registry, clock: clock, reviews: Reviews(access: access)),
            access: access, readiness: { [] }, address: .init(port: 6443), logger: quiet)
        var faults: [String] = []
        for request in requests {
            faults += self.faults(of: await responder.answer(to: message(request)))
        }
        return faults
    }

    private static func message(_ request: FuzzedRequest) -> IncomingRequest {
        var fields = request.headers
        if !fields.contains(where: { $0.name.lowercased() == "authorization" }) {
            fields.append(("Authorization", "Bearer secret"))
        }
        return IncomingRequest(
            method: request.method, target: request.target, headers: RequestHeaders(fields),
            content: FixedContent(bytes: request.body))
    }

    private static func faults(of answer: Answer) -> [String] {
        var faults = (200..<600).contains(answer.code) ? [] : ["the code is \(answer.code)"]
        for (name, value) in answer.fields where value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            faults.append("the field \(name) is no field of HTTP: \(value.debugDescription)")
        }
        guard let bytes = answer.body.whole, !answer.headers.contains(where: { $0.name == "Content-Encoding" })
        else { return faults }
        // Other answers with this code are Kubernetes' own, to what the caller did wrong.
        let text = String(decoding: bytes, as: UTF8.self)
        if answer.code == 500, text.contains("Internal error occurred") { faults.append(text) }
        switch answer.contentType {
        case "application/json":
            do {
                let json = try JSON(decoding: bytes)
                if json["kind"] == "Status", let code = json["code"]?.int, code != answer.code {
                    faults.append("the Status says \(code), HTTP \(answer.code)")
                }
            } catch {
                faults.append("the answer is no JSON: \(error)")
            }
        case "application/yaml":
            do {
                _ = try YAML.documents(bytes, file: "answer")
            } catch {
                faults.append("the answer is no YAML: \(error)")
            }
        case "application/vnd.kubernetes.protobuf":
            if !bytes.starts(with: Array("k8s\0".utf8)) { faults.append("the answer is no protobuf") }
        default: break
        }
        return faults
    }
}
