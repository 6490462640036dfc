import Kinds
import Model
import Rehearsal
import TestServers
import Testing

@Suite("Playing a rehearsal", .blocking)
struct PlayTests {
    @Test("a good revision ends healthy, having kept the promise of its strategy")
    func healthy() throws {
        let recording = try Rehearsal(Shop.scenario(), seed: 1).run()
        #expect(recording.outcome == .healthy)
        let web = try #require(recording.workloads.first { $0.key == Deployment.key("web", in: "default") })
        #expect(web.lowest == 3)
        #expect(web.promise == 3)
        #expect(web.brokenAt == nil)
        #expect(web.samples.first?.counts.old == 3)
        #expect(web.samples.last?.counts.new == 3 && web.samples.last?.counts.old == 0)
        #expect(recording.peakLoad.pods - recording.startLoad.pods >= 1)
    }
}
