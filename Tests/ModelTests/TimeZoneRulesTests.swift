import FoundationEssentials
import Model
import Testing

@Suite("Time zones")
struct TimeZoneRulesTests {
    private static let folder = "/usr/share/zoneinfo"

    private static func rules(_ name: String) throws -> TimeZoneRules {
        let data = try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"))
        return try #require(TimeZoneRules(file: Array(data)))
    }

    /// As `TZ=NAME date -d @TIME +%z` has them.
    static let offsets: [(zone: String, time: Int64, hours: Double)] = [
        ("Europe/Paris", 1_704_067_200, 1), ("Europe/Paris", 1_720_000_000, 2),
        // A second before summer, and its first; both by the rule for years to come.
        ("Europe/Paris", 2531955599, 1), ("Europe/Paris", 2531955600, 2), ("Europe/Paris", 2550704399, 2),
        ("Europe/Paris", 2550704400, 1),
        ("Europe/Paris", 4_102_444_800, 1),
        ("Asia/Tokyo", 1_704_067_200, 9), ("Asia/Kolkata", 4_102_444_800, 5.5),
        ("America/New_York", 1_720_000_000, -4), ("America/New_York", 4_102_444_800, -5),
        ("America/St_Johns", 1_704_067_200, -3.5),
        // Summer at both ends of a year.
        ("Australia/Sydney", 4_102_444_800, 11), ("Australia/Sydney", 4_118_000_000, 10),
        ("Etc/GMT+5", 0, -5), ("UTC", 0, 0),
    ]

    @Test(
        "the offset of a place at a moment is what the database says",
        .enabled(if: FileManager.default.fileExists(atPath: folder)),
        arguments: offsets)
    func offset(_ zone: String, _ time: Int64, _ hours: Double) throws {
        #expect(try Self.rules(zone).offset(at: time) == Int64(hours * 3600))
    }

    @Test("what is no file of the database is none", arguments: [0, 3, 44, 60, 100])
    func damaged(length: Int) throws {
        let whole = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + [UInt8](repeating: 0xFF, count: 200)
        #expect(TimeZoneRules(file: Array(whole[..<length])) == nil)
        #expect(TimeZoneRules(file: Array("no zone".utf8)) == nil)
    }
}
