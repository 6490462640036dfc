import Engine
import FoundationEssentials
import Model

extension Serve {
    /// The image map of `--image` and `--image-map`; options come first.
    ///
    /// - Throws: `CommandError` that names the entry or the place in the file.
    func imageEntries() throws -> [ImageMap.Entry] {
        var entries = try image.map { option in
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw CommandError("--image \(option): write NAME=COMMAND, for example nginx=/usr/sbin/nginx")
            }
            let command = parts[1].split(separator: " ").map(String.init)
            guard !command.isEmpty else { throw CommandError("--image \(option): the command is empty") }
            return ImageMap.Entry(parts[0], command: command)
        }
        guard let imageMap else { return entries }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: imageMap))
        } catch {
            throw CommandError("--image-map: cannot read \(imageMap)")
        }
        for document in try YAML.documents([UInt8](data), file: imageMap) {
            for member in document.value.object ?? JSONObject() {
                let words = member.value.array?.compactMap(\.string) ?? member.value.string.map { [$0] } ?? []
                guard !words.isEmpty else {
                    throw document.error(at: [.key(member.key)], "write a list: the command and its arguments")
                }
                entries.append(ImageMap.Entry(member.key, command: words))
            }
        }
        return entries
    }
}
