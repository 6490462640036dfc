import Testing

/// One running service for a whole suite: starting one for each test would take most of the time.
struct RunningService: SuiteTrait, TestScoping {
    @TaskLocal static var stage: Stage?

    @concurrent
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Stage.with { stage in
            try stage.write(
                "web/deployment.yaml", Manifests.deployment(["--version-text", "v1"], extra: CommandLineStage.prepare))
            try stage.write("web/service.yaml", Manifests.service)
            try stage.write("web/config.yaml", Manifests.configMap("web", "one"))
            try stage.write("web/secret.yaml", CommandLineStage.secret("hunter2"))
            let first = try stage.push("v1")
            try await stage.start(["--image", "greeter=echo 'all is' \"prepared\""])
            try await stage.waitForHealthy(first)
            try await Self.$stage.withValue(stage) { try await function() }
        }
    }
}

extension Trait where Self == RunningService {
    static var runningService: Self { Self() }
}

/// What a shell command of a test did.
struct Answer: CustomStringConvertible {
    var code: Int32
    var text: String
    var description: String { "exit code \(code)\n\(text)" }
}

enum CommandLineStage {
    /// A second container, so that a log has to be chosen.
    static let prepare = """
              initContainers:
                - name: prepare
                  image: greeter
        """

    static func secret(_ password: String) -> String {
        """
        apiVersion: v1
        kind: Secret
        metadata:
          name: web
        stringData:
          password: \(password)
        """
    }

    /// The suite's service.
    static func current() throws -> Stage { try #require(RunningService.stage) }
}

extension Stage {
    /// Runs a line of shell in the working copy, in which `martlet` is the command under test and talks to the service.
    /// What it says on standard error comes with the rest.
    func shell(_ line: String, _ environment: String...) throws -> Answer {
        let folder = Self.martlet[..<(Self.martlet.lastIndex(of: "/") ?? Self.martlet.endIndex)]
        let variables = [
            "MARTLET_DATA_DIR=\(data)", "XDG_CACHE_HOME=\(root)/cache", "ROOT=\(root)", "REMOTE=\(remote)",
            "HOME=\(root)/home",
        ]
        let command = ["env", "-u", "KUBECONFIG"] + variables + environment
        let script = "PATH=\"\(folder):$PATH\"; \(line)"
        let result = try execute(command + ["timeout", "30", "bash", "-c", script], in: workingCopy)
        return Answer(code: result.code, text: result.output)
    }
}
