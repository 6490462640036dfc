import Cluster
import FoundationEssentials
import Glibc
import Kinds
import KubernetesClient
import Logging
import Model
import Testing

/// A temporary directory with a Git repository and a service that follows it: real Git, real processes, real sockets.
final class Stage: @unchecked Sendable {
    // Sendable without a lock: a test uses its stage from one task at a time.
    let root: String
    private var service: pid_t?
    private(set) var cluster: (any Cluster)?

    var remote: String { "\(root)/repository.git" }
    var workingCopy: String { "\(root)/working-copy" }
    var data: String { "\(root)/data" }

    /// The product under test, which the build left beside the test bundle.
    static let martlet: String = {
        // The runner's first argument is the test bundle, or a program in it.
        var folder = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        while folder.contains(".xctest"), let slash = folder.lastIndex(of: "/") { folder = String(folder[..<slash]) }
        return "\(folder)/martlet"
    }()

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    init() throws {
        root = FileManager.default.temporaryDirectory.path + "/martlet-e2e-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: workingCopy, withIntermediateDirectories: true)
        try run(["git", "init", "-q", "--bare", "-b", "main", remote], in: root)
        try git("init", "-q", "-b", "main")
        try git("remote", "add", "origin", remote)
    }

    /// Runs `body` with a stage and cleans up after it: the service, its pods, and everything on disk.
    static func with<Result>(_ body: (Stage) async throws -> Result) async throws -> Result {
        let stage = try Stage()
        let result: Result
        do {
            result = try await body(stage)
        } catch {
            print("--- the service's log:\n\(stage.log.suffix(6000))")
            stage.close()
            throw error
        }
        stage.close()
        return result
    }

    func close() {
        if let service {
            kill(service, SIGTERM)
            Self.wait(service)
        }
        // A pod that a failed test left behind must not outlive it.
        for pid in processes() { kill(pid, SIGKILL) }
        do {
            try FileManager.default.removeItem(atPath: root)
        } catch {
            Issue.record("\(root) could not be removed: \(error)")
        }
    }

    var log: String {
        String(decoding: FileManager.default.contents(atPath: "\(root)/serve.log") ?? Data(), as: UTF8.self)
    }

    // MARK: - Programs

