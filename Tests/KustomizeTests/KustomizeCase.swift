import Glibc
import Model

/// A tree of files, written in one text: `== PATH [crlf] [bom] [base64] [link]` begins each file. The directory to
/// build is that of the first one.
struct KustomizeCase: Sendable, CustomStringConvertible {
    struct File: Sendable {
        var path: String
        var bytes: [UInt8]
        var isLink = false
    }

    var name: String
    var files: [File] = []
    /// What `kubectl kustomize` printed; nothing where it refused.
    var expected = ""
    /// What is to be said where the case is refused.
    var refusal = ""

    var description: String { name }

    var directory: String {
        guard let path = files.first?.path, let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[..<slash])
    }

    init(name: String, files: [File]) {
        self.name = name
        self.files = files
    }

    init(name: String, text: String) {
        self.name = name
        var head: [Substring] = []
        var lines: [Substring] = []
        func finish(_ result: inout KustomizeCase) {
            guard let path = head.first else { return }
            let body = lines.map { $0 + "\n" }.joined()
            switch path {
            case "expected": result.expected = body
            case "refusal": result.refusal = body
            default: result.files.append(Self.file(String(path), body, Set(head.dropFirst())))
            }
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("== ") {
                finish(&self)
                head = line.dropFirst(3).split(separator: " ")
                lines = []
            } else {
                lines.append(line)
            }
        }
        finish(&self)
    }

    private static func file(_ path: String, _ body: String, _ options: Set<Substring>) -> File {
        var bytes = Array(body.utf8)
        if options.contains("crlf") { bytes = bytes.flatMap { $0 == 10 ? [13, 10] : [$0] } }
        if options.contains("bom") { bytes = [0xEF, 0xBB, 0xBF] + bytes }
        if options.contains("base64") { bytes = Base64.decode(body) ?? [] }
        if options.contains("link") { bytes = Array(body.utf8.dropLast()) }
        return File(path: path, bytes: bytes, isLink: options.contains("link"))
    }

    /// The cases of a folder beside this file, by name.
    static func all(_ folder: String) -> [KustomizeCase] {
        let directory = "\(#filePath.split(separator: "/").dropLast().map { "/" + $0 }.joined())/Cases/\(folder)"
        let names = entries(of: directory).filter { $0.hasSuffix(".txt") }
        precondition(!names.isEmpty, "there are no cases in \(directory)")
        return names.map { name in
            KustomizeCase(
                name: String(name.dropLast(4)),
                text: String(decoding: contents(of: "\(directory)/\(name)"), as: UTF8.self))
        }
    }
}

func contents(of path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { return bytes }
        bytes += chunk[..<count]
    }
}

/// A case on disk, removed with its last user.
final class CaseDirectory {
    let path: String

    init(_ files: [KustomizeCase.File]) {
        var template = Array("/tmp/martlet-kustomize-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        for file in files { write(file) }
    }

    deinit { removeTree(path) }

    func write(_ file: KustomizeCase.File) {
        let target = "\(path)/\(file.path)"
        var directory = path
        for part in file.path.split(separator: "/").dropLast() {
            directory += "/\(part)"
            mkdir(directory, 0o755)
        }
        if file.isLink {
            precondition(symlink(String(decoding: file.bytes, as: UTF8.self), target) == 0)
            return
        }
        guard let handle = fopen(target, "w") else { fatalError("cannot write \(target)") }
        fwrite(file.bytes, 1, file.bytes.count, handle)
        fclose(handle)
    }
}

private func removeTree(_ path: String) {
    if unlink(path) == 0 { return }
    for name in entries(of: path) { removeTree("\(path)/\(name)") }
    rmdir(path)
}

/// The names in a directory, sorted.
private func entries(of path: String) -> [String] {
    guard let handle = opendir(path) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
}
