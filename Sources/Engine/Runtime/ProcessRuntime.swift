internal import CSupervisor
internal import Glibc
package import Kinds
internal import Model
internal import NIOPosix
internal import Synchronization

/// Runs containers as processes of this machine: each pod under a supervisor process of its own (CSupervisor), which
/// outlives the service and keeps logs and exit codes.
///
/// A pod is a directory `<data>/pods/<uid>`, mode 0700: `pod.json` says whose it is; `lock`, `journal` and `sock` are
/// the supervisor's; `logs/<container>/<attempt>.log` and `volumes/<name>` the pod's.
package final class ProcessRuntime: PodRuntime {
    package struct Configuration: Sendable {
        /// The directory that holds the directories of pods.
        package var directory: String
        /// A program that calls `martlet_supervise` for the argument `supervise`: this one, except in tests.
        package var executable: String
        package var images: ImageMap
        /// A log file's size at which it is rotated, and how many files are kept.
        package var logBytes: Int
        package var logFiles: Int

        package init(
            directory: String, executable: String = "/proc/self/exe", images: ImageMap = ImageMap(),
            logBytes: Int = 10 << 20, logFiles: Int = 5
        ) {
            self.directory = directory
            self.executable = executable
            self.images = images
            self.logBytes = logBytes
            self.logFiles = logFiles
        }
    }

    let configuration: Configuration
    package let abilities: RuntimeAbilities
    private let connections = Mutex<[String: SupervisorConnection]>([:])
    private let prober = NetworkProber()

    package init(_ configuration: Configuration) throws(RuntimeError) {
        self.configuration = configuration
        abilities = RuntimeAbilities(mounts: martlet_can_mount() == 1, users: geteuid() == 0)
        try PodFiles.makeDirectory(configuration.directory)
    }

    /// Supervisors are left alone, pods go on; only the connections end.
    package func disconnect() async {
        let connections = connections.withLock { connections in
            defer { connections = [:] }
            return connections.values
        }
        for connection in connections { await connection.close() }
    }

    func directory(of uid: String) -> String { "\(configuration.directory)/\(uid)" }

    package func path(ofVolume name: String, of uid: String) -> String { "\(directory(of: uid))/volumes/\(name)" }

    package func logPath(of id: ContainerID, in uid: String) -> String? {
        "\(directory(of: uid))/logs/\(id.name)/\(id.attempt).log"
    }

    package func existingSandboxes() async throws(RuntimeError) -> [PodSandbox] {
        PodFiles.names(in: configuration.directory).map { uid in
            var sandbox = PodSandbox(uid: uid, namespace: "", name: "", node: "")
            // A directory whose description cannot be read is still a pod that nobody knows.
            guard let bytes = PodFiles.read("\(directory(of: uid))/pod.json"), let json = try? JSON(decoding: bytes)
            else { return sandbox }
            sandbox.namespace = json["namespace"]?.string ?? ""
            sandbox.name = json["name"]?.string ?? ""
            sandbox.node = json["node"]?.string ?? ""
            return sandbox
        }
    }

    package func open(
        _ sandbox: PodSandbox, onChange: @escaping @Sendable () -> Void
    ) async throws(RuntimeError) {
        let directory = directory(of: sandbox.uid)
        try PodFiles.makeDirectory(directory)
        let description: JSON = [
            "namespace": .string(sandbox.namespace), "name": .string(sandbox.name), "node": .string(sandbox.node),
        ]
        let path = "\(directory)/pod.json"
        if PodFiles.read(path) != description.encoded() {
            try PodFiles.write(description.encoded(), to: path, mode: 0o600)
        }
        let connection = try await connect(directory, onChange: onChange)
        let old = connections.withLock { $0.updateValue(connection, forKey: sandbox.uid) }
        await old?.close()
        onChange()
    }

    /// Starts a supervisor unless one holds the pod, and connects to it.
    private func connect(
        _ directory: String, onChange: @escaping @Sendable () -> Void
    ) async throws(RuntimeError) -> SupervisorConnection {
        try await supervise(directory)
        // A socket's path may have 107 bytes, a pod's directory more: it is reached through a descriptor.
        let descriptor = Glibc.open(directory, O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw PodFiles.failure("open", directory) }
        defer { Glibc.close(descriptor) }
        do {
            return try await SupervisorConnection.connect(to: "/proc/self/fd/\(descriptor)/sock", onChange: onChange)
        } catch let error as RuntimeError {
            throw error
        } catch {
            throw RuntimeError(.system, "connect to the pod's supervisor at \(directory)/sock: \(error)")
        }
    }

    /// Returns when a supervisor answers at the pod's socket.
    private func supervise(_ directory: String) async throws(RuntimeError) {
        let configuration = configuration
        let (status, message): (Int32, String)
        do {
            (status, message) = try await NIOThreadPool.singleton.runIfActive {
                var text = [CChar](repeating: 0, count: 1024)
                let status = martlet_spawn_supervisor(
                    configuration.executable, directory, Int64(configuration.logBytes),
                    Int32(configuration.logFiles), &text, Int32(text.count))
                let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                return (status, String(decoding: bytes, as: UTF8.self))
            }
        } catch {
            throw RuntimeError(.system, "start a pod supervisor: \(error)")
        }
        let alreadyHeld: Int32 = 75
        if status == 0 || status == alreadyHeld { return }
        let reason = status < 0 ? String(cString: strerror(-status)) : "\(message) (status \(status))"
        throw RuntimeError(.system, "start pod supervisor \(configuration.executable): \(reason)")
    }

    package func state(of uid: String) -> SandboxState {
        guard let connection = connections.withLock({ $0[uid] }) else { return .absent }
        return connection.records.map { .ready($0) } ?? .lost
    }

    func connection(_ uid: String) throws(RuntimeError) -> SupervisorConnection {
        guard let connection = connections.withLock({ $0[uid] }) else { throw SupervisorConnection.gone }
        return connection
    }

    package func resolve(image: String, pod: Pod) async throws(ImageError) -> ResolvedImage {
        ResolvedImage(id: image, entrypoint: try configuration.images.command(for: image))
    }

    package func start(_ launch: ContainerLaunch, in uid: String) async throws(RuntimeError) {
        let connection = try connection(uid)
        let log = "\(directory(of: uid))/logs/\(launch.id.name)/\(launch.id.attempt).log"
        try PodFiles.makeDirectory("\(directory(of: uid))/logs/\(launch.id.name)")
        removeOldLogs(of: launch.id, in: uid)
        var message = SupervisorMessage("start")
        message.add("name", launch.id.name)
        message.add("attempt", launch.id.attempt)
        message.add("log", log)
        message.add("cwd", launch.workingDirectory)
        if let user = launch.user { message.add("uid", user) }
        if let group = launch.group { message.add("gid", group) }
        for group in launch.supplementalGroups { message.add("group", group) }
        if launch.hasStrictGroups { message.add("strict", 1) }
        if launch.noNewPrivileges { message.add("nnp", 1) }
        var mounts = launch.mounts
        let terminationFile = try makeTerminationFile(launch, in: uid)
        if let target = launch.terminationMessagePath {
            mounts.append(.init(source: terminationFile, target: target, readOnly: false))
        }
        for mount in mounts.sorted(by: { $0.target < $1.target }) {
            message.add("mount", mount.readOnly ? "ro" : "rw")
            message.add("source", mount.source)
            message.add("target", mount.target)
        }
        for argument in launch.arguments { message.add("arg", argument) }
        for variable in launch.environment { message.add("env", variable) }
        message.add("env", "MARTLET_TERMINATION_LOG=\(launch.terminationMessagePath ?? terminationFile)")
        // By this mark the supervisor finds everything that a container started.
        message.add("env", "MARTLET_CONTAINER_ID=\(uid)/\(launch.id.name)/\(launch.id.attempt)")
        let reply = try await connection.request(message)
        if let error = reply["error"], reply["exists"] == nil { throw RuntimeError(.start, error) }
    }

    /// The log of the run before this one stays, for `logs --previous`; older ones go.
    private func removeOldLogs(of id: ContainerID, in uid: String) {
        let folder = "\(directory(of: uid))/logs/\(id.name)"
        for name in PodFiles.names(in: folder) {
            guard let attempt = name.split(separator: ".").first.flatMap({ Int($0) }), attempt < id.attempt - 1 else {
                continue
            }
            // What cannot be removed now is tried again at the next restart.
            try? PodFiles.remove("\(folder)/\(name)")
        }
    }

    package func signal(_ signal: Int32, to id: ContainerID, in uid: String) async throws(RuntimeError) {
        var message = SupervisorMessage("signal")
        message.add("name", id.name)
        message.add("attempt", id.attempt)
        message.add("signal", signal)
        _ = try await connection(uid).request(message)
    }

    package func perform(
        _ action: ProbeAction, for id: ContainerID, of pod: Pod, timeout: Duration
    ) async -> ProbeOutcome {
        switch action {
        case .exec(let command): await execute(command, in: id, of: pod.metadata.uid, timeout: timeout)
        default: await prober.perform(action, timeout: timeout)
        }
    }

    /// Runs a command beside a container's own, with its environment, user, directory and mounts. Its output is cut at
    /// 10 KiB (I7).
    private func execute(
        _ command: [String], in id: ContainerID, of uid: String, timeout: Duration
    ) async -> ProbeOutcome {
        var message = SupervisorMessage("exec")
        message.add("name", id.name)
        message.add("attempt", id.attempt)
        message.add("timeout", timeout.wholeNanoseconds / 1_000_000)
        message.add("limit", 10 << 10)
        for argument in command { message.add("arg", argument) }
        do throws(RuntimeError) {
            let reply = try await connection(uid).request(message)
            if let error = reply["error"] { return reply["notfound"] == nil ? .error(error) : .failure(error) }
            let output = reply["output"] ?? ""
            if reply["timeout"] == "1" {
                return .failure("command timed out after \(timeout.text): \(command.joined(separator: " "))")
            }
            return reply["code"] == "0" ? .success : .failure(output)
        } catch {
            return .error(error.message)
        }
    }

    package func close(_ uid: String) async throws(RuntimeError) {
        let directory = directory(of: uid)
        guard PodFiles.exists("\(directory)/lock") else { return }
        var connection = connections.withLock { $0[uid] }
        // Without a live connection one is made: a supervisor may run, or have left processes that a new one ends.
        if connection?.records == nil { connection = try await connect(directory, onChange: {}) }
        connections.withLock { $0[uid] = nil }
        do throws(RuntimeError) {
            _ = try await connection?.request(SupervisorMessage("shutdown"))
        } catch  where error.kind == .noSandbox {
            // It went before it could answer.
        }
        await connection?.close()
        try PodFiles.remove("\(directory)/lock")
    }

    package func remove(_ uid: String) async throws(RuntimeError) {
        try await close(uid)
        let directory = directory(of: uid)
        do {
            try await NIOThreadPool.singleton.runIfActive { try PodFiles.remove(directory) }
        } catch let error as RuntimeError {
            throw error
        } catch {
            throw RuntimeError(.system, "remove \(directory): \(error)")
        }
    }
}
