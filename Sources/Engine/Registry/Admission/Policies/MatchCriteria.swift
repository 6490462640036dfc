import Kinds
import Model

/// Which requests a policy or a binding is about (`MatchResources`).
struct MatchCriteria: Sendable {
    private let namespaceSelector: Selector
    private let objectSelector: Selector
    private let rules: [Rule]
    private let excluded: [Rule]
    /// Whether rules choose the same objects by their other groups and versions, too.
    private let isEquivalent: Bool

    init(_ json: JSON) {
        func selector(_ name: String) -> Selector { Selector(matching: LabelSelector(viewing: json[name] ?? [:])) }
        func rules(_ name: String) -> [Rule] { (json[name]?.array ?? []).map(Rule.init) }
        namespaceSelector = selector("namespaceSelector")
        objectSelector = selector("objectSelector")
        self.rules = rules("resourceRules")
        excluded = rules("excludeResourceRules")
        isEquivalent = json["matchPolicy"] == "Equivalent"
    }

    /// As what the request is chosen; `nil` when it is not.
    ///
    /// - Throws: a fault when that cannot be told, since the namespace is not there.
    func match(_ request: AdmissionRequest, in world: PolicyWorld) throws(PolicyFault) -> PolicyMatch? {
        guard matchesObject(request) else { return nil }
        var missing: PolicyFault?
        do throws(PolicyFault) {
            guard try matchesNamespace(of: request, in: world) else { return nil }
        } catch {
            // It is no fault of a policy that would not have been about the request.
            missing = error
        }
        if matches(excluded, request, in: world) != nil { return nil }
        let whole = PolicyMatch(resource: request.resource, kind: request.kind)
        guard let found = rules.isEmpty ? whole : matches(rules, request, in: world) else { return nil }
        if let missing { throw missing }
        return found
    }

    private func matchesObject(_ request: AdmissionRequest) -> Bool {
        if objectSelector.isEmpty { return true }
        return [request.object, request.oldObject].contains { object in
            object.map { objectSelector.matches($0[path: ["metadata", "labels"]]) } ?? false
        }
    }

    private func matchesNamespace(of request: AdmissionRequest, in world: PolicyWorld) throws(PolicyFault) -> Bool {
        if request.namespace.isEmpty, !request.isNamespace { return true }
        if namespaceSelector.isEmpty { return true }
        if request.isNamespace, request.subresource.isEmpty, let object = request.object {
            return namespaceSelector.matches(object[path: ["metadata", "labels"]])
        }
        let namespace = try world.presentNamespace(request.namespace)
        return namespaceSelector.matches(namespace[path: ["metadata", "labels"]])
    }

    private func matches(_ rules: [Rule], _ request: AdmissionRequest, in world: PolicyWorld) -> PolicyMatch? {
        let own = PolicyMatch(resource: request.resource, kind: request.kind)
        if rules.contains(where: { $0.matches(request, as: own.resource) }) { return own }
        guard isEquivalent, !rules.isEmpty else { return nil }
        let others = world.equivalents(request).filter { $0.resource != own.resource }
        for rule in rules {
            if let found = others.first(where: { rule.matches(request, as: $0.resource) }) { return found }
        }
        return nil
    }

    /// `NamedRuleWithOperations`.
    private struct Rule: Sendable {
        let operations: [String]
        let groups: [String]
        let versions: [String]
        let resources: [(plural: String, subresource: String)]
        let names: [String]
        let scope: String

        init(_ json: JSON) {
            func texts(_ name: String) -> [String] { (json[name]?.array ?? []).compactMap(\.string) }
            operations = texts("operations")
            groups = texts("apiGroups")
            versions = texts("apiVersions")
            names = texts("resourceNames")
            scope = json["scope"]?.string ?? "*"
            resources = texts("resources").map { text in
                let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(parts[0]), parts.count == 2 ? String(parts[1]) : "")
            }
        }

        func matches(_ request: AdmissionRequest, as resource: ResourceVersion) -> Bool {
            func holds(_ list: [String], _ value: String) -> Bool { list.contains(value) || list.contains("*") }
            return matchesScope(request) && holds(operations, request.operation.rawValue)
                && holds(groups, resource.group) && holds(versions, resource.version)
                && resources.contains { rule in
                    (rule.plural == "*" || rule.plural == resource.plural)
                        && (rule.subresource == "*" || rule.subresource == request.subresource)
                }
                && (names.isEmpty || names.contains(request.name))
        }

        private func matchesScope(_ request: AdmissionRequest) -> Bool {
            let hasNamespace = !request.isNamespace && !request.namespace.isEmpty
            return switch scope {
            case "Namespaced": hasNamespace
            case "Cluster": !hasNamespace
            default: true
            }
        }
    }
}

/// Why a policy cannot be applied to a request.
struct PolicyFault: Error {
    var message: String
}
