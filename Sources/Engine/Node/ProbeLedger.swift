package import Kinds
package import Model

package enum ProbeKind: String, Hashable, Sendable, CaseIterable {
    case startup = "Startup"
    case liveness = "Liveness"
    case readiness = "Readiness"

    func probe(of container: Container) -> Probe? {
        switch self {
        case .startup: container.startupProbe
        case .liveness: container.livenessProbe
        case .readiness: container.readinessProbe
        }
    }

    /// What holds before the first result (I6): not ready, alive, not known to have started.
    var initialResult: Bool { self == .liveness }
}

/// The history of one probe of one run of a container, as far as it matters (I6, pure).
package struct ProbeLedger: Hashable, Sendable {
    /// What counts now: it changes only after as many equal results in a row as the thresholds ask for.
    package var result: Bool
    /// Equal results in a row, and which.
    package var run: (passed: Bool, count: Int) {
        get { (lastPassed, count) }
        set { (lastPassed, count) = newValue }
    }
    private var lastPassed: Bool
    private var count: Int
    package var dueAt: Timestamp
    package var isRunning = false

    package init(_ kind: ProbeKind, _ probe: Probe, startedAt: Timestamp, result: Bool? = nil) {
        self.result = result ?? kind.initialResult
        lastPassed = false
        count = 0
        dueAt = startedAt + .seconds(probe.initialDelaySeconds ?? 0)
    }

    /// Only what counts now.
    var untimed: ProbeLedger {
        var ledger = self
        ledger.run = (false, 0)
        ledger.dueAt = Timestamp(seconds: 0)
        ledger.isRunning = false
        return ledger
    }

    /// Takes an outcome; answers whether `result` changed or a failure has reached its threshold once more.
    package mutating func record(_ outcome: ProbeOutcome, _ probe: Probe, now: Timestamp) -> Bool {
        isRunning = false
        let period = Duration.seconds(max(1, probe.periodSeconds ?? 10))
        // A late probe does not make the next ones come closer together.
        dueAt = max(dueAt + period, now)
        let passed: Bool
        switch outcome {
        case .success, .warning: passed = true
        case .failure: passed = false
        case .error: return false
        }
        count = passed == lastPassed ? count + 1 : 1
        lastPassed = passed
        let threshold = passed ? probe.successThreshold ?? 1 : probe.failureThreshold ?? 3
        guard count >= max(1, threshold) else { return false }
        let changed = result != passed || !passed
        result = passed
        return changed
    }
}

extension ProbeAction {
    /// What a probe asks for, with its port's name resolved; the second case says why it cannot be done.
    package enum Resolution: Hashable, Sendable {
        case action(ProbeAction)
        case fault(String)
    }

    package static func of(_ probe: Probe, _ container: Container, podIP: String) -> Resolution {
        resolve(
            exec: probe.exec, httpGet: probe.httpGet, tcpSocket: probe.tcpSocket, sleep: nil, container, podIP: podIP)
    }

    package static func of(_ handler: LifecycleHandler, _ container: Container, podIP: String) -> Resolution {
        resolve(
            exec: handler.exec, httpGet: handler.httpGet, tcpSocket: handler.tcpSocket, sleep: handler.sleep,
            container, podIP: podIP)
    }

    private static func resolve(
        exec: ExecAction?, httpGet: HTTPGetAction?, tcpSocket: TCPSocketAction?, sleep: SleepAction?,
        _ container: Container, podIP: String
    ) -> Resolution {
        if let exec { return .action(.exec(exec.command)) }
        if let sleep { return .action(.sleep(.seconds(sleep.seconds))) }
        if let get = httpGet {
            guard let port = number(of: get.port, in: container) else { return unknownPort(get.port, container) }
            let path = get.path ?? "/"
            return .action(
                .http(
                    HTTPProbe(
                        scheme: (get.scheme ?? "HTTP").lowercased(), host: get.host ?? podIP, port: port,
                        path: path.hasPrefix("/") ? path : "/" + path,
                        headers: get.httpHeaders.map { [$0.name, $0.value] })))
        }
        if let tcp = tcpSocket {
            guard let port = number(of: tcp.port, in: container) else { return unknownPort(tcp.port, container) }
            return .action(.tcp(host: tcp.host ?? podIP, port: port))
        }
        return .fault("no handler that is supported: use exec, httpGet, tcpSocket or, in a hook, sleep")
    }

    private static func number(of port: IntOrString?, in container: Container) -> Int? {
        switch port {
        case .int(let number): number
        case .string(let name): container.ports.first { $0.name == name }?.containerPort ?? Int(name)
        case nil: nil
        }
    }

    private static func unknownPort(_ port: IntOrString?, _ container: Container) -> Resolution {
        .fault("container \(container.name) has no port named \(port.map(\.description) ?? "")")
    }
}
