import Kinds
import Model

/// The pods behind a Service, with its ports resolved for each: what EndpointSlices and Endpoints have in common (J4).
struct ServiceBackends {
    struct Port: Hashable, Comparable {
        var name: String
        var number: Int
        var transport: String
        var appProtocol: String?

        static func < (left: Self, right: Self) -> Bool {
            (left.name, left.number, left.transport, left.appProtocol ?? "")
                < (right.name, right.number, right.transport, right.appProtocol ?? "")
        }
    }

    struct Backend {
        var pod: Pod
        var ports: [Port]

        var isServing: Bool { pod.isReady }
        var isTerminating: Bool { pod.metadata.isBeingDeleted }
    }

    var service: Service

    /// Whether the Service finds its pods by a selector, so that its endpoints are ours to write.
    var isSelecting: Bool { !service.spec.selector.isEmpty && service.spec.type != "ExternalName" }
    var isHeadless: Bool { service.spec.clusterIP == "None" }
    var publishesNotReady: Bool { service.spec.publishNotReadyAddresses ?? false }

    /// - Parameter pods: of the Service's namespace, those that its selector matches or more.
    func backends(among pods: [Pod]) -> [Backend] {
        let selector = Selector(labels: service.spec.selector)
        return pods.filter { pod in
            selector.matches(pod.metadata.json["labels"]) && !pod.isTerminal && !pod.addresses.isEmpty
        }.sorted { $0.metadata.name < $1.metadata.name }.map { Backend(pod: $0, ports: ports(of: $0)) }
    }

    func isReady(_ backend: Backend) -> Bool {
        publishesNotReady || (backend.isServing && !backend.isTerminating)
    }

    func hostname(of pod: Pod) -> String? {
        guard let hostname = pod.spec.hostname, !hostname.isEmpty, pod.spec.subdomain == service.metadata.name else {
            return nil
        }
        return hostname
    }

    /// The ports of the Service that this pod has.
    private func ports(of pod: Pod) -> [Port] {
        service.spec.ports.compactMap { port in
            number(of: port, in: pod).map {
                Port(
                    name: port.name ?? "", number: $0, transport: port.protocol ?? "TCP",
                    appProtocol: port.appProtocol)
            }
        }.sorted()
    }

    private func number(of port: ServicePort, in pod: Pod) -> Int? {
        switch port.targetPort ?? .int(port.port) {
        case .int(let number): return number == 0 ? port.port : number
        case .string(let name):
            let sidecars = pod.spec.initContainers.filter { $0.restartPolicy == "Always" }
            return (pod.spec.containers + sidecars).lazy.flatMap(\.ports)
                .first { $0.name == name && ($0.protocol ?? "TCP") == (port.protocol ?? "TCP") }?.containerPort
        }
    }
}

extension Pod {
    /// All addresses, the primary one first.
    var addresses: [String] {
        let all = status.podIPs.map(\.ip).filter { !$0.isEmpty }
        return all.isEmpty && !status.podIP.isEmpty ? [status.podIP] : all
    }
}
