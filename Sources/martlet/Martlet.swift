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
        // A client that goes away while it is answered is no reason to die.
        signal(SIGPIPE, SIG_IGN)
        await Martlet.main()
    }
}

struct Martlet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "Keeps a machine, or a Kubernetes cluster, equal to what a Git repository says.",
        discussion: """
            When a commit turns out to be unhealthy, Martlet puts the last healthy commit back, holds the bad one, and \
            says why. Start with 'martlet serve --repo URL', then look with 'martlet app list' and 'martlet get pods'.

            Exit codes: 0 success (diff: no difference), 1 a difference or a negative answer, 2 an error, \
            64 wrong usage.
            """,
        version: Version.text,
        subcommands: [
            Serve.self, Diff.self, Sync.self, Render.self, Validate.self, App.self, Get.self, Describe.self, Logs.self,
            RolloutCommand.self, Events.self, VersionCommand.self, Echo.self, Demo.self,
        ])
}
