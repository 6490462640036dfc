import Model

/// Group, version and kind of an object, or a pattern of them in which an empty text stands for any.
struct ResourceKind: Hashable, Sendable {
    var group = ""
    var version = ""
    var kind = ""

    var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    init(group: String = "", version: String = "", kind: String = "") {
        self.group = group
        self.version = version
        self.kind = kind
    }

    init(apiVersion: String, kind: String) {
        if let slash = apiVersion.utf8.firstIndex(of: UInt8(ascii: "/")) {
            group = String(apiVersion[..<slash])
            version = String(apiVersion[apiVersion.utf8.index(after: slash)...])
        } else {
            version = apiVersion
        }
        self.kind = kind
    }

    func isSelected(by pattern: ResourceKind) -> Bool {
        (pattern.group.isEmpty || pattern.group == group) && (pattern.version.isEmpty || pattern.version == version)
            && (pattern.kind.isEmpty || pattern.kind == kind)
    }

    /// Whether it is one of the built-in kinds that have no namespace; what a build knows besides is in `KindScopes`.
    var isClusterScoped: Bool { Self.clusterScoped.contains(self) }

    private static let clusterScoped: Set<ResourceKind> = {
        let table = [
            "admissionregistration.k8s.io/v1": "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
            "admissionregistration.k8s.io/v1beta1": "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
            "apiextensions.k8s.io/v1": "CustomResourceDefinition",
            "apiextensions.k8s.io/v1beta1": "CustomResourceDefinition",
            "apiregistration.k8s.io/v1": "APIService",
            "apiregistration.k8s.io/v1beta1": "APIService",
            "certificates.k8s.io/v1": "CertificateSigningRequest",
            "certificates.k8s.io/v1beta1": "CertificateSigningRequest",
            "flowcontrol.apiserver.k8s.io/v1beta1": "FlowSchema PriorityLevelConfiguration",
            "networking.k8s.io/v1": "IngressClass",
            "networking.k8s.io/v1beta1": "IngressClass",
            "node.k8s.io/v1": "RuntimeClass",
            "node.k8s.io/v1beta1": "RuntimeClass",
            "policy/v1beta1": "PodSecurityPolicy",
            "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding",
            "rbac.authorization.k8s.io/v1beta1": "ClusterRole ClusterRoleBinding",
            "scheduling.k8s.io/v1": "PriorityClass",
            "scheduling.k8s.io/v1beta1": "PriorityClass",
            "storage.k8s.io/v1": "CSIDriver CSINode StorageClass VolumeAttachment",
            "storage.k8s.io/v1beta1": "CSIDriver CSINode StorageClass VolumeAttachment",
            "v1": "ComponentStatus Namespace Node NodeProxyOptions PersistentVolume",
        ]
        return Set(
            table.flatMap { version, kinds in
                kinds.split(at: " ").map { ResourceKind(apiVersion: version, kind: String($0)) }
            })
    }()
}

/// What tells resources of one build apart.
struct ResourceID: Hashable, Sendable, CustomStringConvertible {
    /// The namespace of objects that have none, so that they differ from those in the namespace `default`.
    static let noNamespace = "_non_namespaceable_"

    var kind: ResourceKind
    var name: String
    /// `default` where none is written, `noNamespace` for cluster-scoped kinds.
    var namespace: String

    /// - Parameter namespace: as it is written; empty where it is not.
    init(kind: ResourceKind, name: String, namespace: String, _ scopes: KindScopes) {
        self.kind = kind
        self.name = name
        self.namespace = scopes.isClusterScoped(kind) ? Self.noNamespace : namespace.isEmpty ? "default" : namespace
    }

    /// - Parameter effectiveNamespace: as it was recorded when the resource was renamed.
    init(kind: ResourceKind, name: String, effectiveNamespace: String) {
        self.kind = kind
        self.name = name
        namespace = effectiveNamespace.isEmpty ? "default" : effectiveNamespace
    }

    /// By bytes, as Kustomize does: `é` in one code point and in two are two names.
    static func == (left: Self, right: Self) -> Bool {
        left.kind == right.kind && left.name.hasSameBytes(as: right.name)
            && left.namespace.hasSameBytes(as: right.namespace)
    }

    var isClusterScoped: Bool { namespace == Self.noNamespace }

    var description: String {
        let place = isClusterScoped ? "" : " in namespace \(namespace)"
        return "\(kind.apiVersion.isEmpty ? "" : kind.apiVersion + " ")\(kind.kind) \(name)\(place)"
    }
}
