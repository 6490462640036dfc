import Cluster
import Glibc
import Kinds
import Model
import Testing

@testable import Engine

/// Pods that stay in the cluster while their service ends, with real processes.
@Suite("Stopping a pod with its service")
struct PodStopTests {
    /// Runs a pod of shell scripts until each has said `up`, stops it, and hands over the folder where it left marks.
    private func stop(
        grace: Int, _ scripts: [String: String], preStop: JSON? = nil, _ check: (String) throws -> Void
    ) async throws {
        try await TemporaryDirectory.with { directory in
            let runtime = try ProcessRuntime(.init(directory: directory, executable: ProcessRuntimeTests.supervisor))
            let uid = "uid-" + String(directory.suffix(6))
            var pod = Pod(named: "web", in: "default")
            pod.metadata.uid = uid
            pod.spec.terminationGracePeriodSeconds = grace
            try await runtime.open(PodSandbox(uid: uid, namespace: "default", name: "web", node: "node")) {}
            for (name, script) in scripts.sorted(by: { $0.key < $1.key }) {
                var container: JSON = ["name": .string(name)]
                if let preStop { container["lifecycle"] = ["preStop": preStop] }
                pod.spec.containers.append(Container(viewing: container))
                let text = script.replacing("DIR", with: directory)
                try await runtime.start(
                    ContainerLaunch(
                        id: ContainerID(name, attempt: 0), arguments: ["/bin/sh", "-c", text],
                        environment: ["PATH=/usr/bin:/bin", "MARKS=\(directory)"]), in: uid)
                #expect(await eventually { PodFiles.exists("\(directory)/\(name).up") })
            }
            // As a service that ends has it: its own connections are still open, or gone.
            try await PodStop(pod, runtime: runtime, clock: SystemClock()).run()
            #expect(processes(marked: "MARTLET_CONTAINER_ID=\(uid)/") == [])
            #expect(!PodFiles.exists(runtime.directory(of: uid)))
            try check(directory)
        }
    }

    private let loop = "while :; do sleep 0.01; done"

    @Test("I9: the preStop hook of every container has run before its SIGTERM comes")
    func preStop() async throws {
        let script = { (name: String) in
            "trap 'cp DIR/hook DIR/\(name).end; exit 0' TERM; touch DIR/\(name).up; \(self.loop)"
        }
        let hook: JSON = ["exec": ["command": ["/bin/sh", "-c", "sleep 0.1; echo drained > $MARKS/hook"]]]
        try await stop(grace: 30, ["a": script("a"), "b": script("b")], preStop: hook) { directory in
            for name in ["a", "b"] {
                let end = String(decoding: PodFiles.read("\(directory)/\(name).end") ?? [], as: UTF8.self)
                #expect(end == "drained\n")
            }
        }
    }

    @Test("I9: a container that does not heed SIGTERM is killed at the end of the grace, one that does has all of it")
    func grace() async throws {
        let start = ContinuousClock().now
        try await stop(
            grace: 1,
            [
                "deaf": "trap '' TERM; touch DIR/deaf.up; \(loop)",
                "good": "trap 'sleep 0.3; touch DIR/good.end; exit 0' TERM; touch DIR/good.up; \(loop)",
            ]
        ) { directory in
            #expect(PodFiles.exists("\(directory)/good.end"))
        }
        #expect(ContinuousClock().now - start > .seconds(1))
    }
}
