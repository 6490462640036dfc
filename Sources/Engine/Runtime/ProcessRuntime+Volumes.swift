internal import Glibc
internal import NIOPosix

extension ProcessRuntime {
    /// Files appear as the kubelet makes them appear: in a directory `..<generation>` that the symbolic link `..data`
    /// names; an update makes a new one and swaps the link, so that a reader sees all of one version.
    package func provide(_ volumes: [VolumeContents], to uid: String) async throws(RuntimeError) {
        do {
            try await NIOThreadPool.singleton.runIfActive {
                for volume in volumes {
                    do throws(RuntimeError) {
                        try Self.provide(volume, at: self.path(ofVolume: volume.name, of: uid))
                    } catch {
                        throw RuntimeError(error.kind, PodVolumes.failure(of: volume.name, error.message))
                    }
                }
            }
        } catch let error as RuntimeError {
            throw error
        } catch {
            throw RuntimeError(.system, "make the volumes of pod \(uid): \(error)")
        }
    }

    private static func provide(_ volume: VolumeContents, at path: String) throws(RuntimeError) {
        switch volume.source {
        case .emptyDirectory:
            if PodFiles.isDirectory(path) { return }
            try PodFiles.makeDirectory(parent(of: path))
            try PodFiles.makeDirectory(path, mode: 0o777)
        case .files(let files):
            try PodFiles.makeDirectory(parent(of: path))
            try PodFiles.makeDirectory(path, mode: 0o755)
            guard try project(files, into: path) else { return }
        case .hostPath(let target, let type):
            try check(target, type: type)
            return
        }
        if let group = volume.group { try PodFiles.give(path, to: group) }
    }

    static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
    }

    /// False when the volume holds these files already.
    private static func project(_ files: [VolumeContents.File], into path: String) throws(RuntimeError) -> Bool {
        let current = "\(path)/..data"
        let versions = PodFiles.names(in: path).filter { $0.hasPrefix("..") && $0 != "..data" }
        if PodFiles.exists(current), holds(files, at: current) { return false }
        let number = (versions.compactMap { Int($0.dropFirst(2)) }.max() ?? 0) + 1
        let version = "\(path)/..\(number)"
        try PodFiles.remove(version)
        try PodFiles.makeDirectory(version, mode: 0o755)
        for file in files {
            let target = "\(version)/\(file.path)"
            try PodFiles.makeDirectory(parent(of: target), mode: 0o755)
            try PodFiles.write(file.bytes, to: target, mode: mode_t(file.mode & 0o777))
            if let owner = file.owner { try PodFiles.give(target, toUser: owner) }
        }
        let fresh = "\(path)/..data_new"
        try PodFiles.remove(fresh)
        if symlink("..\(number)", fresh) != 0 { throw PodFiles.failure("link", fresh) }
        if rename(fresh, current) != 0 { throw PodFiles.failure("swap", current) }
        let roots = Set(files.map { $0.path.split(separator: "/").first.map(String.init) ?? $0.path })
        for root in roots where !PodFiles.exists("\(path)/\(root)") {
            try PodFiles.remove("\(path)/\(root)")
            if symlink("..data/\(root)", "\(path)/\(root)") != 0 { throw PodFiles.failure("link", "\(path)/\(root)") }
        }
        for name in PodFiles.names(in: path) where !name.hasPrefix("..") && !roots.contains(name) {
            try PodFiles.remove("\(path)/\(name)")
        }
        for old in versions { try PodFiles.remove("\(path)/\(old)") }
        return true
    }

    private static func holds(_ files: [VolumeContents.File], at path: String) -> Bool {
        var present: Set<String> = []
        func walk(_ folder: String, _ prefix: String) {
            for name in PodFiles.names(in: folder) {
                if PodFiles.isDirectory("\(folder)/\(name)") {
                    walk("\(folder)/\(name)", "\(prefix)\(name)/")
                } else {
                    present.insert(prefix + name)
                }
            }
        }
        walk(path, "")
        return present == Set(files.map(\.path))
            && files.allSatisfy { PodFiles.read("\(path)/\($0.path)") == $0.bytes }
    }

    /// Kubernetes' checks of a hostPath before it is mounted.
    private static func check(_ path: String, type: String) throws(RuntimeError) {
        var info = stat()
        let exists = stat(path, &info) == 0
        let format = info.st_mode & S_IFMT
        switch type {
        case "DirectoryOrCreate":
            if !exists { try PodFiles.makeDirectory(path, mode: 0o755) }
        case "FileOrCreate":
            if !exists { try PodFiles.write([], to: path, mode: 0o644) }
        case "Directory" where !exists || format != S_IFDIR:
            throw RuntimeError(.system, "hostPath type check failed: \(path) is not a directory")
        case "File" where !exists || format != S_IFREG:
            throw RuntimeError(.system, "hostPath type check failed: \(path) is not a file")
        case "Socket" where !exists || format != S_IFSOCK:
            throw RuntimeError(.system, "hostPath type check failed: \(path) is not a socket file")
        case "CharDevice" where !exists || format != S_IFCHR:
            throw RuntimeError(.system, "hostPath type check failed: \(path) is not a character device")
        case "BlockDevice" where !exists || format != S_IFBLK:
            throw RuntimeError(.system, "hostPath type check failed: \(path) is not a block device")
        default:
            if !exists { throw RuntimeError(.system, "hostPath \(path) does not exist") }
        }
    }
}
