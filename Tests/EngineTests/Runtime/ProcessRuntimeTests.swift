import Cluster
import Glibc
import Kinds
import Model
import Testing

@testable import Engine

@Suite("Containers as processes")
struct ProcessRuntimeTests {
    /// The supervisor's program, built beside the tests.
    static let supervisor: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var folder = ProcessRuntime.parent(of: path)
        // Some runners live elsewhere and get the tests' path as an argument.
        for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
            folder = ProcessRuntime.parent(of: argument)
        }
        return folder + "/martlet-supervisor"
    }()

    private func withRuntime(
        logBytes: Int = 10 << 20, _ body: (ProcessRuntime, String) async throws -> Void
    ) async throws {
        try await TemporaryDirectory.with { directory in
            let runtime = try ProcessRuntime(
                .init(directory: directory, executable: Self.supervisor, logBytes: logBytes, logFiles: 3))
            let uid = "uid-" + String(directory.suffix(6))
            do {
                try await body(runtime, uid)
            } catch {
                try await runtime.remove(uid)
                throw error
            }
            try await runtime.remove(uid)
            #expect(processes(marked: "MARTLET_CONTAINER_ID=\(uid)/") == [])
        }
    }

    private func open(_ runtime: ProcessRuntime, _ uid: String) async throws {
        try await runtime.open(PodSandbox(uid: uid, namespace: "default", name: "web", node: "node")) {}
    }

    private func shell(_ script: String, attempt: Int = 0, name: String = "web") -> ContainerLaunch {
        ContainerLaunch(
            id: ContainerID(name, attempt: attempt), arguments: ["/bin/sh", "-c", script],
            environment: ["PATH=/usr/bin:/bin", "GREETING=hello"])
    }

    private func record(_ runtime: ProcessRuntime, _ uid: String, _ id: ContainerID) -> ContainerRecord? {
        guard case .ready(let records) = runtime.state(of: uid) else { return nil }
        return records.first { $0.id == id }
    }

    private func exit(_ runtime: ProcessRuntime, _ uid: String, _ id: ContainerID) async -> ContainerExit? {
        var found: ContainerExit?
        _ = await eventually {
            if case .exited(let exit) = record(runtime, uid, id)?.phase { found = exit }
            return found != nil
        }
        return found
    }

    private func log(_ runtime: ProcessRuntime, _ uid: String, _ id: ContainerID) -> String {
        String(decoding: PodFiles.read(runtime.logPath(of: id, in: uid) ?? "") ?? [], as: UTF8.self)
    }

    let web = ContainerID("web", attempt: 0)

    @Test("a container that ends at once leaves its exit code and both streams' lines")
    func exitsAtOnce() async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            try await runtime.start(shell("echo $GREETING; echo bad >&2; exit 7"), in: uid)
            #expect(await exit(runtime, uid, web)?.code == 7)
            let lines = log(runtime, uid, web).split(separator: "\n").map { $0.drop { $0 != " " } }
            #expect(Set(lines) == [" stdout F hello", " stderr F bad"])
        }
    }

    @Test("a container's last words are its termination file, else the end of its log if the policy says so (I17)")
    func terminationMessage() async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            try await runtime.start(shell("for i in 1 2 3; do echo line $i; done; exit 7"), in: uid)
            #expect(await exit(runtime, uid, web)?.code == 7)
            var pod = Pod(named: "web", in: "default")
            var container = Container()
            (container.name, container.terminationMessagePolicy) = ("web", "File")
            pod.spec.containers = [container]
            var messages = TerminationMessages(uid: uid)
            #expect(await said(&messages, pod, runtime, uid) == nil)
            container.terminationMessagePolicy = "FallbackToLogsOnError"
            pod.spec.containers = [container]
            #expect(await said(&messages, pod, runtime, uid) == nil, "a run's message is read once")
            messages = TerminationMessages(uid: uid)
            #expect(await said(&messages, pod, runtime, uid) == "line 1\nline 2\nline 3\n")

            // Whoever it is, without a mount: the last of what is in the file named in the environment.
            let noisy = shell(
                "yes x | head -c 9000 > $MARTLET_TERMINATION_LOG; echo end >> $MARTLET_TERMINATION_LOG", name: "noisy")
            (container.name, container.terminationMessagePolicy) = ("noisy", "File")
            pod.spec.containers.append(container)
            try await runtime.start(noisy, in: uid)
            #expect(await exit(runtime, uid, noisy.id)?.code == 0)
            let text = await said(&messages, pod, runtime, uid, noisy.id)
            #expect(text?.utf8.count == 4096)
            #expect(text?.hasSuffix("x\nend\n") == true)

            guard runtime.abilities.mounts else { return }
            var launch = shell("echo out of cheese > /martlet-said; exit 1", attempt: 1)
            launch.terminationMessagePath = "/martlet-said"
            try await runtime.start(launch, in: uid)
            #expect(await exit(runtime, uid, launch.id)?.code == 1)
            #expect(await said(&messages, pod, runtime, uid, launch.id) == "out of cheese\n")
            #expect(access("/martlet-said", F_OK) != 0)
        }
    }

    private func said(
        _ messages: inout TerminationMessages, _ pod: Pod, _ runtime: ProcessRuntime, _ uid: String,
        _ id: ContainerID = ContainerID("web", attempt: 0)
    ) async -> String? {
        let state = await messages.completing(runtime.state(of: uid), of: pod, runtime)
        guard case .ready(let records) = state, case .exited(let exit) = records.first(where: { $0.id == id })?.phase
        else { return nil }
        return exit.message
    }

    @Test("what cannot be started says why", arguments: [["/no/such/program"], ["/etc/passwd"]])
    func startFails(arguments: [String]) async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            var launch = shell("")
            launch.arguments = arguments
            let wanted = launch
            let error = await #expect(throws: RuntimeError.self) { try await runtime.start(wanted, in: uid) }
            #expect(error?.kind == .start)
            #expect(error?.message.contains(arguments[0]) == true)
        }
    }

    @Test("a container that ignores SIGTERM, and what it put into a session of its own, goes with SIGKILL")
    func ignoresTermination() async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            let script = "trap '' TERM; (setsid sleep 1000 &) ; echo up; while :; do sleep 0.05; done"
            try await runtime.start(shell(script), in: uid)
            #expect(await eventually { log(runtime, uid, web).contains("up") })
            #expect(await eventually { processes(marked: "MARTLET_CONTAINER_ID=\(uid)/").count >= 2 })
            try await runtime.signal(SIGTERM, to: web, in: uid)
            #expect(record(runtime, uid, web)?.phase == .running)
            try await runtime.signal(SIGKILL, to: web, in: uid)
            #expect(await exit(runtime, uid, web) != nil)
            #expect(await eventually { processes(marked: "MARTLET_CONTAINER_ID=\(uid)/").isEmpty })
        }
    }

    @Test("SIGTERM ends a container that heeds it, with its own exit code")
    func heedsTermination() async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            try await runtime.start(shell("trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done"), in: uid)
            #expect(await eventually { log(runtime, uid, web).contains("up") })
            try await runtime.signal(SIGTERM, to: web, in: uid)
            #expect(await exit(runtime, uid, web)?.code == 3)
        }
    }

    @Test("when the pod's directory is removed, its containers end in good order and its supervisor with them")
    func directoryRemoved() async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            let mark = runtime.configuration.directory + "/mark"
            let script = "trap 'echo bye > \(mark); exit 0' TERM; echo up; while :; do sleep 0.01; done"
            try await runtime.start(shell(script), in: uid)
            #expect(await eventually { log(runtime, uid, web).contains("up") })
            let directory = runtime.directory(of: uid)
            let owner = String(decoding: PodFiles.read("\(directory)/lock") ?? [], as: UTF8.self)
            let supervisor = try #require(pid_t(owner.prefix { $0.isNumber }))
            #expect(kill(supervisor, 0) == 0)
            // By another program, as a person would.
            await runtime.disconnect()
            try PodFiles.remove(directory)
            #expect(await eventually(within: .seconds(60)) { kill(supervisor, 0) != 0 })
            #expect(PodFiles.exists(mark))
            #expect(processes(marked: "MARTLET_CONTAINER_ID=\(uid)/") == [])
            #expect(!PodFiles.exists(directory), "nothing was made anew")
            try PodFiles.remove(mark)
        }
    }

    @Test("a flood of output is rotated, and no line of what is kept is torn")
    func floods() async throws {
        try await withRuntime(logBytes: 64 << 10) { runtime, uid in
            try await open(runtime, uid)
            try await runtime.start(shell("seq 1 20000"), in: uid)
            #expect(await exit(runtime, uid, web)?.code == 0)
            let path = try #require(runtime.logPath(of: web, in: uid))
            #expect(!PodFiles.exists(path + ".3"))
            var numbers: [Int] = []
            for name in [path + ".2", path + ".1", path] {
                let bytes = try #require(PodFiles.read(name))
                #expect(bytes.count <= 64 << 10)
                for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                    numbers.append(Int(line.split(separator: " ").last ?? "") ?? -1)
                }
            }
            #expect(numbers.last == 20000)
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 })
        }
    }

    @Test("a line longer than 16 KiB is kept in parts")
    func longLine() async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            try await runtime.start(shell("head -c 40000 /dev/zero | tr '\\0' x; echo"), in: uid)
            #expect(await exit(runtime, uid, web)?.code == 0)
            let tags = log(runtime, uid, web).split(separator: "\n").map { $0.split(separator: " ")[2] }
            #expect(tags == ["P", "P", "F"])
        }
    }

    @Test("the same attempt is never started twice")
    func neverDoubled() async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            try await runtime.start(shell("echo run; sleep 1000"), in: uid)
            try await runtime.start(shell("echo run; sleep 1000"), in: uid)
            #expect(await eventually { log(runtime, uid, web).contains("run") })
            #expect(log(runtime, uid, web).split(separator: "\n").count == 1)
        }
    }

    @Test("a new service adopts what runs, and learns of what ended while it was away")
    func adopts() async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            let gone = ContainerID("gone", attempt: 0)
            let gate = runtime.directory(of: uid) + "/gate"
            try await runtime.start(shell("sleep 1000"), in: uid)
            try await runtime.start(shell("while [ ! -e \(gate) ]; do sleep 0.01; done; exit 5", name: "gone"), in: uid)
            let started = record(runtime, uid, web)
            await runtime.disconnect()
            try PodFiles.write([], to: gate, mode: 0o600)
            let second = try ProcessRuntime(runtime.configuration)
            #expect(try await second.existingSandboxes().map(\.name) == ["web"])
            try await open(second, uid)
            #expect(record(second, uid, web) == started)
            #expect(await exit(second, uid, gone)?.code == 5)
        }
    }

    @Test("when the supervisor is killed, nothing of the pod is left and its containers are known to be lost")
    func supervisorKilled() async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            try await runtime.start(shell("(setsid sleep 1000 &) ; sleep 1000"), in: uid)
            let done = ContainerID("done", attempt: 0)
            try await runtime.start(shell("exit 4", name: "done"), in: uid)
            #expect(await exit(runtime, uid, done)?.code == 4)
            let lock = String(decoding: PodFiles.read(runtime.directory(of: uid) + "/lock") ?? [], as: UTF8.self)
            let pid = try #require(lock.split(separator: " ").first.flatMap { pid_t($0) })
            #expect(kill(pid, SIGKILL) == 0)
            #expect(await eventually { runtime.state(of: uid) == .lost })
            try await open(runtime, uid)
            #expect(processes(marked: "MARTLET_CONTAINER_ID=\(uid)/") == [])
            let lost = await exit(runtime, uid, web)
            #expect(lost?.isLost == true && lost?.code == 137)
            #expect(await exit(runtime, uid, done)?.code == 4)
        }
    }

    static let commands: [(command: [String], outcome: ProbeOutcome)] = [
        (["sh", "-c", "test $GREETING = hello"], .success), (["sh", "-c", "echo no; exit 2"], .failure("no\n")),
        (["sleep", "100"], .failure("command timed out after 500ms: sleep 100")),
    ]

    @Test("I7: a command runs with its container's environment and is timed", arguments: commands)
    func executes(command: [String], outcome: ProbeOutcome) async throws {
        try await withRuntime { runtime, uid in
            try await open(runtime, uid)
            try await runtime.start(shell("sleep 1000"), in: uid)
            var pod = Pod(named: "web", in: "default")
            pod.metadata.uid = uid
            let timeout = Duration.milliseconds(command[0] == "sleep" ? 500 : 10_000)
            #expect(await runtime.perform(.exec(command), for: web, of: pod, timeout: timeout) == outcome)
        }
    }

    @Test("volumes appear at their mount paths, and an update reaches a running container in one step")
    func mounts() async throws {
        try await withRuntime { runtime, uid in
            guard runtime.abilities.mounts else { return }
            try await open(runtime, uid)
            func files(_ value: String) -> [VolumeContents] {
                let file = VolumeContents.File(path: "key", bytes: Array(value.utf8), mode: 0o640)
                return [
                    VolumeContents(name: "config", source: .files([file])),
                    VolumeContents(name: "data", source: .emptyDirectory),
                ]
            }
            try await runtime.provide(files("one"), to: uid)
            let target = "/martlet-mount-test/\(uid)"
            var launch = shell(
                "cat \(target)/config/key; touch \(target)/data/x; touch \(target)/config/y || echo refused; "
                    + "until grep -q two \(target)/config/key; do sleep 0.01; done; echo updated; ls \(target)/config")
            launch.mounts = [
                .init(source: runtime.path(ofVolume: "config", of: uid), target: target + "/config", readOnly: true),
                .init(source: runtime.path(ofVolume: "data", of: uid), target: target + "/data", readOnly: false),
            ]
            try await runtime.start(launch, in: uid)
            #expect(await eventually { log(runtime, uid, web).contains("refused") })
            try await runtime.provide(files("two"), to: uid)
            #expect(await exit(runtime, uid, web)?.code == 0)
            #expect(log(runtime, uid, web).contains("updated"))
            #expect(PodFiles.exists(runtime.path(ofVolume: "data", of: uid) + "/x"))
            #expect(!PodFiles.exists("/martlet-mount-test"))
        }
    }

    /// As Kubernetes' conformance test of projected tokens has it, but for the default, which is the mode as given.
    static let owners: [(user: Int?, group: Int?, mode: mode_t, expected: mode_t)] = [
        (1000, nil, 0o600, 0o600), (nil, 10000, 0o600, 0o640), (1000, 10000, 0o600, 0o640), (nil, nil, 0o644, 0o644),
    ]

    @Test("a file of a volume is its owner's and its group's", arguments: owners)
    func ownership(user: Int?, group: Int?, mode: mode_t, expected: mode_t) async throws {
        try await withRuntime { runtime, uid in
            guard runtime.abilities.users else { return }
            try await open(runtime, uid)
            var file = VolumeContents.File(path: "token", bytes: [1], mode: Int(mode))
            file.owner = user
            try await runtime.provide(
                [VolumeContents(name: "access", source: .files([file]), group: group)], to: uid)
            var info = stat()
            #expect(stat(runtime.path(ofVolume: "access", of: uid) + "/token", &info) == 0)
            #expect(info.st_mode & 0o777 == expected)
            #expect(Int(info.st_uid) == user ?? 0)
            #expect(Int(info.st_gid) == group ?? 0)
        }
    }
}
