package import Model

/// Why a directory cannot be built: where, what is wrong, and what would be right.
package struct KustomizeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// From the root of the tree.
    package var file: String
    /// `nil` where the fault has no place in the file's text.
    package var mark: Mark?
    package var message: String

    package init(file: String, mark: Mark? = nil, message: String) {
        self.file = file
        self.mark = mark
        self.message = message
    }

    init(_ error: YAMLError) {
        self.init(file: error.file, mark: Mark(line: error.line, column: error.column), message: error.message)
    }

    /// `file:line:column: message`
    package var description: String {
        let place = mark.map { "\(file):\($0)" } ?? file
        return place.isEmpty ? message : "\(place): \(message)"
    }
}

/// What is wrong with a value, before it is known where that stands.
struct Fault: Error {
    var message: String

    init(_ message: String) {
        self.message = message
    }
}
