import FoundationEssentials
import Fuzzing
import Testing

@Suite("What fuzzing began with and found", .timeLimit(.minutes(5)))
struct CorpusTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "FuzzCorpus").path

    @Test("every input of the corpus keeps what its target promises", arguments: FuzzTarget.all.map(\.name))
    func isKept(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let inputs = try FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/\(name)").sorted()
        #expect(inputs.count > 2)
        for input in inputs {
            let bytes = try #require(FileManager.default.contents(atPath: "\(Self.folder)/\(name)/\(input)"))
            #expect(throws: Never.self, "\(name)/\(input)") { try target.run(Array(bytes)) }
        }
    }

    @Test("each folder of the corpus is a target's, and all of it is small enough to read")
    func isOrderly() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder)
        #expect(Set(names) == Set(FuzzTarget.all.map(\.name) + ["http"]))
        var size = 0
        for name in names {
            for input in try FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/\(name)") {
                size += FileManager.default.contents(atPath: "\(Self.folder)/\(name)/\(input)")?.count ?? 0
            }
        }
        #expect(size < 200_000)
    }
}
