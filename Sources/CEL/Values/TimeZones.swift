import Glibc
internal import Model
import Synchronization

/// The machine's time zone database, of which expressions name zones (cel-go asks Go's `time.LoadLocation`).
///
/// The one thing that an expression knows from outside: it is the same wherever the database is, and what was read once
/// is kept, so that an evaluation gives the same twice.
enum TimeZones {
    private static let folder = "/usr/share/zoneinfo"
    /// No zone's file is near it.
    private static let sizeLimit = 64 << 10
    private static let known = Mutex<[String: TimeZoneRules?]>([:])

    /// - Returns: `nil` for a name that the database does not have.
    static func rules(_ name: String) -> TimeZoneRules? {
        guard isName(name) else { return nil }
        if let found = known.withLock({ $0[name] }) { return found }
        let rules = contents("\(folder)/\(name)").flatMap { TimeZoneRules(file: $0) }
        known.withLock { known in
            // Names that nobody knows are made up by whoever writes expressions.
            if rules != nil || known.count < 1000 { known[name] = .some(rules) }
        }
        return rules
    }

    /// Such as `America/Port-au-Prince`; it leads nowhere else.
    private static func isName(_ name: String) -> Bool {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return name.utf8.count <= 64
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.allSatisfy { byte in
                        switch byte {
                        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "+"),
                            UInt8(ascii: "-"):
                            true
                        default: false
                        }
                    }
            }
    }

    private static func contents(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: sizeLimit)
        var count = 0
        while count < sizeLimit {
            let got = bytes.withUnsafeMutableBytes { read(file, $0.baseAddress! + count, sizeLimit - count) }
            guard got > 0 else { break }
            count += got
        }
        return Array(bytes[..<count])
    }
}
