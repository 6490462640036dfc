import Kinds
import Model
import Testing

@testable import Engine

@Suite("I1–I5: a pod from its first look to its end")
struct PodLifecycleTests {
    @Test("opens the sandbox, then prepares volumes, then starts containers; the status follows")
    func startsUp() {
        var driver = LifecycleDriver(.podSpec())
        #expect(driver.step() == [.openSandbox])
        #expect(driver.pod.status.phase == "Pending")
        #expect(driver.container("web").state.waiting?.reason == "ContainerCreating")
        #expect(driver.step() == [])
        driver.apply(.sandboxOpened)
        #expect(driver.step() == [.prepareVolumes])
        driver.apply(.volumesReady)
        #expect(driver.step() == [.start(ContainerID("web", attempt: 0))])
        driver.records = [
            ContainerRecord(id: ContainerID("web", attempt: 0), startedAt: driver.now, phase: .running)
        ]
        #expect(driver.step() == [])
        #expect(driver.container("web").state.running == nil)
        driver.apply(.started(ContainerID("web", attempt: 0), image: "image"))
        #expect(driver.step() == [])
        #expect(driver.pod.status.phase == "Running")
        #expect(driver.pod.status.podIP == "127.64.0.1")
        #expect(driver.condition("Ready")?.status == "True")
        #expect(driver.condition("PodReadyToStartContainers")?.status == "True")
        #expect(driver.container("web").ready)
        #expect(driver.container("web").containerID == "martlet://u1/web/0")
        #expect(
            driver.events.map { "\($0.reason) \($0.container ?? ""): \($0.message)" } == [
                "Pulled web: Container image \"image\" already present on machine and can be accessed by the pod",
                "Created web: Container created", "Started web: Container started",
            ], "I18")
    }

    @Test("what is being started mostly has more to report in a moment, what ends meanwhile has it now")
    func startingAndEnding() {
        var driver = LifecycleDriver(.podSpec())
        _ = driver.step()
        #expect(driver.step() == [])
        #expect(driver.isStarting)
        driver.pod.metadata.deletionTimestamp = driver.now + .seconds(30)
        driver.pod.metadata.deletionGracePeriodSeconds = 30
        _ = driver.step()
        #expect(!driver.isStarting)
    }

    @Test("a container that waits for its volumes says why")
    func volumeFault() {
        var driver = LifecycleDriver(.podSpec())
        _ = driver.step()
        driver.apply(.sandboxOpened)
        _ = driver.step()
        driver.apply(.volumesFailed("for volume \"config\" : configmap \"web\" not found"))
        #expect(driver.step() == [])
        let waiting = driver.container("web").state.waiting
        #expect(waiting?.reason == "ContainerCreating")
        #expect(waiting?.message == "MountVolume.SetUp failed for volume \"config\" : configmap \"web\" not found")
        #expect(driver.events.map(\.reason) == ["FailedMount"])
        driver.advance(10)
        #expect(driver.step() == [.prepareVolumes])
        driver.apply(.volumesReady)
        _ = driver.step()
        #expect(driver.container("web").state.waiting?.message == nil)
    }

    static let phases: [(policy: String, code: Int, phase: String)] = [
        ("Always", 0, "Running"), ("Always", 1, "Running"), ("OnFailure", 0, "Succeeded"), ("OnFailure", 1, "Running"),
        ("Never", 0, "Succeeded"), ("Never", 1, "Failed"),
    ]

    @Test("I1: the phase after a container's end follows restart policy and exit code", arguments: phases)
    func phaseAfterExit(policy: String, code: Int, phase: String) {
        var driver = LifecycleDriver(.podSpec(restartPolicy: policy))
        _ = driver.settle()
        driver.advance(1)
        driver.exit("web", code)
        _ = driver.settle()
        #expect(driver.pod.status.phase == phase)
        if phase != "Running" {
            let reason = phase == "Succeeded" ? "PodCompleted" : "PodFailed"
            #expect(driver.condition("Ready")?.reason == reason)
            #expect(driver.container("web").state.terminated?.exitCode == code)
        }
    }

    @Test("I4: restarts wait 0, 10, 20, 40 … 300 s; ten good minutes reset the wait")
    func backsOff() {
        var driver = LifecycleDriver(.podSpec())
        _ = driver.settle()
        var delays: [Int64] = []
        for attempt in 1...8 {
            driver.advance(1)
            driver.exit("web", 1)
            let ended = driver.now
            while driver.records.last?.id.attempt != attempt {
                _ = driver.settle()
                if driver.records.last?.id.attempt == attempt { break }
                guard let wakeAt = driver.wakeAt else {
                    Issue.record("nothing wakes the worker")
                    return
                }
                driver.now = wakeAt
            }
            delays.append((driver.now - ended).wholeNanoseconds / 1_000_000_000)
        }
        #expect(delays == [0, 10, 20, 40, 80, 160, 300, 300])
        driver.advance(601)
        driver.exit("web", 1)
        _ = driver.settle()
        #expect(driver.records.last?.id.attempt == 9)
    }

    @Test("I3: a container that waits for its restart says CrashLoopBackOff, for how long and whose it is")
    func crashLoop() {
        var driver = LifecycleDriver(.podSpec())
        _ = driver.settle()
        for _ in 0..<2 {
            driver.exit("web", 3)
            _ = driver.settle()
        }
        let status = driver.container("web")
        #expect(status.state.waiting?.reason == "CrashLoopBackOff")
        #expect(
            status.state.waiting?.message
                == "back-off 10s restarting failed container=web pod=web_default(u1)")
        #expect(status.lastState.terminated?.exitCode == 3)
        #expect(status.lastState.terminated?.reason == "Error")
        #expect(status.restartCount == 1)
        #expect(driver.condition("Ready")?.message == "containers with unready status: [web]")
        #expect(driver.events.last?.message == "Back-off restarting failed container web in pod web_default(u1)")
    }

    @Test("I5: init containers run one by one; a failed one under Never fails the pod")
    func initContainers() {
        let spec: JSON = [
            "initContainers": [["name": "a"], ["name": "b"]], "containers": [["name": "web"]],
            "restartPolicy": "Never",
        ]
        var driver = LifecycleDriver(spec)
        _ = driver.settle()
        #expect(driver.records.map(\.id.name) == ["a"])
        #expect(driver.container("web").state.waiting?.reason == "PodInitializing")
        #expect(driver.condition("Initialized")?.message == "containers with incomplete status: [a b]")
        driver.exit("a", 0)
        _ = driver.settle()
        #expect(driver.records.map(\.id.name) == ["a", "b"])
        driver.exit("b", 1)
        _ = driver.settle()
        #expect(driver.pod.status.phase == "Failed")
        #expect(driver.records.map(\.id.name) == ["a", "b"])
    }

    @Test("I5: a sidecar holds back what follows until it has started, and is restarted for ever")
    func sidecar() {
        let probe: JSON = ["tcpSocket": ["port": 80], "periodSeconds": 1]
        let spec: JSON = [
            "initContainers": [["name": "side", "restartPolicy": "Always", "startupProbe": probe]],
            "containers": [["name": "web"]], "restartPolicy": "OnFailure",
        ]
        var driver = LifecycleDriver(spec)
        let id = ContainerID("side", attempt: 0)
        #expect(driver.settle() == [.probe(.startup, id)])
        #expect(driver.records.map(\.id.name) == ["side"])
        driver.apply(.probed(.startup, id, .success))
        _ = driver.settle()
        #expect(driver.records.map(\.id.name) == ["side", "web"])
        driver.exit("side", 0)
        _ = driver.settle()
        #expect(driver.records.map(\.id.name) == ["side", "web", "side"])
        driver.exit("web", 0)
        #expect(driver.settle() == [.signal(15, ContainerID("side", attempt: 1))])
        driver.exit("side", 0)
        _ = driver.settle()
        #expect(driver.pod.status.phase == "Succeeded")
    }

    @Test("I3: an image without a command fails with ErrImagePull, then ImagePullBackOff, and is tried again")
    func imageFails() {
        var driver = LifecycleDriver(.podSpec())
        let id = ContainerID("web", attempt: 0)
        _ = driver.step()
        driver.apply(.sandboxOpened)
        _ = driver.step()
        driver.apply(.volumesReady)
        #expect(driver.step() == [.start(id)])
        driver.apply(.imageFailed(id, "no command"))
        #expect(driver.step() == [])
        #expect(driver.container("web").state.waiting?.reason == "ErrImagePull")
        driver.advance(1)
        #expect(driver.step() == [])
        #expect(driver.container("web").state.waiting?.reason == "ImagePullBackOff")
        #expect(
            driver.container("web").state.waiting?.message
                == "Back-off pulling image \"image\": ErrImagePull: no command")
        #expect(
            driver.events.map { "\($0.isWarning ? "Warning" : "Normal") \($0.reason): \($0.message)" } == [
                "Normal Pulling: Pulling image \"image\"",
                "Warning Failed: Failed to pull image \"image\": no command", "Warning Failed: Error: ErrImagePull",
                "Normal BackOff: Back-off pulling image \"image\"", "Warning Failed: Error: ImagePullBackOff",
            ], "I18")
        driver.advance(9)
        #expect(driver.step() == [.start(id)])
        driver.apply(.imageFailed(id, "no command"))
        _ = driver.step()
        driver.advance(19)
        #expect(driver.step() == [])
        driver.advance(1)
        #expect(driver.step() == [.start(id)])
        #expect(driver.pod.status.phase == "Pending")
    }

    @Test("I3: configuration that is wrong is told once and tried again as soon as it changes")
    func configurationFails() {
        var driver = LifecycleDriver(.podSpec())
        let id = ContainerID("web", attempt: 0)
        _ = driver.step()
        driver.apply(.sandboxOpened)
        _ = driver.step()
        driver.apply(.volumesReady)
        _ = driver.step()
        driver.apply(.configurationFailed(id, "configmap \"c\" not found"))
        #expect(driver.step() == [])
        #expect(driver.container("web").state.waiting?.reason == "CreateContainerConfigError")
        #expect(driver.container("web").state.waiting?.message == "configmap \"c\" not found")
        driver.lifecycle.configurationChanged()
        #expect(driver.step().contains(.prepareVolumes))
        driver.apply(.volumesReady)
        #expect(driver.step() == [.start(id)])
        #expect(driver.events.count { $0.message == "Error: configmap \"c\" not found" } == 1)
    }

    @Test("I3: a program that cannot be started ends with StartError, 128")
    func startFails() {
        var driver = LifecycleDriver(.podSpec(restartPolicy: "Never"))
        let id = ContainerID("web", attempt: 0)
        _ = driver.step()
        driver.apply(.sandboxOpened)
        _ = driver.step()
        driver.apply(.volumesReady)
        _ = driver.step()
        driver.apply(.startFailed(id, "exec: no such file"))
        _ = driver.settle()
        #expect(driver.container("web").state.terminated?.reason == "StartError")
        #expect(driver.container("web").state.terminated?.exitCode == 128)
        #expect(driver.pod.status.phase == "Failed")
    }

    @Test("I3: when the supervisor is gone, the sandbox is made anew and the lost container ended with 137")
    func supervisorLost() {
        var driver = LifecycleDriver(.podSpec())
        _ = driver.settle()
        driver.advance(700)
        driver.sandbox = .lost
        #expect(driver.step() == [.openSandbox])
        driver.exit("web", 137, lost: true)
        driver.sandbox = nil
        driver.apply(.sandboxOpened)
        _ = driver.settle()
        #expect(driver.container("web").lastState.terminated?.reason == "ContainerStatusUnknown")
        #expect(driver.container("web").lastState.terminated?.exitCode == 137)
        #expect(driver.container("web").restartCount == 1)
        #expect(driver.container("web").state.running != nil)
        #expect(driver.events.contains { $0.reason == "SandboxChanged" })
    }

    @Test("an adopted container is not started again, and stays ready while its first probe is out")
    func adopts() {
        let probe: JSON = ["readinessProbe": ["tcpSocket": ["port": 80]]]
        var first = LifecycleDriver(.podSpec(probe))
        let id = ContainerID("web", attempt: 0)
        _ = first.settle()
        first.apply(.probed(.readiness, id, .success))
        _ = first.step()
        #expect(first.container("web").ready)
        var second = LifecycleDriver(.podSpec(probe), status: first.pod.status.json)
        second.records = first.records
        second.advance(60)
        #expect(second.settle() == [.probe(.readiness, id)])
        #expect(second.container("web").ready)
        #expect(second.condition("Ready")?.status == "True")
        #expect(second.condition("Ready")?.lastTransitionTime == first.condition("Ready")?.lastTransitionTime)
        #expect(second.records.count == 1)
    }

    @Test("a container that an earlier run started without reporting it is adopted, not doubled")
    func adoptsUnreported() {
        var driver = LifecycleDriver(.podSpec())
        let id = ContainerID("web", attempt: 0)
        driver.records = [ContainerRecord(id: id, startedAt: driver.now, phase: .running)]
        _ = driver.step()
        driver.apply(.sandboxOpened)
        #expect(driver.step() == [.prepareVolumes])
        #expect(driver.container("web").state.running != nil)
        driver.apply(.volumesReady)
        #expect(driver.step() == [])
    }
}
