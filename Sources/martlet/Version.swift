import ArgumentParser
import Model

/// What this build is.
enum Version {
    static let text = "0.1.0"
    /// The Kubernetes version whose API the engine speaks.
    static let kubernetes = "v1.36.0"
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", _superCommandName: "martlet", abstract: "Print the version.",
        usage: "martlet version [<options>]",
        discussion: "Exit codes: 0 printed, 2 an error.")

    @Option(name: .shortAndLong, help: ArgumentHelp("Print as json or yaml.", valueName: "format"))
    var output: OutputFormat?

    func run() throws {
        guard let output else {
            print("martlet \(Version.text) (Kubernetes API \(Version.kubernetes))")
            return
        }
        print(output.text(["martlet": .string(Version.text), "kubernetes": .string(Version.kubernetes)]))
    }
}
