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
        let half = Duration.milliseconds(500)
        let expected: [ScriptedCluster.Call] = [
            .init(text: "list", time: .zero), .init(text: "watch 2", time: .zero), .init(text: "list", time: half),
            .init(text: "watch 4", time: half), .init(text: "list", time: half * 2),
            .init(text: "watch 9", time: half * 2), .init(text: "list", time: half * 3),
        ]
        #expect(calls == expected)
    }
}
