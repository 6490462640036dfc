import FoundationEssentials
import GitSource
import Rendering
import Testing

@testable import Validation

@Suite("The examples of this repository")
struct ExampleTests {
    @Test("nothing is wrong with them, and each overlay is judged")
    func areValid() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let tree = try WorkingTree(root.appending(path: "examples-repo").path)
        let parts = try Renderer().renderRepository(tree, RenderingOptions(), kinds: .any)
        #expect(parts.compactMap(\.builtPath) == ["shop/overlays/production", "shop/overlays/staging"])
        #expect(Validator().findings(ValidationSubject(parts, of: tree)) == [])
    }
}
