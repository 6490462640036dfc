import Cluster
import Kinds
import Model

@testable import Engine

/// Objects of the workload controllers, with just what a rule looks at.
enum Fixture {
    static let now = Timestamp(seconds: 1_700_000_000)

    static func template(_ version: String) -> PodTemplateSpec {
        var template = PodTemplateSpec()
        template.metadata.labels = ["app": "web"]
        var container = Container()
        container.name = "web"
        container.image = "web:\(version)"
        template.spec.containers = [container]
        return template
    }

    static func deployment(
        replicas: Int = 10, surge: IntOrString? = nil, unavailable: IntOrString? = nil, version: String = "v1",
        strategy: String = "RollingUpdate"
    ) -> Deployment {
        var deployment = Deployment(named: "web", in: "shop")
        deployment.metadata.uid = "d"
        deployment.metadata.generation = 1
        deployment.spec.replicas = replicas
        deployment.spec.selector.matchLabels = ["app": "web"]
        deployment.spec.template = template(version)
        deployment.spec.strategy.type = strategy
        deployment.spec.progressDeadlineSeconds = 600
        if strategy == "RollingUpdate" {
            var rolling = RollingUpdateDeployment()
            rolling.maxSurge = surge ?? "25%"
            rolling.maxUnavailable = unavailable ?? "25%"
            deployment.spec.strategy.rollingUpdate = rolling
        }
        return deployment
    }

    /// - Parameters:
    ///   - max: the annotation `max-replicas`; by default what the Deployment's sizes give.
    static func replicaSet(
        _ version: String, of deployment: Deployment, spec: Int, available: Int? = nil, status: Int? = nil,
        revision: Int = 1, age: Int = 100, desired: Int? = nil, max: Int? = nil
    ) -> ReplicaSet {
        var replicaSet = ReplicaSet(named: "web-\(version)", in: "shop")
        replicaSet.metadata.uid = "rs-\(version)"
        replicaSet.metadata.generation = 1
        replicaSet.metadata.creationTimestamp = now - .seconds(age)
        replicaSet.metadata.ownerReferences = [deployment.controllerReference]
        replicaSet.metadata.labels = ["app": "web", "pod-template-hash": version]
        let replicas = deployment.spec.replicas ?? 1
        let plan = DeploymentPlan(.init(deployment: deployment, replicaSets: []), now: now)
        replicaSet.metadata.annotations = [
            "deployment.kubernetes.io/revision": String(revision),
            "deployment.kubernetes.io/desired-replicas": String(desired ?? replicas),
            "deployment.kubernetes.io/max-replicas": String(max ?? (replicas + plan.maxSurge)),
        ]
        replicaSet.spec.replicas = spec
        replicaSet.spec.selector.matchLabels = ["app": "web", "pod-template-hash": version]
        replicaSet.spec.template = template(version)
        replicaSet.spec.template.metadata.labels["pod-template-hash"] = version
        replicaSet.status.replicas = status ?? spec
        replicaSet.status.readyReplicas = available ?? spec
        replicaSet.status.availableReplicas = available ?? spec
        replicaSet.status.observedGeneration = 1
        return replicaSet
    }

    static func pod(
        _ name: String, node: String = "n1", phase: String = "Running", readySince: Int? = 100, age: Int = 200,
        restarts: Int = 0, cost: Int? = nil, labels: [String: String] = ["app": "web"], owner: ReplicaSet? = nil
    ) -> Pod {
        var pod = Pod(named: name, in: "shop")
        pod.metadata.uid = "uid-\(name)"
        pod.metadata.creationTimestamp = now - .seconds(age)
        pod.metadata.labels = labels
        if let owner { pod.metadata.ownerReferences = [owner.controllerReference] }
        if let cost { pod.metadata.annotations["controller.kubernetes.io/pod-deletion-cost"] = String(cost) }
        pod.spec.nodeName = node
        pod.status.phase = phase
        if let readySince {
            pod.status.setCondition("Ready", "True", now: now - .seconds(readySince))
        } else {
            pod.status.setCondition("Ready", "False", now: now - .seconds(age))
        }
        if restarts > 0 {
            var status = ContainerStatus()
            status.name = "web"
            status.restartCount = restarts
            pod.status.containerStatuses = [status]
        }
        return pod
    }
}

extension DeploymentPlan {
    /// The sizes that the plan sets, by ReplicaSet.
    var sizes: [String: Int] {
        var sizes: [String: Int] = [:]
        for action in actions {
            switch action {
            case .update(let replicaSet), .create(let replicaSet):
                sizes[replicaSet.metadata.name] = replicaSet.desired
            default: break
            }
        }
        return sizes
    }

    var reports: [String] {
        actions.compactMap { if case .report(let report) = $0 { "\(report.reason): \(report.message)" } else { nil } }
    }

    var writtenStatus: DeploymentStatus? {
        actions.lazy.compactMap { action -> DeploymentStatus? in
            if case .updateStatus(let deployment) = action { deployment.status } else { nil }
        }.first
    }

    var deleted: [String] {
        actions.compactMap { if case .delete(let replicaSet) = $0 { replicaSet.metadata.name } else { nil } }
    }
}
