import Kinds
import Model
import Testing

@Suite("What /scale shows")
struct ScaleTests {
    @Test(
        "the selector is text, of labels and of expressions",
        arguments: [
            (
                Manifests.deployment.setting(
                    ".spec.selector.matchExpressions", [["key": "tier", "operator": "In", "values": ["b", "a"]]]),
                "app=web,tier in (a,b)"
            ),
            (Manifests.replicationController, "app=web"), (Manifests.statefulSet, "app=db"),
        ])
    func selector(object: JSON, expected: String) throws {
        let scale = ScaleSubresource.json(of: try object.stored.setting(".status.replicas", 3))
        #expect(scale.value(at: ".status") == ["replicas": 3, "selector": .string(expected)])
        #expect(scale.value(at: ".spec") == ["replicas": 1])
        #expect(scale.value(at: ".metadata.name") == object.value(at: ".metadata.name"))
    }
}
