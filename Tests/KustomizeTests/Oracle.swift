import Glibc
import Model

/// `kubectl kustomize` on this machine, which has the last word.
enum Oracle {
    enum Answer {
        case built([JSON])
        case refused(String)
    }

    static let path: String? = {
        let search = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return search.split(separator: ":").map { "\($0)/kubectl" }.first { access($0, X_OK) == 0 }
    }()

    /// - Throws: `YAMLError` when it prints what is no YAML.
    static func build(_ directory: String) throws -> Answer {
        guard let path else { fatalError("kubectl is not on PATH") }
        var template = Array("/tmp/martlet-oracle-XXXXXX".utf8CString)
        let folder = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        defer {
            unlink("\(folder)/out")
            unlink("\(folder)/err")
            rmdir(folder)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 1, "\(folder)/out", flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, "\(folder)/err", flags, 0o600)
        let arguments = [path, "kustomize", directory].map { (text: String) in strdup(text) } + [nil]
        defer { arguments.forEach { free($0) } }
        var pid: pid_t = 0
        precondition(posix_spawn(&pid, path, &actions, nil, arguments, environ) == 0, "cannot run \(path)")
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { return .refused(String(decoding: contents(of: "\(folder)/err"), as: UTF8.self)) }
        return .built(try documents(String(decoding: contents(of: "\(folder)/out"), as: UTF8.self)))
    }

    static func documents(_ text: String) throws -> [JSON] {
        try YAML.documents(text, file: "kubectl").map(\.value)
    }
}
