import Kinds
import Model
import Testing

@testable import Engine

@Suite("I6, I8, I9: probes, hooks and the end of a container")
struct ProbeAndStopTests {
    let id = ContainerID("web", attempt: 0)

    @Test("I6: readiness needs successThreshold passes, and failureThreshold failures to be lost")
    func readiness() {
        var driver = LifecycleDriver(
            .podSpec([
                "readinessProbe": [
                    "tcpSocket": ["port": 80], "periodSeconds": 5, "initialDelaySeconds": 3, "successThreshold": 2,
                    "failureThreshold": 2,
                ]
            ]))
        #expect(driver.settle() == [])
        #expect(driver.wakeAt == driver.now + .seconds(3))
        var ready: [Bool] = []
        let outcomes: [ProbeOutcome] = [
            .success, .success, .failure("no"), .success, .failure("no"), .error("?"), .failure("no"),
        ]
        for outcome in outcomes {
            guard let wakeAt = driver.wakeAt else { break }
            driver.now = wakeAt
            #expect(driver.step() == [.probe(.readiness, id)])
            driver.apply(.probed(.readiness, id, outcome))
            _ = driver.step()
            ready.append(driver.container("web").ready)
        }
        // An error neither counts nor breaks a row (I6).
        #expect(ready == [false, true, true, true, true, true, false])
        #expect(driver.events.contains { $0.reason == "Unhealthy" && $0.message == "Readiness probe failed: no" })
    }

    @Test("I6: liveness failures stop the container, which is restarted")
    func liveness() {
        var driver = LifecycleDriver(
            .podSpec([
                "livenessProbe": [
                    "tcpSocket": ["port": 80], "failureThreshold": 2, "periodSeconds": 1,
                    "terminationGracePeriodSeconds": 4,
                ]
            ]))
        #expect(driver.settle() == [.probe(.liveness, id)])
        driver.apply(.probed(.liveness, id, .failure("x")))
        driver.advance(1)
        #expect(driver.step() == [.probe(.liveness, id)])
        driver.apply(.probed(.liveness, id, .failure("x")))
        #expect(driver.step() == [.signal(15, id)])
        #expect(driver.events.contains { $0.message == "Container web failed liveness probe, will be restarted" })
        driver.advance(4)
        #expect(driver.step() == [.signal(9, id)])
        driver.exit("web", 137, signal: 9)
        _ = driver.settle()
        #expect(driver.records.last?.id.attempt == 1)
    }

    @Test("I6: a startup probe holds the others back until it has passed once")
    func startup() {
        let probe: JSON = ["tcpSocket": ["port": 80], "periodSeconds": 1]
        var driver = LifecycleDriver(
            .podSpec(["startupProbe": probe, "readinessProbe": probe, "livenessProbe": probe]))
        #expect(driver.settle() == [.probe(.startup, id)])
        driver.apply(.probed(.startup, id, .failure("not yet")))
        driver.advance(1)
        #expect(driver.step() == [.probe(.startup, id)])
        #expect(driver.container("web").started == false)
        driver.apply(.probed(.startup, id, .success))
        #expect(Set(driver.step()) == [.probe(.liveness, id), .probe(.readiness, id)])
        #expect(driver.container("web").started == true)
        driver.advance(100)
        #expect(!driver.step().contains(.probe(.startup, id)))
    }

    @Test("I8: a postStart hook that fails stops its container")
    func postStart() {
        var driver = LifecycleDriver(.podSpec(["lifecycle": ["postStart": ["exec": ["command": ["false"]]]]]))
        #expect(driver.settle() == [.postStart(id)])
        #expect(!driver.container("web").ready)
        driver.apply(.postStartEnded(id, failure: "exit 1"))
        #expect(driver.step() == [.signal(15, id)])
        #expect(driver.events.contains { $0.reason == "FailedPostStartHook" })
    }

    private func delete(_ driver: inout LifecycleDriver, grace: Int) {
        driver.pod.metadata.deletionTimestamp = driver.now + .seconds(grace)
        driver.pod.metadata.deletionGracePeriodSeconds = grace
    }

