import CLibgit2

/// How a repository is reached and what it may cost.
package struct TransferSettings: Sendable, Hashable {
    /// The most that one resolve or fetch may take, and the longest silence within it.
    package var timeout: Duration = .seconds(600)
    package var silence: Duration = .seconds(60)
    package var connectTimeout: Duration = .seconds(20)
    /// The most bytes of packed objects that one fetch may receive.
    package var maximumBytes: Int = 2 << 30
    /// Replaces ssh's own `known_hosts` files.
    package var knownHostsFile: String?
    /// The OpenSSH client; looked for on `PATH` when it has no slash.
    package var secureShell: String = "ssh"
    /// Certificate authorities for HTTPS instead of the system's; holds for the whole process.
    package var certificateAuthorityFile: String?
    /// Accepts any ssh host key: whoever sits between can then serve other manifests.
    package var insecureIgnoreHostKey = false
    /// Accepts any HTTPS certificate: whoever sits between can then serve other manifests and read the password.
    package var insecureSkipTLSVerify = false

    package init() {}

    /// From the environment: `MARTLET_GIT_KNOWN_HOSTS_FILE`, `MARTLET_GIT_CA_FILE`, and `true` in
    /// `MARTLET_GIT_INSECURE_IGNORE_HOST_KEY` or `MARTLET_GIT_INSECURE_SKIP_TLS_VERIFY`.
    package init(environment: [String: String]) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        knownHostsFile = value("MARTLET_GIT_KNOWN_HOSTS_FILE")
        certificateAuthorityFile = value("MARTLET_GIT_CA_FILE")
        insecureIgnoreHostKey = value("MARTLET_GIT_INSECURE_IGNORE_HOST_KEY") == "true"
        insecureSkipTLSVerify = value("MARTLET_GIT_INSECURE_SKIP_TLS_VERIFY") == "true"
    }
}

/// How far a fetch is.
package struct TransferProgress: Sendable, Hashable {
    package var receivedObjects: Int
    package var totalObjects: Int
    package var receivedBytes: Int
}

/// One exchange with a remote: its deadline, bounds and diagnostics, as libgit2's callbacks see them.
///
/// Confined to the mirror's thread, as everything libgit2 calls back is.
final class Transfer {
    let url: RemoteURL
    let settings: TransferSettings
    let credentials: Credentials
    private let report: (@Sendable (TransferProgress) -> Void)?
    private let deadline: ContinuousClock.Instant
    private var lastActivity: ContinuousClock.Instant
    /// Why a callback refused to go on; says more than libgit2's own error.
    private(set) var refusal: GitError?
    private(set) var isCancelled = false
    fileprivate var credentialRequests = 0
    /// What `ssh` wrote to its standard error: its last few kilobytes.
    var diagnostics = ""

    /// The exchange that runs on this thread, for callbacks that get no payload.
    @TaskLocal static var current: TransferReference?

    init(
        url: RemoteURL, settings: TransferSettings, credentials: Credentials,
        report: (@Sendable (TransferProgress) -> Void)?
    ) {
        self.url = url
        self.settings = settings
        self.credentials = credentials.completed(from: url)
        self.report = report
        let now = ContinuousClock().now
        deadline = now + settings.timeout
        lastActivity = now
    }

    func noteActivity() { lastActivity = ContinuousClock().now }

    /// Whether the exchange may go on; otherwise `refusal` or `isCancelled` says why not.
    func mayContinue(since start: ContinuousClock.Instant? = nil, within limit: Duration? = nil) -> Bool {
        if refusal != nil || isCancelled { return false }
        if Task.isCancelled {
            isCancelled = true
            return false
        }
        let now = ContinuousClock().now
        if now >= deadline {
            refuse(
                .timedOut,
                "\(url) took longer than \(settings.timeout); a slow or large repository needs a longer timeout")
        } else if let start, let limit, now - start >= limit {
            refuse(.timedOut, "\(url) did not accept a connection within \(limit)")
        } else if now - lastActivity >= settings.silence {
            refuse(.timedOut, "\(url) sent nothing for \(settings.silence)")
        }
        return refusal == nil
    }

