import Model

extension FieldErrors {
    /// All containers of a pod: their names differ across all lists, and what they mount is there.
    mutating func checkContainers(_ spec: PodSpec, volumes: Set<String>, _ path: FieldPath) {
        var names: Set<String> = []
        for (index, json) in spec.elements("containers").enumerated() {
            let container = Container(viewing: json)
            let path = path["containers"][index]
            checkContainerName(container.name, &names, path)
            checkContainer(container, volumes, path)
        }
        for (index, json) in spec.elements("initContainers").enumerated() {
            let container = Container(viewing: json)
            let path = path["initContainers"][index]
            checkContainerName(container.name, &names, path)
            checkContainer(container, volumes, path)
            checkInitContainer(container, path)
        }
        for (index, json) in spec.elements("ephemeralContainers").enumerated() {
            let container = Container(viewing: json)
            let path = path["ephemeralContainers"][index]
            checkContainerName(container.name, &names, path)
            checkContainer(container, volumes, path)
        }
    }

    private mutating func checkContainerName(_ name: String, _ names: inout Set<String>, _ path: FieldPath) {
        if name.isEmpty { return }
        invalid(path["name"], name, NameSyntax.label(name))
        if !names.insert(name).inserted { duplicate(path["name"], .string(name)) }
    }

    private mutating func checkContainer(_ container: Container, _ volumes: Set<String>, _ path: FieldPath) {
        let image = container.image ?? ""
        if image.isEmpty {
            required(path["image"])
        } else if image.first?.isWhitespace == true || image.last?.isWhitespace == true {
            invalid(path["image"], .string(image), "must not have leading or trailing whitespace")
        }
        checkPorts(container, path)
        checkEnvironment(container, path)
        checkMounts(container, volumes, path)
        if container.json["resources"]?.object?.isEmpty == false {
            checkResources(container.resources, path["resources"])
        }
        for name in Self.probes {
            if let probe = container.json[name] { checkProbe(Probe(viewing: probe), name, path[name]) }
        }
        if let lifecycle = container.lifecycle {
            if let handler = lifecycle.postStart { checkHandler(handler.json, path["lifecycle"]["postStart"]) }
            if let handler = lifecycle.preStop { checkHandler(handler.json, path["lifecycle"]["preStop"]) }
        }
        if let security = container.securityContext, security.privileged == true,
            security.allowPrivilegeEscalation == false
        {
            let rule = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            invalid(path["securityContext"], security.json, rule)
        }
    }

    private static let probes = ["livenessProbe", "readinessProbe", "startupProbe"]

