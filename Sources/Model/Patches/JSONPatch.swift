/// JSON patches (RFC 6902): a list of operations, applied in order, all or none (semantics-api G2).
package enum JSONPatch {
    /// As many operations as the Kubernetes API server takes in one patch.
    package static let operationLimit = 10_000
    /// The number of bytes that `copy` operations may add in all: a few of them could double an object endlessly.
    package static let copyLimit = 3 << 20

    /// - Throws: `PatchError`: `.malformed` for what is no JSON patch, `.tooLarge` for one of too many operations,
    ///   `.failed` for an operation that does not fit.
    package static func apply(_ patch: JSON, to target: JSON) throws(PatchError) -> JSON {
        let operations = try operations(of: patch)
        var result = target
        var copied = 0
        for (position, operation) in operations.enumerated() {
            do {
                try operation.apply(to: &result, copied: &copied)
            } catch {
                throw PatchError(kind: error.kind, message: "operation \(position) (\(operation)): \(error.message)")
            }
        }
        return result
    }

    private static func operations(of patch: JSON) throws(PatchError) -> [Operation] {
        guard let elements = patch.array else {
            throw PatchError(kind: .malformed, message: "a JSON patch is a list of operations, not \(patch.typeName)")
        }
        guard elements.count <= operationLimit else {
            let message =
                "The allowed maximum operations in a JSON patch is \(operationLimit), got \(elements.count)"
            throw PatchError(kind: .tooLarge, message: message)
        }
        var operations: [Operation] = []
        for (position, element) in elements.enumerated() {
            operations.append(try Operation(element, position: position))
        }
        return operations
    }
}

private enum Operation: CustomStringConvertible {
    case add(JSONPointer, JSON)
    case remove(JSONPointer)
    case replace(JSONPointer, JSON)
    case move(from: JSONPointer, JSONPointer)
    case copy(from: JSONPointer, JSONPointer)
    case test(JSONPointer, JSON)

    init(_ json: JSON, position: Int) throws(PatchError) {
        func pointer(_ member: String) throws(PatchError) -> JSONPointer {
            guard let text = json[member]?.string else {
                throw PatchError(kind: .malformed, message: "operation \(position) has no text as \"\(member)\"")
            }
            guard let pointer = JSONPointer(text) else {
                let message = "operation \(position): \"\(text)\" is no JSON pointer, such as /spec/replicas"
                throw PatchError(kind: .malformed, message: message)
            }
            return pointer
        }
        func value() throws(PatchError) -> JSON {
            if let value = json["value"] { return value }
            throw PatchError(kind: .malformed, message: "operation \(position) has no \"value\"")
        }
        switch json["op"]?.string {
        case "add": self = .add(try pointer("path"), try value())
        case "remove": self = .remove(try pointer("path"))
        case "replace": self = .replace(try pointer("path"), try value())
        case "move": self = .move(from: try pointer("from"), try pointer("path"))
        case "copy": self = .copy(from: try pointer("from"), try pointer("path"))
        case "test": self = .test(try pointer("path"), try value())
        case let name:
            let found = name.map { "\"\($0)\"" } ?? "none"
            let message = "operation \(position): \"op\" is \(found); it is add, remove, replace, move, copy or test"
            throw PatchError(kind: .malformed, message: message)
        }
    }

    var description: String {
        switch self {
        case .add(let path, _): "add \(path)"
        case .remove(let path): "remove \(path)"
        case .replace(let path, _): "replace \(path)"
        case .move(let from, let path): "move \(from) to \(path)"
        case .copy(let from, let path): "copy \(from) to \(path)"
        case .test(let path, _): "test \(path)"
        }
    }

    func apply(to target: inout JSON, copied: inout Int) throws(PatchError) {
        switch self {
        case .add(let path, let value):
            try target.change(at: path.tokens[...]) { (place) throws(PatchError) in try place.add(value) }
        case .remove(let path):
            _ = try Self.remove(path, from: &target)
        case .replace(let path, let value):
            guard !path.tokens.isEmpty else {
                target = value
                return
            }
            try target.change(at: path.tokens[...]) { (place) throws(PatchError) in try place.replace(value) }
        case .move(let from, let path):
            if path.tokens == from.tokens, try target.value(at: from) != nil { return }
            guard !path.tokens.starts(with: from.tokens) else {
                throw PatchError(kind: .failed, message: "a value cannot move into itself")
            }
            let value = try Self.remove(from, from: &target)
            try target.change(at: path.tokens[...]) { (place) throws(PatchError) in try place.add(value) }
        case .copy(let from, let path):
            // Kubernetes' library takes an absent member for null.
            let isMember = try target.value(at: from.parent)?.object != nil
            guard let value = try target.value(at: from) ?? (isMember ? .null : nil) else { throw .missing(from) }
            copied += value.encoded().count
            guard copied <= JSONPatch.copyLimit else {
                throw PatchError(kind: .failed, message: "the copies are larger than \(JSONPatch.copyLimit) bytes")
            }
            try target.change(at: path.tokens[...]) { (place) throws(PatchError) in try place.add(value) }
        case .test(let path, let value):
            // RFC 6902 §4.6, but for one thing Kubernetes allows: null also stands for an absent member of an object.
            let found = try target.value(at: path)
            let holder = try target.value(at: path.parent)
            let isAbsent = found == nil && value.isNull && holder?.object != nil
            guard found.map({ $0.isEquivalent(to: value) }) ?? isAbsent else {
                throw PatchError(kind: .untrue, message: "the value is not the expected one")
            }
        }
    }

