package import Kinds
internal import Model

/// From a container's spec to what a runtime starts, or why that cannot be (pure).
package enum ContainerConfiguration {
    /// - Parameters:
    ///   - entrypoint: the command of the container's image; not used when the container has its own.
    ///   - volumePath: where a volume that is no hostPath lies.
    package static func launch(
        _ container: Container, attempt: Int, of pod: Pod, context: PodContext, entrypoint: [String],
        abilities: RuntimeAbilities, volumePath: (String) -> String
    ) throws(ConfigurationFault) -> ContainerLaunch {
        if let fault = unsupported(container, in: pod, abilities) { throw ConfigurationFault(fault) }
        let variables = try EnvironmentVariables.of(container, in: pod, context: context)
        let values = Dictionary(variables.map { ($0.name, $0.value) }) { _, last in last }
        let expand = { (text: String) in EnvironmentVariables.expand(text) { values[$0] } }
        // I10: command replaces the image's entrypoint, args follow either.
        let command = container.command.isEmpty ? entrypoint : container.command.map(expand)
        var launch = ContainerLaunch(
            id: ContainerID(container.name, attempt: attempt), arguments: command + container.args.map(expand),
            environment: variables.map { "\($0.name)=\($0.value)" })
        if let directory = container.workingDir, !directory.isEmpty { launch.workingDirectory = directory }
        let own = container.securityContext
        let common = pod.spec.securityContext
        launch.user = own?.runAsUser ?? common?.runAsUser
        launch.group = own?.runAsGroup ?? common?.runAsGroup ?? launch.user.map { _ in 0 }
        launch.supplementalGroups = (common?.supplementalGroups ?? []) + (common?.fsGroup.map { [$0] } ?? [])
        launch.hasStrictGroups = common?.supplementalGroupsPolicy == "Strict"
        launch.noNewPrivileges = own?.allowPrivilegeEscalation == false
        let hasAccess = APIAccess.isAskedFor(pod)
        launch.mounts = try mounts(
            container, pod, expand: expand, withAccess: hasAccess && abilities.mounts, volumePath)
        if hasAccess, let mount = container.volumeMounts.first(where: APIAccess.isAdded),
            values[APIAccess.variable] == nil
        {
            let place = abilities.mounts ? APIAccess.mountPath : volumePath(mount.name)
            launch.environment.append("\(APIAccess.variable)=\(place)")
        }
        launch.terminationMessagePath = mountedTerminationPath(container, runsAsOther: launch.user ?? 0 != 0, abilities)
        return launch
    }

    /// Where the termination message's file is mounted, if it is (I17, docs/decisions/006).
    ///
    /// Not at the default place, which would cost every container a mount namespace and a /dev of its own: there it is
    /// found by `MARTLET_TERMINATION_LOG` alone. But another user cannot come to the file itself.
    private static func mountedTerminationPath(
        _ container: Container, runsAsOther: Bool, _ abilities: RuntimeAbilities
    ) -> String? {
        guard abilities.mounts, let path = container.terminationMessagePath, !path.isEmpty else { return nil }
        return path == defaultTerminationPath && !runsAsOther ? nil : normalized(path)
    }

    private static let defaultTerminationPath = "/dev/termination-log"

    private static func mounts(
        _ container: Container, _ pod: Pod, expand: (String) -> String, withAccess: Bool,
        _ volumePath: (String) -> String
    ) throws(ConfigurationFault) -> [ContainerLaunch.Mount] {
        var mounts: [ContainerLaunch.Mount] = []
        for mount in container.volumeMounts where withAccess || !APIAccess.isAdded(mount) {
            guard let volume = pod.spec.volumes.first(where: { $0.name == mount.name }) else {
                throw ConfigurationFault("volumeMount \(quoted(mount.name)) names no volume of the pod")
            }
            var source = volume.hostPath?.path ?? volumePath(volume.name)
            if let path = mount.subPathExpr.map(expand) ?? mount.subPath, !path.isEmpty {
                source += "/" + (try PodVolumes.checked(path))
            }
            // Projected files are replaced as a whole: a container that writes among them would lose its writes.
            let projected = volume.emptyDir == nil && volume.hostPath == nil
            mounts.append(
                .init(
                    source: source, target: normalized(mount.mountPath), readOnly: projected || mount.readOnly == true))
        }
        return mounts.sorted { $0.target < $1.target }
    }

    static func normalized(_ path: String) -> String {
        "/" + path.split(separator: "/").joined(separator: "/")
    }

    /// What this runtime cannot do for a container, and what would be right; `nil` when it can do all.
    static func unsupported(_ container: Container, in pod: Pod, _ abilities: RuntimeAbilities) -> String? {
        if let fault = unsupportedSecurity(container, pod, abilities) { return fault }
        if pod.spec.hostPID == true || pod.spec.hostIPC == true {
            return "hostPID and hostIPC have no meaning for processes of one machine; remove them"
        }
        if pod.spec.runtimeClassName != nil { return "runtimeClassName is not supported; remove it" }
        if pod.spec.hostUsers == false { return "hostUsers: false is not supported; remove it" }
        if let system = pod.spec.os?.name, system != "linux" {
            return "os \(quoted(system)) is not supported; use linux"
        }
        if !pod.spec.resourceClaims.isEmpty { return "resourceClaims are not supported; remove them" }
        for (name, probe) in [
            ("livenessProbe", container.livenessProbe), ("readinessProbe", container.readinessProbe),
            ("startupProbe", container.startupProbe),
        ] where probe?.grpc != nil {
            return "\(name).grpc is not supported; use httpGet, tcpSocket or exec"
        }
        if !container.volumeDevices.isEmpty { return "volumeDevices are not supported; use volumeMounts" }
        if container.tty == true { return "tty is not supported; remove it" }
        if !abilities.mounts, container.volumeMounts.contains(where: { !APIAccess.isAdded($0) }) {
            return "volumeMounts need a mount namespace, which this user may not create; "
                + "run martlet as root or allow unprivileged user namespaces"
        }
        for mount in container.volumeMounts where mount.mountPropagation.map({ $0 != "None" }) == true {
            return "mountPropagation \(mount.mountPropagation ?? "") is not supported; use None"
        }
        if container.volumeMounts.contains(where: { $0.recursiveReadOnly == "Enabled" }) {
            return "recursiveReadOnly Enabled is not supported; use IfPossible or remove it"
        }
        return nil
    }

    private static func unsupportedSecurity(
        _ container: Container, _ pod: Pod, _ abilities: RuntimeAbilities
    ) -> String? {
        let own = container.securityContext
        let common = pod.spec.securityContext
        func cannot(_ field: String, _ advice: String = "remove it") -> String {
            "securityContext.\(field) cannot be honoured by the process runtime; \(advice)"
        }
        if own?.privileged == true { return cannot("privileged") }
        if let capabilities = own?.capabilities, !capabilities.add.isEmpty { return cannot("capabilities.add") }
        if own?.seLinuxOptions != nil || common?.seLinuxOptions != nil { return cannot("seLinuxOptions") }
        if let type = (own?.appArmorProfile ?? common?.appArmorProfile)?.type, type != "Unconfined" {
            return cannot("appArmorProfile", "use type Unconfined or remove it")
        }
        if let type = (own?.seccompProfile ?? common?.seccompProfile)?.type, type == "Localhost" {
            return cannot("seccompProfile of type Localhost")
        }
        if own?.readOnlyRootFilesystem == true { return cannot("readOnlyRootFilesystem") }
        if own?.windowsOptions != nil || common?.windowsOptions != nil { return cannot("windowsOptions") }
        if let mask = own?.procMount, mask != "Default" { return cannot("procMount", "use Default or remove it") }
        if !(common?.sysctls.isEmpty ?? true) { return cannot("sysctls") }
        let user = own?.runAsUser ?? common?.runAsUser
        let group = own?.runAsGroup ?? common?.runAsGroup
        let groups = common?.supplementalGroups ?? []
        if !abilities.users, user != nil || group != nil || common?.fsGroup != nil || !groups.isEmpty {
            return cannot(
                "runAsUser, runAsGroup, fsGroup or supplementalGroups", "run martlet as root, or remove it")
        }
        if !abilities.users, common?.supplementalGroupsPolicy == "Strict" {
            return cannot("supplementalGroupsPolicy Strict", "run martlet as root, or use Merge")
        }
        // I3: Kubernetes' own message; without an image, who a container runs as is who martlet runs as.
        if own?.runAsNonRoot ?? common?.runAsNonRoot ?? false, user ?? (abilities.users ? 0 : 1) == 0 {
            return "container has runAsNonRoot and image will run as root (pod: "
                + "\"\(pod.metadata.name)_\(pod.metadata.namespace)(\(pod.metadata.uid))\", container: \(container.name))"
        }
        return nil
    }

    /// Fields that are accepted but not enforced by processes without cgroups; reported once as a Warning event.
    ///
    /// `fsGroupChangePolicy` is none of them: as in Kubernetes it means nothing for volumes that are made for their
    /// pod, and a hostPath keeps its groups.
    static func unenforced(_ pod: Pod, _ abilities: RuntimeAbilities) -> [String] {
        var fields: Set<String> = []
        for container in pod.spec.initContainers + pod.spec.containers {
            for resource in container.resources.limits.keys { fields.insert("resources.limits.\(resource)") }
            if let capabilities = container.securityContext?.capabilities, !capabilities.drop.isEmpty {
                fields.insert("securityContext.capabilities.drop")
            }
            if container.securityContext?.seccompProfile != nil { fields.insert("securityContext.seccompProfile") }
            if container.stdin == true { fields.insert("stdin") }
            // A running container is never resized.
            if !container.resizePolicy.isEmpty { fields.insert("resizePolicy") }
            if !abilities.mounts, let path = container.terminationMessagePath, path != defaultTerminationPath {
                fields.insert("terminationMessagePath (the file is the one that $MARTLET_TERMINATION_LOG names)")
            }
            if !abilities.mounts, APIAccess.isAskedFor(pod), container.volumeMounts.contains(where: APIAccess.isAdded) {
                fields.insert(
                    "volumeMounts at \(APIAccess.mountPath) (the files are where $\(APIAccess.variable) says)")
            }
            // The groups that the machine gives a user are not looked up.
            if pod.spec.securityContext?.supplementalGroupsPolicy == "Merge",
                container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser != nil
            {
                fields.insert("securityContext.supplementalGroupsPolicy")
            }
            // In the machine's own network the container listens there anyway.
            if pod.spec.hostNetwork != true, container.ports.contains(where: { $0.hostPort ?? 0 > 0 }) {
                fields.insert("ports.hostPort")
            }
        }
        if pod.spec.securityContext?.seccompProfile != nil { fields.insert("securityContext.seccompProfile") }
        for volume in pod.spec.volumes {
            if volume.emptyDir?.medium == "Memory" { fields.insert("emptyDir.medium") }
            if volume.emptyDir?.sizeLimit != nil { fields.insert("emptyDir.sizeLimit") }
        }
        if !pod.spec.hostAliases.isEmpty { fields.insert("hostAliases") }
        if pod.spec.dnsConfig != nil { fields.insert("dnsConfig") }
        if !pod.spec.imagePullSecrets.isEmpty { fields.insert("imagePullSecrets") }
        if pod.spec.setHostnameAsFQDN == true { fields.insert("setHostnameAsFQDN") }
        if pod.spec.hostnameOverride != nil { fields.insert("hostnameOverride") }
        return fields.sorted()
    }
}
