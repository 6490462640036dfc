import Cluster
import Synchronization

/// Something in a simulation that can be killed at any moment and started anew: a node, a controller, a whole engine.
package final class Part: Sendable {
    private struct State {
        var isOn = true
        /// Grows with every change, so that no short stop goes unseen.
        var generation = 0
    }

    private let state = Mutex(State())
    private let changed = Signal()

    package init() {}

    package var isOn: Bool { state.withLock { $0.isOn } }

    /// Ends the present life; there is no other until `start()`.
    package func stop() { change(isOn: false) }

    package func start() { change(isOn: true) }

    /// Ends the present life and starts another at once.
    package func restart() { change(isOn: true) }

    private func change(isOn: Bool) {
        state.withLock { state in
            state.isOn = isOn
            state.generation += 1
        }
        changed.raise()
    }

    /// Lives one life after the other until the task is cancelled.
    ///
    /// - Parameters:
    ///   - kill: is called when a life is to end, before its tasks are cancelled: here is to be made impossible what
    ///     must not happen any more.
    ///   - life: works until it is cancelled. What it throws before that ends everything.
    package func run(
        kill: @escaping @Sendable () async -> Void = {}, _ life: @escaping @Sendable () async throws -> Void
    ) async throws {
        while true {
            try Task.checkCancellation()
            let (isOn, generation) = state.withLock { ($0.isOn, $0.generation) }
            if !isOn {
                await changed.wait()
                continue
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await life() }
                group.addTask {
                    while !Task.isCancelled, self.state.withLock({ $0.generation }) == generation {
                        await self.changed.wait()
                    }
                }
                try await group.next()
                await kill()
                group.cancelAll()
                // A killed life may complain as it likes.
                while await group.nextResult() != nil {}
            }
        }
    }
}
