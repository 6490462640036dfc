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
