import Glibc
package import Model
import Synchronization

/// A run of real code under virtual time and a seeded order of everything concurrent: hours pass in milliseconds, and a
/// failure repeats under its seed.
package enum Simulation {
    /// What a run came to.
    package struct Outcome<Value: Sendable>: Sendable {
        package var value: Value
        /// Jobs that were run.
        package var steps: Int
        /// Differs when the order of jobs differs: equal for equal seeds.
        package var digest: UInt64
        /// Virtual time that passed.
        package var elapsed: Duration
    }

    package enum Failure: Error, Hashable, CustomStringConvertible {
        /// The limit of virtual time was reached before the body returned.
        case tookTooLong(Duration, seed: UInt64)
        /// Jobs go on and on while time stands still.
        case isSpinning(at: Timestamp, seed: UInt64)
        /// Nothing can run and nobody waits for a time: the body waits for something that will never come.
        case isStuck(seed: UInt64)

        package var description: String {
            switch self {
            case .tookTooLong(let limit, let seed): "seed \(seed): not finished after \(limit) of virtual time"
            case .isSpinning(let time, let seed):
                "seed \(seed): too many jobs and still \(time): something is done over and over"
            case .isStuck(let seed): "seed \(seed): everything waits, and nothing will happen any more"
            }
        }
    }

    /// Runs `body` to its end on the calling thread.
    ///
    /// - Parameters:
    ///   - clock: a new one, for those who need it before the run.
    ///   - limit: virtual time after which the body is cancelled.
    ///   - longestInstant: jobs that one instant may take.
    ///   - observe: is called between any two jobs, when every write has happened in full or not at all.
    /// - Throws: what the body throws, or `Failure`.
    package static func run<Value: Sendable>(
        seed: UInt64, clock: VirtualClock = VirtualClock(), until limit: Duration = .seconds(86400),
        longestInstant: Int = 100_000, observe: () throws -> Void = {},
        _ body: @escaping @Sendable (VirtualClock) async throws -> Value
    ) throws -> Outcome<Value> {
        let executor = SeededExecutor(seed: seed)
        let start = clock.now
        let box = ResultBox<Value>()
        // The one unstructured task: it is where the simulated world begins, and is driven to its end below.
        let task = Task(executorPreference: executor) {
            do {
                box.set(.success(try await body(clock)))
            } catch {
                box.set(.failure(error))
            }
        }
        var failure: (any Error)?
        var patience = 0
        var (instant, jobs) = (start, 0)
        while !box.isSet {
            if executor.step() {
                patience = 0
                jobs = clock.now == instant ? jobs + 1 : 0
                instant = clock.now
                if jobs > longestInstant { throw Failure.isSpinning(at: instant, seed: seed) }
                if failure == nil {
                    do { try observe() } catch {
                        failure = error
                        task.cancel()
                    }
                }
                continue
            }
            if failure == nil, clock.now - start > limit {
                failure = Failure.tookTooLong(limit, seed: seed)
                task.cancel()
                continue
            }
            if clock.advance() { continue }
            // A thread outside may still owe an answer; it is given a moment of real time.
            patience += 1
            if patience > 2000 { throw failure ?? Failure.isStuck(seed: seed) }
            usleep(500)
        }
        if let failure { throw failure }
        guard let result = box.result else { preconditionFailure("the loop ends with a result") }
        return Outcome(
            value: try result.get(), steps: executor.steps, digest: executor.digest, elapsed: clock.now - start)
    }
}

/// Where the body leaves its result for the loop that drives it.
private final class ResultBox<Value: Sendable>: Sendable {
    private let state = Mutex<Result<Value, any Error>?>(nil)

    private let done = Atomic(false)

    /// Asked after every job, and so answered without a look at the result.
    var isSet: Bool { done.load(ordering: .acquiring) }

    var result: Result<Value, any Error>? { state.withLock { $0 } }

    func set(_ result: Result<Value, any Error>) {
        state.withLock { $0 = result }
        done.store(true, ordering: .releasing)
    }
}
