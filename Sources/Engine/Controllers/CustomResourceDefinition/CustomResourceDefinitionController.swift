import Cluster
import HashTreeCollections
import Kinds
import Model
import Synchronization

/// Gives CustomResourceDefinitions their names, establishes them, and empties those that are being deleted (I6, I7).
///
/// What is served follows from the status that it writes, at once (`Registry`).
final class CustomResourceDefinitionController: Sendable {
    private let cluster: any Cluster
    private let clock: any WallClock
    private let definitions: Informer
    private let queue: WorkQueue<ObjectKey>
    private let options = WriteOptions(fieldManager: "customresourcedefinition-controller")
    /// Before objects that finalizers hold are looked at again where they cannot be watched.
    private static let pause = Duration.seconds(1)

    /// The objects of a definition that is being deleted, as long as finalizers hold some.
    private struct Remainder: Sendable {
        var definition: ObjectKey
        var query: ListQuery
        var count: Int
        /// When they were counted.
        var resourceVersion: String
    }

    private let remainders: (stream: AsyncStream<Remainder>, continuation: AsyncStream<Remainder>.Continuation)
    /// Those whose remainder is watched already.
    private let watched = Mutex<Set<ObjectKey>>([])

    init(cluster: any Cluster, clock: any WallClock, definitions: Informer) {
        self.cluster = cluster
        self.clock = clock
        self.definitions = definitions
        queue = WorkQueue(clock: clock)
        remainders = AsyncStream.makeStream()
        definitions.onChange { [queue, definitions] change in
            queue.add(change.key)
            // Names that one definition gives up may be what another waits for.
            guard change.new == nil || change.new?.json["status"] != change.old?.json["status"] else { return }
            for (key, object) in definitions.snapshot where Self.waits(object) { queue.add(key) }
        }
    }

    private static func waits(_ object: Object) -> Bool {
        CustomResourceDefinition(viewing: object.json).condition("NamesAccepted")?["status"] == "False"
    }

    /// Works until the task is cancelled.
    func run(failed: @escaping @Sendable (ObjectKey, any Error) -> Void) async throws {
        // Names that are not known yet would be taken for free.
        try await definitions.waitForSync()
        await withDiscardingTaskGroup { group in
            group.addTask {
                await self.queue.run(failed: { key, error, _ in failed(key, error) }) { key in
                    try await self.look(at: key)
                }
            }
            for await remainder in remainders.stream { group.addTask { await self.follow(remainder) } }
        }
    }

    /// Looks at the definition again as soon as its last object is gone.
    private func follow(_ remainder: Remainder) async {
        var left = remainder.count
        var failure: (any Error)?
        do {
            for try await event in try await cluster.watch(remainder.query, from: remainder.resourceVersion) {
                guard case .deleted = event else { continue }
                left -= 1
                if left == 0 { break }
            }
        } catch {
            failure = error
        }
        watched.withLock { _ = $0.remove(remainder.definition) }
        // What ended the watch is told by the next look, if it lasts.
        if failure == nil {
            queue.add(remainder.definition)
        } else {
            queue.add(remainder.definition, at: clock.now + Self.pause)
        }
    }

    private func look(at key: ObjectKey) async throws(APIError) -> WorkQueue<ObjectKey>.Outcome {
        do throws(APIError) {
            let definition = CustomResourceDefinition(viewing: try await cluster.get(key).json)
            let instances = try await instances(of: definition)
            let others = definitions.snapshot.map { CustomResourceDefinition(viewing: $0.value.json) }
            let status = CustomResourceDefinitionPlan.status(
                of: definition, among: others, builtIn: Catalog.builtIn.types, instances: instances, now: clock.now)
            var current = definition.json
            if let status {
                current["status"] = status
                current = try await cluster.update(
                    Object(viewing: current), subresource: .status, options: options
                ).json
            }
            guard definition.isBeingDeleted else { return .done }
            guard instances == .gone else { return .done }
            let finalized = CustomResourceDefinitionPlan.finalized(current)
            if finalized != current {
                _ = try await cluster.update(Object(viewing: finalized), subresource: nil, options: options)
            }
            return .done
        } catch  where error.reason == .notFound {
            return .done
        } catch  where error.reason == .conflict {
            return .again(at: clock.now)
        }
    }

    /// Deletes what there is of a definition that is being deleted, and counts what is left.
    private func instances(
        of definition: CustomResourceDefinition
    ) async throws(APIError) -> CustomResourceDefinitionPlan.Instances {
        guard definition.isBeingDeleted else { return .untouched }
        // One that was never served has no objects, and its names may be another's.
        guard let type = definition.types.first else { return .gone }
        let query = ListQuery(type.kind.groupKind)
        for object in try await cluster.list(query).items where !object.metadata.isBeingDeleted {
            do throws(APIError) {
                _ = try await cluster.delete(object.key, options: DeleteOptions(uid: object.metadata.uid))
            } catch  where error.reason == .notFound {
                // Somebody else was quicker.
                continue
            }
        }
        let left = try await cluster.list(query)
        guard !left.items.isEmpty else { return .gone }
        let key = ObjectKey(kind: CustomResourceDefinition.kind.groupKind, name: definition.name)
        if watched.withLock({ $0.insert(key).inserted }) {
            remainders.continuation.yield(
                Remainder(
                    definition: key, query: query, count: left.items.count,
                    resourceVersion: left.resourceVersion))
        }
        return .remaining(left.items.count)
    }
}
