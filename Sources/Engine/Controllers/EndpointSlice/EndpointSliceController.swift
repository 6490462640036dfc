package import Cluster
import Kinds
package import Model
import Synchronization

/// Carries out `EndpointSlicePlan`, `EndpointsPlan` and `MirroredSlicePlan` for every Service whose backends changed.
package final class EndpointSliceController: Sendable {
    package static let component = "endpoint-slice-controller"
    static let workers = 4

    private let cluster: any Cluster
    private let clock: any WallClock
    private let services: Informer
    private let pods: Informer
    private let nodes: Informer
    private let slices: Informer
    private let endpoints: Informer
    private let queue: WorkQueue<ObjectKey>
    private let expectations = Mutex<[ObjectKey: Expectations<EndpointSlice>]>([:])
    private let options = WriteOptions(fieldManager: component)

    /// - Parameters:
    ///   - services: with `ControllerIndex.namespaced`.
    ///   - pods: with `ControllerIndex.pods`.
    ///   - slices: with `ControllerIndex.slices`.
    package init(
        cluster: any Cluster, clock: any WallClock, services: Informer, pods: Informer, nodes: Informer,
        slices: Informer, endpoints: Informer
    ) {
        self.cluster = cluster
        self.clock = clock
        self.services = services
        self.pods = pods
        self.nodes = nodes
        self.slices = slices
        self.endpoints = endpoints
        queue = WorkQueue(clock: clock)
        services.onChange { [queue] in queue.add($0.key) }
        pods.onChange { [weak self] in self?.podChanged($0) }
        nodes.onChange { [weak self] in self?.nodeChanged($0) }
        slices.onChange { [weak self] in self?.sliceChanged($0) }
        endpoints.onChange { [queue] in
            queue.add(Service.key($0.object.metadata.name, in: $0.object.metadata.namespace))
        }
    }

    /// Works until the task is cancelled. The informers run elsewhere.
    ///
    /// - Parameter failed: is told of every attempt that failed.
    package func run(failed: @escaping @Sendable (ObjectKey, any Error) -> Void = { _, _ in }) async throws {
        for informer in [services, pods, nodes, slices, endpoints] { try await informer.waitForSync() }
        await queue.run(workers: Self.workers, failed: { key, error, _ in failed(key, error) }) { key in
            try await self.sync(key)
        }
    }

    private func podChanged(_ change: ObjectChange) {
        let all: [Service] = services.objects(in: ControllerIndex.namespace, under: change.key.namespace)
        if all.isEmpty { return }
        let old = change.old?.view(as: Pod.self)
        let new = change.new?.view(as: Pod.self)
        if let old, let new, old.backendFacts == new.backendFacts { return }
        for service in all where !service.spec.selector.isEmpty {
            let selector = Selector(labels: service.spec.selector)
            let matches = [old, new].contains { $0.map { selector.matches($0.metadata.json["labels"]) } ?? false }
            if matches { queue.add(service.key) }
        }
    }

    private func nodeChanged(_ change: ObjectChange) {
        let zone = { (node: Object?) in node?.metadata.labels["topology.kubernetes.io/zone"] }
        if change.old != nil, change.new != nil, zone(change.old) == zone(change.new) { return }
        for service in services.all(as: Service.self) { queue.add(service.key) }
    }

    private func sliceChanged(_ change: ObjectChange) {
        for slice in [change.old, change.new].compactMap({ $0 }) {
            guard let name = slice.metadata.labels[EndpointSlicePlan.serviceLabel] else { continue }
            let key = Service.key(name, in: slice.metadata.namespace)
            let isLeaving = change.new.map(\.metadata.isBeingDeleted) ?? true
            expectations.withLock { $0[key]?.observe(slice.metadata.uid, isLeaving: isLeaving) }
            queue.add(key)
        }
    }

    private func sync(_ key: ObjectKey) async throws -> WorkQueue<ObjectKey>.Outcome {
        let service = services.get(key, as: Service.self)
        let selected: [Pod] =
            service == nil ? [] : pods.objects(in: ControllerIndex.namespace, under: key.namespace)
        try await writeEndpoints(key, service, selected)
        let expected = expectations.withLock { $0[key] ?? Expectations() }
        let present: [EndpointSlice] = slices.objects(
            in: ControllerIndex.service, under: "\(key.namespace)/\(key.name)")
        let known = expected.completing(present).filter { !$0.metadata.isBeingDeleted }
        func managed(by manager: String) -> [EndpointSlice] {
            known.filter { $0.metadata.labels[EndpointSlicePlan.managerLabel] == manager }
        }
        let mirrored = MirroredSlicePlan(
            service: service, endpoints: endpoints.get(Endpoints.key(key.name, in: key.namespace)),
            slices: managed(by: MirroredSlicePlan.manager))
        for action in mirrored.actions { try await carryOut(action, for: key) }
        guard let service else {
            // The other slices go with the Service, by their owner reference.
            expectations.withLock { $0[key] = nil }
            return .done
        }
        let plan = EndpointSlicePlan(
            .init(
                service: service, pods: selected, nodes: nodesByName(selected),
                slices: managed(by: EndpointSlicePlan.manager)))
        for action in plan.actions { try await carryOut(action, for: key) }
        return .done
    }

    private func nodesByName(_ pods: [Pod]) -> [String: Node] {
        var result: [String: Node] = [:]
        for name in Set(pods.map(\.spec.nodeName)) { result[name] = nodes.get(Node.key(name)) }
        return result
    }

    private func carryOut(_ action: EndpointSlicePlan.Action, for key: ObjectKey) async throws {
        switch action {
        case .create(let slice):
            expectations.withLock { $0[key, default: Expectations()].willCreate() }
            do throws(APIError) {
                let created = try await cluster.create(Object(viewing: slice.json), options: options)
                expectations.withLock { $0[key]?.created(created.view(), at: clock.now) }
            } catch {
                expectations.withLock { $0[key]?.creationFailed() }
                if !error.isNamespaceTerminating { throw error }
            }
        case .update(let slice):
            _ = try await cluster.update(Object(viewing: slice.json), subresource: nil, options: options)
        case .delete(let slice):
            let uid = slice.metadata.uid
            expectations.withLock { $0[key, default: Expectations()].willDelete(uid, at: clock.now) }
            do throws(APIError) {
                _ = try await cluster.delete(slice.key, options: DeleteOptions(uid: uid))
            } catch {
                expectations.withLock { $0[key]?.deletionFailed(uid) }
                if error.reason != .notFound { throw error }
            }
        }
    }

    private func writeEndpoints(_ key: ObjectKey, _ service: Service?, _ pods: [Pod]) async throws {
        let existing: Endpoints? = endpoints.get(Endpoints.key(key.name, in: key.namespace))
        switch EndpointsPlan(service: service, pods: pods, existing: existing).action {
        case .create(let wanted):
            do throws(APIError) {
                _ = try await cluster.create(Object(viewing: wanted.json), options: options)
            } catch  where error.isNamespaceTerminating {
                // Nothing is needed there any more.
            }
        case .update(let wanted):
            _ = try await cluster.update(Object(viewing: wanted.json), subresource: nil, options: options)
        case .delete(let gone):
            do throws(APIError) {
                _ = try await cluster.delete(gone.key, options: DeleteOptions(uid: gone.metadata.uid))
            } catch  where error.reason == .notFound {
                // Somebody else was faster.
            }
        case nil: break
        }
    }
}

extension Pod {
    /// All that endpoints depend on.
    fileprivate var backendFacts: [String] {
        addresses + [
            isReady ? "ready" : "", metadata.isBeingDeleted ? "leaving" : "", isTerminal ? "ended" : "", spec.nodeName,
            metadata.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ","),
        ]
    }
}
