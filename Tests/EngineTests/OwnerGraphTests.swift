import Cluster
import Kinds
import Model
import Testing

@testable import Engine

@Suite("Who is looked at because of a change (F4, F5)")
struct OwnerGraphTests {
    private func map(
        _ version: String, owner: String? = nil, isLeaving: Bool = false, finalizers: [String] = []
    ) -> Object {
        var map = ConfigMap(named: "web", in: "default")
        map.metadata.uid = "uid"
        map.metadata.resourceVersion = version
        if isLeaving { map.metadata.deletionTimestamp = Timestamp(seconds: 1) }
        map.metadata.finalizers = finalizers
        if let owner {
            var reference = OwnerReference()
            reference.uid = owner
            map.metadata.ownerReferences = [reference]
        }
        return Object(viewing: map.json)
    }

    @Test("an object that is leaving, only while a finalizer of garbage collection holds it")
    func leaving() {
        for (finalizers, isVisited) in [
            ([], false), (["example.com/backup"], false), (["foregroundDeletion"], true), (["orphan"], true),
        ] {
            var graph = OwnerGraph()
            let before = map("1", owner: "owner", finalizers: finalizers)
            #expect(graph.apply(ObjectChange(old: nil, new: before)) == [before.key], "one with an owner is judged")
            let after = map("2", owner: "owner", isLeaving: true, finalizers: finalizers)
            #expect(graph.apply(ObjectChange(old: before, new: after)) == (isVisited ? [after.key] : []))
        }
    }

    @Test("what does not bear on who lives is no reason to look")
    func otherChanges() {
        var graph = OwnerGraph()
        let before = map("1", owner: "owner")
        _ = graph.apply(ObjectChange(old: nil, new: before))
        #expect(graph.apply(ObjectChange(old: before, new: map("2", owner: "owner"))).isEmpty)
        #expect(graph.apply(ObjectChange(old: before, new: map("3", owner: "other"))) == [before.key])
    }
}
