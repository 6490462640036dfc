import Cluster
import FoundationEssentials
import Glibc
import Kinds
import Model
import TestServers
import Testing

/// What can be wrong with the machine that the service runs on.
@Suite("Faults of the machine", .serialized, .blocking)
struct ServiceFaultTests {
    @Test("a second service, a taken port, a newer format and a damaged store are refused; the first service goes on")
    func refusals() async throws {
        try await Stage.with { stage in
            try stage.write("web/a.yaml", Manifests.configMap("a", "one"))
            try await stage.start()
            try await stage.waitForHealthy(try stage.push("one"))

            let second = try stage.refusedService("--data-dir", stage.data)
            #expect(second.code == 2, "\(second.output)")
            #expect(
                second.output.contains("\(stage.data) is in use by process \(try #require(stage.serviceID)); stop it"),
                "\(second.output)")
            let port = try stage.port()
            let third = try stage.refusedService("--data-dir", "\(stage.root)/other", "--listen", "127.0.0.1:\(port)")
            #expect(third.code == 2, "\(third.output)")
            #expect(
                third.output.contains("error: cannot listen on 127.0.0.1:\(port): Address already in use; stop what"),
                "\(third.output)")
            #expect(try await stage.value(of: "a", in: "default") == "one")
            #expect(stage.end(SIGTERM) == 0)

            // SQLite keeps `user_version`, here the format, at byte 60, most significant byte first.
            let file = "\(stage.data)/store.db"
            let bytes = try Data(contentsOf: URL(filePath: file))
            var newer = bytes
            newer[bytes.startIndex + 63] = 77
            try newer.write(to: URL(filePath: file))
            let old = try stage.refusedService("--data-dir", stage.data)
            #expect(old.code == 2, "\(old.output)")
            #expect(old.output.contains("\(file) has format 77, but this version knows formats up to"), "\(old.output)")
            try Data(repeating: 0x5A, count: bytes.count).write(to: URL(filePath: file))
            let damaged = try stage.refusedService("--data-dir", stage.data)
            #expect(damaged.code == 2, "\(damaged.output)")
            #expect(damaged.output.contains("\(file) is damaged"), "\(damaged.output)")
            #expect(try Data(contentsOf: URL(filePath: file)).allSatisfy { $0 == 0x5A }, "nothing was changed")

            try bytes.write(to: URL(filePath: file))
            try await stage.start()
            #expect(try await stage.value(of: "a", in: "default") == "one")
            try stage.write("web/a.yaml", Manifests.configMap("a", "two"))
            try await stage.waitForHealthy(try stage.push("two"))
        }
    }

    @Test("when the data directory is removed, the service ends with the reason, and all pods end with it")
    func removedDirectory() async throws {
        try await Stage.with { stage in
            try stage.write("web/deployment.yaml", Manifests.deployment(["--drain", "0s"]))
            let revision = try stage.push("two pods")
            try await stage.start()
            try await stage.waitForHealthy(revision)
            let processes = stage.processes()
            #expect(processes.count == 4, "two pods, each a supervisor and a container")
            try FileManager.default.removeItem(atPath: stage.data)
            #expect(stage.waitForEnd() == 2)
            #expect(stage.log.contains("error: the data directory \(stage.data) was removed while it was in use"))
            try await stage.eventually("the pods have ended") { processes.allSatisfy { kill($0, 0) != 0 } }
            #expect(!FileManager.default.fileExists(atPath: stage.data), "nothing was made anew")
        }
    }

    @Test("a data directory that is a file, or lies where nothing can be made, is refused with the reason")
    func unusableDirectory() async throws {
        try await Stage.with { stage in
            writeFile("\(stage.root)/file", "x")
            let file = try stage.refusedService("--data-dir", "\(stage.root)/file")
            #expect(file.code == 2, "\(file.output)")
            #expect(file.output.contains("\(stage.root)/file is no directory"), "\(file.output)")
            let below = try stage.refusedService("--data-dir", "\(stage.root)/file/data")
            #expect(below.code == 2, "\(below.output)")
            #expect(below.output.contains("Not a directory"), "\(below.output)")
        }
    }

    @Test(
        "a read-only data directory is refused with the reason; nothing is lost, and it goes on when it is writable",
        .enabled(if: SmallDisk.isPossible, "needs to mount a small file system"))
    func readOnly() async throws {
        try await Stage.with { stage in
            let disk = SmallDisk(at: stage.data, kibibytes: 64 << 10)
            defer { withExtendedLifetime(disk) {} }
            disk.setReadOnly(true)
            for directory in [stage.data, "\(stage.data)/below"] {
                let refused = try stage.refusedService("--data-dir", directory)
                #expect(refused.code == 2, "\(refused.output)")
                #expect(
                    refused.output.contains("Read-only file system") || refused.output.contains("read-only"),
                    "\(refused.output)")
            }
            disk.setReadOnly(false)
            try stage.write("web/a.yaml", Manifests.configMap("a", "one"))
            try await stage.start()
            try await stage.waitForHealthy(try stage.push("one"))
            stage.killService()
            // Files that are open for writing keep a mount from becoming read-only, so the service starts on it anew.
            disk.setReadOnly(true)
            let refused = try stage.refusedService("--data-dir", stage.data)
            #expect(refused.code == 2, "\(refused.output)")
            disk.setReadOnly(false)
            try await stage.start()
            #expect(try await stage.value(of: "a", in: "default") == "one")
        }
    }

    @Test(
        "a full disk refuses writes with the reason and keeps what was acknowledged; with room again all goes on",
        .enabled(if: SmallDisk.isPossible, "needs to mount a small file system"))
    func fullDisk() async throws {
        try await Stage.with { stage in
            let disk = SmallDisk(at: stage.data, kibibytes: 8 << 10)
            defer { withExtendedLifetime(disk) {} }
            try stage.write("web/a.yaml", Manifests.configMap("a", "one"))
            try await stage.start(["--interval", "1s"])
            let first = try stage.push("one")
            try await stage.waitForHealthy(first)

            // What fills the disk is what the service writes: large ConfigMaps, each acknowledged or refused.
            var acknowledged: [String] = []
            var refusal: APIError?
            let text = String(repeating: "0123456789abcdef", count: 8 << 10)
            for number in 0..<200 where refusal == nil {
                do {
                    try await stage.apply(Manifests.configMap("filler-\(number)", text), in: "default")
                    acknowledged.append("filler-\(number)")
                } catch let error as APIError {
                    refusal = error
                }
            }
            #expect(refusal?.message.contains("no space left on the disk of \(stage.data)/store.db") == true)
            #expect(refusal?.reason == .internalError)
            #expect(try await stage.value(of: "a", in: "default") == "one", "reading goes on")
            #expect(stage.log.contains("no space left on the disk"))
            try stage.write("web/a.yaml", Manifests.configMap("a", "two"))
            let second = try stage.push("two")
            disk.grow()
            try await stage.waitForHealthy(second)
            stage.killService()
            try await stage.start(["--interval", "1s"])
            let names = Set(try await stage.configMapNames(in: "default"))
            #expect(names.isSuperset(of: acknowledged), "what was acknowledged is there")
            #expect(try await stage.value(of: "a", in: "default") == "two")
        }
    }
}
