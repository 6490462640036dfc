import Engine
import Kinds
import Model
import Reconciler
import Rehearsal
import Store

/// A site of Deployments with probes that runs, and a commit that gives all of them another image.
struct RehearsedSite {
    private static let replicas = 3

    /// The site as it runs, and what the commit makes of it.
    let scenario: Scenario

    /// Brings the site about, which is not what is measured.
    init(workloads: Int, bakeTime: String) throws {
        // Room for the surge as well: four pods of each.
        let capacity: [String: Quantity] = [
            "cpu": Quantity(64), "memory": Quantity(256 << 30, format: .binarySI), "pods": Quantity(110),
        ]
        let nodes = (0..<(workloads * (Self.replicas + 1) / 100 + 1)).map {
            LogicalNode(name: "node-\($0)", capacity: capacity)
        }
        var application = Scenario.application(named: "site", in: "default")
        let first = Scenario(nodes: nodes, application: application, target: Self.state("one", workloads))
        var end: Snapshot?
        let recording = try Rehearsal(first, seed: 1).run { end = $0 }
        guard recording.outcome.isHealthy, let end else {
            throw BenchError("the site does not come up: \(recording.outcome)")
        }
        let running = end.kinds.flatMap { kind in end.list(kind: kind).map { Object(viewing: $0.json) } }
        guard let found = running.first(where: { $0.key == application.key }) else {
            throw BenchError("the Application is gone")
        }
        application = found.view()
        application.metadata.annotations[ApplicationSettings.bakeTimeAnnotation] = bakeTime
        scenario = Scenario(
            start: running, nodes: nodes, application: application, base: first.target,
            target: Self.state("two", workloads), limit: .seconds(7200))
    }

    /// Plays the commit to its end.
    func play(seed: UInt64) throws {
        let recording = try Rehearsal(scenario, seed: seed).run()
        let moved = recording.workloads.count {
            $0.samples.last?.counts.new == Self.replicas && $0.lowest == Self.replicas
        }
        guard recording.outcome.isHealthy, moved == scenario.target.objects.count
        else { throw BenchError("\(recording.outcome) after \(recording.duration), \(moved) workloads moved") }
    }

    private static func state(_ revision: String, _ workloads: Int) -> DesiredState {
        DesiredState(
            revision: revision,
            objects: (0..<workloads).map { number in
                DesiredObject(
                    object: Object(viewing: deployment("web-\(number)", image: "registry.example.com/web:\(revision)")),
                    origin: "web-\(number).yaml:1", fingerprint: "\(revision)/\(number)")
            })
    }

    private static func deployment(_ name: String, image: String) -> JSON {
        let probe: JSON = ["httpGet": ["path": "/ready", "port": "http"], "periodSeconds": 5]
        return [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": .string(name), "namespace": "default"],
            "spec": [
                "replicas": .int(Int64(replicas)), "selector": ["matchLabels": ["app": .string(name)]],
                "template": [
                    "metadata": ["labels": ["app": .string(name)]],
                    "spec": [
                        "containers": [
                            [
                                "name": "web", "image": .string(image),
                                "ports": [["name": "http", "containerPort": 8080]],
                                "resources": ["requests": ["cpu": "100m", "memory": "64Mi"]],
                                "readinessProbe": probe, "livenessProbe": probe,
                            ]
                        ]
                    ],
                ],
            ],
        ]
    }
}
