import Kinds
import Model

/// Valid objects of the other workload kinds. A Job has its uid, as it has by the time it is judged.
extension Manifests {
    static let statefulSet = text(
        """
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db", "namespace": "default"},
         "spec": {"selector": {"matchLabels": {"app": "db"}}, "serviceName": "db",
                  "template": {"metadata": {"labels": {"app": "db"}},
                               "spec": {"containers": [{"name": "db", "image": "db:1", "volumeMounts":
                                          [{"name": "data", "mountPath": "/data"}]}]}},
                  "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                      "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}}
        """)
    static let daemonSet = deployment.setting(".kind", "DaemonSet").setting(".metadata.name", "agent")
    static let controllerRevision = text(
        """
        {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "db-1", "namespace": "default"},
         "data": {"spec": {"template": {}}}, "revision": 1}
        """)
    static let replicationController = text(
        """
        {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "web", "namespace": "default"},
         "spec": {"template": {"metadata": {"labels": {"app": "web"}},
                               "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}}
        """)
    static let podTemplate = text(
        """
        {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "web", "namespace": "default"},
         "template": {"metadata": {"labels": {"app": "web"}},
                      "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}
        """)
    static let job = text(
        """
        {"apiVersion": "batch/v1", "kind": "Job",
         "metadata": {"name": "report", "namespace": "default", "uid": "4f6c"},
         "spec": {"template": {"spec": {"restartPolicy": "Never",
                                        "containers": [{"name": "main", "image": "report:1"}]}}}}
        """)
    static let indexedJob = job.setting(".spec.completionMode", "Indexed").setting(".spec.completions", 5)
        .setting(".spec.parallelism", 5)
    static let cronJob = text(
        """
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": "default"},
         "spec": {"schedule": "0 4 * * *", "jobTemplate": {"spec": {"template": {"spec": {
             "restartPolicy": "OnFailure", "containers": [{"name": "main", "image": "report:1"}]}}}}}}
        """)
    static let horizontalPodAutoscaler = text(
        """
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
         "metadata": {"name": "web", "namespace": "default"},
         "spec": {"maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}}
        """)
    static let podDisruptionBudget = text(
        """
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web", "namespace": "default"},
         "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
        """)

    static let workloads = [
        statefulSet, daemonSet, controllerRevision, replicationController, podTemplate, job, indexedJob, cronJob,
        horizontalPodAutoscaler, podDisruptionBudget,
    ]
}

extension JSON {
    /// This object as it is stored when it is created.
    var stored: JSON {
        get throws {
            let strategy = try strategy
            return strategy.prepareForCreate(strategy.defaulted(self))
        }
    }
}
