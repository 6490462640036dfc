import Cluster
import Glibc
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import UnixSignals

/// The echo server's life: listen, answer, and on SIGTERM drain so that no request is lost.
///
/// Draining: (1) answers say `Connection: close` and readiness fails, while new connections are still accepted, since
/// proxies need a moment to notice; (2) after `drain` it stops listening and closes idle connections; (3) when the last
/// request is answered it exits 0.
struct EchoServer: Sendable {
    private let options: EchoOptions
    private let clock: any WallClock
    private let state: EchoState

    init(_ options: EchoOptions, clock: any WallClock) {
        self.options = options
        self.clock = clock
        state = EchoState(options, startedAt: clock.now, clock: clock)
    }

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let channel: any Channel
        do {
            channel = try await listen()
        } catch {
            say("cannot listen on \(options.address):\(options.port): \(error)")
            exit(1)
        }
        say("echo \(options.version) listens on \(options.address):\(channel.localAddress?.port ?? options.port)")
        try await withThrowingTaskGroup { tasks in
            if let crashAfter = options.crashAfter {
                tasks.addTask {
                    try await clock.sleep(for: crashAfter)
                    say("crashing with exit code \(options.exitCode), as told")
                    exit(options.exitCode)
                }
            }
            for await signal in signals {
                if signal == .sigterm, options.ignoresTermination {
                    say("SIGTERM ignored, as told")
                    continue
                }
                break
            }
            say("draining for \(options.drain)")
            state.beginDraining()
            try await clock.sleep(for: options.drain)
            try await channel.close()
            for idle in state.stopAccepting() { idle.close(promise: nil) }
            await state.waitUntilIdle()
            say("drained")
            tasks.cancelAll()
        }
    }

    private func listen() async throws -> any Channel {
        let state = self.state
        let options = self.options
        return try await ServerBootstrap(group: MultiThreadedEventLoopGroup(numberOfThreads: 1))
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(EchoHandler(options, state: state))
                }
            }
            .bind(host: options.address, port: options.port).get()
    }

    private func say(_ text: String) {
        print(text)
        fflush(nil)
    }
}

/// What the connections of one echo server share.
final class EchoState: Sendable {
    private let options: EchoOptions
    private let startedAt: Timestamp
    private let clock: any WallClock
    private let draining = Atomic(false)
    private let connections = Mutex(Connections())

    private struct Connections {
        var isAccepting = true
        var idle: [ObjectIdentifier: any Channel] = [:]
        var busy = 0
        var whenIdle: CheckedContinuation<Void, Never>?

        /// The waiter to resume, once the last request is answered.
        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            busy == 0 ? whenIdle.take() : nil
        }
    }

    init(_ options: EchoOptions, startedAt: Timestamp, clock: any WallClock) {
        self.options = options
        self.startedAt = startedAt
        self.clock = clock
    }

    var isDraining: Bool { draining.load(ordering: .relaxed) }

    var isReady: Bool {
        guard let readyAfter = options.readyAfter, !isDraining else { return false }
        return clock.now - startedAt >= readyAfter
    }

    func beginDraining() { draining.store(true, ordering: .relaxed) }

    /// The connections on which no request is being answered.
    func stopAccepting() -> [any Channel] {
        connections.withLock {
            $0.isAccepting = false
            return Array($0.idle.values)
        }
    }

    func opened(_ channel: any Channel) {
        connections.withLock { $0.idle[ObjectIdentifier(channel)] = channel }
    }

    func closed(_ channel: any Channel) {
        connections.withLock { _ = $0.idle.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    func began(_ channel: any Channel) {
        connections.withLock {
            $0.idle[ObjectIdentifier(channel)] = nil
            $0.busy += 1
        }
    }

    /// Answers whether the connection may serve another request.
    func ended(_ channel: any Channel, isIdle: Bool) -> Bool {
        let (goesOn, waiter) = connections.withLock { state in
            state.busy -= 1
            if isIdle, state.isAccepting, channel.isActive { state.idle[ObjectIdentifier(channel)] = channel }
            return (state.isAccepting, state.takeWaiter())
        }
        waiter?.resume()
        return goesOn
    }

    func waitUntilIdle() async {
        await withCheckedContinuation { continuation in
            let waiter = connections.withLock { state in
                state.whenIdle = continuation
                return state.takeWaiter()
            }
            waiter?.resume()
        }
    }
}
