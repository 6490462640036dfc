import Testing

@testable import generate_kinds

@Suite("What is generated is what the schemas say")
struct GeneratedFilesTests {
    @Test("the compiled-in document and the typed views are current: if not, run swift run generate-kinds")
    func current() throws {
        let root = String(#filePath.dropLast("Tests/KindsTests/GeneratedFilesTests.swift".count))
        #expect(try GenerateKinds.staleFiles(root: root).map(\.path) == [])
    }
}
