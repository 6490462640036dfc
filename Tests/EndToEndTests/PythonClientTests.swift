import FoundationEssentials
import TestServers
import Testing

/// The official Python client (`pip install kubernetes`) in an environment of its own, beside the test bundle.
enum PythonClient {
    /// The Python that can import it; `nil` where there is none and it cannot be installed.
    static let python: String? = {
        let folder = Stage.martlet.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/python-client"
        let python = "\(folder)/bin/python"
        let ready = [python, "-c", "import kubernetes.watch"]
        if FileManager.default.isExecutableFile(atPath: python), succeeds(ready) { return python }
        guard succeeds(["python3", "-m", "venv", "--clear", folder]),
            succeeds([python, "-m", "pip", "install", "--quiet", "kubernetes"]), succeeds(ready)
        else { return nil }
        return python
    }()

    private static func succeeds(_ command: [String]) -> Bool {
        do {
            return Stage.wait(try Stage.spawn(["timeout", "120"] + command, in: "/", output: "/dev/null")) == 0
        } catch {
            return false
        }
    }

    /// What it does with the cluster, kind by kind.
    static let script = URL(filePath: #filePath).deletingLastPathComponent().path + "/python_client.py"
}

@Suite(
    "The Python client", .serialized, .blocking,
    .enabled(if: PythonClient.python != nil, "there is no python3 with venv, or no package kubernetes for it"))
struct PythonClientTests {
    @Test("creates, reads, lists, patches, applies, replaces, watches and deletes objects of every built-in kind")
    func everyKind() async throws {
        let python = try #require(PythonClient.python)
        try await Stage.with { stage in
            try await stage.launch([])
            let result = try stage.execute(
                [
                    "timeout", "60", "env", "HOME=\(stage.root)", "KUBECONFIG=\(stage.data)/kubeconfig", python,
                    PythonClient.script,
                ], in: stage.root)
            #expect(result.code == 0, "\(result.output)")
            #expect(result.output.split(separator: "\n").filter { $0.hasSuffix(": ok") }.count >= 51)
        }
    }
}
