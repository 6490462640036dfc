import Cluster
import FoundationEssentials
import Glibc
import Kinds
import KubernetesClient
import Logging
import Model
import TestServers
import Testing

/// A temporary directory with a Git repository and a service that follows it: real Git, real processes, real sockets.
final class Stage: @unchecked Sendable {
    // Sendable without a lock: a test uses its stage from one task at a time.
    let root: String
    private var service: pid_t?
    /// The service's process id, while it runs.
    var serviceID: pid_t? { service }
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

    static func spawn(
        _ arguments: [String], in directory: String, environment: [String] = [], output: String
    ) throws -> pid_t {
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        let sink = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { for descriptor in [input, sink] { Glibc.close(descriptor) } }
        guard sink >= 0 else { throw Failure(description: "\(output): \(String(cString: strerror(errno)))") }
        let inherited = ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
        // env -C changes the directory and then becomes the program.
        return TestServers.spawn(
            ["env", "-C", directory] + environment + arguments, environment: inherited, input: input, output: sink,
            errors: sink)
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

    func remove(_ path: String) { unlink("\(workingCopy)/\(path)") }

    /// Makes another bare repository that holds the same.
    func copyRepository(to path: String) throws {
        try run(["git", "clone", "-q", "--bare", remote, path], in: root)
    }

    @discardableResult
    func push(_ message: String) throws -> String {
        try git("add", "-A")
        try git("commit", "-q", "--allow-empty", "-m", message)
        try git("push", "-q", "-f", "origin", "main")
        return try execute(["git", "rev-parse", "HEAD"], in: workingCopy).output.filter { !$0.isNewline }
    }

    // MARK: - The service

    /// Starts the service with the Application `web`, which follows the folder of that name.
    func start(_ options: [String] = [], environment: [String] = []) async throws {
        try await launch(
            [
                "--repo", remote, "--path", "web", "--revision", "main", "--app-name", "web", "--bake-time", "500ms",
                "--interval", "60s",
            ] + options, environment: environment)
    }

    /// Starts the service with these options alone.
    func launch(_ options: [String], environment: [String] = []) async throws {
        unlink("\(data)/kubeconfig")
        service = try Self.spawn(
            [Self.martlet, "serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--stop-pods"] + options, in: root,
            environment: environment, output: "\(root)/serve.log")
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

    func killService() { end(SIGKILL) }

    /// The port that the service listens on, as its kubeconfig says.
    func port() throws -> Int {
        let text = try String(decoding: Data(contentsOf: URL(filePath: "\(data)/kubeconfig")), as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.contains("server:") } ?? ""
        guard let port = line.split(separator: ":").last.flatMap({ Int($0.filter(\.isNumber)) }) else {
            throw Failure(description: "the kubeconfig names no server: \(line)")
        }
        return port
    }

    /// Ends the service with a signal; answers its exit code, or 128 and the signal's number.
    @discardableResult
    func end(_ signal: Int32) -> Int32 {
        signalService(signal)
        return waitForEnd()
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

    /// Runs a service that is not to come up.
    func refusedService(_ options: String...) throws -> (code: Int32, output: String) {
        // A service that comes up after all is ended, with code 124.
        try execute(["timeout", "20", Self.martlet, "serve", "--listen", "127.0.0.1:0"] + options, in: root)
    }

    /// The processes of the service's pods: supervisors, which name their pod's directory, and everything beneath them.
    func processes() -> Set<Int32> {
        let (supervisors, containers) = processesByRole()
        return supervisors.union(containers)
    }

    /// Those of them that are no supervisors.
    func containers() -> Set<Int32> { processesByRole().containers }

    private func processesByRole() -> (supervisors: Set<Int32>, containers: Set<Int32>) {
        var children: [Int32: [Int32]] = [:]
        var supervisors: Set<Int32> = []
        for process in Self.allProcesses() {
            if process.command.contains("\(data)/pods/") { supervisors.insert(process.id) }
            children[process.parent, default: []].append(process.id)
        }
        var found: Set<Int32> = []
        var next = Array(supervisors)
        while let pid = next.popLast() {
            if found.insert(pid).inserted { next += children[pid] ?? [] }
        }
        return (supervisors, found.subtracting(supervisors))
    }

    /// All processes of this machine that have `text` in their command line.
    func processes(running text: String) -> Set<Int32> {
        Set(Self.allProcesses().filter { $0.command.contains(text) }.map(\.id))
    }

    private struct MachineProcess {
        var id: Int32
        var parent: Int32
        /// The command line, its words apart by spaces.
        var command: String
    }

    private static func allProcesses() -> [MachineProcess] {
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: "/proc")
        } catch {
            return []
        }
        return entries.compactMap { Int32($0) }.compactMap { pid in
            // A process that ended meanwhile has no files any more, and one that nobody waited for no command line.
            guard let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline"), !words.isEmpty,
                let facts = FileManager.default.contents(atPath: "/proc/\(pid)/stat")
            else { return nil }
            let command = String(decoding: words.map { $0 == 0 ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
            // `pid (name) state parent …`; a name may hold anything, even a parenthesis.
            let fields = String(decoding: facts, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
            guard fields.count > 1, let parent = Int32(fields[1]) else { return nil }
            return MachineProcess(id: pid, parent: parent, command: command)
        }
    }
}
