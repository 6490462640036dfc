import Cluster
import Glibc
import Kinds
import Model
import Testing

@testable import Engine

@Suite("Container logs, across rotated files")
struct LogReaderTests {
    /// Lines 0 to 9: four in the oldest file, three in the next, three in the newest, line 4 in two parts.
    private func withLog(_ body: (String) async throws -> Void) async throws {
        try await TemporaryDirectory.with { directory in
            let path = directory + "/0.log"
            func line(_ number: Int, _ tag: String = "F", _ text: String? = nil) -> String {
                "2026-11-22T10:00:0\(number).000000000Z stdout \(tag) \(text ?? "line \(number)")\n"
            }
            try PodFiles.write(Array((line(0) + line(1) + line(2) + line(3)).utf8), to: path + ".2", mode: 0o600)
            let middle = line(4, "P", "line") + line(4, "F", " 4") + line(5) + line(6)
            try PodFiles.write(Array(middle.utf8), to: path + ".1", mode: 0o600)
            try PodFiles.write(Array((line(7) + line(8) + line(9)).utf8), to: path, mode: 0o600)
            try await body(path)
        }
    }

    private static let query = LogQuery(namespace: "default", pod: "web")

    private func read(_ path: String, _ query: LogQuery = Self.query) async throws -> String {
        let reader = LogReader(path: path, query: query, clock: SystemClock()) { false }
        var output: [UInt8] = []
        while let chunk = try await reader.next() { output += chunk }
        return String(decoding: output, as: UTF8.self)
    }

    private func lines(_ range: ClosedRange<Int>) -> String { range.map { "line \($0)\n" }.joined() }

    @Test("gives every line once, oldest first, parts joined")
    func all() async throws {
        try await withLog { path in
            let text = try await read(path)
            #expect(text == lines(0...9))
        }
    }

    @Test("tail reaches back over rotated files", arguments: [(0, 10), (2, 8), (3, 7), (4, 6), (6, 4), (50, 0)])
    func tail(count: Int, first: Int) async throws {
        var query = Self.query
        query.tailLines = count
        let wanted = query
        try await withLog { path in
            let text = try await read(path, wanted)
            // A line in two parts counts as two, as it does for the kubelet.
            let expected = count == 6 ? " 4\n" + lines(5...9) : first > 9 ? "" : lines(first...9)
            #expect(text == expected)
        }
    }

    static let queries: [(query: LogQuery, text: String)] = {
        let since = Timestamp("2026-11-22T10:00:09Z")
        return [
            (LogQuery(namespace: "default", pod: "web", since: since), "line 9\n"),
            (
                LogQuery(namespace: "default", pod: "web", timestamps: true, since: since),
                "2026-11-22T10:00:09.000000000Z line 9\n"
            ),
            (LogQuery(namespace: "default", pod: "web", limitBytes: 10), "line 0\nlin"),
        ]
    }()

    @Test("since, timestamps and limitBytes", arguments: queries)
    func filters(query: LogQuery, expected: String) async throws {
        try await withLog { path in
            let text = try await read(path, query)
            #expect(text == expected)
        }
    }

    @Test("follows through a rotation until the container has ended")
    func follows() async throws {
        try await TemporaryDirectory.with { directory in
            let path = directory + "/0.log"
            try PodFiles.write(Array("2026-11-22T10:00:00Z stdout F one\n".utf8), to: path, mode: 0o600)
            var query = LogQuery(namespace: "default", pod: "web")
            query.follow = true
            let running = Flag()
            let reader = LogReader(path: path, query: query, clock: SystemClock()) { running.isSet }
            #expect(try await reader.next() == Array("one\n".utf8))
            #expect(rename(path, path + ".1") == 0)
            try PodFiles.write(Array("2026-11-22T10:00:01Z stdout F two\n".utf8), to: path, mode: 0o600)
            #expect(try await reader.next() == Array("two\n".utf8))
            running.clear()
            #expect(try await reader.next() == nil)
        }
    }
}
