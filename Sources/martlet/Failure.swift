import ArgumentParser
import Cluster
import Glibc
import Kinds

/// What went wrong with a command, said to a person; exit code 2.
struct CommandError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) {
        self.description = description
    }

    /// Faults in files, one a line.
    init(faults: [String], at revision: String?) {
        self.init(((revision.map { ["at \($0):"] } ?? []) + faults).joined(separator: "\n"))
    }
}

/// How a verb that did not succeed ends: one line that says why on standard error, and an exit code.
enum Failure {
    /// The exit code of every error, so that 1 can mean a difference or a negative answer.
    static let code: Int32 = 2

    static func end(_ error: any Error) -> Never {
        if let code = error as? ExitCode { exit(code.rawValue) }
        switch Martlet.exitCode(for: error) {
        // A request for help or the version.
        case .success: Martlet.exit(withError: error)
        case .validationFailure:
            let text = Martlet.fullMessage(for: error)
            printError(text.hasPrefix("Error: ") ? "error: " + text.dropFirst("Error: ".count) : text)
        default: printError("error: \(message(error))")
        }
        exit(code)
    }

    static func message(_ error: any Error) -> String {
        guard let error = error as? APIError else { return "\(error)" }
        guard error.reason == .unauthorized else { return error.message }
        return "the service does not accept the token of this kubeconfig; use the one that 'martlet serve' wrote last "
            + "(DATA-DIR/kubeconfig)"
    }
}
