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
            guard let command = words(of: parts[1]) else {
                throw CommandError("--image \(option): a quote in the command is not closed")
            }
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

    /// The words of a command as a shell splits them: quotes and backslashes keep what would separate or quote.
    ///
    /// - Returns: `nil` when a quote is not closed.
    private func words(of text: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            switch character {
            case _ where isEscaped:
                word = (word ?? "") + String(character)
                isEscaped = false
            case "\\" where quote != "'": isEscaped = true
            case _ where character == quote: quote = nil
            case "'" where quote == nil, "\"" where quote == nil:
                quote = character
                word = word ?? ""
            case " " where quote == nil, "\t" where quote == nil:
                if let ended = word { words.append(ended) }
                word = nil
            default: word = (word ?? "") + String(character)
            }
        }
        guard quote == nil, !isEscaped else { return nil }
        return words + (word.map { [$0] } ?? [])
    }
}
