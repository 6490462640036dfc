/// One thing whose speed matters.
///
/// To add some: a file `<Part>Benchmarks.swift` with `extension Benchmark { static var <part>: [Benchmark] }`, and that
/// list in `Benchmark.all`.
struct Benchmark {
    /// `part/what`, by which it is selected.
    var name: String
    /// The bytes that one run handles, for MB/s; 0 where that says nothing.
    var bytes = 0
    /// The operations that one run does, for ns/op.
    var operations = 1
    /// The name of the benchmark in the same list that this one is compared with.
    var reference: String?
    /// The least share of the reference's speed, or the least MB/s where there is none; `nil` without a goal.
    var goal: Double?
    var run: () async throws -> Void
}

extension Benchmark {
    static var all: [Benchmark] { model + store }
}

/// Keeps the optimiser from dropping a result that nobody reads.
@inline(never)
func keep<Value>(_ value: Value) {}
