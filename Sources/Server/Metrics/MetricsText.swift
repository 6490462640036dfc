/// Metrics in the text format of Prometheus, version 0.0.4.
struct MetricsText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// Begins a metric; its samples follow.
    mutating func metric(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ value: some Numeric, _ labels: [(name: String, value: String)] = []) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    private static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// A number as Go writes it: `5`, not `5.0`.
    static func text(_ bound: Double) -> String {
        bound == bound.rounded() ? "\(Int(bound))" : "\(bound)"
    }
}

extension MetricsText {
    /// What there is to tell of requests, under the names of `kube-apiserver`.
    mutating func add(_ metrics: RequestMetrics) {
        let snapshots = metrics.snapshots
        let total = "apiserver_request_total"
        metric(total, "counter", "Requests that were answered, by verb, resource, scope and code.")
        for snapshot in snapshots {
            for code in snapshot.codes { sample(total, code.count, [("code", "\(code.code)")] + snapshot.labels.all) }
        }
        let duration = "apiserver_request_duration_seconds"
        metric(duration, "histogram", "How long requests took to be answered; watches and followed logs, to end.")
        let bounds = RequestMetrics.bounds.map(Self.text) + ["+Inf"]
        for snapshot in snapshots where snapshot.cumulated.last != 0 {
            let labels = snapshot.labels.all
            for (bound, count) in zip(bounds, snapshot.cumulated) {
                sample("\(duration)_bucket", count, labels + [("le", bound)])
            }
            sample("\(duration)_sum", snapshot.seconds, labels)
            sample("\(duration)_count", snapshot.cumulated.last ?? 0, labels)
        }
        let lasting = "apiserver_longrunning_requests"
        metric(lasting, "gauge", "Watches and followed logs that are under way.")
        for snapshot in snapshots where snapshot.labels.verb == "WATCH" || snapshot.lasting != 0 {
            sample(lasting, snapshot.lasting, snapshot.labels.all.filter { $0.name != "dry_run" })
        }
        let inFlight = "apiserver_current_inflight_requests"
        metric(inFlight, "gauge", "Requests that are being answered, but for watches and followed logs.")
        let (mutating, readOnly) = metrics.inFlight
        sample(inFlight, mutating, [("request_kind", "mutating")])
        sample(inFlight, readOnly, [("request_kind", "readOnly")])
    }
}
