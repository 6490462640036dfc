import FoundationEssentials
import Glibc
import Model

/// Writes what derives from the schemas of the built-in kinds: the documents that are compiled in, and the typed views.
///
///     swift run generate-kinds [--check]
///
/// With `--check` nothing is written: it exits 1 when a file is not what the schemas say.
@main
struct GenerateKinds {
    static func main() throws {
        let check = CommandLine.arguments.contains("--check")
        let stale = try staleFiles(root: "")
        for file in stale {
            if !check { try Data(file.content).write(to: URL(filePath: file.path), options: .atomic) }
            print(check ? "\(file.path) is not current: run swift run generate-kinds" : "wrote \(file.path)")
        }
        if check, !stale.isEmpty { exit(1) }
    }

    /// The generated files that are not as they should be, with what they should hold.
    ///
    /// - Parameter root: the root of the package, with a slash at its end, or empty for the current directory.
    static func staleFiles(root: String) throws -> [(path: String, content: [UInt8])] {
        let document = try SchemaSources(root: root).document()
        let split = Descriptions(splitting: try OmittedZeros(root: root).marked(document))
        var files = [
            (path: "Sources/Assets/schemas.json", content: split.schemas.encoded()),
            (path: "Sources/Assets/descriptions.json", content: JSON.object(split.texts).encoded()),
        ]
        files += ViewGenerator(schemas: document).files().map { ($0.path, Array($0.content.utf8)) }
        return files.filter { file in
            // A file that is not there yet reads as an empty one.
            let present = try? Data(contentsOf: URL(filePath: root + file.path))
            return present != Data(file.content)
        }
    }
}
