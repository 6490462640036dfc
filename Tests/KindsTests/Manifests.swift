import Kinds
import Model
import Testing

/// Objects that are valid, small, and changed one field at a time by the tables of the tests.
enum Manifests {
    static let deployment = text(
        """
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
         "spec": {"selector": {"matchLabels": {"app": "web"}},
                  "template": {"metadata": {"labels": {"app": "web"}},
                               "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}}
        """)
    static let replicaSet = deployment.setting(".kind", "ReplicaSet")
    static let pod = text(
        """
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "default"},
         "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}],
                                  "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                                  "readinessProbe": {"httpGet": {"port": 80}}}],
                  "volumes": [{"name": "data", "emptyDir": {}}]}}
        """)
    static let service = text(
        """
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
         "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
        """)
    static let configMap = text(
        """
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "default"},
         "data": {"a.conf": "x"}}
        """)
    static let secret = text(
        """
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": "default"},
         "data": {"key": "eA=="}}
        """)
    static let namespace = text(#"{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}"#)
    static let node = text(
        #"{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "one"}, "status": {"capacity": {"cpu": 4}}}"#)
    static let endpoints = text(
        """
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web", "namespace": "default"},
         "subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]}
        """)
    static let endpointSlice = text(
        """
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
         "metadata": {"name": "web-1", "namespace": "default"}, "addressType": "IPv4",
         "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"port": 80}]}
        """)
    static let lease = text(
        """
        {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "one", "namespace": "default"},
         "spec": {"holderIdentity": "one", "leaseDurationSeconds": 40}}
        """)
    static let event = text(
        """
        {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "web.1", "namespace": "default"},
         "involvedObject": {"kind": "Pod", "name": "web", "namespace": "default"}, "reason": "Started"}
        """)
    static let application = text(
        """
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
         "metadata": {"name": "shop", "namespace": "martlet"},
         "spec": {"source": {"repoURL": "https://git.example.com/shop", "path": "deploy", "targetRevision": "main"},
                  "destination": {"namespace": "shop"}, "syncPolicy": {"automated": {"prune": true}}}}
        """)

    static let all =
        workloads + [
            deployment, replicaSet, pod, service, configMap, secret, namespace, node, endpoints, endpointSlice, lease,
            event, application,
        ]

    /// A JSON text that the test itself wrote.
    static func text(_ text: String) -> JSON {
        do {
            return try JSON(decoding: text)
        } catch {
            preconditionFailure("\(error) in \(text)")
        }
    }
}

extension JSON {
    /// This value with the field at `path` (`.spec.containers.0.name`) set; `nil` removes it.
    func setting(_ path: String, _ value: JSON?) -> JSON {
        setting(path.split(separator: ".").map(String.init)[...], value)
    }

    private func setting(_ path: ArraySlice<String>, _ value: JSON?) -> JSON {
        guard let step = path.first else { return value ?? .null }
        let rest = path.dropFirst()
        if let index = Int(step), case .array(var elements) = self {
            if index == elements.count { elements.append(.emptyObject) }
            elements[index] = elements[index].setting(rest, value)
            return .array(elements)
        }
        var copy = self
        copy[step] = rest.isEmpty ? value : (copy[step] ?? .emptyObject).setting(rest, value)
        return copy
    }

    func value(at path: String) -> JSON? {
        path.split(separator: ".").reduce(Optional(self)) { value, step in
            Int(step).flatMap { value?[$0] } ?? value?[String(step)]
        }
    }

    var strategy: KindStrategy {
        get throws {
            let kind = GroupVersionKind(apiVersion: self["apiVersion"]?.string ?? "", kind: self["kind"]?.string ?? "")
            return try #require(Catalog.builtIn.strategy(for: kind.groupKind))
        }
    }

    /// The messages with which this object is refused when it is created.
    var createErrors: [String] {
        get throws {
            let strategy = try strategy
            return strategy.validateCreate(strategy.prepareForCreate(strategy.defaulted(self))).map(\.message)
        }
    }

    /// The messages with which an update of this object to `changed` is refused.
    func updateErrors(to changed: JSON, subresource: String? = nil) throws -> [String] {
        let strategy = try strategy
        let old = strategy.prepareForCreate(strategy.defaulted(self)).setting(".metadata.resourceVersion", "1")
        let new = strategy.prepareForUpdate(
            strategy.defaulted(changed).setting(".metadata.resourceVersion", "1"), from: old, subresource: subresource)
        return strategy.validateUpdate(new, from: old, subresource: subresource).map(\.message)
    }
}

/// One change of a manifest and the messages that it must lead to.
struct Change: Sendable, CustomTestStringConvertible {
    var rule: String
    var path: String
    var value: JSON?
    var messages: [String]

    /// - Parameter value: JSON text; `nil` removes the field.
    init(_ rule: String, _ path: String, _ value: String?, _ messages: String...) {
        self.rule = rule
        self.path = path
        self.value = value.map(Manifests.text)
        self.messages = messages
    }

    var testDescription: String { "\(rule) \(path) = \(value?.text() ?? "removed")" }
}
