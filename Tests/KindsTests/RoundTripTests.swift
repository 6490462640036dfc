import Kinds
import Model
import Testing

@Suite("Objects on their way out and back")
struct RoundTripTests {
    static let manifests = Manifests.all + Manifests.configuring
    private static let now = Timestamp(seconds: 1_700_000_000)

    private static func kind(_ object: JSON) -> GroupVersionKind {
        GroupVersionKind(apiVersion: object["apiVersion"]?.string ?? "", kind: object["kind"]?.string ?? "")
    }

    @Test("there is an object of every kind that is stored")
    func coverage() {
        let stored = Catalog.builtIn.types.preferred.filter { $0.verbs.contains("list") }.map(\.kind.groupKind)
        let missing = Set(stored).subtracting(Self.manifests.map { Self.kind($0).groupKind })
        #expect(missing.allSatisfy { $0.group == "events.k8s.io" }, "\(missing)")
    }

    @Test(
        "what was applied, stored and applied again is no change (H5), and its text reads back as it was",
        arguments: manifests.indices)
    func applies(index: Int) throws {
        let manifest = Self.manifests[index]
        let strategy = try manifest.strategy
        func applied(onto live: JSON?) throws -> JSON {
            try ServerSideApply.apply(
                manifest, onto: live, schema: strategy.schema, manager: "git", force: false, subresource: nil,
                now: Self.now)
        }
        var created = strategy.defaulted(try applied(onto: nil))
        if created[path: ["metadata", "uid"]] == nil { created[path: ["metadata", "uid"]] = "4f6c" }
        created[path: ["metadata", "creationTimestamp"]] = Self.now.json
        let stored = strategy.prepareForCreate(created)
        #expect(strategy.validateCreate(stored) == [])
        #expect(strategy.defaulted(stored) == stored, "what was filled in is filled in once")
        #expect(try JSON(decoding: stored.encoded()) == stored)
        func again(onto live: JSON) throws -> JSON {
            strategy.prepareForUpdate(strategy.defaulted(try applied(onto: live)), from: live, subresource: nil)
        }
        // Who states nothing but a name owns nothing; the next apply then notes whose the rest is (H8).
        let live = stored[path: ["metadata", "managedFields"]] == nil ? try again(onto: stored) : stored
        #expect(try again(onto: live) == live)
    }
}