    private static func remove(_ path: JSONPointer, from target: inout JSON) throws(PatchError) -> JSON {
        guard !path.tokens.isEmpty else {
            throw PatchError(kind: .failed, message: "the whole document cannot be removed")
        }
        var removed = JSON.null
        try target.change(at: path.tokens[...]) { (place) throws(PatchError) in removed = try place.remove() }
        return removed
    }
}

extension PatchError {
    fileprivate static func missing(_ path: JSONPointer) -> PatchError {
        PatchError(kind: .failed, message: "\(path) does not exist")
    }
}

/// The last step of a pointer: a member or an element of `container`, or the whole document when `token` is `nil`.
private struct Place: ~Copyable {
    var container: JSON
    var token: String?

    mutating func add(_ value: JSON) throws(PatchError) {
        guard let token else {
            container = value
            return
        }
        switch container {
        case .object: container[token] = value
        case .array(var elements):
            container = .null
            defer { container = .array(elements) }
            let index = try Self.index(token, of: elements.count, isInsertion: true)
            elements.insert(value, at: index)
        default: throw noContainer(token)
        }
    }

    /// A member that is not there is added: so does Kubernetes' library, unlike the RFC.
    mutating func replace(_ value: JSON) throws(PatchError) {
        if let token, case .object = container {
            container[token] = value
        } else {
            _ = try remove(replacement: value)
        }
    }

    mutating func remove() throws(PatchError) -> JSON {
        try remove(replacement: nil)
    }

    private mutating func remove(replacement: JSON?) throws(PatchError) -> JSON {
        let token = token ?? ""
        switch container {
        case .object(let object):
            guard let old = object[token] else {
                throw PatchError(kind: .failed, message: "the member \"\(token)\" does not exist")
            }
            container[token] = replacement
            return old
        case .array(var elements):
            container = .null
            defer { container = .array(elements) }
            let index = try Self.index(token, of: elements.count)
            let old = elements[index]
            if let replacement { elements[index] = replacement } else { elements.remove(at: index) }
            return old
        default: throw noContainer(token)
        }
    }

    private func noContainer(_ token: String) -> PatchError {
        PatchError(kind: .failed, message: "\(container.typeName) has no member \"\(token)\"")
    }

    /// - Parameter isInsertion: `-`, the place after the last element, can be reached too.
    static func index(_ token: String, of count: Int, isInsertion: Bool = false) throws(PatchError) -> Int {
        if token == "-", isInsertion { return count }
        guard let index = JSON.elementIndex(token, of: isInsertion ? count + 1 : count) else {
            let reason =
                token == "-" ? "\"-\" is the place after the last element" : "\"\(token)\" is no index of a list"
            throw PatchError(kind: .failed, message: reason)
        }
        guard index < count || (isInsertion && index == count) else {
            throw PatchError(kind: .failed, message: "the index \(index) is beyond the end of the list")
        }
        return index
    }
}

extension JSON {
    /// RFC 6901: digits without a leading zero. As Kubernetes has it, `-1` is the last of `count` places.
    fileprivate static func elementIndex(_ token: String, of count: Int) -> Int? {
        let isFromEnd = token.utf8.first == UInt8(ascii: "-")
        let digits = isFromEnd ? token.dropFirst() : token[...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits == "0" || digits.utf8.first != 0x30,
            let number = Int(digits)
        else { return nil }
        guard isFromEnd else { return number }
        return number > 0 && number <= count ? count - number : nil
    }

    fileprivate func value(at path: JSONPointer) throws(PatchError) -> JSON? {
        var value = self
        for token in path.tokens {
            switch value {
            case .object(let object):
                guard let child = object[token] else { return nil }
                value = child
            case .array(let elements):
                guard let index = Self.elementIndex(token, of: elements.count), index < elements.count else {
                    return nil
                }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    fileprivate mutating func change(
        at path: ArraySlice<String>, _ body: (inout Place) throws(PatchError) -> Void
    ) throws(PatchError) {
        guard path.count > 1, let first = path.first else {
            var place = Place(container: self, token: path.first)
            self = .null
            do {
                try body(&place)
            } catch {
                self = place.container
                throw error
            }
            self = place.container
            return
        }
        switch self {
        case .object(var object):
            guard object.position(of: first) != nil else {
                throw PatchError(kind: .failed, message: "the member \"\(first)\" does not exist")
            }
            self = .null
            defer { self = .object(object) }
            var child = object[first] ?? .null
            object[first] = .null
            defer { object[first] = child }
            try child.change(at: path.dropFirst(), body)
        case .array(var elements):
            let index = try Place.index(first, of: elements.count)
            self = .null
            defer { self = .array(elements) }
            try elements[index].change(at: path.dropFirst(), body)
        default:
            throw PatchError(kind: .failed, message: "\(typeName) has no member \"\(first)\"")
        }
    }
}
