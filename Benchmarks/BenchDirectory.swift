import Foundation

/// A temporary directory, on a disk, that is gone with its owner.
final class BenchDirectory: Sendable {
    let path: String

    init() {
        // Not /tmp, which may be no disk.
        path = "/var/tmp/martlet-bench-\(UInt32.random(in: 0 ... .max))"
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            fatalError("no temporary directory: \(error)")
        }
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("\(path) could not be removed: \(error)")
        }
    }

    func write(_ name: String, _ text: String) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// Runs a program to its end; answers its exit code, what it printed, and the wall time, its start included.
    @discardableResult
    func run(_ arguments: [String], input: String? = nil) throws -> (code: Int32, output: String, elapsed: Duration) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: path)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        if let input {
            try write("input", input)
            process.standardInput = try FileHandle(forReadingFrom: URL(filePath: "\(path)/input"))
        }
        let start = ContinuousClock().now
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let elapsed = ContinuousClock().now - start
        return (process.terminationStatus, String(decoding: text, as: UTF8.self), elapsed)
    }

    /// Runs Git, which must succeed.
    @discardableResult
    func git(_ arguments: String..., input: String? = nil) throws -> String {
        let settings = ["-c", "user.name=bench", "-c", "user.email=bench@martlet.invalid"]
        let result = try run(["git"] + settings + arguments, input: input)
        guard result.code == 0 else { throw BenchError("git \(arguments): \(result.output)") }
        return String(result.output.prefix { !$0.isNewline })
    }
}

struct BenchError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

extension Duration {
    var milliseconds: Double { self / .milliseconds(1) }
}
