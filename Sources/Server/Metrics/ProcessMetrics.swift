import Glibc

/// What the system says of this process, under the names that all programs have for it.
struct ProcessMetrics {
    var cpuSeconds: Double
    var openFiles: Int
    var fileLimit: UInt64
    var virtualBytes: Int
    var residentBytes: Int
    /// Since the epoch.
    var startSeconds: Double

    /// - Returns: `nil` where the system does not tell.
    init?() {
        guard let stat = Self.read("/proc/self/stat"), let system = Self.read("/proc/stat"),
            let openFiles = Self.openFiles
        else { return nil }
        // The program's name, in parentheses, may hold anything; the state comes after it.
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].dropFirst().split(separator: " ")
        let boot = system.split(separator: "\n").first { $0.hasPrefix("btime ") }?.split(separator: " ").last
        guard fields.count > 21, let user = Double(fields[11]), let kernel = Double(fields[12]),
            let start = Double(fields[19]), let virtual = Int(fields[20]), let pages = Int(fields[21]),
            let boot = boot.flatMap({ Double($0) })
        else { return nil }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        cpuSeconds = (user + kernel) / ticks
        self.openFiles = openFiles
        fileLimit = UInt64(limit.rlim_cur)
        virtualBytes = virtual
        residentBytes = pages * sysconf(Int32(_SC_PAGESIZE))
        startSeconds = boot + start / ticks
    }

    /// Files of the system are short, and told whole by one read.
    private static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count > 0 else { return count == 0 ? String(decoding: bytes, as: UTF8.self) : nil }
            bytes += chunk[..<count]
        }
    }

    private static var openFiles: Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        // Itself, its parent, and the folder that is being read are none.
        var count = -3
        while readdir(folder) != nil { count += 1 }
        return count
    }
}

extension MetricsText {
    mutating func add(_ process: ProcessMetrics) {
        metric("process_cpu_seconds_total", "counter", "Processor time that was used, of the user and the system.")
        sample("process_cpu_seconds_total", process.cpuSeconds)
        metric("process_max_fds", "gauge", "How many files may be open.")
        sample("process_max_fds", process.fileLimit)
        metric("process_open_fds", "gauge", "How many files are open.")
        sample("process_open_fds", process.openFiles)
        metric("process_resident_memory_bytes", "gauge", "Memory that is in use.")
        sample("process_resident_memory_bytes", process.residentBytes)
        metric("process_start_time_seconds", "gauge", "When the process was started, since the epoch.")
        sample("process_start_time_seconds", process.startSeconds)
        metric("process_virtual_memory_bytes", "gauge", "Memory that has addresses.")
        sample("process_virtual_memory_bytes", process.virtualBytes)
    }
}
