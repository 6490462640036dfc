import ArgumentParser
import Engine
import Kinds
import Model
import Reconciler
import Rehearsal

/// `--node 4,8Gi`
struct NodeSize {
    var cpu: Quantity
    var memory: Quantity

    /// - Throws: `ValidationError`.
    init(_ argument: String) throws {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else {
            throw ValidationError("write the CPU and the memory, parted by a comma, as in 4,8Gi")
        }
        cpu = try Self.amount(parts[0], of: "CPU", as: "4 or 500m")
        memory = try Self.amount(parts[1], of: "memory", as: "8Gi or 512Mi")
    }

    private static func amount(_ text: String, of what: String, as example: String) throws -> Quantity {
        guard let quantity = Quantity(text), quantity > .zero else {
            throw ValidationError("\"\(text)\" is no amount of \(what) above zero; write one like \(example)")
        }
        return quantity
    }

    func node(named name: String) -> LogicalNode {
        LogicalNode(name: name, capacity: ["cpu": cpu, "memory": memory, "pods": Quantity(110)])
    }
}

/// `--ready-delay 5s` or `--ready-delay web=5s`, and the same of `--pull-delay`
struct DelayOption {
    private static let longest = Duration.seconds(86400)

    /// `nil`: all of which nothing else is known.
    var workload: String?
    var delay: Duration

    /// - Throws: `ValidationError`.
    init(_ argument: String) throws {
        let (first, second) = argument.parted
        if second != nil, first.isEmpty {
            throw ValidationError("no workload is named before the =; write web=5s or 5s")
        }
        let text = second ?? first
        guard let delay = DurationText.parse(text) else {
            throw ValidationError("\"\(text)\" is no duration; write 5s or 1m30s, or web=5s for one workload")
        }
        guard delay <= Self.longest else { throw ValidationError("\(text) is more than a day (24h)") }
        self.delay = delay
        workload = second == nil ? nil : first
    }
}

/// `--fail web`, `--fail web=probe` or `--fail web=crash@30s`
struct FailOption {
    private static let longest = Duration.seconds(86400)
    private static let words = ["crash", "crash@30s", "probe", "pull"]

    var failure: InjectedFailure

    /// - Throws: `ValidationError`.
    init(_ argument: String) throws {
        let (workload, how) = argument.parted
        if workload.isEmpty { throw ValidationError("no workload is named; write web or web=probe") }
        guard let mode = how == nil ? .crash : how.flatMap(FailureMode.init) else {
            let how = how ?? ""
            if how.hasPrefix("crash@") {
                throw ValidationError("\"\(how.dropFirst(6))\" is no duration; write one like crash@30s or crash@5m")
            }
            let guess = Spelling.nearest(to: how, among: Self.words).map { "did you mean \"\($0)\"?" }
            throw ValidationError(
                "\"\(how)\" is no way to fail; \(guess ?? "there are: \(Self.words.joined(separator: ", "))")")
        }
        if case .crashWhenReady(let after) = mode, after > Self.longest {
            throw ValidationError("\(how ?? "") is more than a day (24h) after they are ready")
        }
        failure = InjectedFailure(workload: workload, mode: mode)
    }
}

extension String {
    /// What stands before the first `=` and behind it; all of it and `nil` where there is none.
    fileprivate var parted: (String, String?) {
        let parts = split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (parts[0], parts.count == 2 ? parts[1] : nil)
    }
}

extension [DelayOption] {
    /// Puts each where it belongs: to its workload, or to all others.
    func read(into named: inout [String: Duration], others: inout Duration) {
        for option in self {
            if let workload = option.workload { named[workload] = option.delay } else { others = option.delay }
        }
    }
}
