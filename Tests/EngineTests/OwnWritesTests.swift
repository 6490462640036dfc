import Cluster
import HashTreeCollections
import Kinds
import Model
import Testing

@testable import Engine

@Suite("A controller's own writes")
struct OwnWritesTests {
    let owner = Deployment.key("web", in: "default")

    private func replicaSet(_ name: String, version: String) -> Object {
        var replicaSet = ReplicaSet(named: name, in: "default")
        replicaSet.metadata.resourceVersion = version
        return Object(viewing: replicaSet.json)
    }

    @Test("are unseen until the informer shows them or something later, each for itself")
    func shown() {
        var writes = OwnWrites()
        writes.note(replicaSet("a", version: "9"), of: owner)
        writes.note(replicaSet("b", version: "12"), of: owner)
        let (a, b) = (replicaSet("a", version: "9").key, replicaSet("b", version: "12").key)
        #expect(writes.unseen(of: owner, in: [:]) == [a, b])
        #expect(writes.unseen(of: owner, in: [a: replicaSet("a", version: "8")]) == [a, b])
        #expect(writes.unseen(of: owner, in: [a: replicaSet("a", version: "10")]) == [b])
        #expect(writes.unseen(of: Deployment.key("other", in: "default"), in: [:]).isEmpty)
        // What was seen stays seen, whatever becomes of it.
        #expect(writes.unseen(of: owner, in: [:]) == [b])
        writes.forget(b, of: owner)
        #expect(writes.unseen(of: owner, in: [:]).isEmpty)
    }
}

@Suite("A controller's own statuses")
struct OwnStatusesTests {
    private func deployment(version: Int) -> Object {
        var deployment = Deployment(named: "web", in: "default")
        deployment.metadata.resourceVersion = String(version)
        return Object(viewing: deployment.json)
    }

    private func change(to version: Int) -> ObjectChange {
        ObjectChange(old: deployment(version: 1), new: deployment(version: version))
    }

    @Test("are planned on until the informer shows them or something later")
    func latest() {
        var statuses = OwnStatuses()
        #expect(statuses.latest(deployment(version: 3)) == deployment(version: 3))
        statuses.note(deployment(version: 5), isFinal: false)
        #expect(statuses.latest(deployment(version: 4)) == deployment(version: 5))
        #expect(statuses.latest(deployment(version: 6)) == deployment(version: 6))
        #expect(statuses.latest(deployment(version: 4)) == deployment(version: 4), "what was shown is forgotten")
        statuses.note(deployment(version: 9), isFinal: false)
        statuses.forget(deployment(version: 9).key)
        #expect(statuses.latest(deployment(version: 8)) == deployment(version: 8))
    }

    @Test("that end the work are no reason to look again, nor is what they were written over; what comes later is")
    func final() {
        var statuses = OwnStatuses()
        #expect(statuses.isOwn(change(to: 5)) == false)
        statuses.note(deployment(version: 5), isFinal: true)
        #expect(statuses.isOwn(change(to: 4)) == true)
        #expect(statuses.isOwn(change(to: 5)) == true)
        #expect(statuses.isOwn(change(to: 5)) == false, "only the first telling is known")
        statuses.note(deployment(version: 7), isFinal: true)
        #expect(statuses.isOwn(change(to: 8)) == false)
        statuses.note(deployment(version: 9), isFinal: true)
        #expect(statuses.isOwn(ObjectChange(old: deployment(version: 9), new: nil)) == false, "the end of the object")
    }

    @Test("that leave something to do are looked at")
    func goesOn() {
        var statuses = OwnStatuses()
        statuses.note(deployment(version: 5), isFinal: false)
        #expect(statuses.isOwn(change(to: 5)) == false)
    }
}
