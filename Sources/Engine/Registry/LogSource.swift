package import Cluster

/// Who has the logs of containers: the node.
package protocol LogSource: Sendable {
    /// - Throws: `.notFound` for an unknown pod, `.badRequest` for an unknown container or one that has not run.
    func logs(_ query: LogQuery) async throws(APIError) -> LogStream
}