    @Test("I9: preStop, SIGTERM, SIGKILL at the end of the grace, then the pod's removal and its deletion")
    func terminates() {
        var driver = LifecycleDriver(
            .podSpec(["lifecycle": ["preStop": ["exec": ["command": ["drain"]]]]]))
        _ = driver.settle()
        delete(&driver, grace: 30)
        #expect(driver.step() == [.preStop(id, timeout: .seconds(30))])
        driver.advance(10)
        #expect(driver.step() == [])
        driver.apply(.preStopEnded(id, failure: nil))
        #expect(driver.step() == [.signal(15, id)])
        #expect(driver.wakeAt == driver.now + .seconds(20))
        driver.advance(20)
        #expect(driver.step() == [.signal(9, id)])
        #expect(driver.pod.status.phase == "Running")
        driver.exit("web", 137, signal: 9)
        #expect(driver.step() == [.removeSandbox])
        #expect(driver.pod.status.phase == "Failed")
        driver.apply(.sandboxRemoved)
        #expect(driver.step() == [.finalDelete])
        #expect(!driver.isFinished)
        driver.exists = false
        _ = driver.step()
        #expect(driver.isFinished)
        #expect(driver.events.contains { $0.reason == "Killing" && $0.message == "Stopping container web" })
    }

    @Test("I9: a preStop hook that uses up the grace leaves SIGTERM two seconds")
    func longPreStop() {
        var driver = LifecycleDriver(.podSpec(["lifecycle": ["preStop": ["sleep": ["seconds": 100]]]]))
        _ = driver.settle()
        delete(&driver, grace: 5)
        #expect(driver.step() == [.preStop(id, timeout: .seconds(5))])
        driver.advance(5)
        #expect(driver.step() == [.signal(15, id)])
        #expect(driver.wakeAt == driver.now + .seconds(2))
        driver.advance(2)
        #expect(driver.step() == [.signal(9, id)])
    }

    @Test("I9: grace only shrinks")
    func graceShrinks() {
        var driver = LifecycleDriver(.podSpec())
        _ = driver.settle()
        delete(&driver, grace: 30)
        #expect(driver.step() == [.signal(15, id)])
        delete(&driver, grace: 5)
        #expect(driver.step() == [])
        #expect(driver.wakeAt == driver.now + .seconds(5))
        delete(&driver, grace: 60)
        #expect(driver.step() == [])
        #expect(driver.wakeAt == driver.now + .seconds(5))
    }

    @Test("I9: sidecars go after the others, last started first")
    func sidecarsLast() {
        let spec: JSON = [
            "initContainers": [
                ["name": "one", "restartPolicy": "Always"], ["name": "two", "restartPolicy": "Always"],
            ],
            "containers": [["name": "web"]],
        ]
        var driver = LifecycleDriver(spec)
        _ = driver.settle()
        delete(&driver, grace: 30)
        #expect(driver.step() == [.signal(15, ContainerID("web", attempt: 0))])
        driver.exit("web", 0)
        #expect(driver.step() == [.signal(15, ContainerID("two", attempt: 0))])
        driver.exit("two", 0)
        #expect(driver.step() == [.signal(15, ContainerID("one", attempt: 0))])
        driver.exit("one", 0)
        #expect(driver.step() == [.removeSandbox])
        #expect(driver.pod.status.phase == "Succeeded")
    }

    @Test("a pod that was deleted by force is stopped without a word to the cluster")
    func forced() {
        var driver = LifecycleDriver(.podSpec())
        _ = driver.settle()
        driver.exists = false
        #expect(driver.step() == [.signal(15, id)])
        driver.advance(2)
        #expect(driver.step() == [.signal(9, id)])
        driver.exit("web", 137, signal: 9)
        #expect(driver.settle() == [])
        #expect(driver.isFinished)
    }

    @Test("I14: a pod past activeDeadlineSeconds is stopped and Failed")
    func deadline() {
        var spec = JSON.podSpec()
        spec["activeDeadlineSeconds"] = 60
        var driver = LifecycleDriver(spec)
        _ = driver.settle()
        #expect(driver.wakeAt == driver.now + .seconds(60))
        driver.advance(60)
        #expect(driver.step() == [.signal(15, id)])
        #expect(driver.pod.status.phase == "Running")
        driver.exit("web", 0)
        _ = driver.settle()
        #expect(driver.pod.status.phase == "Failed")
        #expect(driver.pod.status.reason == "DeadlineExceeded")
    }
}
