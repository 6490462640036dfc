import Model

extension JSON {
    /// The value at a path; `nil` where there is none.
    func value(at path: ArraySlice<PathStep>) -> JSON? {
        path.reduce(Optional(self)) { value, step in
            switch step {
            case .key(let key): value?[key]
            case .index(let index): value?[index]
            }
        }
    }

    /// Sets what is at a path; nothing happens where the way to it is not there.
    mutating func set(_ value: JSON, at path: ArraySlice<PathStep>) {
        switch (path.first, self) {
        case (nil, _): self = value
        case (.key(let key), .object(var object)):
            guard var child = object[key] else { return }
            child.set(value, at: path.dropFirst())
            object[key] = child
            self = .object(object)
        case (.index(let index), .array(var elements)) where elements.indices.contains(index):
            elements[index].set(value, at: path.dropFirst())
            self = .array(elements)
        default: return
        }
    }
}
