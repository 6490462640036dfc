/// A place in a text; both count from 1, the column in characters.
package struct Mark: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }

    package var description: String { "\(line):\(column)" }
}

/// One step of a way through a JSON tree.
package enum PathStep: Hashable, Sendable {
    case key(String)
    case index(Int)
}

/// What was wrong with a YAML text, where, and what would be right.
package struct YAMLError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    /// Both count from 1; the column counts characters.
    package var line: Int
    package var column: Int
    package var message: String

    package var description: String { "\(file):\(line):\(column): \(message)" }
}

/// Bounds on a YAML text, so that no input can exhaust the stack or memory.
package struct YAMLLimits: Sendable {
    package var depth: Int
    package var bytes: Int
    /// The number of values that the aliases of one document may stand for.
    package var aliasedValues: Int

    package init(depth: Int = 512, bytes: Int = 64 << 20, aliasedValues: Int = 100_000) {
        self.depth = depth
        self.bytes = bytes
        self.aliasedValues = aliasedValues
    }
}

/// What a text means where readers of YAML differ.
package enum YAMLDialect: Sendable {
    /// As `sigs.k8s.io/yaml` reads: YAML 1.1.
    case kubernetes
    /// As Kustomize reads resources and patches (go-yaml v3): of the words only `true` and `false` are booleans, so
    /// that `yes` and `off` stay texts, and a key that is no text is refused.
    case kustomize
}

/// YAML as Kubernetes reads and writes it.
package enum YAML {
    /// Reads every document of a stream.
    ///
    /// Scalars resolve as `sigs.k8s.io/yaml` resolves them (YAML 1.1: `yes`, `on`, `017`, `1_000` …; dates stay
    /// strings; keys that are no strings become ones), except where that would silently change a number: numbers beyond
    /// 64 bits and fractions of any length are kept exactly. Documents with nothing in them but comments are left out.
    ///
    /// - Parameter file: the name that errors carry.
    /// - Throws: `YAMLError` for malformed text, duplicate keys, keys that are no scalars, tags without a meaning in
    ///   JSON,   `.inf` and `.nan`, and what is beyond `limits`.
    /// - Complexity: linear in the number of bytes.
    package static func documents(
        _ text: [UInt8], file: String, limits: YAMLLimits = YAMLLimits(), dialect: YAMLDialect = .kubernetes
    ) throws(YAMLError) -> [YAMLDocument] {
        guard text.count <= limits.bytes else {
            let message = "the text has \(text.count) bytes; the limit is \(limits.bytes)"
            throw YAMLError(file: file, line: 1, column: 1, message: message)
        }
        do {
            return try text.withUnsafeBufferPointer { (buffer) throws(YAMLFault) in
                var parser = YAMLParser(source: buffer, limits: limits, file: file, dialect: dialect)
                return try parser.stream()
            }
        } catch {
            throw YAMLError(file: file, line: error.mark.line, column: error.mark.column, message: error.message)
        }
    }

    /// Reads a stream as the Kubernetes API server does: where a map gives a key twice, the last value counts.
    ///
    /// - Parameter repeated: gets a message for each such key: `line 7: key "paused" already set in map` (C21).
    package static func documents(
        _ text: [UInt8], file: String, limits: YAMLLimits = YAMLLimits(), repeated: inout [String]
    ) throws(YAMLError) -> [YAMLDocument] {
        do {
            return try documents(text, file: file, limits: limits)
        } catch {
            guard text.count <= limits.bytes else { throw error }
            let documents: [YAMLDocument]
            do {
                (documents, repeated) = try text.withUnsafeBufferPointer { (buffer) throws(YAMLFault) in
                    var parser = YAMLParser(source: buffer, limits: limits, file: file, repeated: [])
                    return (try parser.stream(), parser.repeated ?? [])
                }
            } catch {
                throw YAMLError(file: file, line: error.mark.line, column: error.mark.column, message: error.message)
            }
            return documents
        }
    }

    /// What `text` stands for as a plain scalar: a number, a boolean, null, or the text itself.
    package static func plainScalar(_ text: String, dialect: YAMLDialect = .kubernetes) -> JSON {
        var copy = text
        return copy.withUTF8 { bytes in
            let resolved = YAMLScalar.resolve(bytes)
            switch resolved.kind {
            case .string, .notFinite: return .string(text)
            case .bool where !YAMLScalar.isBoolean(bytes, in: dialect): return .string(text)
            default: return resolved.value
            }
        }
    }

    package static func documents(
        _ text: String, file: String, limits: YAMLLimits = YAMLLimits()
    ) throws(YAMLError) -> [YAMLDocument] {
        try documents(Array(text.utf8), file: file, limits: limits)
    }
}

/// A fault at a place of the text that is being read; the file's name is added when it is reported.
struct YAMLFault: Error {
    var message: String
    var mark: Mark
}

