package import Cluster
import HashTreeCollections
import Kinds
import Model

/// Keeps the APIServices that `APIServicePlan` says there are.
package final class APIServiceController: Sendable {
    private let cluster: any Cluster
    private let clock: any WallClock
    private let services: Informer
    private let definitions: Informer
    /// Whether somebody else runs the informer of definitions.
    private let sharesDefinitions: Bool
    private let changed = Signal()

    /// - Parameter shared: an informer of all definitions that somebody else runs.
    package init(cluster: any Cluster, clock: any WallClock, seed: UInt64 = 1, sharing shared: Informer? = nil) {
        self.cluster = cluster
        self.clock = clock
        services = Informer(ListQuery(APIServicePlan.kind), of: cluster, clock: clock, seed: seed)
        sharesDefinitions = shared != nil
        definitions =
            shared
            ?? Informer(
                ListQuery(CustomResourceDefinition.kind.groupKind), of: cluster, clock: clock, seed: seed)
    }

    /// Works until the task is cancelled.
    package func run() async throws {
        for informer in [services, definitions] { informer.onChange { [changed] _ in changed.raise() } }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await self.services.run() }
            if !sharesDefinitions { group.addTask { try await self.definitions.run() } }
            try await services.waitForSync()
            try await definitions.waitForSync()
            var isStart = true
            while !Task.isCancelled {
                let isDone = await look(isStart: isStart)
                if isDone { isStart = false }
                // What could not be written is tried again; what was written comes back as a change.
                await changed.wait(until: isDone ? nil : clock.now + Self.retryDelay, on: clock)
            }
            throw CancellationError()
        }
    }

    private static let retryDelay = Duration.seconds(1)
    private static let options = WriteOptions(fieldManager: "kube-apiserver")

    /// - Returns: whether all that was to be done is done.
    private func look(isStart: Bool) async -> Bool {
        let actions = APIServicePlan.decide(
            builtIn: Catalog.builtIn.types,
            definitions: definitions.snapshot.map { CustomResourceDefinition(viewing: $0.value.json) },
            present: services.snapshot.map(\.value), isStart: isStart)
        var isDone = true
        for action in actions {
            do throws(APIError) {
                try await carryOut(action)
            } catch  where [.alreadyExists, .notFound].contains(error.reason) {
                // It is as it should be already, and the informer is about to tell.
                continue
            } catch {
                isDone = false
            }
        }
        return isDone
    }

    private func carryOut(_ action: APIServicePlan.Action) async throws(APIError) {
        switch action {
        case .create(let json): _ = try await cluster.create(Object(viewing: json), options: Self.options)
        case .update(let json):
            _ = try await cluster.update(Object(viewing: json), subresource: nil, options: Self.options)
        case .delete(let key, let uid): _ = try await cluster.delete(key, options: DeleteOptions(uid: uid))
        }
    }
}
