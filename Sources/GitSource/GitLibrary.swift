import CLibgit2
import Glibc

/// The functions of libgit2, without their `git_`. Loaded when the first is touched, which `GitLibrary.require` is to
/// do, since it can say what is missing.
///
/// Unsafe by its type alone: it is a table of functions that never changes.
nonisolated(unsafe) let libgit2: martlet_git_functions = {
    switch GitLibrary.functions {
    case .success(let functions): return functions.pointee
    case .failure(let error): fatalError(error.message)
    }
}()

/// The process-wide state of libgit2.
enum GitLibrary {
    /// Loads libgit2 and makes it ready, the first time that it is called.
    ///
    /// - No user or system configuration is read (`insteadOf`, `http.sslVerify`): what Martlet does follows from its
    ///   own settings alone.
    /// - A repository may belong to another user: Git refuses those because its configuration can name programs to run,
    ///   and libgit2 runs none.
    /// - Throws: `GitError` of kind `unsupported` where there is no libgit2.
    static func require() throws(GitError) { try ready.get() }

    /// Unsafe as `libgit2` is.
    nonisolated(unsafe) fileprivate static let functions: Result<UnsafePointer<martlet_git_functions>, GitError> = {
        var reason: UnsafePointer<CChar>?
        if let functions = martlet_git_load(&reason) { return .success(functions) }
        let why = reason.map { String(cString: $0) } ?? "no reason given"
        return .failure(
            GitError(
                .unsupported,
                "libgit2 cannot be loaded (\(why)): install its version \(LIBGIT2_SOVERSION), on Debian the package "
                    + "libgit2-\(LIBGIT2_SOVERSION)"))
    }()

    private static let ready: Result<Void, GitError> = functions.flatMap { functions in
        guard functions.pointee.libgit2_init() > 0, martlet_git_ignore_user_configuration(functions) == 0,
            martlet_git_set_owner_validation(functions, 0) == 0, DeadlineSocket.register()
        else { return .failure(GitError(.other, "libgit2 cannot be initialised: \(lastMessage())")) }
        return .success(())
    }

    /// The certificate authorities that HTTPS servers are checked against, instead of the system's.
    ///
    /// Holds for the whole process, as libgit2 has no narrower setting.
    static func trustCertificates(inFile path: String) throws(GitError) {
        try require()
        guard martlet_git_set_certificate_authorities(try functions.get(), path, nil) == 0 else {
            throw GitError(.notPermitted, "cannot read certificate authorities from \(path): \(lastMessage())")
        }
    }

    /// What libgit2 said last on this thread, and the area (`GIT_ERROR_…`) it came from.
    static func last() -> (message: String, area: UInt32) {
        guard let error = libgit2.error_last(), let text = error.pointee.message else { return ("no details given", 0) }
        return (String(cString: text), UInt32(error.pointee.klass))
    }

    static func lastMessage() -> String { last().message }
}

/// An owned libgit2 object that is freed with its last reference.
///
/// Not `Sendable`: libgit2's objects belong to one thread at a time.
final class Handle {
    let pointer: OpaquePointer
    private let free: (OpaquePointer) -> Void

    init(_ pointer: OpaquePointer, free: @escaping (OpaquePointer) -> Void) {
        self.pointer = pointer
        self.free = free
    }

    deinit { free(pointer) }

    /// Calls a libgit2 function that answers an object, and owns the object.
    static func make(
        _ doing: @autoclosure () -> String, free: @escaping (OpaquePointer?) -> Void,
        _ call: (UnsafeMutablePointer<OpaquePointer?>) -> CInt
    ) throws(GitError) -> Handle {
        var pointer: OpaquePointer?
        try check(call(&pointer), doing())
        guard let pointer else { throw GitError(.other, "\(doing()): libgit2 answered no object") }
        return Handle(pointer) { free($0) }
    }

    static func repository(at path: String) throws(GitError) -> Handle {
        try GitLibrary.require()
        return try make("cannot open the repository at \(path)", free: libgit2.repository_free) {
            libgit2.repository_open_ext($0, path, GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue, nil)
        }
    }
}

/// Throws what a libgit2 return code means.
func check(_ code: CInt, _ doing: @autoclosure () -> String) throws(GitError) {
    guard code < 0 else { return }
    throw GitError(libgit2: code, doing: doing())
}

extension GitError {
    /// The error that libgit2 just returned, classified by its code, its area and, where it has no code, its words.
    init(libgit2 code: CInt, doing: String) {
        let system = errno
        let (text, area) = GitLibrary.last()
        self.init(Self.kind(code: code, area: area, text: text, system: system), "\(doing): \(text)")
        if kind == .diskFull { message += "; free some space on that disk" }
    }

    private static func kind(code: CInt, area: UInt32, text: String, system: CInt) -> Kind {
        let text = text.lowercased()
        if text.contains("no space left") || text.contains("disk quota") || text.contains("quota exceeded") {
            return .diskFull
        }
        if text.contains("permission denied") || text.contains("read-only file system") { return .notPermitted }
        switch git_error_code(code) {
        case GIT_EAUTH: return .authenticationFailed
        case GIT_ECERTIFICATE: return .certificateUntrusted
        case GIT_EAMBIGUOUS: return .ambiguousRevision
        case GIT_EMISMATCH: return .damaged
        case GIT_EEOF: return .interrupted
        default: break
        }
        switch git_error_t(area) {
        case GIT_ERROR_ODB, GIT_ERROR_ZLIB, GIT_ERROR_OBJECT, GIT_ERROR_TREE, GIT_ERROR_REPOSITORY, GIT_ERROR_CONFIG:
            return .damaged
        case GIT_ERROR_INDEXER: return .interrupted
        case GIT_ERROR_SSL: return .certificateUntrusted
        case GIT_ERROR_NET, GIT_ERROR_HTTP: return network(text)
        case GIT_ERROR_OS where system == ENOSPC || system == EDQUOT: return .diskFull
        default: return .other
        }
    }

    private static func network(_ text: String) -> Kind {
        let signs: [(String, Kind)] = [
            ("404", .repositoryNotFound), ("not found", .repositoryNotFound), ("401", .authenticationFailed),
            ("403", .authenticationFailed), ("resolve address", .unreachable), ("failed to connect", .unreachable),
            ("early eof", .interrupted), ("unexpected eof", .interrupted), ("socket", .interrupted),
            ("flush packet", .interrupted), ("reset", .interrupted), ("status code: 5", .unreachable),
        ]
        return signs.first { text.contains($0.0) }?.1 ?? .interrupted
    }
}
