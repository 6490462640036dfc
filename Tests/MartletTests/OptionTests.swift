import ArgumentParser
import Engine
import FoundationEssentials
import Glibc
import Testing

@testable import martlet

@Suite("Options of the command line")
struct OptionTests {
    @Test(
        "lengths of time are written as in Go",
        arguments: [
            ("0", Duration.zero), ("50ms", .milliseconds(50)), ("2s", .seconds(2)), ("1m30s", .seconds(90)),
            ("1.5h", .seconds(5400)), ("10us", .microseconds(10)), ("10µs", .microseconds(10)),
            ("7ns", .nanoseconds(7)),
        ])
    func durations(text: String, duration: Duration) {
        #expect(GoDuration(argument: text)?.duration == duration)
    }

    @Test(
        "what is no length of time is none",
        arguments: ["", "5", "s", "-1s", "1 s", "1d", ".s", "1..5s", "99999999999h", "1s2"])
    func noDurations(text: String) {
        #expect(GoDuration(argument: text) == nil)
    }

    @Test(
        "an image's command is split as a shell splits it",
        arguments: [
            ("a=/bin/x", ["/bin/x"]), ("a=x -n  'two words' \"it's\"", ["x", "-n", "two words", "it's"]),
            ("a=x a\\ b 'c\\d' \"e\\\"f\"", ["x", "a b", "c\\d", "e\"f"]), ("a=x ''", ["x", ""]),
            ("host:5000/a:1=x=y", ["x=y"]),
        ])
    func images(option: String, words: [String]) throws {
        let entries = try Serve.parse(["--image", option]).imageEntries()
        #expect(entries == [ImageMap.Entry(option.prefix { $0 != "=" }.description, command: words)])
    }

    @Test(
        "an image that cannot be read is told with what would be right",
        arguments: [
            ("nginx", "--image nginx: write NAME=COMMAND, for example nginx=/usr/sbin/nginx"),
            ("=x", "--image =x: write NAME=COMMAND, for example nginx=/usr/sbin/nginx"),
            ("a=", "--image a=: the command is empty"), ("a='x", "--image a='x: a quote in the command is not closed"),
        ])
    func wrongImages(option: String, message: String) throws {
        let serve = try Serve.parse(["--image", option])
        let error = #expect(throws: CommandError.self) { try serve.imageEntries() }
        #expect(error?.description == message)
    }

    @Test("an image map is a file of such entries, after those of the options; a wrong one is told with its place")
    func imageMap() throws {
        let path = "/tmp/martlet-images-\(getpid())-\(UInt64.random(in: 0 ... .max)).yaml"
        defer { unlink(path) }
        try Data("web: [/bin/web, -v]\nother: /bin/other\n".utf8).write(to: URL(filePath: path))
        let entries = try Serve.parse(["--image-map", path, "--image", "web=/bin/mine"]).imageEntries()
        #expect(
            entries == [
                ImageMap.Entry("web", command: ["/bin/mine"]), ImageMap.Entry("web", command: ["/bin/web", "-v"]),
                ImageMap.Entry("other", command: ["/bin/other"]),
            ])
        try Data("web:\n  a: b\n".utf8).write(to: URL(filePath: path))
        let wrong = try Serve.parse(["--image-map", path])
        let error = #expect(throws: (any Error).self) { try wrong.imageEntries() }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.hasPrefix("\(path):") && text.contains("write a list: the command and its arguments"), "\(text)")
        let absent = try Serve.parse(["--image-map", "/nonexistent/map"])
        let missing = #expect(throws: CommandError.self) { try absent.imageEntries() }
        #expect(missing?.description == "--image-map: cannot read /nonexistent/map")
    }

    @Test("the data directory is the option, MARTLET_DATA_DIR, or by the XDG rules")
    func dataDirectories() {
        var environment = ["HOME": "/home/ada", "XDG_DATA_HOME": "/data", "MARTLET_DATA_DIR": "/own"]
        #expect(Connection.dataDirectory("here", environment) == "here")
        #expect(Connection.dataDirectory(nil, environment) == "/own")
        environment["MARTLET_DATA_DIR"] = ""
        #expect(Connection.dataDirectory(nil, environment) == "/data/martlet")
        // XDG: a relative path is to be ignored.
        environment["XDG_DATA_HOME"] = "data"
        #expect(Connection.dataDirectory(nil, environment) == "/home/ada/.local/share/martlet")
        #expect(Connection.dataDirectory(nil, [:]) == "/var/lib/martlet")
    }

    @Test("a data directory is made with its parents, for its owner alone; a file in its place is refused")
    func makesDataDirectory() throws {
        let root = "/tmp/martlet-options-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: root) } }
        func mode(_ path: String) -> mode_t {
            var status = stat()
            return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
        }
        try DataDirectory.make("\(root)/a/b")
        #expect(mode("\(root)/a/b") == 0o700)
        chmod("\(root)/a/b", 0o755)
        try DataDirectory.make("\(root)/a/b")
        #expect(mode("\(root)/a/b") == 0o700)
        try Data().write(to: URL(filePath: "\(root)/file"))
        let error = #expect(throws: CommandError.self) { try DataDirectory.make("\(root)/file") }
        #expect(error?.description == "\(root)/file is no directory; choose another one with --data-dir")
        let below = #expect(throws: CommandError.self) { try DataDirectory.make("\(root)/file/x") }
        #expect(below?.description.contains("cannot make the data directory \(root)/file/x: Not a directory") == true)
    }
}
