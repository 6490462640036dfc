import CLibgit2
import Glibc

/// A remote over HTTP or ssh. Connected from its creation to its release.
final class NetworkRemote: Remote {
    private let url: RemoteURL
    private let transfer: Transfer
    private let remote: Handle

    init(url: RemoteURL, mirror: Handle, transfer: Transfer) throws(GitError) {
        self.url = url
        self.transfer = transfer
        remote = try Handle.make("cannot use \(url)", free: libgit2.remote_free) {
            libgit2.remote_create_anonymous($0, mirror.pointer, url.description)
        }
        var callbacks = transfer.callbacks()
        var proxy = Self.proxy()
        let code = libgit2.remote_connect(remote.pointer, GIT_DIRECTION_FETCH, &callbacks, &proxy, nil)
        if code != 0 { throw failure(code, "cannot reach \(url)") }
    }

    deinit { _ = libgit2.remote_disconnect(remote.pointer) }

    /// The proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY`).
    private static func proxy() -> git_proxy_options {
        var proxy = git_proxy_options()
        _ = libgit2.proxy_options_init(&proxy, UInt32(GIT_PROXY_OPTIONS_VERSION))
        proxy.type = GIT_PROXY_AUTO
        return proxy
    }

    private func failure(_ code: CInt, _ doing: String) -> GitError {
        var error = GitError(libgit2: code < 0 ? code : GIT_ERROR.rawValue, doing: doing)
        // libgit2 reports these of the remote with the areas that it uses for a mirror's own damage.
        if error.kind == .damaged, transfer.refusal == nil, error.message.contains("unexpected http") {
            error.kind = .unreachable
        }
        switch error.kind {
        case .certificateUntrusted:
            error.message += "; name the authority's certificate, or insecureSkipTLSVerify if you must"
        case .repositoryNotFound:
            error.message = "\(url) does not exist, or is not visible to these credentials"
        case .interrupted: error.message = "the connection to \(url) broke: \(GitLibrary.lastMessage())"
        default: break
        }
        return error
    }

    func references(for request: RevisionRequest) throws(GitError) -> [Advertised] {
        var heads: UnsafeMutablePointer<UnsafePointer<git_remote_head>?>?
        var count = 0
        let code = libgit2.remote_ls(&heads, &count, remote.pointer)
        if code != 0 { throw failure(code, "cannot list the references of \(url)") }
        var references: [Advertised] = []
        for position in 0..<count {
            guard let head = heads?[position]?.pointee, let name = head.name else { continue }
            let target = head.symref_target.map { String(cString: $0) }
            references.append(Advertised(name: String(cString: name), id: ObjectID(head.oid), target: target))
        }
        return references
    }

    func fetch(_ reference: Advertised) throws(GitError) {
        try download(["+\(reference.name):\(Finder.localName(reference.name))"])
    }

    func fetch(commit id: ObjectID) throws(GitError) -> Bool {
        do {
            try download(["\(id):refs/martlet/commits/\(id)"])
            return true
        } catch {
            // A server need not give out commits by name; what is wrong otherwise shows again in the wider fetch.
            guard transfer.refusal == nil, !transfer.isCancelled, error.kind != .diskFull else { throw error }
            try reconnect()
            return false
        }
    }

    func commit(startingWith prefix: String) throws(GitError) -> ObjectID? { nil }

    func fetchEverything() throws(GitError) {
        try download(["+refs/heads/*:refs/martlet/heads/*", "+refs/tags/*:refs/martlet/tags/*"])
        let code = update()
        if code != 0 { throw failure(code, "cannot write the references of \(url)") }
    }

    private func update() -> CInt {
        var callbacks = transfer.callbacks()
        return libgit2.remote_update_tips(remote.pointer, &callbacks, 0, GIT_REMOTE_DOWNLOAD_TAGS_NONE, nil)
    }

    private func reconnect() throws(GitError) {
        _ = libgit2.remote_disconnect(remote.pointer)
        transfer.connectAgain()
        var callbacks = transfer.callbacks()
        var proxy = Self.proxy()
        let code = libgit2.remote_connect(remote.pointer, GIT_DIRECTION_FETCH, &callbacks, &proxy, nil)
        if code != 0 { throw failure(code, "cannot reach \(url)") }
    }

    private func download(_ specifications: [String]) throws(GitError) {
        var options = git_fetch_options()
        _ = libgit2.fetch_options_init(&options, UInt32(GIT_FETCH_OPTIONS_VERSION))
        options.callbacks = transfer.callbacks()
        options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE
        options.proxy_opts = Self.proxy()
        var pointers = specifications.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        let code = pointers.withUnsafeMutableBufferPointer { buffer in
            var list = git_strarray(strings: buffer.baseAddress, count: buffer.count)
            return libgit2.remote_download(remote.pointer, &list, &options)
        }
        if code != 0 { throw failure(code, "cannot fetch from \(url)") }
    }
}
