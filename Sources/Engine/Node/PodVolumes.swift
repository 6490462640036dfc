internal import Kinds
internal import Model

/// The volumes of a pod as files (pure): what `PodRuntime.provide` makes present.
enum PodVolumes {
    /// - Throws: what `FailedMount` says: for which volume an object or key is missing, or the source is not supported.
    static func contents(of pod: Pod, _ context: PodContext) throws(ConfigurationFault) -> [VolumeContents] {
        var contents: [VolumeContents] = []
        for volume in APIAccess.volumes(of: pod) {
            do throws(ConfigurationFault) {
                contents.append(
                    VolumeContents(
                        name: volume.name, source: try source(of: volume, pod, context),
                        group: pod.spec.securityContext?.fsGroup))
            } catch {
                throw ConfigurationFault(failure(of: volume.name, error.message))
            }
        }
        return contents
    }

    /// The text behind `MountVolume.SetUp failed`, as Kubernetes words it.
    static func failure(of volume: String, _ reason: String) -> String { "for volume \(quoted(volume)) : \(reason)" }

    private static func source(
        of volume: Volume, _ pod: Pod, _ context: PodContext
    ) throws(ConfigurationFault) -> VolumeContents.Source {
        if volume.emptyDir != nil { return .emptyDirectory }
        if let host = volume.hostPath { return .hostPath(host.path, type: host.type ?? "") }
        if let source = volume.configMap {
            let mode = source.defaultMode ?? 0o644
            return .files(
                try configMap(source.name ?? "", source.items, source.optional == true, mode, pod, context))
        }
        if let source = volume.secret {
            let mode = source.defaultMode ?? 0o644
            return .files(
                try secret(source.secretName ?? "", source.items, source.optional == true, mode, pod, context))
        }
        if let source = volume.downwardAPI {
            return .files(try downward(source.items, source.defaultMode ?? 0o644, pod, context))
        }
        if let source = volume.projected { return .files(try projected(source, pod, context)) }
        let kind = volume.json.object?.map(\.key).first { $0 != "name" } ?? "none"
        throw ConfigurationFault(
            "source \(kind) is not supported; use emptyDir, configMap, secret, downwardAPI, projected or hostPath")
    }

    private static func projected(
        _ source: ProjectedVolumeSource, _ pod: Pod, _ context: PodContext
    ) throws(ConfigurationFault) -> [VolumeContents.File] {
        let mode = source.defaultMode ?? 0o644
        var files: [String: VolumeContents.File] = [:]
        for projection in source.sources {
            let found: [VolumeContents.File]
            if let map = projection.configMap {
                found = try configMap(map.name ?? "", map.items, map.optional == true, mode, pod, context)
            } else if let part = projection.secret {
                found = try secret(part.name ?? "", part.items, part.optional == true, mode, pod, context)
            } else if let part = projection.downwardAPI {
                found = try downward(part.items, mode, pod, context)
            } else if let part = projection.serviceAccountToken {
                found = [try token(part, mode, pod, context)]
            } else {
                let kind = projection.json.object?.map(\.key).first ?? "none"
                throw ConfigurationFault(
                    "projected source \(kind) is not supported; use configMap, secret, downwardAPI or "
                        + "serviceAccountToken")
            }
            for file in found { files[file.path] = file }
        }
        return files.values.sorted { $0.path < $1.path }
    }

    /// A token is for its user's eyes alone where the pod says who that is (J4).
    private static func token(
        _ source: ServiceAccountTokenProjection, _ mode: Int, _ pod: Pod, _ context: PodContext
    ) throws(ConfigurationFault) -> VolumeContents.File {
        let secret: String
        switch context.tokens[ProjectedToken(source)] {
        case .secret(let found): secret = found
        case .fault(let message): throw ConfigurationFault(message)
        case nil: throw ConfigurationFault("there is no token yet")
        }
        let owner = soleUser(of: pod)
        let isPrivate = owner != nil || pod.spec.securityContext?.fsGroup != nil
        var file = VolumeContents.File(
            path: try checked(source.path), bytes: Array(secret.utf8), mode: isPrivate ? 0o600 : mode)
        file.owner = owner
        return file
    }

