import Cluster
import Kinds
import Model
import SimulationKit
import Store

/// The Deployment that the histories are about.
struct Shop: Sendable {
    static let key = Deployment.key("web", in: "default")
    static let undoAnnotation = "deprecated.deployment.rollback.to"
    static let options = WriteOptions(fieldManager: "test")

    /// How a version of the program behaves.
    enum Version: String, CaseIterable, Sendable {
        case good
        /// It runs, and its readiness probe never passes.
        case unready
        case crashing
        case unpullable
        case unstartable

        static let bad: [Version] = [.unready, .crashing, .unpullable, .unstartable]

        /// What the simulated runtime reads.
        func annotations(startDelay: Double, stopDelay: Double) -> [String: String] {
            let prefix = "simulation.martlet.dev/"
            var annotations = ["\(prefix)start-delay": "\(startDelay)", "\(prefix)stop-delay": "\(stopDelay)"]
            switch self {
            case .good: break
            case .unready: annotations["\(prefix)probe"] = "fail"
            case .crashing:
                annotations["\(prefix)crash-after"] = "1"
                annotations["\(prefix)start-delay"] = "100000"
            case .unpullable: annotations["\(prefix)pull"] = "fail"
            case .unstartable: annotations["\(prefix)start"] = "fail"
            }
            return annotations
        }
    }

    var replicas: Int
    var surge: Int
    var unavailable: Int

    /// Sizes drawn from the seed.
    init(seed: UInt64, largest: Int = 5) {
        var random = SplitMix64(seed: seed)
        replicas = Int.random(in: 1...largest, using: &random)
        surge = Int.random(in: 0...2, using: &random)
        unavailable = Int.random(in: surge == 0 ? 1...2 : 0...2, using: &random)
    }

    static func template(_ name: String, _ version: Version, using random: inout SplitMix64) -> JSON {
        let annotations = version.annotations(
            startDelay: Double(Int.random(in: 0...30, using: &random)) / 10,
            stopDelay: Double(Int.random(in: 0...20, using: &random)) / 10)
        return template(name, annotations)
    }

    static func template(_ name: String, _ annotations: [String: String]) -> JSON {
        let members = annotations.sorted { $0.key < $1.key }.map {
            JSONObject.Member(key: $0.key, value: .string($0.value))
        }
        return [
            "metadata": ["labels": ["app": "web"], "annotations": .object(JSONObject(members))],
            "spec": [
                "terminationGracePeriodSeconds": 5,
                "containers": [
                    [
                        "name": "web", "image": .string(name),
                        "readinessProbe": [
                            "exec": ["command": ["true"]], "periodSeconds": 3, "failureThreshold": 2,
                        ],
                    ]
                ],
            ],
        ]
    }

    func deployment(_ template: JSON) -> Object {
        Object(viewing: [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web", "namespace": "default"],
            "spec": [
                "replicas": .int(Int64(replicas)), "selector": ["matchLabels": ["app": "web"]],
                "strategy": [
                    "rollingUpdate": ["maxSurge": .int(Int64(surge)), "maxUnavailable": .int(Int64(unavailable))]
                ],
                "template": template,
            ],
        ])
    }

    static func patch(_ patch: JSON, in cluster: any Cluster) async throws {
        _ = try await cluster.patch(key, .json([patch]), subresource: nil, options: options)
    }

    static func setTemplate(_ template: JSON, in cluster: any Cluster) async throws {
        try await patch(["op": "replace", "path": "/spec/template", "value": template], in: cluster)
    }

    static func scale(to replicas: Int, in cluster: any Cluster) async throws {
        try await patch(["op": "replace", "path": "/spec/replicas", "value": .int(Int64(replicas))], in: cluster)
    }

    static func pause(_ isPaused: Bool, in cluster: any Cluster) async throws {
        try await patch(["op": "add", "path": "/spec/paused", "value": .bool(isPaused)], in: cluster)
    }

    /// A22: back to the revision before this one.
    static func undo(in cluster: any Cluster) async throws {
        let annotations = JSONObject([.init(key: undoAnnotation, value: "0")])
        let patch: JSON = ["metadata": ["annotations": .object(annotations)]]
        _ = try await cluster.patch(key, .merge(patch), subresource: nil, options: options)
    }

    /// Whether all pods are of the present template and up (A20), and no others are left.
    static func isComplete(_ snapshot: Snapshot) -> Bool {
        guard let deployment = snapshot.all(Deployment.self).first else { return false }
        let wanted = deployment.spec.replicas ?? 1
        let image = deployment.spec.template.spec.containers.first?.image
        let status = deployment.status
        guard status.observedGeneration == deployment.metadata.generation, status.updatedReplicas ?? 0 == wanted,
            status.availableReplicas ?? 0 == wanted, status.replicas ?? 0 == wanted
        else { return false }
        let pods = snapshot.all(Pod.self).filter(\.isReplica)
        return pods.count == wanted && pods.allSatisfy { $0.isUp && $0.spec.containers.first?.image == image }
    }
}
