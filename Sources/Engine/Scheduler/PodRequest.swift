package import Kinds
import Model

/// Amounts of resources: CPU in thousandths of a core, everything else in its own unit.
package struct ResourceAmounts: Hashable, Sendable {
    package private(set) var amounts: [String: Int64] = [:]

    package init() {}

    init(_ quantities: [String: Quantity]) {
        amounts = Dictionary(uniqueKeysWithValues: quantities.map { ($0, $0 == "cpu" ? $1.milliValue : $1.value) })
    }

    package subscript(name: String) -> Int64 {
        get { amounts[name] ?? 0 }
        set { amounts[name] = newValue }
    }

    static func + (left: Self, right: Self) -> Self {
        var result = left
        result.amounts.merge(right.amounts) { $0 + $1 }
        return result
    }

    static func - (left: Self, right: Self) -> Self {
        var result = left
        for (name, amount) in right.amounts { result[name] -= amount }
        return result
    }

    /// The larger of both, resource by resource.
    static func larger(_ left: Self, _ right: Self) -> Self {
        var result = left
        result.amounts.merge(right.amounts) { max($0, $1) }
        return result
    }
}

/// What the scheduler needs to know of a pod, read from it once.
///
/// A class, since all pods are looked at whenever one is placed.
package final class PodInfo: Sendable {
    package let pod: Pod
    /// What its containers ask for (H4).
    package let request: ResourceAmounts
    /// The same for scoring, where a container that asks for nothing counts 100m CPU and 200 MiB (H4).
    let assumedRequest: ResourceAmounts
    let ports: [HostPort]
    /// Asked for once per pod and node whenever another pod is placed, as are the following.
    let affinity: Affinity?
    let namespace: String
    /// The uid of what controls it.
    let controller: String?
    let isLeaving: Bool

    struct HostPort: Hashable, Sendable {
        var address: String
        var number: Int
        var transport: String

        /// The wildcard address takes the port on every address.
        func conflicts(with other: HostPort) -> Bool {
            number == other.number && transport == other.transport
                && (address == other.address || address == "0.0.0.0" || other.address == "0.0.0.0")
        }
    }

    package init(_ pod: Pod) {
        self.pod = pod
        affinity = pod.spec.affinity
        let metadata = pod.metadata
        namespace = metadata.namespace
        controller = metadata.controller?.uid
        isLeaving = metadata.isBeingDeleted
        request = Self.request(of: pod.spec) { $0.effectiveRequests }
        assumedRequest = Self.request(of: pod.spec) { container in
            var amounts = container.effectiveRequests
            if amounts["cpu"] == 0 { amounts["cpu"] = 100 }
            if amounts["memory"] == 0 { amounts["memory"] = 200 << 20 }
            return amounts
        }
        ports = (pod.spec.containers + pod.spec.sidecars).flatMap(\.ports).compactMap { port in
            let number = port.hostPort ?? (pod.spec.hostNetwork == true ? port.containerPort : 0)
            guard number > 0 else { return nil }
            let address = port.hostIP ?? ""
            return HostPort(
                address: address.isEmpty ? "0.0.0.0" : address, number: number, transport: port.protocol ?? "TCP")
        }
    }

    /// The same pod as it is now, whose spec `known` was read from (`isRead(from:)`).
    private init(rereading pod: Pod, over known: PodInfo) {
        self.pod = pod
        request = known.request
        assumedRequest = known.assumedRequest
        ports = known.ports
        affinity = known.affinity
        namespace = known.namespace
        let metadata = pod.metadata
        isLeaving = metadata.isBeingDeleted
        controller = metadata.controller?.uid
    }

    /// The same pod as it is now: what it asks for is read anew only if its spec is another.
    func updated(to pod: Pod) -> PodInfo { isRead(from: pod) ? PodInfo(rereading: pod, over: self) : PodInfo(pod) }

    /// Whether it was read from the very spec that this state of the pod has.
    func isRead(from pod: Pod) -> Bool {
        guard let spec = pod.json["spec"] else { return false }
        return self.pod.json["spec"]?.isShared(with: spec) == true
    }

    private static func request(of spec: PodSpec, _ amounts: (Container) -> ResourceAmounts) -> ResourceAmounts {
        var running = spec.total(amounts, from: ResourceAmounts(), sum: +, larger: ResourceAmounts.larger)
        for (name, amount) in ResourceAmounts(spec.resources?.requests ?? [:]).amounts { running[name] = amount }
        return running + ResourceAmounts(spec.overhead)
    }
}

extension PodSpec {
    /// Init containers that keep running.
    var sidecars: [Container] { initContainers.filter { $0.restartPolicy == "Always" } }

    /// H4: all containers and sidecars together, or one init container beside the sidecars before it, if that is more.
    func total<Amounts>(
        _ amounts: (Container) -> Amounts, from none: Amounts, sum: (Amounts, Amounts) -> Amounts,
        larger: (Amounts, Amounts) -> Amounts
    ) -> Amounts {
        let regular = containers.reduce(none) { sum($0, amounts($1)) }
        var sidecars = none
        var starting = none
        for container in initContainers {
            let beside = sum(sidecars, amounts(container))
            if container.restartPolicy == "Always" { sidecars = beside }
            starting = larger(starting, beside)
        }
        return larger(sum(regular, sidecars), starting)
    }
}

extension Container {
    /// Requests; a limit without one stands for it.
    fileprivate var effectiveRequests: ResourceAmounts {
        ResourceAmounts(resources.limits.merging(resources.requests) { $1 })
    }
}
