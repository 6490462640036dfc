import ArgumentParser
import Kinds

/// The tree of verbs.
enum Verbs {
    /// The command that the arguments ask for.
    ///
    /// They are parsed from their verb on (for which each verb names `martlet` as the command above it), since the
    /// parser builds everything on its way from the root, which is a large part of a short command's time. What does
    /// not parse so, or asks for help, is parsed from the root: that knows the usage to show.
    ///
    /// - Throws: what `Failure.end` says.
    static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        try check(arguments)
        guard let verb = Martlet.configuration.subcommands.first(where: { $0._commandName == arguments.first }),
            // The root says what is wrong.
            let command = try? verb.parseAsRoot(Array(arguments.dropFirst()))
        else { return try Martlet.parseAsRoot(arguments) }
        let below = verb.configuration.subcommands
        let isAsked = (below.isEmpty ? [verb] : below).contains { $0 == type(of: command) }
        return isAsked ? command : try Martlet.parseAsRoot(arguments)
    }

    /// - Throws: `CommandError` that names the verb that was probably meant, for a word that is none.
    static func check(_ arguments: [String]) throws {
        var parent: any ParsableCommand.Type = Martlet.self
        var path = "martlet"
        for word in arguments {
            let verbs = parent.configuration.subcommands
            // Where no verbs are, the words are arguments; `help VERB` is the parser's own.
            guard !verbs.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
            guard let verb = verbs.first(where: { $0._commandName == word }) else {
                let names = verbs.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
                let guess = Spelling.nearest(to: word, among: names).map { "did you mean \"\($0)\"?" }
                throw CommandError(
                    "\(path) has no verb \"\(word)\"; \(guess ?? "there are: \(names.joined(separator: ", "))")")
            }
            parent = verb
            path += " \(word)"
        }
    }
}
