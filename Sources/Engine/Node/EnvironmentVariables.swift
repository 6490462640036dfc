package import Kinds
package import Model

/// What a container's configuration is made of, beside the pod: a snapshot of the objects that it refers to.
package struct PodContext: Sendable {
    package var podIP: String
    package var hostIP: String
    package var nodeName: String
    /// What the node offers; limits that are not given read as these (I12).
    package var allocatable: [String: Quantity]
    /// ConfigMaps and Secrets of the pod's namespace, by name.
    package var configMaps: [String: ConfigMap]
    package var secrets: [String: Secret]
    /// Services of the pod's namespace, and `kubernetes` of the namespace `default`.
    package var services: [Service]
    /// Those that the pod's volumes show.
    var tokens: [ProjectedToken: Token] = [:]

    enum Token: Hashable, Sendable {
        case secret(String)
        /// Why there is none.
        case fault(String)
    }

    package init(
        podIP: String, hostIP: String = "127.0.0.1", nodeName: String = "", allocatable: [String: Quantity] = [:],
        configMaps: [String: ConfigMap] = [:], secrets: [String: Secret] = [:], services: [Service] = []
    ) {
        self.podIP = podIP
        self.hostIP = hostIP
        self.nodeName = nodeName
        self.allocatable = allocatable
        self.configMaps = configMaps
        self.secrets = secrets
        self.services = services
    }
}

/// Why a container cannot be created as it is written: the message of CreateContainerConfigError (I3).
package struct ConfigurationFault: Error, Hashable, CustomStringConvertible {
    package var message: String
    package var description: String { message }

    package init(_ message: String) {
        self.message = message
    }
}

/// Environment variables of a container (I10, I11, I12).
enum EnvironmentVariables {
    typealias Variable = (name: String, value: String)

