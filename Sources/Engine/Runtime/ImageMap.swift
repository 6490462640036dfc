/// Which command an image stands for on a machine without images (I4, I18).
package struct ImageMap: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        /// An image with its tag, an image of any tag, or a prefix that ends in `*`.
        package var pattern: String
        package var command: [String]

        package init(_ pattern: String, command: [String]) {
            self.pattern = pattern
            self.command = command
        }
    }

    /// The image of the small HTTP test server that is part of this program.
    package static let echo = "martlet.dev/echo"

    package var entries: [Entry]

    /// - Parameter executable: this program, which is what `martlet.dev/echo` runs.
    package init(_ entries: [Entry] = [], executable: String = "/proc/self/exe") {
        self.entries = entries + [Entry(Self.echo, command: [executable, "echo"])]
    }

    /// The first entry wins whose pattern names the image.
    package func command(for image: String) throws(ImageError) -> [String] {
        for entry in entries where Self.matches(entry.pattern, image) { return entry.command }
        throw ImageError(
            "image \"\(image)\" has no command on this machine: give the container a command, "
                + "or map the image with --image \(Self.repository(of: image))=COMMAND")
    }

    static func matches(_ pattern: String, _ image: String) -> Bool {
        if pattern.hasSuffix("*") { return image.hasPrefix(pattern.dropLast()) }
        return pattern == image || pattern == repository(of: image)
    }

    /// The image without tag and digest. A colon before the last slash belongs to a registry's port.
    static func repository(of image: String) -> String {
        let name = image.split(separator: "@", maxSplits: 1).first.map(String.init) ?? image
        let slash = name.lastIndex(of: "/") ?? name.startIndex
        guard let colon = name.lastIndex(of: ":"), colon > slash else { return name }
        return String(name[..<colon])
    }
}
