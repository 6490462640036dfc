import Cluster
import Kinds
import Logging
import Model

/// A sync that a person asks for, until Git has said which commit is meant.
struct RequestedSync {
    /// The `operation` member of the Application.
    let operation: JSON
    /// With the revision that is asked for.
    let source: ApplicationSource
    /// The commit, or why there is none; `nil` while Git is being asked.
    var answer: Result<String, any Error>?

    func isSame(as other: RequestedSync?) -> Bool { operation == other?.operation && source == other?.source }
}

/// Syncs that people ask for, through Argo CD's `operation` field.
extension ApplicationWorker {
    /// The commit that a person asked for by any name, once Git has said which it is; what cannot be done is answered
    /// in `status.operationState`.
    func requestedCommit(_ application: Application) async throws(APIError) -> String? {
        let version = application.metadata.resourceVersion
        // An old view, in which a request still stands that was taken from it: the present one is on its way.
        guard version != requestTakenFrom else { return nil }
        guard let asked = requestedSync(in: application) else {
            request = nil
            return nil
        }
        let operation = Operation(viewing: asked.operation)
        let isDryRun = operation.sync?.dryRun == true
        if !isDryRun, request?.answer == nil || request?.isSame(as: asked) != true {
            askFor(asked)
            return nil
        }
        let answer = request?.answer
        guard try await takeRequest(application) else { return nil }
        requestTakenFrom = version
        request = nil
        self.operation = operation
        switch answer {
        case nil: try await refuse("dryRun is not for the service to do; use martlet app sync --dry-run", application)
        case .failure(let error): try await refuse("\(error)", application)
        case .success(let commit): return commit
        }
        return nil
    }

    private func requestedSync(in application: Application) -> RequestedSync? {
        guard let operation = application.json["operation"], var source = application.spec.source else { return nil }
        let revision = operation[path: ["sync", "revision"]]?.string ?? ""
        // Where Git has not answered yet, or never will, asking once more says why.
        if !revision.isEmpty || target != nil { source.targetRevision = revision.isEmpty ? target : revision }
        return RequestedSync(operation: operation, source: source)
    }

    /// Has Git asked, without waiting for its answer: a remote that hangs must not keep a bad revision in place.
    private func askFor(_ asked: RequestedSync) {
        if asked.isSame(as: request) { return }
        request = asked
        requestWanted.raise()
    }

    /// Asks Git which commits requests mean.
    func answerRequests() async {
        while !Task.isCancelled {
            await requestWanted.wait()
            guard let asked = request, asked.answer == nil else { continue }
            let answer: Result<String, any Error>
            do {
                answer = .success(try await environment.source.resolve(asked.source))
            } catch is CancellationError {
                return
            } catch {
                answer = .failure(error)
            }
            // Another may have been asked meanwhile.
            if asked.isSame(as: request) { request?.answer = answer } else { requestWanted.raise() }
            looksAtOnce = true
            wakeup.raise()
        }
    }

    /// Takes the request out of the object, if that is as it was seen.
    private func takeRequest(_ application: Application) async throws(APIError) -> Bool {
        let patch: JSON = [
            "metadata": ["resourceVersion": .string(application.metadata.resourceVersion)], "operation": .null,
        ]
        do {
            _ = try await environment.cluster.patch(
                key, .merge(patch), subresource: nil, options: WriteOptions(fieldManager: Syncer.fieldManager))
            return true
        } catch  where error.reason == .conflict || error.reason == .notFound {
            return false
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