/// One document of a YAML stream, and where in the text each of its values and keys stands.
package struct YAMLDocument: Sendable {
    package let value: JSON
    package let file: String
    let marks: YAMLMarks
    /// Nodes of plain scalars that are null or times, which Kustomize treats in ways of its own, as they are written.
    var unusual: [Int: String] = [:]
    /// Those of them that are empty and stand in braces or brackets.
    var braced: Set<Int> = []

    /// A plain scalar that is null or looks like a time.
    package struct UnusualScalar {
        package var path: [PathStep]
        /// As it is written: `~`, or nothing.
        package var text: String
        /// Whether it stands in braces or brackets and is empty.
        package var isBraced: Bool
    }

    /// Only read in the dialect `kustomize`.
    package var unusualScalars: [UnusualScalar] {
        if unusual.isEmpty { return [] }
        var scalars: [UnusualScalar] = []
        collect(value, marks.root, [], into: &scalars)
        return scalars
    }

    private func collect(_ value: JSON, _ node: Int, _ path: [PathStep], into scalars: inout [UnusualScalar]) {
        if let text = unusual[node] {
            scalars.append(UnusualScalar(path: path, text: text, isBraced: braced.contains(node)))
        }
        switch value {
        case .object(let object):
            for (position, member) in object.enumerated() {
                guard let child = marks.child(position, of: node) else { continue }
                collect(member.value, child, path + [.key(member.key)], into: &scalars)
            }
        case .array(let elements):
            for (position, element) in elements.enumerated() {
                guard let child = marks.child(position, of: node) else { continue }
                collect(element, child, path + [.index(position)], into: &scalars)
            }
        default: return
        }
    }

    /// Where the value at `path` begins; `nil` where the document has none.
    package func mark(of path: [PathStep]) -> Mark? {
        marks.node(at: path[...], in: value).map { marks.nodes[$0].mark }
    }

    /// Where the key of the member at `path` begins; `nil` where there is none, or it is no member.
    package func keyMark(of path: [PathStep]) -> Mark? {
        marks.node(at: path[...], in: value).flatMap { marks.nodes[$0].keyMark }
    }

    /// Where the value at `path` begins, or the innermost value around it that the document has: for what is missing.
    package func nearestMark(of path: [PathStep]) -> Mark {
        for length in stride(from: path.count, through: 1, by: -1) {
            if let node = marks.node(at: path.prefix(length), in: value) {
                // A person looks for the line of the member's name.
                return length == path.count
                    ? marks.nodes[node].mark : marks.nodes[node].keyMark ?? marks.nodes[node].mark
            }
        }
        return marks.nodes[marks.root].mark
    }

    /// The same for a field path as Kubernetes writes it in messages: `spec.containers[0].image`,
    /// `metadata.labels[a/b]`.
    package func nearestMark(ofField path: String) -> Mark {
        nearestMark(of: PathStep.steps(ofField: path))
    }

    /// An error that names the place of the value at `path`.
    package func error(at path: [PathStep], _ message: String) -> YAMLError {
        let mark = nearestMark(of: path)
        return YAMLError(file: file, line: mark.line, column: mark.column, message: message)
    }

    /// An error about the name of the member at `path`.
    package func error(atKey path: [PathStep], _ message: String) -> YAMLError {
        let mark = keyMark(of: path) ?? nearestMark(of: path)
        return YAMLError(file: file, line: mark.line, column: mark.column, message: message)
    }
}

extension PathStep {
    /// The steps of a field path as Kubernetes writes it. In brackets stands an index when it is a number, else a key.
    package static func steps(ofField path: String) -> [PathStep] {
        var steps: [PathStep] = []
        var name: [UInt8] = []
        var bracketed = false
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: ".") where !bracketed:
                if !name.isEmpty { steps.append(.key(String(decoding: name, as: UTF8.self))) }
                name = []
            case UInt8(ascii: "[") where !bracketed:
                if !name.isEmpty { steps.append(.key(String(decoding: name, as: UTF8.self))) }
                name = []
                bracketed = true
            case UInt8(ascii: "]") where bracketed:
                let text = String(decoding: name, as: UTF8.self)
                steps.append(Int(text).map(PathStep.index) ?? .key(text))
                name = []
                bracketed = false
            default: name.append(byte)
            }
        }
        if !name.isEmpty { steps.append(.key(String(decoding: name, as: UTF8.self))) }
        return steps
    }
}

/// The places of a document's values: nodes in the order they were read, the children of each in one run of `children`.
///
/// An alias shares its anchor's children, so that the marks of a document never take more memory than its text.
struct YAMLMarks: Sendable {
    /// A mark in half the space.
    struct Place: Sendable {
        var line: UInt32
        var column: UInt32

        /// Where there is no key.
        static let none = Place(line: 0, column: 0)

        var mark: Mark { Mark(line: Int(line), column: Int(column)) }
    }

    struct Node: Sendable {
        var place: Place
        /// `none` where the value is no member.
        var keyPlace: Place
        var firstChild: UInt32 = 0
        var childCount: UInt32 = 0

        var mark: Mark { place.mark }
        var keyMark: Mark? { keyPlace.line == 0 ? nil : keyPlace.mark }
    }

    var nodes: [Node] = []
    /// Indices in `nodes`.
    var children: [UInt32] = []
    var root = 0

    func child(_ position: Int, of node: Int) -> Int? {
        guard position >= 0, position < Int(nodes[node].childCount) else { return nil }
        return Int(children[Int(nodes[node].firstChild) + position])
    }

    func node(at path: ArraySlice<PathStep>, in value: JSON) -> Int? {
        var node = root
        var value = value
        for step in path {
            let position: Int?
            switch (step, value) {
            case (.key(let key), .object(let object)):
                position = object.position(of: key)
                if let position { value = object[position].value }
            case (.index(let index), .array(let elements)):
                position = elements.indices.contains(index) ? index : nil
                if let position { value = elements[position] }
            // A numeric key in brackets reads as an index (`data[8080]`).
            case (.index(let index), .object(let object)):
                position = object.position(of: String(index))
                if let position { value = object[position].value }
            default: return nil
            }
            guard let position, let child = child(position, of: node) else { return nil }
            node = child
        }
        return node
    }
}
