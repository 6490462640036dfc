import ArgumentParser
import CSupervisor
import Glibc

/// Where the process begins. A pod's supervisor is this same binary under another first argument: it must start before,
/// and without, everything else.
@main
enum EntryPoint {
    static func main() async {
        if CommandLine.argc > 1, CommandLine.arguments[1] == "supervise" {
            exit(martlet_supervise(CommandLine.argc, CommandLine.unsafeArgv))
        }
        reserveStandardDescriptors()
        // A client that goes away while it is answered is no reason to die; a reader of standard output is (`print`).
        signal(SIGPIPE, SIG_IGN)
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            switch try Verbs.parse(arguments) {
            // Called by its own type it stays on this thread. It is a matter of milliseconds, and mostly waits for
            // nothing: starting the pool of threads that others run on would take a tenth of that.
            case let render as Render: try await render.run()
            case var command as any AsyncParsableCommand: try await command.run()
            case var command: try command.run()
            }
        } catch {
            Failure.end(error)
        }
    }
}

struct Martlet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "Keeps a machine, or a Kubernetes cluster, equal to what a Git repository says.",
        discussion: """
            When a commit turns out to be unhealthy, Martlet puts the last healthy commit back, holds the bad one, and \
            says why. Start with 'martlet serve --repo URL', then look with 'martlet app list' and 'martlet get pods'.

            Exit codes: 0 success (diff: no difference), 1 a difference or a negative answer, 2 an error, wrong usage \
            included.
            """,
        version: Version.text,
        subcommands: [
            Serve.self, Diff.self, Rehearse.self, Sync.self, Render.self, Validate.self, App.self, Get.self,
            Describe.self, Logs.self,
            RolloutCommand.self, Events.self, Backup.self, Restore.self, KubeconfigCommand.self, VersionCommand.self,
            Completion.self,
            Echo.self, Demo.self,
        ])
}
