internal import Cluster
internal import Kinds

extension PodRuntime {
    /// Carries out a hook of a container, if it has it (I8, I9).
    ///
    /// - Parameters:
    ///   - address: the pod's.
    ///   - timeout: how long it may take.
    /// - Returns: why it failed; `nil` when it did not.
    /// - Throws: when the task is cancelled.
    func perform(
        _ hook: LifecycleHandler?, of container: Container, _ id: ContainerID, in pod: Pod, at address: String,
        timeout: Duration, clock: any WallClock
    ) async throws -> String? {
        guard let hook else { return nil }
        switch ProbeAction.of(hook, container, podIP: address) {
        case .fault(let message): return message
        case .action(.sleep(let duration)):
            // The hook's own wish; it may not outlast the time that the pod has left.
            try await clock.sleep(for: min(duration, timeout))
            return nil
        case .action(let action):
            switch await perform(action, for: id, of: pod, timeout: timeout) {
            case .success, .warning: return nil
            case .failure(let message), .error(let message): return message
            }
        }
    }
}
