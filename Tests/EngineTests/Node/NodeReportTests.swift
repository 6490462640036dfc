import Kinds
import Model
import Testing

@testable import Engine

@Suite("What a node says of itself") struct NodeReportTests {
    private let machine = LogicalNode(name: "node", capacity: ["cpu": Quantity(4)])

    private func report(over live: Node?) -> Node {
        NodeReport.node(machine, over: live, version: "1", now: Timestamp(seconds: 100))
    }

    @Test("extended resources that somebody published stay, and may be used; the machine's own are as they are")
    func extended() {
        var live = report(over: nil)
        #expect(!NodeReport.lacksResources(live))
        live.status.capacity = ["cpu": Quantity(99), "memory": Quantity(1), "example.com/gpu": Quantity(5)]
        #expect(NodeReport.lacksResources(live))
        let status = report(over: live).status
        #expect(status.capacity == ["cpu": Quantity(4), "example.com/gpu": Quantity(5)])
        #expect(status.allocatable == status.capacity)
        #expect(!NodeReport.lacksResources(report(over: live)))
    }
}
