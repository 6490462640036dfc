package import Kinds
package import Model

/// Compares what is live with what applying a manifest would make of it (a server-side dry run), leaving aside what no
/// manifest decides.
package enum Difference {
    /// Whether an apply that answered `applied` changed anything that counts.
    package static func exists(
        live: Object, applied: Object, ignoring rules: [ResourceIgnoreDifferences]
    ) -> Bool {
        normalized(live, rules, owners: live) != normalized(applied, rules, owners: live)
    }

    /// The tree without server-side bookkeeping, status and ignored fields.
    ///
    /// - Parameter owners: the object whose `managedFields` say who owns what, for `managedFieldsManagers`.
    package static func normalized(
        _ object: Object, _ rules: [ResourceIgnoreDifferences], owners: Object? = nil
    ) -> JSON {
        var tree = object.json
        tree["status"] = nil
        for member in ["managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink"] {
            tree[path: ["metadata", member]] = nil
        }
        tree[path: ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]] = nil
        for name in ["deployment.kubernetes.io/revision"] { tree[path: ["metadata", "annotations", name]] = nil }
        if tree[path: ["metadata", "annotations"]] == .emptyObject { tree[path: ["metadata", "annotations"]] = nil }
        for rule in rules where matches(rule, object.key) {
            for pointer in rule.jsonPointers { remove(pointer, from: &tree) }
            for manager in rule.managedFieldsManagers {
                for path in ownedPaths(of: manager, in: owners ?? object) { tree[path: path] = nil }
            }
        }
        return tree
    }

    private static func matches(_ rule: ResourceIgnoreDifferences, _ key: ObjectKey) -> Bool {
        (rule.kind == "*" || rule.kind == key.kind.kind)
            && (rule.group == nil || rule.group == "*" || rule.group == key.kind.group)
            && (rule.name ?? "").isEmptyOr(key.name) && (rule.namespace ?? "").isEmptyOr(key.namespace)
    }

    /// Removes what an RFC 6901 pointer names; array elements by index.
    private static func remove(_ pointer: String, from tree: inout JSON) {
        let steps = pointer.split(separator: "/").map { unescaped(String($0)) }
        tree = removing(steps[...], from: tree)
    }

    private static func unescaped(_ token: String) -> String {
        token.split(separator: "~1", omittingEmptySubsequences: false)
            .map { $0.split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~") }
            .joined(separator: "/")
    }

    private static func removing(_ path: ArraySlice<String>, from tree: JSON) -> JSON {
        guard let first = path.first else { return tree }
        let rest = path.dropFirst()
        if var elements = tree.array {
            guard let index = Int(first), elements.indices.contains(index) else { return tree }
            if rest.isEmpty {
                elements.remove(at: index)
            } else {
                elements[index] = removing(rest, from: elements[index])
            }
            return .array(elements)
        }
        guard let child = tree[first] else { return tree }
        var tree = tree
        tree[first] = rest.isEmpty ? nil : removing(rest, from: child)
        return tree
    }

    /// The member paths (list items left out) that a manager owns according to `managedFields`.
    private static func ownedPaths(of manager: String, in object: Object) -> [[String]] {
        var paths: [[String]] = []
        for entry in object.metadata.managedFields where entry.manager == manager {
            collect(entry.fieldsV1 ?? [:], [], &paths)
        }
        return paths
    }

    private static func collect(_ fields: JSON, _ path: [String], _ paths: inout [[String]]) {
        for member in fields.object ?? JSONObject() where member.key.hasPrefix("f:") {
            let here = path + [String(member.key.dropFirst(2))]
            if member.value == .emptyObject { paths.append(here) } else { collect(member.value, here, &paths) }
        }
    }
}

extension String {
    fileprivate func isEmptyOr(_ value: String) -> Bool { isEmpty || self == value }
}
