import FoundationEssentials
import Glibc
import Model

/// Writes the typed views of the built-in kinds from their schemas.
///
///     swift run generate-kinds [--check]
///
/// With `--check` nothing is written: it exits 1 when a generated file is not what the schemas say.
@main
struct GenerateKinds {
    static func main() throws {
        let check = CommandLine.arguments.contains("--check")
        let schemas = try JSON(decoding: [UInt8](Data(contentsOf: URL(filePath: "Sources/Assets/schemas.json"))))
        var stale: [String] = []
        for (path, content) in ViewGenerator(schemas: schemas).files() {
            let url = URL(filePath: path)
            // A file that is not there yet reads as an empty one.
            if (try? Data(contentsOf: url)) == Data(content.utf8) { continue }
            stale.append(path)
            if !check { try Data(content.utf8).write(to: url, options: .atomic) }
        }
        for path in stale { print(check ? "\(path) is not current: run swift run generate-kinds" : "wrote \(path)") }
        if check, !stale.isEmpty { exit(1) }
    }
}
