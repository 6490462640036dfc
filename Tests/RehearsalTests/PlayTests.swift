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

    @Test("a rollout for which a quota has no room is taken back, and the quota is named")
    func quota() throws {
        let quota: JSON = [
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": ["name": "small", "namespace": "default"],
            "spec": ["hard": ["pods": "3"]],
        ]
        let recording = try Rehearsal(
            Shop.scenario(
                from: [quota, Shop.deployment(image: "web:1")], to: [quota, Shop.deployment(image: "web:2")]),
            seed: 1
        ).run()
        guard case .rolledBack(let why) = recording.outcome else {
            Issue.record("\(recording.outcome)")
            return
        }
        #expect(why.contains("is forbidden: exceeded quota: small, requested: pods=1, used: pods=3, limited: pods=3"))
    }
}
