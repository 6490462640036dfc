import Cluster
import Model

/// One request on its way, so that it is counted when it has been answered.
struct RequestMeasurement: Sendable {
    private let labels: RequestLabels
    private let lastsLong: Bool
    private let metrics: RequestMetrics
    private let clock: any WallClock
    private let start: Timestamp

    init(
        of target: RequestTarget, _ headers: RequestHeaders, _ metrics: RequestMetrics, _ clock: any WallClock
    ) {
        labels = RequestLabels(
            target.attributes, isApply: headers.contentType?.hasPrefix("application/apply-patch") ?? false,
            isDryRun: target.query["dryRun"] != nil)
        lastsLong = target.path.lastsLong(target.query)
        self.metrics = metrics
        self.clock = clock
        start = clock.now
        if !lastsLong { metrics.began(isMutating: labels.isMutating) }
    }

    /// Counts the request with its answer: at once, or, where that is a stream, when it has ended.
    func counted(_ answer: Answer) -> Answer {
        if !lastsLong { metrics.ended(isMutating: labels.isMutating) }
        let isHidden = answer.namesNothing || [401, 403].contains(answer.code)
        let labels = isHidden ? labels.withoutNames : labels
        guard case .stream(let write) = answer.body else {
            metrics.count(labels, code: answer.code, took: clock.now - start)
            return answer
        }
        var counted = answer
        counted.body = .stream { [metrics, clock, start] writer in
            metrics.lasting(labels, by: 1)
            defer {
                metrics.lasting(labels, by: -1)
                metrics.count(labels, code: answer.code, took: clock.now - start)
            }
            try await write(&writer)
        }
        return counted
    }
}
