import GitSource
import Glibc
import Model
import Testing

@testable import Kustomize

@Suite("A kustomization made up from a seed")
struct RandomTests {
    @Test(
        "gives what kubectl gives, or is refused as there",
        .enabled(if: Oracle.path != nil, "kubectl is not on PATH: nothing to compare with"),
        arguments: 1...(getenv("MARTLET_SOAK") == nil ? UInt64(60) : 3000))
    func compared(_ seed: UInt64) throws {
        try compare(RandomCase.make(seed: seed))
    }

    @Test("is built more often than it is refused, so that there is something to compare")
    func built() throws {
        let built = (UInt64(1)...60).filter { seed in
            let example = RandomCase.make(seed: seed)
            // Which of them are refused is the other test's concern.
            return (try? build(CaseDirectory(example.files), example.directory)) != nil
        }
        #expect(built.count > 30)
    }

    @Test("ends with objects or a fault when its files are damaged", arguments: UInt64(1)...60)
    func damaged(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var example = RandomCase.make(seed: seed)
        for position in example.files.indices where Bool.random(using: &random) {
            var bytes = example.files[position].bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8(ascii: "{"), at: place)
                }
            }
            example.files[position].bytes = bytes
        }
        do {
            _ = try build(CaseDirectory(example.files), example.directory)
        } catch {
            #expect(error is KustomizeError)
        }
    }
}
