/// What requests are counted by, as `kube-apiserver` names it (`k8s.io/apiserver/pkg/endpoints/metrics`).
struct RequestLabels: Hashable, Sendable {
    /// `LIST`, `APPLY`; `other` for what is no verb of the API.
    var verb: String
    var group = ""
    var version = ""
    /// The plural name; empty for what is no resource.
    var resource = ""
    /// Of a path that is no resource, the path.
    var subresource = ""
    /// `cluster`, `namespace` or `resource`: how much a request is about; empty for what is no resource.
    var scope = ""
    var isDryRun = false

    /// - Parameter isApply: whether a patch is a server-side apply.
    init(_ attributes: RequestAttributes, isApply: Bool, isDryRun: Bool) {
        switch attributes {
        case .path(let verb, let path):
            self.verb = Self.verbs[verb] ?? "other"
            let first = "/" + (path.split(separator: "/").first.map(String.init) ?? "")
            subresource = Self.paths.contains(first) ? first : ""
        case .resource(let verb, let resource):
            self.verb = isApply && verb == "patch" ? "APPLY" : Self.verbs[verb] ?? "other"
            (group, version) = (resource.group, resource.version)
            (self.resource, subresource) = (resource.resource, resource.subresource)
            let isOne = !resource.name.isEmpty || verb == "create"
            scope = isOne ? "resource" : resource.namespace.isEmpty ? "cluster" : "namespace"
            self.isDryRun = isDryRun
        }
    }

    private init(verb: String) {
        self.verb = verb
    }

    /// The same of a request that named nothing which is served, or came from somebody who may not know: what anybody
    /// makes up is not counted apart.
    var withoutNames: RequestLabels { RequestLabels(verb: verb) }

    /// Of all that there is no more room for.
    static let others = RequestLabels(verb: "other")

    var isMutating: Bool { !["GET", "LIST", "WATCH"].contains(verb) }

    private static let verbs = [
        "get": "GET", "head": "GET", "list": "LIST", "watch": "WATCH", "create": "POST", "post": "POST",
        "update": "PUT",
        "put": "PUT", "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETECOLLECTION",
    ]
    private static let paths: Set<String> = [
        "/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi", "/readyz", "/version",
    ]

    /// In the order of their names, without those that the metric adds.
    var all: [(name: String, value: String)] {
        [
            ("component", "apiserver"), ("dry_run", isDryRun ? "All" : ""), ("group", group), ("resource", resource),
            ("scope", scope), ("subresource", subresource), ("verb", verb), ("version", version),
        ]
    }
}