    /// What only a sidecar (restartPolicy Always) among the init containers may have.
    private mutating func checkInitContainer(_ container: Container, _ path: FieldPath) {
        if container.restartPolicy == "Always" { return }
        for name in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] where container.json[name] != nil {
            forbidden(path[name], "may not be set for init containers without restartPolicy=Always")
        }
    }

    private mutating func checkPorts(_ container: Container, _ path: FieldPath) {
        var names: Set<String> = []
        for (index, json) in container.elements("ports").enumerated() {
            let port = ContainerPort(viewing: json)
            let path = path["ports"][index]
            if let name = port.name, !name.isEmpty {
                let faults = NameSyntax.portName(name)
                invalid(path["name"], name, faults)
                if faults.isEmpty, !names.insert(name).inserted { duplicate(path["name"], .string(name)) }
            }
            if let hostPort = port.hostPort, hostPort != 0 { checkPortNumber(hostPort, path["hostPort"]) }
            if let address = port.hostIP, !address.isEmpty { checkAddress(address, path["hostIP"]) }
        }
    }

    mutating func checkPortNumber(_ port: Int, _ path: FieldPath) {
        if !(1...65535).contains(port) { invalid(path, .int(Int64(port)), "must be between 1 and 65535, inclusive") }
    }

    mutating func checkPortOrName(_ port: JSON?, _ path: FieldPath) {
        switch port {
        case .string(let name): invalid(path, name, NameSyntax.portName(name))
        default: checkPortNumber(Int(port?.int ?? 0), path)
        }
    }

    // MARK: Environment

    private mutating func checkEnvironment(_ container: Container, _ path: FieldPath) {
        for (index, json) in container.elements("env").enumerated() {
            let variable = EnvVar(viewing: json)
            let path = path["env"][index]
            if !variable.name.isEmpty {
                invalid(path["name"], variable.name, NameSyntax.environmentName(variable.name))
            }
            if let source = variable.valueFrom { checkSource(source, variable, path["valueFrom"]) }
        }
        for (index, json) in container.elements("envFrom").enumerated() {
            let source = EnvFromSource(viewing: json)
            let path = path["envFrom"][index]
            if let prefix = source.prefix, !prefix.isEmpty {
                invalid(path["prefix"], prefix, NameSyntax.environmentName(prefix))
            }
            let given = ["configMapRef", "secretRef"].filter { source.json[$0] != nil }
            if given.isEmpty { invalid(path, "", "must specify one of: `configMapRef` or `secretRef`") }
            if given.count > 1 { invalid(path, "", "may not have more than one field specified at a time") }
            for name in given where source.json[name]?["name"]?.string ?? "" == "" { required(path[name]["name"]) }
        }
    }

    private static let sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"]
    private static let fieldPaths: Set<String> = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
    ]

    private mutating func checkSource(_ source: EnvVarSource, _ variable: EnvVar, _ path: FieldPath) {
        let given = Self.sources.filter { source.json[$0] != nil }
        if given.isEmpty {
            let list = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            invalid(path, "", "must specify one of: \(list)")
        }
        if !given.isEmpty, variable.value ?? "" != "" {
            invalid(path, "", "may not be specified when `value` is not empty")
        } else if given.count > 1 {
            invalid(path, "", "may not have more than one field specified at a time")
        }
        if let field = source.fieldRef?.fieldPath, !field.isEmpty {
            let hasSubscript = ["metadata.labels['", "metadata.annotations['"].contains { field.hasPrefix($0) }
            if !Self.fieldPaths.contains(field), !(hasSubscript && field.hasSuffix("']")) {
                notSupported(path["fieldRef"]["fieldPath"], .string(field), Self.fieldPaths.sorted())
            }
        }
        for name in ["configMapKeyRef", "secretKeyRef"] {
            guard let reference = source.json[name] else { continue }
            if reference["name"]?.string ?? "" == "" { required(path[name]["name"]) }
            if let key = reference["key"]?.string, !key.isEmpty {
                invalid(path[name]["key"], key, NameSyntax.configKey(key))
            }
        }
    }

    // MARK: Mounts

    private mutating func checkMounts(_ container: Container, _ volumes: Set<String>, _ path: FieldPath) {
        var places: Set<String> = []
        for (index, json) in container.elements("volumeMounts").enumerated() {
            let mount = VolumeMount(viewing: json)
            let path = path["volumeMounts"][index]
            if !mount.name.isEmpty, !volumes.contains(mount.name) { notFound(path["name"], .string(mount.name)) }
            if !mount.mountPath.isEmpty, !places.insert(mount.mountPath).inserted {
                invalid(path["mountPath"], .string(mount.mountPath), "must be unique")
            }
            for name in ["subPath", "subPathExpr"] {
                if let text = mount.json[name]?.string, !text.isEmpty { checkRelativePath(text, path[name]) }
            }
            if mount.subPath ?? "" != "", mount.subPathExpr ?? "" != "" {
                let rule = "subPathExpr and subPath are mutually exclusive"
                invalid(path["subPathExpr"], mount.json["subPathExpr"], rule)
            }
        }
    }

    /// A path that stays below where it starts.
    mutating func checkRelativePath(_ text: String, _ path: FieldPath) {
        if text.hasPrefix("/") { invalid(path, .string(text), "must be a relative path") }
        checkNoBacksteps(text, path)
    }

    mutating func checkNoBacksteps(_ text: String, _ path: FieldPath) {
        if text.split(separator: "/").contains("..") { invalid(path, .string(text), "must not contain '..'") }
    }

    // MARK: Probes and hooks

    private mutating func checkProbe(_ probe: Probe, _ name: String, _ path: FieldPath) {
        checkHandler(probe.json, path)
        if let grace = probe.terminationGracePeriodSeconds {
            if name == "readinessProbe" {
                let rule = "must not be set for readinessProbes"
                invalid(path["terminationGracePeriodSeconds"], .int(Int64(grace)), rule)
            } else if grace <= 0 {
                invalid(path["terminationGracePeriodSeconds"], .int(Int64(grace)), "must be greater than 0")
            }
        }
        if name != "readinessProbe", let threshold = probe.successThreshold, threshold != 1 {
            invalid(path["successThreshold"], .int(Int64(threshold)), "must be 1")
        }
    }

    /// Exactly one way of acting (I6, I8).
    private mutating func checkHandler(_ handler: JSON, _ path: FieldPath) {
        var count = 0
        for name in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
            guard let action = handler[name] else { continue }
            count += 1
            if count > 1 {
                forbidden(path[name], "may not specify more than 1 handler type")
                continue
            }
            checkAction(action, name, path[name])
        }
        if count == 0 { required(path, "must specify a handler type") }
    }

    private mutating func checkAction(_ action: JSON, _ name: String, _ path: FieldPath) {
        switch name {
        case "exec":
            if action["command"]?.array?.isEmpty ?? true { required(path["command"]) }
        case "httpGet":
            if action["path"]?.string ?? "" == "" { required(path["path"]) }
            if let port = action["port"] { checkPortOrName(port, path["port"]) }
            for (index, header) in HTTPGetAction(viewing: action).httpHeaders.enumerated() {
                invalid(path["httpHeaders"][index]["name"], header.name, NameSyntax.headerName(header.name))
            }
        case "tcpSocket":
            if let port = action["port"] { checkPortOrName(port, path["port"]) }
        default: break
        }
    }
}
