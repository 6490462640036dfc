import Cluster
import Kinds
import Model
import Testing

@testable import Reconciler

@Suite("Sync plan")
struct SyncPlanTests {
    let settings: ApplicationSettings = {
        var settings = ApplicationSettings()
        settings.prunes = true
        return settings
    }()

    private func plan(
        _ desired: [Object], live: [Object], inventory: Set<ObjectKey> = [], _ settings: ApplicationSettings? = nil
    ) -> SyncPlan {
        let state = Fixture.state(desired)
        let live = FixedState(live)
        var synced = SyncedObjects()
        for object in state.objects where live.object(object.key)?.json == object.object.json {
            synced.insert(object, live: object.object)
        }
        return SyncPlan(
            application: "app", desired: state, live: live, inventory: inventory, settings: settings ?? self.settings,
            synced: synced)
    }

    private func names(_ plan: SyncPlan) -> [String] {
        plan.steps.map { step in
            switch step {
            case .create(let desired): "+\(desired.key.name)"
            case .apply(let desired, _): "~\(desired.key.name)"
            case .delete(let object): "-\(object.key.name)"
            }
        }
    }

    private func ours(_ object: Object) -> Object { Tracking.mark(object, for: "app") }

    /// What happens to a live Deployment, and whether its manifest is then compared again.
    private static let events: [(what: String, change: @Sendable (inout JSON) -> Void, isForgotten: Bool)] = [
        ("nothing", { _ in }, false),
        ("another version", { $0["metadata"]?["resourceVersion"] = "8" }, false),
        ("another status", { $0["status"] = ["replicas": 3] }, false),
        (
            "another manager of the status",
            { $0["metadata"]?["managedFields"] = [["manager": "controller", "subresource": "status"]] }, false
        ),
        ("another manager", { $0["metadata"]?["managedFields"] = [["manager": "kubectl"]] }, true),
        ("another label", { $0["metadata"]?["labels"] = ["tier": "web"] }, true),
        ("another field", { $0["spec"]?["replicas"] = 3 }, true),
    ]

    @Test("an object is compared again when something changed that a manifest could be about", arguments: events)
    func forgets(what: String, change: @Sendable (inout JSON) -> Void, isForgotten: Bool) {
        var deployment = Deployment(named: "web", in: "default")
        deployment.metadata.resourceVersion = "7"
        deployment.spec.replicas = 1
        let before = Object(viewing: deployment.json)
        let desired = Fixture.desired(before)
        var synced = SyncedObjects()
        synced.insert(desired, live: before)
        #expect(synced.contains(desired))
        #expect(!synced.contains(desired.with(before, fingerprint: "another")))
        var after = before.json
        change(&after)
        let live = FixedState([Object(viewing: after)])
        synced.forget([ConfigMap.key("other", in: "default")], unless: live)
        #expect(synced.contains(desired), "another object is no reason")
        synced.forget([desired.key], unless: live)
        #expect(synced.contains(desired) != isForgotten, "\(what)")
    }

    @Test("an object that is gone is compared again")
    func forgetsGone() {
        let map = Fixture.configMap("map")
        var synced = SyncedObjects()
        synced.insert(Fixture.desired(map), live: map)
        synced.forget([map.key], unless: FixedState())
        #expect(!synced.contains(Fixture.desired(map)))
    }

    @Test("namespaces come before what lies in them, and deletions go backwards")
    func ordersSteps() {
        let deployment = Object(viewing: Deployment(named: "web", in: "default").json)
        let old = [
            ours(Fixture.configMap("old-map")), ours(Object(viewing: Deployment(named: "old", in: "default").json)),
        ]
        let plan = plan(
            [deployment, Fixture.configMap("map"), Fixture.namespace("space")], live: old,
            inventory: Set(old.map(\.key)))
        #expect(names(plan) == ["+space", "+map", "+web", "-old", "-old-map"])
    }

    @Test("only what the application created is deleted: in the inventory, and marked as its own")
    func deletesOnlyItsOwn() {
        let foreign = Fixture.configMap("foreign")
        let others = Tracking.mark(Fixture.configMap("others"), for: "another")
        let unlisted = ours(Fixture.configMap("unlisted"))
        let mine = ours(Fixture.configMap("mine"))
        let plan = plan(
            [Fixture.configMap("kept")], live: [foreign, others, unlisted, mine],
            inventory: [foreign.key, others.key, mine.key])
        #expect(names(plan) == ["+kept", "-mine"])
    }

    @Test("a copied tracking annotation does not make a copy ours")
    func copiedAnnotation() {
        var copy = ours(Fixture.configMap("original"))
        var metadata = copy.metadata
        metadata.name = "copy"
        copy.metadata = metadata
        #expect(Tracking.owner(of: copy) == nil)
        #expect(names(plan([Fixture.configMap("x")], live: [copy], inventory: [copy.key])) == ["+x"])
    }

    @Test("an object of another application is not taken over")
    func sharedObject() {
        let plan = plan([Fixture.configMap("map")], live: [Tracking.mark(Fixture.configMap("map"), for: "another")])
        #expect(plan.steps.isEmpty)
        #expect(plan.objections.first?.contains("\"another\"") == true)
    }

    @Test("a revision without manifests does not empty everything, unless that is asked for")
    func neverEmpties() {
        let mine = ours(Fixture.configMap("mine"))
        #expect(!plan([], live: [mine], inventory: [mine.key]).objections.isEmpty)
        var allowing = settings
        allowing.allowsEmpty = true
        #expect(names(plan([], live: [mine], inventory: [mine.key], allowing)) == ["-mine"])
        #expect(plan([], live: [mine], inventory: [mine.key], allowing).objections.isEmpty)
    }

    @Test("without prune, and with Prune=false, leftovers stay and are reported")
    func keepsLeftovers() {
        var annotated = ours(Fixture.configMap("annotated"))
        var metadata = annotated.metadata
        metadata.annotations[Tracking.syncOptionsAnnotation] = "Prune=false"
        annotated.metadata = metadata
        #expect(plan([Fixture.configMap("x")], live: [annotated], inventory: [annotated.key]).kept.count == 1)
        var manual = settings
        manual.prunes = false
        let mine = ours(Fixture.configMap("mine"))
        #expect(plan([Fixture.configMap("x")], live: [mine], inventory: [mine.key], manual).kept.count == 1)
    }

    @Test("carrying a plan out leaves nothing to do, whatever the start", arguments: 0..<200)
    func converges(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let names = (0..<8).map { "object-\($0)" }
        func some() -> [Object] {
            names.filter { _ in Bool.random(using: &random) }.map {
                Fixture.configMap($0, String(Int.random(in: 0..<3, using: &random)))
            }
        }
        let desired = some() + [Fixture.configMap("always")]
        var live = FixedState(some().map(ours))
        for object in some() where live.object(object.key) == nil { live.byKey[object.key] = object }
        let foreign = live.byKey.values.filter { Tracking.owner(of: $0) == nil }.map(\.key)
        let inventory = Set(live.byKey.values.filter { Tracking.owner(of: $0) != nil }.map(\.key))
        let first = plan(desired, live: Array(live.byKey.values), inventory: inventory)
        for step in first.steps {
            switch step {
            case .create(let object), .apply(let object, _): live.byKey[object.key] = object.object
            case .delete(let object): live.byKey[object.key] = nil
            }
        }
        let wanted = Set(desired.map(\.key))
        let second = plan(desired, live: Array(live.byKey.values), inventory: wanted)
        #expect(second.steps.isEmpty)
        #expect(foreign.allSatisfy { live.byKey[$0] != nil }, "never deletes what it does not own")
    }
}
