import CSQLite
import Glibc
import Model
import Store
import Synchronization

/// A directory that is gone when the test is over.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/martlet-store-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { preconditionFailure("no temporary directory: \(errno)") }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    var names: [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// What a power cut would leave: the files as they are now, without the lock.
    func copy() -> TemporaryDirectory {
        let copy = TemporaryDirectory()
        // The log first: what it holds beyond the database is what counts.
        for name in ["store.db-wal", "store.db"] {
            guard let source = fopen("\(path)/\(name)", "r"), let target = fopen("\(copy.path)/\(name)", "w") else {
                continue
            }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = fread(&buffer, 1, buffer.count, source)
                if count == 0 { break }
                fwrite(buffer, 1, count, target)
            }
            fclose(source)
            fclose(target)
        }
        return copy
    }

    /// Cuts a file to a length, as a write that was under way when power failed.
    func truncate(_ name: String, to length: Int) {
        Glibc.truncate("\(path)/\(name)", off_t(length))
    }

    /// Changes every bit of a part of a file.
    func flip(_ name: String, at offset: Int, count: Int) {
        guard let file = fopen("\(path)/\(name)", "r+") else { return }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: count)
        fseek(file, offset, SEEK_SET)
        let read = fread(&bytes, 1, count, file)
        for index in 0..<read { bytes[index] = ~bytes[index] }
        fseek(file, offset, SEEK_SET)
        fwrite(bytes, 1, read, file)
    }

    func size(_ name: String) -> Int {
        var status = stat()
        return stat("\(path)/\(name)", &status) == 0 ? Int(status.st_size) : 0
    }

    /// Where the zeros begin with which a file ends.
    func contentSize(_ name: String) -> Int {
        guard let file = fopen("\(path)/\(name)", "r") else { return 0 }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: size(name))
        guard fread(&bytes, 1, bytes.count, file) == bytes.count else { return 0 }
        return bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
    }

    /// Runs SQL on the database behind the store's back; answers the first column of the first row.
    @discardableResult
    func sql(_ text: String, in file: String = "store.db") -> String? {
        var handle: OpaquePointer?
        var statement: OpaquePointer?
        guard sqlite3_open("\(path)/\(file)", &handle) == SQLITE_OK,
            sqlite3_prepare_v2(handle, text, -1, &statement, nil) == SQLITE_OK
        else { preconditionFailure("\(text): \(String(cString: sqlite3_errmsg(handle)))") }
        defer {
            sqlite3_finalize(statement)
            sqlite3_close(handle)
        }
        guard sqlite3_step(statement) == SQLITE_ROW, let value = sqlite3_column_text(statement, 0) else { return nil }
        return String(cString: value)
    }
}

/// A memory persistence whose commits fail when told to, on the caller or on a thread.
final class FailingPersistence: Persistence {
    let memory = MemoryPersistence()
    let commitsInline: Bool
    let failure = Mutex<StoreError?>(nil)
    /// Set by a test to keep a commit from finishing.
    let isHeld = Atomic(false)
    let commits = Atomic(0)

    init(commitsInline: Bool) {
        self.commitsInline = commitsInline
    }

    func load() throws(StoreError) -> PersistedState { try memory.load() }

    func commit(_ batch: PersistedBatch) throws(StoreError) {
        commits.add(1, ordering: .relaxed)
        while isHeld.load(ordering: .acquiring) { sched_yield() }
        if let error = failure.withLock({ $0 }) { throw error }
        try memory.commit(batch)
    }

    func quarantine(_ rows: [UnreadableRow]) throws(StoreError) { try memory.quarantine(rows) }
    func close() {}
}

/// A value that several tasks of a test share.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) {
        mutex = Mutex(value)
    }

    var value: Value { mutex.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) {
        mutex.withLock { body(&$0) }
    }
}

/// SplitMix64: the same histories on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

func key(_ name: String, in namespace: String = "default", kind: String = "/ConfigMap") -> StoreKey {
    StoreKey(kind: kind, namespace: namespace, name: name)
}

func object(_ name: String, value: Int64 = 0) -> JSON {
    ["metadata": ["name": .string(name)], "value": .int(value)]
}

extension Store {
    @discardableResult
    func put(_ key: StoreKey, _ value: Int64 = 0, if precondition: Precondition = .any) async throws -> StoredObject {
        try await commit([Write(key, .put(object(key.name, value: value)), if: precondition)])[0]
    }

    @discardableResult
    func delete(_ key: StoreKey, if precondition: Precondition = .exists) async throws -> StoredObject {
        try await commit([Write(key, .delete, if: precondition)])[0]
    }
}

extension Snapshot {
    /// Everything as name → value, for comparison with a model.
    var contents: [StoreKey: Int64] {
        var contents: [StoreKey: Int64] = [:]
        for kind in kinds {
            for object in list(kind: kind) { contents[object.key] = object.json["value"]?.int ?? -1 }
        }
        return contents
    }
}
