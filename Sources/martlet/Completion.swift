import ArgumentParser

/// `martlet completion …`: what kubectl's verb of that name does.
struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "completion", _superCommandName: "martlet", abstract: "Print a shell's completion script.",
        discussion: """
            bash: source <(martlet completion bash)
            zsh:  martlet completion zsh > "${fpath[1]}/_martlet"
            fish: martlet completion fish > ~/.config/fish/completions/martlet.fish

            Exit codes: 0 printed, 2 an error.
            """)

    @Argument(help: "bash, zsh or fish.")
    var shell: Shell

    enum Shell: String, ChoiceArgument {
        case bash, zsh, fish

        var completion: CompletionShell {
            switch self {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        }
    }

    func run() throws {
        print(Martlet.completionScript(for: shell.completion))
    }
}
