import FoundationEssentials
import Glibc
import Testing

/// The real `kubectl`, with a stage's kubeconfig and a home of its own for its caches.
struct Kubectl {
    static let isInstalled = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .contains { FileManager.default.isExecutableFile(atPath: "\($0)/kubectl") }

    let stage: Stage
    /// Before every command's own arguments.
    var options: [String] = []
    var environment: [String] = []

    private func command(_ arguments: [String]) -> [String] {
        // No command here takes long; one that hangs must fail its test, not hold it up.
        [
            "timeout", "60", "env", "HOME=\(stage.root)", "KUBECONFIG=\(stage.data)/kubeconfig", "LC_ALL=C",
        ] + environment + ["kubectl"] + options + arguments
    }

    /// Runs a command that is to succeed, and answers what it wrote.
    @discardableResult
    func callAsFunction(_ arguments: String..., input: String? = nil) throws -> String {
        try callAsFunction(arguments, input: input)
    }

    @discardableResult
    func callAsFunction(_ arguments: [String], input: String? = nil) throws -> String {
        let result = try execute(arguments, input)
        guard result.code == 0 else {
            throw Stage.Failure(
                description: "kubectl \(arguments.joined(separator: " ")) ended with \(result.code): \(result.output)")
        }
        return result.output
    }

    /// Runs a command that is to fail, and answers what it wrote.
    func failing(_ arguments: String..., input: String? = nil) throws -> (code: Int32, output: String) {
        try failing(arguments, input: input)
    }

    func failing(_ arguments: [String], input: String? = nil) throws -> (code: Int32, output: String) {
        let result = try execute(arguments, input)
        guard ![0, 124].contains(result.code) else {
            throw Stage.Failure(
                description: "kubectl \(arguments.joined(separator: " ")) ended with \(result.code): \(result.output)")
        }
        return result
    }

    /// - Parameter input: a file `input.yaml` in the working directory.
    private func execute(_ arguments: [String], _ input: String?) throws -> (code: Int32, output: String) {
        if let input { try Data(input.utf8).write(to: URL(filePath: "\(stage.root)/input.yaml")) }
        return try stage.execute(command(arguments), in: stage.root)
    }

    /// Starts a command that goes on.
    func start(_ arguments: String..., output: String) throws -> Background {
        let file = "\(stage.root)/\(output)"
        return Background(pid: try Stage.spawn(command(arguments), in: stage.root, output: file), file: file)
    }

    struct Background {
        var pid: pid_t
        var file: String

        var output: String {
            String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
        }

        /// - Returns: the exit code; 124 when it had to be ended.
        func wait() -> Int32 { Stage.wait(pid) }
    }
}
