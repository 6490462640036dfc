import Foundation

/// `make bench [FILTER="…"]`: runs the benchmarks whose names contain one of the filters.
@main
enum MartletBench {
    static func main() async throws {
        let filters = CommandLine.arguments.dropFirst()
        let all = Benchmark.all
        var selected = Set<String>()
        for benchmark in all where filters.isEmpty || filters.contains(where: { benchmark.name.contains($0) }) {
            selected.insert(benchmark.name)
            // A comparison needs its other side in the same run.
            if let reference = benchmark.reference { selected.insert(reference) }
        }
        let chosen = all.filter { selected.contains($0.name) }
        if !chosen.isEmpty { try await report(chosen) }
        let figures = Measurement.all.filter { figure in
            filters.isEmpty || filters.contains { figure.name.contains($0) }
        }
        guard !figures.isEmpty else { return }
        say(row("measurement", "value", "unit", "", "limit"))
        for figure in figures {
            let value: Double
            do {
                value = try await figure.run()
            } catch {
                say(row(figure.name, "FAILED") + " \(error)")
                continue
            }
            let (sign, limit) =
                switch figure.limit {
                case .atMost(let limit): ("≤", limit)
                case .atLeast(let limit): ("≥", limit)
                }
            let verdict = figure.limit.allows(value) ? "met" : "MISSED"
            say(row(figure.name, text(value, 2), figure.unit, "", "\(verdict) (\(sign) \(text(limit, 1)))"))
        }
    }

    /// Prints a line at once, also into a file.
    private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

    private static func report(_ chosen: [Benchmark]) async throws {
        let best = try await measure(chosen)
        print(row("benchmark", "ns/op", "MB/s", "of reference", "goal"))
        for benchmark in chosen {
            let nanoseconds = best[benchmark.name] ?? .infinity
            let speed = Double(benchmark.bytes) / nanoseconds * 1000
            let ratio = benchmark.reference.flatMap { best[$0] }.map { $0 / nanoseconds }
            print(
                row(
                    benchmark.name, text(nanoseconds / Double(benchmark.operations), 0),
                    benchmark.bytes > 0 ? text(speed, 1) : "", ratio.map { text($0, 2) } ?? "",
                    verdict(benchmark, measured: ratio ?? speed)))
        }
    }

    /// Nanoseconds a run: the best of many short rounds, since what else the machine does only ever adds.
    ///
    /// Every round goes through all benchmarks, so that a busy moment spoils a comparison's both sides or neither.
    private static func measure(_ benchmarks: [Benchmark]) async throws -> [String: Double] {
        let clock = ContinuousClock()
        var runs: [Int] = []
        for benchmark in benchmarks {
            let first = try await clock.measure { try await benchmark.run() }
            runs.append(max(1, Int(0.01 / max(1e-9, first / .seconds(1)))))
        }
        var best: [String: Double] = [:]
        for _ in 0..<40 {
            for (benchmark, runs) in zip(benchmarks, runs) {
                let elapsed = try await clock.measure {
                    for _ in 0..<runs { try await benchmark.run() }
                }
                best[benchmark.name] = min(best[benchmark.name] ?? .infinity, elapsed / .nanoseconds(1) / Double(runs))
            }
        }
        return best
    }

    private static func verdict(_ benchmark: Benchmark, measured: Double) -> String {
        guard let goal = benchmark.goal else { return "" }
        return (measured >= goal ? "met (" : "MISSED (") + text(goal, goal < 10 ? 2 : 0) + ")"
    }

    private static func text(_ value: Double, _ places: Int) -> String {
        let scale = [1.0, 10, 100][places]
        let scaled = Int(value * scale + 0.5)
        guard places > 0 else { return String(scaled) }
        let fraction = String(scaled % Int(scale))
        return "\(scaled / Int(scale))." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    private static func row(_ name: String, _ columns: String...) -> String {
        let width = 14
        return name + String(repeating: " ", count: max(1, 36 - name.count))
            + columns.map { String(repeating: " ", count: max(1, width - $0.count)) + $0 }.joined()
    }
}
