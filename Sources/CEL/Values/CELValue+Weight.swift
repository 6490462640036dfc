internal import Model

extension CELValue {
    /// How many values there are in this one and in all within it.
    var weight: Int {
        switch self {
        case .list(let list):
            switch list.storage {
            case .json(let elements, _): elements.reduce(1) { $0 + $1.weight }
            case .values(let values): values.reduce(1) { $0 + $1.weight }
            }
        case .map(let map): map.weight
        case .object(let object): JSON.object(object.members).weight
        case .optional(let inner?): inner.weight
        default: 1
        }
    }

    /// Whether this is a list or a map of other ones: comparing such values takes longer than their size says.
    var hasTrees: Bool {
        switch self {
        case .list(let list): list.count > 0 && list[0].isTree
        case .map, .object: true
        default: false
        }
    }

    private var isTree: Bool {
        switch self {
        case .list, .map, .object: true
        default: false
        }
    }
}

extension JSON {
    fileprivate var weight: Int {
        switch self {
        case .array(let elements): elements.reduce(1) { $0 + $1.weight }
        case .object(let object): object.reduce(1) { $0 + $1.value.weight }
        default: 1
        }
    }
}

extension CELMap {
    fileprivate var weight: Int {
        switch storage {
        case .entries(_, let values, _): values.reduce(1) { $0 + $1.weight }
        case .json(let object, _): JSON.object(object).weight
        case .lazy(let fields): fields.names.count
        }
    }
}
