import Cluster
import Kinds
import Model
import SimulationKit
import Testing

@testable import martlet

@Suite("app --watch")
struct ApplicationWatchTests {
    private static func application(_ name: String, _ version: String) -> Object {
        var application = Application(named: name, in: "martlet")
        application.metadata.resourceVersion = version
        return Object(viewing: application.json)
    }

    @Test("shows each state once and what is gone meanwhile, and asks a service that ends every stream only so often")
    func follows() throws {
        let (a1, a2, b1) = (Self.application("a", "1"), Self.application("a", "3"), Self.application("b", "2"))
        let expired = APIError(.expired, "too old resource version")
        let (told, calls) = try Simulation.run(seed: 1) { clock in
            let cluster = ScriptedCluster(
                [
                    .list([a1, b1], at: "2"), .watch([.tell(.modified(a2)), .tell(.modified(a2))]),
                    .list([a2], at: "4"), .watch([.fail(expired)]), .list([a2, b1], at: "9"), .watch([]),
                ], clock: clock)
            var told: [String] = []
            var watch = ApplicationWatch(
                ListQuery(Application.kind.groupKind), cluster, shown: [a1.view()], clock: clock)
            do {
                try await watch.run { key, application in
                    told.append("\(key.name) \(application?.metadata.resourceVersion ?? "gone")")
                }
            } catch is APIError {
                // The script is at its end.
            }
            return (told, cluster.calls)
        }.value
        #expect(told == ["b 2", "a 3", "b gone", "b 2"])
        #expect(
            calls.map {
                "\($0.text) \($0.time.components.seconds * 1000 + $0.time.components.attoseconds / 1_000_000_000_000_000)"
            }
                == [
                    "list 0", "watch 2 0", "list 500", "watch 4 500", "list 1000", "watch 9 1000", "list 1500",
                ])
    }
}
