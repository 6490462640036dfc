import Kinds
import Model

extension Rule {
    /// How traffic finds pods.
    static let services = [
        Rule(
            "service-selects-nothing", .warning, "A Service selects no pods of the repository.",
            "It has no endpoints: whoever calls it is refused. Compare its selector with the labels of the pod template, "
                + "not with those of the workload."
        ) { subject in
            subject.objects(of: .service).compactMap { service in
                guard let labels = selectorLabels(service),
                    subject.workloads(matching: Selector(labels: labels), of: service).isEmpty
                else { return nil }
                return Hit(
                    service, "spec.selector",
                    "no pod template in namespace \(service.namespace) has the labels \(text(labels))"
                        + nearest(labels, in: service.namespace, subject))
            }
        },
        Rule(
            "unknown-port", .error, "A port is named that no container has.",
            "The Service gets no endpoints, or the probe fails for ever: names of ports are looked up in the container's "
                + "`ports`."
        ) { subject in
            subject.objects(of: .service).flatMap { servicePorts($0, subject) }
                + subject.workloads.flatMap(probePorts)
        },
        Rule(
            "dangling-backend", .warning, "An Ingress names a Service or port that the repository does not have.",
            "Requests for that path are answered with an error."
        ) { subject in subject.objects(of: .ingress).flatMap { backends($0, subject) } },
    ]

    /// `nil` where a Service has no selector, or names another host.
    static func selectorLabels(_ service: SubjectObject) -> [String: String]? {
        guard service.json[path: ["spec", "type"]] != "ExternalName",
            let selector = service.json[path: ["spec", "selector"]]?.object, !selector.isEmpty
        else { return nil }
        return selector.reduce(into: [:]) { labels, member in labels[member.key] = member.value.string }
    }

    private static func text(_ labels: [String: String]) -> String {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }

    /// The template that has the most of the labels, if it has any.
    private static func nearest(_ labels: [String: String], in namespace: String, _ subject: ValidationSubject)
        -> String
    {
        let candidates = subject.workloads.filter { $0.namespace == namespace }.map { workload in
            (workload, labels.filter { workload.pods?.labels[$0.key] == $0.value }.count)
        }
        guard let best = candidates.max(by: { $0.1 < $1.1 }), best.1 > 0 else { return "" }
        let differing = labels.filter { best.0.pods?.labels[$0.key] != $0.value }
        return "; those of \(best.0.key) lack \(text(differing))"
    }

    private static func servicePorts(_ service: SubjectObject, _ subject: ValidationSubject) -> [Hit] {
        guard let labels = selectorLabels(service) else { return [] }
        let selected = subject.workloads(matching: Selector(labels: labels), of: service)
        guard !selected.isEmpty else { return [] }
        let names = Set(selected.flatMap { $0.pods?.servingContainers.flatMap { Array($0.portNames) } ?? [] })
        return (service.json[path: ["spec", "ports"]]?.array ?? []).enumerated().compactMap { position, port in
            guard let name = port["targetPort"]?.string, Int(name) == nil, !names.contains(name) else { return nil }
            return Hit(
                service, "spec.ports[\(position)].targetPort",
                "no container of \(selected.map(\.key.description).sorted().joined(separator: ", ")) has a port named "
                    + "\"\(name)\"\(hint(name, names))")
        }
    }

    private static func hint(_ name: String, _ known: Set<String>) -> String {
        if let near = Spelling.nearest(to: name, among: known.sorted()) { return "; did you mean \"\(near)\"?" }
        return known.isEmpty ? "" : "; there are \(known.sorted().joined(separator: ", "))"
    }

    private static let probes = [
        "readinessProbe", "livenessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop",
    ]

    private static func probePorts(_ object: SubjectObject) -> [Hit] {
        (object.pods?.containers ?? []).flatMap { container in
            probes.flatMap { probe -> [Hit] in
                let way = probe.split(separator: ".").map(String.init)
                guard let json = container.json[path: way] else { return [] }
                return ["httpGet", "tcpSocket"].compactMap { action in
                    guard let name = json[action]?["port"]?.string, Int(name) == nil,
                        !container.portNames.contains(name)
                    else { return nil }
                    return Hit(
                        object, "\(container.path).\(probe).\(action).port",
                        "container \(container.name) has no port named \"\(name)\"\(hint(name, container.portNames))")
                }
            }
        }
    }

    private static func backends(_ ingress: SubjectObject, _ subject: ValidationSubject) -> [Hit] {
        var places: [(String, JSON)] = []
        if let backend = ingress.json[path: ["spec", "defaultBackend"]] {
            places.append(("spec.defaultBackend", backend))
        }
        for (number, rule) in (ingress.json[path: ["spec", "rules"]]?.array ?? []).enumerated() {
            for (position, path) in (rule[path: ["http", "paths"]]?.array ?? []).enumerated() {
                if let backend = path["backend"] {
                    places.append(("spec.rules[\(number)].http.paths[\(position)].backend", backend))
                }
            }
        }
        return places.compactMap { place, backend in
            guard let name = backend[path: ["service", "name"]]?.string else { return nil }
            guard let service = subject.object(.service, ingress.namespace, name, near: ingress) else {
                let known = subject.objects(of: .service).filter { $0.namespace == ingress.namespace }.map(\.name)
                let hint = Spelling.nearest(to: name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
                return Hit(
                    ingress, "\(place).service.name",
                    "there is no Service \(name) in namespace \(ingress.namespace)\(hint)")
            }
            let ports = service.json[path: ["spec", "ports"]]?.array ?? []
            let port = backend[path: ["service", "port"]]
            if let name = port?["name"]?.string, !ports.contains(where: { $0["name"]?.string == name }) {
                return Hit(
                    ingress, "\(place).service.port.name",
                    "\(service.key) has no port named \"\(name)\"\(hint(name, Set(ports.compactMap { $0["name"]?.string })))"
                )
            }
            if let number = port?["number"]?.int, !ports.contains(where: { $0["port"]?.int == number }) {
                let known = ports.compactMap { $0["port"]?.int }.map { "\($0)" }.joined(separator: ", ")
                return Hit(
                    ingress, "\(place).service.port.number", "\(service.key) has no port \(number); there are \(known)")
            }
            return nil
        }
    }
}
