import Kinds
import Model

/// A version of a kind that Kubernetes no longer serves, or will stop serving.
///
/// From Kubernetes' deprecation guide.
struct RemovedVersion {
    /// Of Kubernetes: `1.25`.
    var release: String
    /// The version that takes its place; `nil` where nothing does.
    var replacement: String?

    private static let releases: [(versions: [String], kinds: [String], release: String, replacement: String?)] = [
        (
            ["extensions/v1beta1", "apps/v1beta1", "apps/v1beta2"],
            ["Deployment", "DaemonSet", "ReplicaSet", "StatefulSet", "ControllerRevision"], "1.16", "apps/v1"
        ),
        (["extensions/v1beta1"], ["NetworkPolicy"], "1.16", "networking.k8s.io/v1"),
        (["extensions/v1beta1"], ["PodSecurityPolicy"], "1.16", nil),
        (["policy/v1beta1"], ["PodSecurityPolicy"], "1.25", nil),
        (
            ["extensions/v1beta1", "networking.k8s.io/v1beta1"], ["Ingress", "IngressClass"], "1.22",
            "networking.k8s.io/v1"
        ),
        (
            ["admissionregistration.k8s.io/v1beta1"],
            ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
            "1.22", "admissionregistration.k8s.io/v1"
        ),
        (["apiextensions.k8s.io/v1beta1"], ["CustomResourceDefinition"], "1.22", "apiextensions.k8s.io/v1"),
        (["apiregistration.k8s.io/v1beta1"], ["APIService"], "1.22", "apiregistration.k8s.io/v1"),
        (["certificates.k8s.io/v1beta1"], ["CertificateSigningRequest"], "1.22", "certificates.k8s.io/v1"),
        (["coordination.k8s.io/v1beta1"], ["Lease"], "1.22", "coordination.k8s.io/v1"),
        (
            ["rbac.authorization.k8s.io/v1alpha1", "rbac.authorization.k8s.io/v1beta1"],
            ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"], "1.22", "rbac.authorization.k8s.io/v1"
        ),
        (
            ["scheduling.k8s.io/v1alpha1", "scheduling.k8s.io/v1beta1"], ["PriorityClass"], "1.22",
            "scheduling.k8s.io/v1"
        ),
        (
            ["storage.k8s.io/v1beta1"], ["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"], "1.22",
            "storage.k8s.io/v1"
        ),
        (["batch/v1beta1", "batch/v2alpha1"], ["CronJob"], "1.25", "batch/v1"),
        (["discovery.k8s.io/v1beta1"], ["EndpointSlice"], "1.25", "discovery.k8s.io/v1"),
        (["events.k8s.io/v1beta1"], ["Event"], "1.25", "events.k8s.io/v1"),
        (["autoscaling/v2beta1"], ["HorizontalPodAutoscaler"], "1.25", "autoscaling/v2"),
        (["autoscaling/v2beta2"], ["HorizontalPodAutoscaler"], "1.26", "autoscaling/v2"),
        (["policy/v1beta1"], ["PodDisruptionBudget"], "1.25", "policy/v1"),
        (["node.k8s.io/v1alpha1", "node.k8s.io/v1beta1"], ["RuntimeClass"], "1.25", "node.k8s.io/v1"),
        (["storage.k8s.io/v1beta1"], ["CSIStorageCapacity"], "1.27", "storage.k8s.io/v1"),
        (
            ["flowcontrol.apiserver.k8s.io/v1alpha1", "flowcontrol.apiserver.k8s.io/v1beta1"],
            ["FlowSchema", "PriorityLevelConfiguration"], "1.26", "flowcontrol.apiserver.k8s.io/v1"
        ),
        (
            ["flowcontrol.apiserver.k8s.io/v1beta2"], ["FlowSchema", "PriorityLevelConfiguration"], "1.29",
            "flowcontrol.apiserver.k8s.io/v1"
        ),
        (
            ["flowcontrol.apiserver.k8s.io/v1beta3"], ["FlowSchema", "PriorityLevelConfiguration"], "1.32",
            "flowcontrol.apiserver.k8s.io/v1"
        ),
    ]

    init?(of kind: GroupVersionKind) {
        let found = Self.releases.first { $0.versions.contains(kind.apiVersion) && $0.kinds.contains(kind.kind) }
        guard let found else { return nil }
        release = found.release
        replacement = found.replacement
    }
}

extension Rule {
    static let versions = [
        Rule(
            "removed-api", .error, "Kubernetes no longer serves this version of the kind.",
            "A cluster of that release or a later one refuses the object. Where the object is valid as it is in the "
                + "replacement, --fix writes that."
        ) { subject in
            subject.objects.compactMap { object in
                RemovedVersion(of: object.kind).map { removed in
                    let kind = object.kind
                    let fact = "\(kind.kind) of \(kind.apiVersion) is not served since Kubernetes \(removed.release)"
                    guard let replacement = removed.replacement else {
                        return Hit(object, "apiVersion", "\(fact), and nothing takes its place: remove the object")
                    }
                    var moved = object.written
                    moved.json["apiVersion"] = .string(replacement)
                    // Other shapes, or fields that must now be said, are for a person.
                    let isMechanical = subject.offline.faults(moved).isEmpty && !hasOtherMeaning(moved)
                    return Hit(
                        object, "apiVersion", "\(fact): write \(replacement)",
                        fix: isMechanical ? .replaceValue(field: "apiVersion", with: replacement) : nil)
                }
            }
        },
        Rule(
            "deprecated-api", .note, "Kubernetes advises against this kind.",
            "It is served still, but should not be used in what is new."
        ) { subject in
            subject.objects.compactMap { object in
                let advice: String? =
                    switch object.kind.groupKind {
                    case GroupKind(group: "", kind: "Endpoints"):
                        "Endpoints are deprecated since Kubernetes 1.33: write an EndpointSlice of discovery.k8s.io/v1"
                    case GroupKind(group: "", kind: "ComponentStatus"):
                        "ComponentStatus is deprecated since Kubernetes 1.19: remove it"
                    default: nil
                    }
                return advice.map { Hit(object, "kind", $0) }
            }
        },
    ]

    /// In policy/v1 an empty selector means all pods; before, it meant none.
    private static func hasOtherMeaning(_ object: Object) -> Bool {
        object.kind.groupKind == .budget
            && (object.json[path: ["spec", "selector"]]?.object ?? JSONObject()).isEmpty
    }
}
