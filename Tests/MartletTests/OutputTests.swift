import ArgumentParser
import FoundationEssentials
import Glibc
import Model
import Testing

@testable import martlet

@Suite("What is printed")
struct OutputTests {
    @Test("columns are as wide as their widest cell, without blanks at the ends of lines")
    func columns() {
        let text = Columns.text(["NAME", "READY", ""], [["web", "1/1", "note"], ["a-long-name", "0/1", ""]])
        #expect(text == "NAME          READY\nweb           1/1     note\na-long-name   0/1")
    }

    @Test("lines that follow stay aligned with earlier ones")
    func following() {
        var widths = [0, 0]
        #expect(Columns.text(["NAME", "AGE"], [["web-1", "5s"]], &widths) == "NAME    AGE\nweb-1   5s")
        #expect(Columns.text(nil, [["db", "1s"]], &widths) == "db      1s")
        #expect(Columns.text(nil, [["longer-1", "1s"]], &widths) == "longer-1   1s")
        #expect(Columns.text(nil, [["db", "2s"]], &widths) == "db         2s")
    }

    @Test("objects are printed as JSON or YAML, without the record of who set which field")
    func formats() {
        let object: JSON = ["kind": "Pod", "metadata": ["name": "a", "managedFields": [["manager": "x"]]]]
        #expect(object.withoutManagedFields == ["kind": "Pod", "metadata": ["name": "a"]])
        #expect(OutputFormat.yaml.text(object.withoutManagedFields) == "kind: Pod\nmetadata:\n  name: a")
        #expect(
            OutputFormat.json.text(["kind": "Pod"]).filter { !$0.isWhitespace } == "{\"kind\":\"Pod\"}")
    }

    @Test("every shell's completion script knows the verbs", arguments: Completion.Shell.allCases)
    func completion(shell: Completion.Shell) {
        let script = Martlet.completionScript(for: shell.completion)
        for verb in ["serve", "diff", "rollout", "describe"] { #expect(script.contains(verb)) }
    }

    @Test("systemd is told over its socket, by a path or an abstract name", arguments: [false, true])
    func systemd(isAbstract: Bool) throws {
        let name = "/tmp/martlet-notify-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        defer { unlink(name) }
        let listener = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(listener) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        if isAbstract { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) }
        }
        try #require(bound == 0)
        SystemdNotification.send("READY=1", to: isAbstract ? "@" + name.dropFirst() : name)
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = recv(listener, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "READY=1")
    }
}