    /// Expands `$(NAME)`; unknown names stay, `$$` is a dollar sign (I10).
    static func expand(_ text: String, _ value: (String) -> String?) -> String {
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        var index = 0
        let dollar = UInt8(ascii: "$")
        while index < bytes.count {
            guard bytes[index] == dollar, index + 1 < bytes.count else {
                output.append(bytes[index])
                index += 1
                continue
            }
            if bytes[index + 1] == dollar {
                output.append(dollar)
                index += 2
                continue
            }
            if bytes[index + 1] == UInt8(ascii: "("),
                let close = bytes[(index + 2)...].firstIndex(of: UInt8(ascii: ")"))
            {
                let name = String(decoding: bytes[(index + 2)..<close], as: UTF8.self)
                output += Array((value(name) ?? "$(\(name))").utf8)
                index = close + 1
                continue
            }
            output.append(dollar)
            index += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The variables of a container, in order: Martlet's own, services, envFrom, env. A later one replaces an earlier.
    static func of(
        _ container: Container, in pod: Pod, context: PodContext
    ) throws(ConfigurationFault) -> [Variable] {
        var variables = OrderedVariables()
        variables["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        variables["HOSTNAME"] = pod.spec.hostname ?? pod.metadata.name
        variables["HOME"] = "/"
        variables["POD_IP"] = context.podIP
        if let first = container.ports.first { variables["PORT"] = String(first.containerPort) }
        for port in container.ports {
            if let name = port.name { variables["PORT_" + shellName(name)] = String(port.containerPort) }
        }
        let services = serviceVariables(of: pod, context)
        for (name, value) in services { variables[name] = value }
        // What `$(X)` may name: variables given before, then those of services, but not Martlet's own.
        var known: [String: String] = [:]
        for source in container.envFrom {
            for (name, value) in try values(of: source, pod, context) {
                variables[name] = value
                known[name] = value
            }
        }
        let serviceValues = Dictionary(services.map { ($0.name, $0.value) }) { _, last in last }
        for variable in container.env {
            let value: String?
            if let source = variable.valueFrom {
                value = try self.value(of: source, container, pod, context)
            } else {
                value = expand(variable.value ?? "") { known[$0] ?? serviceValues[$0] }
            }
            guard let value else { continue }
            known[variable.name] = value
            variables[variable.name] = value
        }
        return variables.list
    }

    private static func values(
        of source: EnvFromSource, _ pod: Pod, _ context: PodContext
    ) throws(ConfigurationFault) -> [Variable] {
        let prefix = source.prefix ?? ""
        if let reference = source.configMapRef {
            let name = reference.name ?? ""
            guard let map = context.configMaps[name] else {
                if reference.optional == true { return [] }
                throw ConfigurationFault("configmap \(quoted(name)) not found")
            }
            return map.data.sorted { $0.key < $1.key }.map { (prefix + $0.key, $0.value) }
        }
        if let reference = source.secretRef {
            let name = reference.name ?? ""
            guard let secret = context.secrets[name] else {
                if reference.optional == true { return [] }
                throw ConfigurationFault("secret \(quoted(name)) not found")
            }
            return secret.data.sorted { $0.key < $1.key }.map {
                (prefix + $0.key, String(decoding: Base64.decode($0.value) ?? [], as: UTF8.self))
            }
        }
        return []
    }

    private static func value(
        of source: EnvVarSource, _ container: Container, _ pod: Pod, _ context: PodContext
    ) throws(ConfigurationFault) -> String? {
        let namespace = pod.metadata.namespace
        if let reference = source.configMapKeyRef {
            let name = reference.name ?? ""
            let optional = reference.optional == true
            guard let map = context.configMaps[name] else {
                if optional { return nil }
                throw ConfigurationFault("configmap \(quoted(name)) not found")
            }
            if let value = map.data[reference.key] { return value }
            if optional { return nil }
            throw ConfigurationFault("couldn't find key \(reference.key) in ConfigMap \(namespace)/\(name)")
        }
        if let reference = source.secretKeyRef {
            let name = reference.name ?? ""
            let optional = reference.optional == true
            guard let secret = context.secrets[name] else {
                if optional { return nil }
                throw ConfigurationFault("secret \(quoted(name)) not found")
            }
            if let value = secret.data[reference.key] {
                return String(decoding: Base64.decode(value) ?? [], as: UTF8.self)
            }
            if optional { return nil }
            throw ConfigurationFault("couldn't find key \(reference.key) in Secret \(namespace)/\(name)")
        }
        if let reference = source.fieldRef {
            return try DownwardAPI.value(ofField: reference.fieldPath, in: pod, context)
        }
        if let reference = source.resourceFieldRef {
            return try DownwardAPI.value(ofResource: reference, for: container, in: pod, context)
        }
        throw ConfigurationFault(
            "valueFrom has a source that is not supported; use configMapKeyRef, secretKeyRef, fieldRef or "
                + "resourceFieldRef")
    }

    /// `my-svc.x` as part of a variable's name.
    static func shellName(_ name: String) -> String {
        String(name.uppercased().map { $0 == "-" || $0 == "." ? "_" : $0 })
    }

    /// The variables of services that have an address (I11).
    static func serviceVariables(of pod: Pod, _ context: PodContext) -> [Variable] {
        let links = pod.spec.enableServiceLinks ?? true
        let visible = context.services.filter { service in
            let ip = service.spec.clusterIP
            if ip.isEmpty || ip == "None" { return false }
            if service.metadata.namespace == "default", service.metadata.name == "kubernetes" { return true }
            return links && service.metadata.namespace == pod.metadata.namespace
        }
        var variables: [Variable] = []
        for service in visible.sorted(by: { $0.metadata.name < $1.metadata.name }) {
            let prefix = shellName(service.metadata.name)
            let ip = service.spec.clusterIP
            guard let first = service.spec.ports.first else { continue }
            variables.append((prefix + "_SERVICE_HOST", ip))
            variables.append((prefix + "_SERVICE_PORT", String(first.port)))
            for port in service.spec.ports {
                if let name = port.name, !name.isEmpty {
                    variables.append((prefix + "_SERVICE_PORT_" + shellName(name), String(port.port)))
                }
            }
            for (index, port) in service.spec.ports.enumerated() {
                let name = (port.protocol ?? "TCP").lowercased()
                let url = "\(name)://\(ip):\(port.port)"
                if index == 0 { variables.append((prefix + "_PORT", url)) }
                let base = "\(prefix)_PORT_\(port.port)_\(name.uppercased())"
                variables.append((base, url))
                variables.append((base + "_PROTO", name))
                variables.append((base + "_PORT", String(port.port)))
                variables.append((base + "_ADDR", ip))
            }
        }
        return variables
    }
}

/// Variables in the order in which they were first set.
private struct OrderedVariables {
    private var names: [String] = []
    private var values: [String: String] = [:]

    subscript(name: String) -> String {
        get { values[name] ?? "" }
        set {
            if values.updateValue(newValue, forKey: name) == nil { names.append(name) }
        }
    }

    var list: [EnvironmentVariables.Variable] { names.map { ($0, values[$0] ?? "") } }
}
