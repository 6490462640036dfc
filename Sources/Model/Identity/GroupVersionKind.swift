/// An API group and the name of a kind in it, whatever the version: `apps/Deployment`, or `/Pod` for the core group.
package struct GroupKind: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var group: String
    package var kind: String

    package init(group: String, kind: String) {
        self.group = group
        self.kind = kind
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.group, left.kind) < (right.group, right.kind)
    }

    /// `Deployment.apps`, or just `Pod` for the core group: the form Kubernetes uses in messages.
    package var description: String { group.isEmpty ? kind : "\(kind).\(group)" }
}

/// A kind in one version of its API group.
package struct GroupVersionKind: Hashable, Sendable, CustomStringConvertible {
    package var group: String
    package var version: String
    package var kind: String

    package init(group: String, version: String, kind: String) {
        self.group = group
        self.version = version
        self.kind = kind
    }

    /// From an object's `apiVersion` and `kind` members: `apps/v1`, or `v1` for the core group.
    package init(apiVersion: String, kind: String) {
        // By bytes: it is asked of every object that passes by.
        if let slash = apiVersion.utf8.firstIndex(of: UInt8(ascii: "/")) {
            let version = apiVersion[apiVersion.utf8.index(after: slash)...]
            self.init(group: String(apiVersion[..<slash]), version: String(version), kind: kind)
        } else {
            self.init(group: "", version: apiVersion, kind: kind)
        }
    }

    /// The `apiVersion` member of objects of this kind.
    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
    package var groupKind: GroupKind { GroupKind(group: group, kind: kind) }
    package var description: String { "\(apiVersion), Kind=\(kind)" }
}

/// What identifies one object: its kind, namespace (empty for cluster-scoped kinds) and name.
package struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var kind: GroupKind
    package var namespace: String
    package var name: String

    package init(kind: GroupKind, namespace: String = "", name: String) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
    }

    /// Of the kind its length alone: objects of several kinds that share a name are few, and keys are hashed all the
    /// time.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(namespace)
        hasher.combine(kind.kind.utf8.count)
    }

    /// Names and kinds are told apart by their bytes: roles, and kinds that references name, need not be ASCII, and `é`
    /// in one code point and in two are two names.
    package static func == (left: Self, right: Self) -> Bool {
        left.name.hasSameBytes(as: right.name) && left.namespace == right.namespace
            && left.kind.kind.hasSameBytes(as: right.kind.kind) && left.kind.group == right.kind.group
    }

    package static func < (left: Self, right: Self) -> Bool {
        if left.kind.group != right.kind.group { return left.kind.group < right.kind.group }
        let order = left.kind.kind.byteOrder(to: right.kind.kind)
        if order != 0 { return order < 0 }
        if left.namespace != right.namespace { return left.namespace < right.namespace }
        return left.name.byteOrder(to: right.name) < 0
    }

    /// `Deployment.apps default/web`, or `Namespace default` for what has no namespace.
    package var description: String {
        namespace.isEmpty ? "\(kind) \(name)" : "\(kind) \(namespace)/\(name)"
    }
}
