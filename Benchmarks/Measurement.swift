/// One figure of a whole process, with the limit that it must keep: for what has no peer in the same run.
struct Measurement {
    enum Limit {
        case atMost(Double)
        case atLeast(Double)

        func allows(_ value: Double) -> Bool {
            switch self {
            case .atMost(let limit): value <= limit
            case .atLeast(let limit): value >= limit
            }
        }
    }

    /// `part/what`, by which it is selected.
    var name: String
    var unit: String
    var limit: Limit
    var run: () async throws -> Double
}

extension Measurement {
    static var all: [Measurement] { reconciler + simulation + service + api + commandLine }

    /// The middle one of several runs, which one disturbance does not move.
    static func median(of count: Int, _ run: () async throws -> Double) async throws -> Double {
        var values: [Double] = []
        for _ in 0..<count { values.append(try await run()) }
        return values.sorted()[count / 2]
    }
}