    /// The user as whom all containers of a pod run, where they say one and the same.
    static func soleUser(of pod: Pod) -> Int? {
        let common = pod.spec.securityContext?.runAsUser
        let users = (pod.spec.initContainers + pod.spec.containers).map { $0.securityContext?.runAsUser ?? common }
        guard let first = users.first, users.allSatisfy({ $0 == first }) else { return nil }
        return first
    }

    private static func configMap(
        _ name: String, _ items: [KeyToPath], _ optional: Bool, _ mode: Int, _ pod: Pod, _ context: PodContext
    ) throws(ConfigurationFault) -> [VolumeContents.File] {
        guard let map = context.configMaps[name] else {
            if optional { return [] }
            throw ConfigurationFault("configmap \(quoted(name)) not found")
        }
        var values = map.data.mapValues { Array($0.utf8) }
        for (key, value) in map.binaryData { values[key] = Base64.decode(value) ?? [] }
        return try files(values, items, optional, mode, "configmap", "\(pod.metadata.namespace)/\(name)")
    }

    private static func secret(
        _ name: String, _ items: [KeyToPath], _ optional: Bool, _ mode: Int, _ pod: Pod, _ context: PodContext
    ) throws(ConfigurationFault) -> [VolumeContents.File] {
        guard let secret = context.secrets[name] else {
            if optional { return [] }
            throw ConfigurationFault("secret \(quoted(name)) not found")
        }
        let values = secret.data.mapValues { Base64.decode($0) ?? [] }
        return try files(values, items, optional, mode, "secret", "\(pod.metadata.namespace)/\(name)")
    }

    private static func files(
        _ values: [String: [UInt8]], _ items: [KeyToPath], _ optional: Bool, _ mode: Int, _ kind: String,
        _ name: String
    ) throws(ConfigurationFault) -> [VolumeContents.File] {
        if items.isEmpty {
            return values.sorted { $0.key < $1.key }.map { .init(path: $0.key, bytes: $0.value, mode: mode) }
        }
        var files: [VolumeContents.File] = []
        for item in items {
            guard let bytes = values[item.key] else {
                if optional { continue }
                throw ConfigurationFault("references non-existent \(kind) key: \(item.key) in \(name)")
            }
            files.append(.init(path: try checked(item.path), bytes: bytes, mode: item.mode ?? mode))
        }
        return files
    }

    private static func downward(
        _ items: [DownwardAPIVolumeFile], _ mode: Int, _ pod: Pod, _ context: PodContext
    ) throws(ConfigurationFault) -> [VolumeContents.File] {
        var files: [VolumeContents.File] = []
        for item in items {
            let value: String
            if let field = item.fieldRef {
                value = try DownwardAPI.value(ofField: field.fieldPath, in: pod, context)
            } else if let resource = item.resourceFieldRef {
                value = try DownwardAPI.value(ofResource: resource, for: nil, in: pod, context)
            } else {
                throw ConfigurationFault("downwardAPI item \(quoted(item.path)) needs fieldRef or resourceFieldRef")
            }
            files.append(.init(path: try checked(item.path), bytes: Array(value.utf8), mode: item.mode ?? mode))
        }
        return files
    }

    /// A path that stays within its volume.
    static func checked(_ path: String) throws(ConfigurationFault) -> String {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        if path.isEmpty || path.hasPrefix("/") || parts.contains("..") || path.hasPrefix("..") {
            throw ConfigurationFault("path \(quoted(path)) must be relative and must not contain \"..\"")
        }
        return path
    }

    /// The names of ConfigMaps and Secrets that a pod's volumes show, of which a change must reach the pod's files.
    static func references(of pod: Pod) -> (configMaps: Set<String>, secrets: Set<String>) {
        var configMaps: Set<String> = []
        var secrets: Set<String> = []
        for volume in APIAccess.volumes(of: pod) {
            if let name = volume.configMap?.name { configMaps.insert(name) }
            if let name = volume.secret?.secretName { secrets.insert(name) }
            for source in volume.projected?.sources ?? [] {
                if let name = source.configMap?.name { configMaps.insert(name) }
                if let name = source.secret?.name { secrets.insert(name) }
            }
        }
        return (configMaps, secrets)
    }
}