    static func spawn(_ arguments: [String], in directory: String, output: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // env -C changes the directory and then becomes the program.
        let command = ["env", "-C", directory] + arguments
        var pointers = command.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, command[0], &actions, nil, &pointers, environ)
        guard code == 0 else { throw Failure(description: "\(arguments[0]): \(String(cString: strerror(code)))") }
        return pid
    }

    @discardableResult
    static func wait(_ pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    func execute(_ arguments: [String], in directory: String) throws -> (code: Int32, output: String) {
        let file = "\(root)/output-\(UInt64.random(in: 0 ... .max))"
        let code = Self.wait(try Self.spawn(arguments, in: directory, output: file))
        let output = String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        unlink(file)
        return (code, output)
    }

    private func run(_ arguments: [String], in directory: String) throws {
        let result = try execute(arguments, in: directory)
        guard result.code == 0 else {
            throw Failure(description: "\(arguments.joined(separator: " ")): \(result.output)")
        }
    }

    /// Runs the command line under test.
    func martlet(_ arguments: String...) throws -> (code: Int32, output: String) {
        try execute([Self.martlet] + arguments + ["--data-dir", data], in: workingCopy)
    }

    // MARK: - Git

    func git(_ arguments: String...) throws {
        try run(["git", "-c", "user.name=test", "-c", "user.email=test@martlet.invalid"] + arguments, in: workingCopy)
    }

    func write(_ path: String, _ text: String) throws {
        let file = "\(workingCopy)/\(path)"
        let folder = String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)])
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: file))
    }

    @discardableResult
    func push(_ message: String) throws -> String {
        try git("add", "-A")
        try git("commit", "-q", "--allow-empty", "-m", message)
        try git("push", "-q", "-f", "origin", "main")
        return try execute(["git", "rev-parse", "HEAD"], in: workingCopy).output.filter { !$0.isNewline }
    }

    // MARK: - The service

    /// Starts the service and waits until it is ready.
    func start(_ options: [String] = [], environment: [String] = []) async throws {
        unlink("\(data)/kubeconfig")
        service = try Self.spawn(
            ["env"] + environment + [
                Self.martlet, "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--repo", remote, "--path", "web",
                "--revision", "main", "--app-name", "web", "--bake-time", "500ms", "--interval", "60s", "--stop-pods",
            ] + options, in: root, output: "\(root)/serve.log")
        try await eventually("the service is ready") {
            guard FileManager.default.isReadableFile(atPath: "\(data)/kubeconfig") else { return false }
            let path = "\(data)/kubeconfig"
            let access = try ClusterAccess(
                kubeconfig: [UInt8](Data(contentsOf: URL(filePath: path))), path: path)
            let client = try KubernetesClient(access, clock: SystemClock(), logger: Logger(label: "test"))
            do {
                _ = try await client.get(Namespace.key("default"))
            } catch {
                return false
            }
            cluster = client
            return true
        }
    }

    func killService() {
        signalService(SIGKILL)
        waitForEnd()
    }

    func signalService(_ signal: Int32) {
        if let service { kill(service, signal) }
    }

    /// The service's exit code, or 128 + the signal that ended it.
    @discardableResult
    func waitForEnd() -> Int32 {
        guard let service else { return 0 }
        self.service = nil
        return Self.wait(service)
    }

    /// The processes of the service's pods: supervisors, which name their pod's directory, and everything beneath them.
    func processes() -> Set<Int32> {
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: "/proc")
        } catch {
            return []
        }
        var children: [Int32: [Int32]] = [:]
        var supervisors: [Int32] = []
        for pid in entries.compactMap({ Int32($0) }) {
            // A process that ended meanwhile has no files any more, and is in no list.
            let command = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            let facts = FileManager.default.contents(atPath: "/proc/\(pid)/stat") ?? Data()
            if String(decoding: command, as: UTF8.self).contains("\(data)/pods/") { supervisors.append(pid) }
            // `pid (name) state parent …`; a name may hold anything, even a parenthesis.
            let fields = String(decoding: facts, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
            if fields.count > 1, let parent = Int32(fields[1]) { children[parent, default: []].append(pid) }
        }
        var found: Set<Int32> = []
        while let pid = supervisors.popLast() {
            if found.insert(pid).inserted { supervisors += children[pid] ?? [] }
        }
        return found
    }

    // MARK: - Conditions

    /// Waits until the condition holds; the bound only ends a test that has failed.
    func eventually(_ what: String, seconds: Int = 60, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock().now.advanced(by: .seconds(seconds))
        while !(try await condition()) {
            guard ContinuousClock().now < deadline else {
                throw Failure(description: "it never came true that \(what)")
            }
            // Between two looks; the condition decides, not the time.
            try await Task.sleep(for: .milliseconds(25))
        }
    }

    func application() async throws -> Application {
        guard let cluster else { throw Failure(description: "the service was not started") }
        do {
            return try await cluster.get(Application.key("web", in: "martlet")).view()
        } catch {
            guard error.reason == .notFound else { throw error }
            return Application(named: "web", in: "martlet")
        }
    }

    func rollout() async throws -> RolloutStatus { try await application().status.rollout ?? RolloutStatus() }

    func waitForHealthy(_ revision: String) async throws {
        try await eventually("\(revision) is healthy") {
            let rollout = try await rollout()
            if let held = rollout.held.first(where: { $0.revision == revision }) {
                throw Failure(description: "\(revision) is held: \(held.reason): \(held.message ?? "")")
            }
            return rollout.phase == "Healthy" && rollout.revision == revision
        }
    }

    func pods() async throws -> [Pod] {
        guard let cluster else { throw Failure(description: "the service was not started") }
        return try await cluster.list(ListQuery(Pod.kind.groupKind, namespace: "default")).items.map { $0.view() }
    }
}
