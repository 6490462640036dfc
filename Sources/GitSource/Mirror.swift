import CLibgit2
package import Logging
import Synchronization

/// A bare copy of one remote repository, of which only the references that are asked for are fetched.
///
/// Its work blocks (network, disk), so the actor has a thread of its own. Objects that were fetched once are never
/// dropped: an older healthy commit stays readable after a force-push or a deleted branch.
package actor Mirror {
    package nonisolated let url: RemoteURL
    /// The bare repository's directory.
    package nonisolated let directory: String
    nonisolated let settings: TransferSettings
    private nonisolated let thread: BlockingThread
    nonisolated let logger: Logger
    private nonisolated let presentReader: Mutex<ObjectReader>
    private var isPrepared = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Parameter directory: the folder of all mirrors (`<data>/repositories`).
    package init(
        of url: RemoteURL, in directory: String, settings: TransferSettings = TransferSettings(),
        logger: Logger = Logger(label: "martlet.git")
    ) {
        self.url = url
        self.settings = settings
        self.logger = logger
        self.directory = "\(directory)/\(Self.name(of: url))"
        thread = BlockingThread(name: "git")
        presentReader = Mutex(ObjectReader(path: self.directory))
    }

    private nonisolated var reader: ObjectReader { presentReader.withLock { $0 } }

    /// The directory name of a repository's mirror: as the SHA-1 of its URL it is stable and free of secrets.
    static func name(of url: RemoteURL) -> String {
        WorkingTree.blobID(of: Array(url.description.utf8)).description
    }

    /// The commit that `request` names now.
    ///
    /// Asks the remote first and fetches only what is not here yet: an unchanged branch costs one round trip, a commit
    /// that is here costs none.
    ///
    /// - Throws: `GitError`; `CancellationError` when the task is cancelled.
    package func resolve(
        _ request: RevisionRequest, credentials: Credentials = .none,
        progress: (@Sendable (TransferProgress) -> Void)? = nil
    ) throws -> Commit {
        let transfer = Transfer(url: url, settings: settings, credentials: credentials, report: progress)
        return try Transfer.$current.withValue(TransferReference(transfer: transfer)) {
            do throws(GitError) {
                do throws(GitError) {
                    return try locate(request, transfer)
                } catch {
                    guard error.kind == .damaged, !transfer.isCancelled, transfer.refusal == nil else { throw error }
                    try setAside(because: error)
                    return try locate(request, transfer)
                }
            } catch {
                throw transfer.explain(error)
            }
        }
    }

    /// The tree of the commit that `request` names now.
    package func snapshot(
        _ request: RevisionRequest, credentials: Credentials = .none,
        progress: (@Sendable (TransferProgress) -> Void)? = nil
    ) throws -> Snapshot {
        Snapshot(commit: try resolve(request, credentials: credentials, progress: progress), reader: reader)
    }

    /// The tree of a commit that was fetched before; `nil` when it is not here. It is read on the caller's thread: no
    /// transfer from a remote that is slow has to end first.
    package nonisolated func snapshot(of id: ObjectID) throws -> Snapshot? {
        let reader = reader
        return try FileSystem.exists(directory) ? reader.commit(id).map { Snapshot(commit: $0, reader: reader) } : nil
    }

    /// Renames the mirror out of the way, so that the next resolve clones anew. Nothing is deleted.
    ///
    /// For a caller that met `GitError.Kind.damaged` while reading a snapshot.
    ///
    /// - Parameter snapshot: what was read; where others have met its damage before and the mirror is a new one since,
    ///   nothing is to be done.
    package func setAside(because error: GitError, in snapshot: Snapshot? = nil) throws(GitError) {
        if let snapshot, snapshot.reader !== reader { return }
        isPrepared = false
        presentReader.withLock { $0 = ObjectReader(path: directory) }
        let lock = try MirrorLock(directory, while: { true })
        defer { withExtendedLifetime(lock) {} }
        guard FileSystem.exists(directory) else { return }
        let target = try MirrorFiles.setAside(directory)
        logger.error(
            "mirror is damaged; set aside and cloning anew",
            metadata: ["repository": "\(url)", "kept": "\(target)", "error": "\(error)"])
    }

    private func locate(_ request: RevisionRequest, _ transfer: Transfer) throws(GitError) -> Commit {
        if let file = settings.certificateAuthorityFile { try GitLibrary.trustCertificates(inFile: file) }
        if case .commit(let id) = request, isPrepared, let commit = try reader.commit(id) { return commit }
        let lock = try MirrorLock(directory, while: { transfer.mayContinue() })
        defer { withExtendedLifetime(lock) {} }
        if !isPrepared {
            try MirrorFiles.prepare(directory, for: url)
            isPrepared = true
        }
        if case .commit(let id) = request, let commit = try reader.commit(id) { return commit }
        let repository = try Handle.repository(at: directory)
        let remote: any Remote =
            if let path = url.localPath {
                try LocalRemote(path: path, url: url, mirror: repository, directory: directory, transfer: transfer)
            } else {
                try NetworkRemote(url: url, mirror: repository, transfer: transfer)
            }
        let id = try Finder(remote: remote, reader: reader, repository: repository, url: url).find(request)
        guard let commit = try reader.commit(id) else {
            throw GitError(.damaged, "\(url) sent \(request) without its commit \(id)")
        }
        return commit
    }
}

/// The mirrors under one data directory, one per URL.
package actor Mirrors {
    package nonisolated let directory: String
    private let settings: TransferSettings
    private let logger: Logger
    private var mirrors: [RemoteURL: Mirror] = [:]

    /// - Parameter dataDirectory: mirrors are kept in its folder `repositories`.
    package init(
        dataDirectory: String, settings: TransferSettings = TransferSettings(),
        logger: Logger = Logger(label: "martlet.git")
    ) {
        directory = "\(dataDirectory)/repositories"
        self.settings = settings
        self.logger = logger
    }

    /// The one mirror of a repository; its thread lives as long as it is used or kept here.
    package func mirror(of url: RemoteURL) -> Mirror {
        if let mirror = mirrors[url] { return mirror }
        let mirror = Mirror(of: url, in: directory, settings: settings, logger: logger)
        mirrors[url] = mirror
        return mirror
    }

    /// Lets go of mirrors that no application uses any more. Their files stay.
    package func keepOnly(_ urls: Set<RemoteURL>) {
        mirrors = mirrors.filter { urls.contains($0.key) }
    }
}
