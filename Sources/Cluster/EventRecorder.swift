package import Kinds
import Model
import Synchronization

/// Writes Events about objects (core/v1), as one component of the system.
///
/// Recording never waits and never fails: reports go through a bounded buffer that `run()` empties. What could not be
/// written is counted in `lost`.
package final class EventRecorder: Sendable {
    static let bufferSize = 1000

    private struct Item: Sendable {
        var report: EventReport
        var object: ObjectReference
        var time: Timestamp
    }

    private struct State {
        var pending: [Item] = []
        var lost = 0
    }

    private let cluster: any Cluster
    private let clock: any WallClock
    private let component: String
    private let host: String?
    private let state = Mutex(State())
    private let signal = Signal()

    /// - Parameters:
    ///   - component: what the events name as their source: `deployment-controller`.
    ///   - host: the node on which the component runs, where that matters.
    package init(component: String, host: String? = nil, cluster: any Cluster, clock: any WallClock) {
        self.component = component
        self.host = host
        self.cluster = cluster
        self.clock = clock
    }

    /// Reports that found no room or could not be written.
    package var lost: Int { state.withLock { $0.lost } }

    package func record(_ report: EventReport, about object: ObjectReference) {
        state.withLock { state in
            if state.pending.count < Self.bufferSize {
                state.pending.append(Item(report: report, object: object, time: clock.now))
            } else {
                state.lost += 1
            }
        }
        signal.raise()
    }

    package func record(_ report: EventReport, about object: some KubernetesObject) {
        record(report, about: object.reference)
    }

    package func record(_ type: EventType, reason: String, message: String, about object: some KubernetesObject) {
        record(EventReport(type, reason: reason, message: message), about: object.reference)
    }

    /// Writes what is recorded, until the task is cancelled.
    package func run() async throws {
        var correlation = EventCorrelation(component: component, host: host)
        while true {
            await signal.wait()
            try Task.checkCancellation()
            let items = state.withLock { state in
                defer { state.pending = [] }
                return state.pending
            }
            for item in items {
                do throws(APIError) {
                    try await write(correlation.decide(item.report, about: item.object, now: item.time))
                } catch {
                    state.withLock { $0.lost += 1 }
                }
            }
        }
    }

    private func write(_ decision: EventCorrelation.Decision) async throws(APIError) {
        let options = WriteOptions(fieldManager: component, fieldValidation: .ignore)
        switch decision {
        case .create(let event):
            _ = try await cluster.create(Object(viewing: event.json), options: options)
        case .update(let event):
            let patch: JSON = [
                "count": event.json["count"] ?? 1, "lastTimestamp": event.json["lastTimestamp"] ?? .null,
                "message": event.json["message"] ?? "",
            ]
            do throws(APIError) {
                _ = try await cluster.patch(event.key, .merge(patch), subresource: nil, options: options)
            } catch  where error.reason == .notFound {
                _ = try await cluster.create(Object(viewing: event.json), options: options)
            }
        case .drop:
            state.withLock { $0.lost += 1 }
        }
    }
}

extension KubernetesObject {
    /// A reference to this object, as Events and endpoints hold it.
    package var reference: ObjectReference {
        var reference = ObjectReference()
        reference.apiVersion = Self.kind.apiVersion
        reference.kind = Self.kind.kind
        reference.name = metadata.name
        if !metadata.namespace.isEmpty { reference.namespace = metadata.namespace }
        if !metadata.uid.isEmpty { reference.uid = metadata.uid }
        return reference
    }
}