    func refuse(_ kind: GitError.Kind, _ message: String) {
        refusal = refusal ?? GitError(kind, message)
    }

    /// Called by libgit2 while objects arrive; not 0 ends the fetch.
    func received(_ stats: git_indexer_progress) -> CInt {
        noteActivity()
        if stats.received_bytes > settings.maximumBytes {
            refuse(
                .tooLarge,
                "\(url) sends more than \(settings.maximumBytes >> 20) MiB; raise the bound or use a smaller repository"
            )
        }
        report?(
            TransferProgress(
                receivedObjects: Int(stats.received_objects), totalObjects: Int(stats.total_objects),
                receivedBytes: stats.received_bytes))
        return mayContinue() ? 0 : GIT_EUSER.rawValue
    }

    /// Called by libgit2 when the server wants to know who asks.
    func supply(_ output: UnsafeMutablePointer<UnsafeMutablePointer<git_credential>?>?, allowed: UInt32) -> CInt {
        credentialRequests += 1
        guard let password = credentials.password else {
            refuse(
                .authenticationFailed,
                "\(url) asks for a user and password and none are configured, or it does not exist: set "
                    + "MARTLET_GIT_USERNAME and MARTLET_GIT_PASSWORD, or a repository Secret")
            return GIT_EUSER.rawValue
        }
        guard credentialRequests == 1, allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT.rawValue != 0 else {
            refuse(
                .authenticationFailed,
                "\(url) refuses the configured user and password: check MARTLET_GIT_USERNAME and "
                    + "MARTLET_GIT_PASSWORD, or the repository Secret")
            return GIT_EUSER.rawValue
        }
        return libgit2.credential_userpass_plaintext_new(output, credentials.username ?? "git", password)
    }

    /// The best account of a failure: our own refusal, then what ssh said, then libgit2's error; secrets removed.
    func explain(_ error: GitError) -> any Error {
        if isCancelled || Task.isCancelled { return CancellationError() }
        var result = refusal ?? SecureShell.error(from: diagnostics, url: url) ?? error
        result.message = credentials.redact(result.message)
        return result
    }
}

/// Carries a `Transfer` through a task-local value.
///
/// `@unchecked`: the task local is bound and read on the mirror's thread only, within one synchronous call.
struct TransferReference: @unchecked Sendable {
    let transfer: Transfer
}

extension Transfer {
    /// libgit2's callbacks for this exchange. Valid while `self` lives.
    func callbacks() -> git_remote_callbacks {
        var callbacks = git_remote_callbacks()
        _ = libgit2.remote_init_callbacks(&callbacks, UInt32(GIT_REMOTE_CALLBACKS_VERSION))
        callbacks.payload = Unmanaged.passUnretained(self).toOpaque()
        callbacks.transfer_progress = { stats, payload in
            guard let stats, let payload else { return GIT_EUSER.rawValue }
            return Transfer.from(payload).received(stats.pointee)
        }
        callbacks.sideband_progress = { _, _, payload in
            guard let payload else { return GIT_EUSER.rawValue }
            let transfer = Transfer.from(payload)
            transfer.noteActivity()
            return transfer.mayContinue() ? 0 : GIT_EUSER.rawValue
        }
        callbacks.credentials = { output, _, _, allowed, payload in
            guard let payload else { return GIT_EUSER.rawValue }
            return Transfer.from(payload).supply(output, allowed: allowed)
        }
        if settings.insecureSkipTLSVerify {
            callbacks.certificate_check = { _, _, _, _ in 0 }
        }
        if case .ssh = url.location {
            callbacks.transport = { output, owner, _ in SecureShell.makeTransport(output, owner) }
        }
        return callbacks
    }

    static func from(_ payload: UnsafeMutableRawPointer) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(payload).takeUnretainedValue()
    }
}

extension Transfer {
    /// A second connection within one exchange may be asked for credentials again.
    func connectAgain() {
        credentialRequests = 0
        diagnostics = ""
    }
}
