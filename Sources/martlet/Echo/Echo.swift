import ArgumentParser
import Cluster
import Glibc

/// The image `martlet.dev/echo`: an HTTP server for examples and tests that can be slow, unready, faulty or stubborn.
///
/// Every option can also be given in the environment: `--ready-after 2s` is `ECHO_READY_AFTER=2s`. The command line
/// wins.
struct Echo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo", _superCommandName: "martlet",
        abstract: "The built-in HTTP test server, the image martlet.dev/echo.",
        discussion: """
            Answers {"version","pod","path"} on any path, and readiness on /readyz and liveness on /healthz.
            Each option can be given in the environment: --ready-after 2s is ECHO_READY_AFTER=2s.
            """,
        shouldDisplay: false)

    @Option(help: "The address to listen on. (default: $POD_IP or 127.0.0.1)")
    var address: String?

    @Option(help: "The port to listen on. (default: $PORT or 8080)")
    var port: Int?

    @Option(help: ArgumentHelp("The version that answers tell. (default: v1)", valueName: "text"))
    var versionText: String?

    @Option(help: "A message that answers carry.")
    var message: String?

    @Option(help: "How long after the start readiness passes, such as 2s. (default: 0s)")
    var readyAfter: GoDuration?

    @Option(help: "Whether readiness ever passes. (default: true)")
    var ready: Bool?

    @Option(help: "How long an answer takes, such as 50ms. (default: 0s)")
    var delay: GoDuration?

    @Option(help: "The share of requests that fail with 500, from 0 to 1. (default: 0)")
    var failRate: Double?

    @Option(help: "Exit so long after the start, as a crash.")
    var crashAfter: GoDuration?

    @Option(help: "The exit code of that crash; without --crash-after exit with it at once.")
    var exitCode: Int32?

    @Flag(help: "Do nothing on SIGTERM.")
    var ignoreSigterm = false

    @Option(help: "How long to accept connections after SIGTERM, so that proxies notice. (default: 1s)")
    var drain: GoDuration?

    func run() async throws {
        let options = try resolved()
        try await EchoServer(options, clock: SystemClock()).run()
    }

    /// The command line, then the environment, then the defaults.
    func resolved(environment: (String) -> String? = { getenv($0).map { String(cString: $0) } }) throws -> EchoOptions {
        var options = EchoOptions()
        func text(_ name: String) -> String? { environment("ECHO_" + name) }
        func parsed<Value>(_ name: String, _ parse: (String) -> Value?) throws -> Value? {
            guard let text = text(name) else { return nil }
            guard let value = parse(text) else { throw ValidationError("ECHO_\(name)=\(text) is not valid") }
            return value
        }
        func duration(_ flag: GoDuration?, _ name: String) throws -> Duration? {
            try (flag ?? parsed(name, GoDuration.init(argument:)))?.duration
        }
        options.address = address ?? environment("POD_IP") ?? options.address
        if let port = try port ?? parsed("PORT", { Int($0) }) ?? environment("PORT").flatMap({ Int($0) }) {
            guard (0...65535).contains(port) else { throw ValidationError("port \(port) is not between 0 and 65535") }
            options.port = port
        }
        options.version = versionText ?? text("VERSION_TEXT") ?? options.version
        options.message = message ?? text("MESSAGE")
        options.pod = environment("POD_NAME") ?? environment("HOSTNAME") ?? ""
        options.readyAfter = try duration(readyAfter, "READY_AFTER") ?? .zero
        if try (ready ?? parsed("READY", { Bool($0) })) == false { options.readyAfter = nil }
        options.delay = try duration(delay, "DELAY") ?? options.delay
        options.failRate = try failRate ?? parsed("FAIL_RATE", { Double($0) }) ?? options.failRate
        guard (0...1).contains(options.failRate) else {
            throw ValidationError("a fail rate of \(options.failRate) is not between 0 and 1")
        }
        options.crashAfter = try duration(crashAfter, "CRASH_AFTER")
        if let code = try exitCode ?? parsed("EXIT_CODE", { Int32($0) }) {
            options.exitCode = code
            options.crashAfter = options.crashAfter ?? .zero
        }
        options.ignoresTermination = try ignoreSigterm || parsed("IGNORE_SIGTERM", { Bool($0) }) ?? false
        options.drain = try duration(drain, "DRAIN") ?? options.drain
        return options
    }
}
