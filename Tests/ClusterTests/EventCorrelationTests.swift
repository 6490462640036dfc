import Cluster
import Kinds
import Model
import Testing

@Suite("Events") struct EventCorrelationTests {
    let now = Timestamp(seconds: 1_700_000_000)

    var pod: ObjectReference {
        var pod = Pod(named: "web", in: "shop")
        pod.metadata.uid = "u1"
        return pod.reference
    }

    func decide(_ correlation: inout EventCorrelation, _ message: String, after seconds: Int = 0)
        -> EventCorrelation.Decision
    {
        correlation.decide(
            EventReport(.warning, reason: "BackOff", message: message), about: pod, now: now + .seconds(seconds))
    }

    @Test("the first report becomes an Event with Kubernetes' fields (L3)")
    func first() throws {
        var correlation = EventCorrelation(component: "kubelet", host: "node-1")
        guard case .create(let event) = decide(&correlation, "x") else {
            Issue.record("no event was created")
            return
        }
        #expect(event.metadata.name.hasPrefix("web."))
        #expect(event.metadata.namespace == "shop")
        #expect(event.involvedObject.uid == "u1")
        #expect(event.source.component == "kubelet")
        #expect(event.source.host == "node-1")
        #expect(event.type == "Warning")
        #expect(event.count == 1)
    }

    @Test("what two components report at one instant has different names (L3)")
    func names() {
        var names: [String] = []
        for component in ["default-scheduler", "kubelet", "replicaset-controller"] {
            var correlation = EventCorrelation(component: component)
            for message in ["a", "b", "c"] {
                if case .create(let event) = decide(&correlation, message) { names.append(event.metadata.name) }
            }
        }
        #expect(names.count == 9)
        #expect(Set(names).count == 9)
    }

    @Test("the same report again raises the count (L3)")
    func counts() {
        var correlation = EventCorrelation(component: "kubelet")
        _ = decide(&correlation, "x")
        guard case .update(let event) = decide(&correlation, "x", after: 5) else {
            Issue.record("the event was not counted")
            return
        }
        #expect(event.count == 2)
        #expect(event.firstTimestamp == now)
        #expect(event.lastTimestamp == now + .seconds(5))
    }

    @Test("more than ten similar reports in ten minutes are combined (L3)")
    func combines() {
        var correlation = EventCorrelation(component: "kubelet")
        var combined: [String] = []
        for index in 0..<14 {
            switch decide(&correlation, "attempt \(index)") {
            case .create(let event), .update(let event):
                if event.message?.hasPrefix("(combined from similar events): ") == true {
                    combined.append(event.metadata.name)
                }
            case .drop: Issue.record("nothing is to be dropped yet")
            }
        }
        #expect(combined.count == 4)
        #expect(Set(combined).count == 1)
    }

    @Test("a flood about one object is cut at 25, and flows again at one in five minutes (L3)")
    func floods() {
        var correlation = EventCorrelation(component: "kubelet")
        func isDropped(_ decision: EventCorrelation.Decision) -> Bool {
            if case .drop = decision { true } else { false }
        }
        let dropped = (0..<40).count { _ in isDropped(decide(&correlation, "x")) }
        #expect(dropped == 15)
        #expect(!isDropped(decide(&correlation, "x", after: 301)))
        #expect(isDropped(decide(&correlation, "x", after: 302)))
    }

    @Test("Events about objects without a namespace live in default (L2)")
    func clusterScoped() {
        var correlation = EventCorrelation(component: "node-controller")
        let decision = correlation.decide(
            EventReport(.normal, reason: "NodeReady", message: "ready"), about: Node(named: "n1").reference, now: now)
        guard case .create(let event) = decision else {
            Issue.record("no event was created")
            return
        }
        #expect(event.metadata.namespace == "default")
    }
}
