import Cluster
import Kinds
import Logging
import Model

/// Syncs that people ask for, through Argo CD's `operation` field.
extension ApplicationWorker {
    /// The commit that a person asked for by any name; what cannot be done is answered in `status.operationState`.
    func commit(askedFor revision: String?, _ application: Application) async throws(APIError) -> String? {
        guard let revision, var source = application.spec.source else { return nil }
        operation = application.json["operation"].map { Operation(viewing: $0) }
        if operation?.sync?.dryRun == true {
            try await refuse("dryRun is not for the service to do; use martlet app sync --dry-run", application)
            return nil
        }
        source.targetRevision = revision
        do {
            return try await environment.source.resolve(source)
        } catch {
            try await refuse("\(error)", application)
            return nil
        }
    }

    /// Says whose request the last operation was.
    func attribute() {
        if let operation { operationState?.operation = operation }
        operation = nil
    }

    private func refuse(_ message: String, _ application: Application) async throws(APIError) {
        var state = OperationState()
        state.phase = "Error"
        state.message = message
        state.startedAt = now
        state.finishedAt = now
        operationState = state
        attribute()
        environment.logger.warning("\(key): a sync that was asked for is refused: \(message)")
        await environment.record(application, "Warning", "OperationFailed", message)
        try await publish(application)
    }
}
