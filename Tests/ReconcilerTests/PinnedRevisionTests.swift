import GitSource
import Testing

@testable import Reconciler

@Suite("A revision with its bases")
struct PinnedRevisionTests {
    private static let commit = String(repeating: "1a", count: 20)
    private static let base = String(repeating: "2b", count: 20)

    @Test("is read back from what it is written as")
    func roundTrip() throws {
        let id = try #require(ObjectID(Self.base))
        let other = try #require(ObjectID(Self.commit))
        for bases in [[:], ["0123456789ab": id], ["fedcba987654": id, "0123456789ab": other]] {
            let revision = PinnedRevision(commit: Self.commit, bases: bases)
            #expect(PinnedRevision(revision.description) == revision)
        }
        #expect(
            PinnedRevision(commit: Self.commit, bases: ["fedcba987654": id, "0123456789ab": other]).description
                == "\(Self.commit)+0123456789ab=\(Self.commit)+fedcba987654=\(Self.base)")
        #expect(PinnedRevision(commit: Self.commit, bases: ["fedcba987654": id]).short == "1a1a1a1a1a1a+2b2b2b2")
        #expect(PinnedRevision("main").short == "main")
    }

    @Test(
        "anything else is the name of a commit, a plus sign in it or not",
        arguments: [
            "main", "", "HEAD", "feature+1", "a+b=c", "+", "v1+0123456789ab=", "v1+0123456789ab=12",
            "v1+0123=\(String(repeating: "2b", count: 20))",
            "v1+0123456789ab=\(String(repeating: "2b", count: 20))+",
        ])
    func names(_ text: String) {
        let revision = PinnedRevision(text)
        #expect(revision.commit == text)
        #expect(revision.bases.isEmpty)
    }
}
