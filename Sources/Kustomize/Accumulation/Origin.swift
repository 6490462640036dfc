import Model

/// Where a resource comes from, or what changed it, as `buildMetadata` shows it.
struct Origin: Hashable, Sendable {
    var path = ""
    var repository = ""
    var reference = ""
    var configuredIn = ""
    /// `apiVersion`, `kind`, `name`, `namespace` of a generator or transformer.
    var configuredBy: [String] = []

    static let annotation = "config.kubernetes.io/origin"
    static let transformationsAnnotation = "alpha.config.kubernetes.io/transformations"

    var json: JSON {
        var result = JSON.emptyObject
        for (name, value) in [
            ("path", path), ("repo", repository), ("ref", reference), ("configuredIn", configuredIn),
        ] where !value.isEmpty {
            result[name] = .string(value)
        }
        var by = JSON.emptyObject
        for (name, value) in zip(["apiVersion", "kind", "name", "namespace"], configuredBy) where !value.isEmpty {
            by[name] = .string(value)
        }
        if by != .emptyObject { result["configuredBy"] = by }
        return result
    }

    /// Where something is that a file of this origin names.
    func appending(_ other: String) -> Origin {
        var result = self
        if let remote = RemoteBase(other) {
            result.repository = remote.repository
            result.reference = remote.reference
            result.path = remote.path
            return result
        }
        var components: [Substring] = []
        for component in (path.split(separator: "/") + other.split(separator: "/")) where component != "." {
            if component == "..", let last = components.last, last != ".." {
                components.removeLast()
            } else {
                components.append(component)
            }
        }
        result.path = components.joined(separator: "/")
        return result
    }

    /// The origin of what a built-in generator or transformer of the kustomization in `file` does.
    func builtIn(_ kind: String, in file: String) -> Origin {
        var result = Origin(repository: repository, reference: reference)
        result.configuredIn = appending(file).path
        result.configuredBy = ["builtin", kind]
        return result
    }

    /// The origin of what a generator or transformer given as a file does; this is that file's.
    func plugin(_ resource: Resource) -> Origin {
        var result = Origin(repository: repository, reference: reference, configuredIn: path)
        result.configuredBy = [
            resource.kind.apiVersion, resource.kind.kind, resource.name, resource.namespace,
        ]
        return result
    }
}
