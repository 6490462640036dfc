package import Cluster
internal import Glibc
internal import Model

/// Reads one container's log, in CRI's format, from its oldest rotated file to its newest, and on while it grows.
package actor LogReader {
    static let chunkBytes = 64 << 10
    static let pollInterval = Duration.milliseconds(100)

    private let path: String
    private let query: LogQuery
    private let clock: any WallClock
    private let isRunning: @Sendable () -> Bool
    private var file: Int32 = -1
    private var identity: UInt64 = 0
    private var pending: [UInt8] = []
    private var hasBegun = false
    private var hasEnded = false
    /// The next line continues one of which a part was given out already.
    private var isPartial = false
    private var remaining: Int

    /// - Parameters:
    ///   - path: the newest file; `path.1` is the one before it.
    ///   - isRunning: whether the container may write more.
    package init(path: String, query: LogQuery, clock: any WallClock, isRunning: @escaping @Sendable () -> Bool) {
        self.path = path
        self.query = query
        self.clock = clock
        self.isRunning = isRunning
        remaining = query.limitBytes ?? .max
    }

    deinit {
        if file >= 0 { Glibc.close(file) }
    }

    /// The next whole lines; `nil` at the end.
    package func next() async throws -> [UInt8]? {
        if !hasBegun {
            hasBegun = true
            try begin()
        }
        while !hasEnded {
            try Task.checkCancellation()
            // Asked before the read: what is written after the container has ended is nothing.
            let mayGrow = isRunning()
            let read = try readChunk()
            if read.isEmpty {
                if openNewer() { continue }
                if !query.follow || !mayGrow {
                    hasEnded = true
                    break
                }
                // Looked at again: the supervisor writes the file, and nobody tells of its growth.
                try await clock.sleep(for: Self.pollInterval)
                continue
            }
            pending += read
            let output = takeLines()
            if !output.isEmpty { return output }
        }
        return nil
    }

    /// The log's files that exist, newest first.
    private var files: [String] {
        var files = [path]
        while PodFiles.exists("\(path).\(files.count)") { files.append("\(path).\(files.count)") }
        return files
    }

    private func begin() throws {
        let files = files
        guard let tail = query.tailLines else {
            open(files.last ?? path)
            return
        }
        // From the newest file backwards until enough lines are found.
        var missing = tail
        for name in files {
            guard let bytes = PodFiles.read(name, limit: .max) else { continue }
            if let offset = Self.offset(ofLast: missing, in: bytes) {
                open(name)
                if file >= 0 { lseek(file, off_t(offset), SEEK_SET) }
                return
            }
            missing -= bytes.count { $0 == UInt8(ascii: "\n") }
        }
        open(files.last ?? path)
    }

    /// Where the last `count` lines begin; `nil` when there are fewer.
    static func offset(ofLast count: Int, in bytes: [UInt8]) -> Int? {
        if count <= 0 { return bytes.count }
        var seen = 0
        var index = bytes.count - 1
        while index >= 0 {
            if bytes[index] == UInt8(ascii: "\n"), index != bytes.count - 1 {
                seen += 1
                if seen == count { return index + 1 }
            }
            index -= 1
        }
        return bytes.count { $0 == UInt8(ascii: "\n") } == count ? 0 : nil
    }

    private func open(_ name: String) {
        if file >= 0 { Glibc.close(file) }
        file = Glibc.open(name, O_RDONLY | O_CLOEXEC)
        var info = stat()
        identity = file >= 0 && fstat(file, &info) == 0 ? UInt64(info.st_ino) : 0
    }

    private static func identity(of name: String) -> UInt64 {
        var info = stat()
        return stat(name, &info) == 0 ? UInt64(info.st_ino) : 0
    }

    /// Goes on to the file after the present one, if there is one by now.
    private func openNewer() -> Bool {
        let files = files
        let identities = files.map(Self.identity)
        guard let index = identities.firstIndex(of: identity) else {
            // It was rotated out of existence meanwhile; the oldest left is the next.
            guard identities.last.map({ $0 != 0 }) == true else { return false }
            open(files[files.count - 1])
            return true
        }
        if index == 0 { return false }
        // Lines may have come into the present file between its end and its rotation.
        var info = stat()
        if fstat(file, &info) == 0, lseek(file, 0, SEEK_CUR) < info.st_size { return true }
        open(files[index - 1])
        return true
    }

    private func readChunk() throws -> [UInt8] {
        guard file >= 0 else { return [] }
        var chunk = [UInt8](repeating: 0, count: Self.chunkBytes)
        let count = chunk.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
        if count < 0 { throw PodFiles.failure("read log", path) }
        return Array(chunk[..<count])
    }

    private func takeLines() -> [UInt8] {
        guard let end = pending.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        var output: [UInt8] = []
        for line in pending[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            append(line, to: &output)
        }
        pending.removeSubrange(...end)
        if output.count >= remaining {
            hasEnded = true
            return Array(output.prefix(remaining))
        }
        remaining -= output.count
        return output
    }

    /// `2026-11-22T10:00:00.000000000Z stdout F text`; lines of another form were never written by a supervisor.
    private func append(_ line: ArraySlice<UInt8>, to output: inout [UInt8]) {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return }
        if let since = query.since {
            guard let time = Timestamp(String(decoding: parts[0], as: UTF8.self)), time >= since else { return }
        }
        if query.timestamps, !isPartial {
            output += parts[0]
            output.append(UInt8(ascii: " "))
        }
        output += parts[3]
        isPartial = parts[2].first == UInt8(ascii: "P")
        if !isPartial { output.append(UInt8(ascii: "\n")) }
    }
}
