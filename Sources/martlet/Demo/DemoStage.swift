import Cluster
import FoundationEssentials
import Glibc
import Kinds
import KubernetesClient
import Model

/// Where the demo plays: a temporary directory with a repository, a working copy and a service.
final class DemoStage {
    let root: String
    private let examples: String
    private let executable: String
    private var service: ChildProcess?
    private(set) var cluster: KubernetesClient?

    var remote: String { "\(root)/repository.git" }
    var workingCopy: String { "\(root)/working-copy" }
    var dataDirectory: String { "\(root)/data" }
    private var log: String { "\(root)/serve.log" }

    init(examples: String) throws {
        let files = FileManager.default
        guard files.fileExists(atPath: "\(examples)/web/deployment.yaml") else {
            throw CommandError(
                "there are no examples in \(examples); run this in a checkout, or name them with --examples")
        }
        self.examples = URL(filePath: examples).standardizedFileURL.path
        executable = try files.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        root = files.temporaryDirectory.path + "/martlet-demo-\(getpid())"
        try files.createDirectory(atPath: root, withIntermediateDirectories: true)
    }

    // MARK: - Narration

    func say(_ text: String) {
        writeAll(text + "\n", to: STDOUT_FILENO)
    }

    func step(_ number: Int, _ title: String) { say("\n[\(number)/9] \(title)") }

    /// Says that something came true, or stops the demo.
    func expect(_ condition: Bool, _ statement: String) throws {
        guard condition else { throw CommandError("expected that \(statement)") }
        say("  ✓ \(statement)")
    }

    func showLog() {
        guard let data = FileManager.default.contents(atPath: log) else { return }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
        say("The service's last words:")
        for line in lines.suffix(40) { say("    \(line)") }
    }

    // MARK: - Git

    func makeRepository() throws {
        try FileManager.default.copyItem(atPath: examples, toPath: workingCopy)
        try run(["git", "init", "-q", "--bare", "-b", "main", remote], in: root)
        try git(["init", "-q", "-b", "main"])
        try git(["remote", "add", "origin", remote])
        _ = try push("web: version 1")
        say("a bare repository from examples-repo: \(remote)")
    }

    func git(_ arguments: [String]) throws {
        try run(
            ["git", "-c", "user.name=martlet demo", "-c", "user.email=demo@martlet.invalid"] + arguments,
            in: workingCopy)
    }

    func head() throws -> String {
        try ChildProcess.run(["git", "rev-parse", "HEAD"], in: workingCopy).output.filter { !$0.isNewline }
    }

    /// Commits everything, pushes it, and answers the commit.
    func push(_ message: String) throws -> String {
        try git(["add", "-A"])
        try git(["commit", "-q", "-m", message])
        try git(["push", "-q", "origin", "main"])
        let revision = try head()
        say("pushed \(revision.prefix(12)) \"\(message)\"")
        return revision
    }

    func edit(_ file: String, _ old: String, _ new: String) throws {
        let url = URL(filePath: "\(workingCopy)/\(file)")
        let text = String(decoding: try Data(contentsOf: url), as: UTF8.self)
        guard text.contains(old) else { throw CommandError("\(file) does not contain \(old)") }
        try Data(text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new).utf8).write(
            to: url)
    }

    private func run(_ arguments: [String], in directory: String) throws {
        let result = try ChildProcess.run(arguments, in: directory)
        guard result.code == 0 else {
            throw CommandError("\(arguments.joined(separator: " ")) failed: \(result.output)")
        }
    }

    // MARK: - The service

    func martlet(_ arguments: [String]) throws -> (code: Int32, output: String) {
        try ChildProcess.run([executable] + arguments + ["--data-dir", dataDirectory], in: workingCopy)
    }

    func startService() async throws {
        service = try ChildProcess(
            [
                executable, "serve", "--data-dir", dataDirectory, "--listen", "127.0.0.1:0", "--repo", remote, "--path",
                "web", "--revision", "main", "--app-name", "web", "--bake-time", "3s", "--interval", "10s",
                "--stop-pods",
            ], in: root, output: log)
        try await wait("the service to be ready", seconds: 30) { [dataDirectory] in
            guard FileManager.default.isReadableFile(atPath: "\(dataDirectory)/kubeconfig") else { return false }
            let client = try KubernetesClient(kubeconfig: "\(dataDirectory)/kubeconfig")
            do {
                _ = try await client.get(Namespace.key("default"))
            } catch {
                return false
            }
            self.cluster = client
            return true
        }
    }

    /// Lets the service do nothing more, so that what is seen now is what the kill finds.
    func freezeService() {
        service?.signal(SIGSTOP)
    }

    func killService() {
        service?.signal(SIGKILL)
        service?.wait()
        service = nil
        unlink("\(dataDirectory)/kubeconfig")
    }

    /// Stops the service with its pods and removes everything.
    func close() async {
        service?.signal(SIGTERM)
        service?.wait()
        do {
            try FileManager.default.removeItem(atPath: root)
        } catch {
            say("could not remove \(root): \(error)")
        }
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
            if String(decoding: command, as: UTF8.self).contains("\(dataDirectory)/pods/") { supervisors.append(pid) }
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

    func explainHowToContinue() {
        say(
            """

            The service runs on (pid \(service?.pid ?? 0)). Talk to it:
                export MARTLET_DATA_DIR=\(dataDirectory)
                \(executable) app get web
                \(executable) get pods
                kubectl --kubeconfig \(dataDirectory)/kubeconfig get pods -w
            Commit in \(workingCopy) and push to see it follow. Stop it, with its pods, by: kill \(service?.pid ?? 0)
            """)
    }
}
