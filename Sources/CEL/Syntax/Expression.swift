/// A node of an expression's tree, after its macros are expanded.
///
/// A macro becomes a comprehension over a range with an accumulator, as in cel-go: types, costs and errors then follow
/// from one construct.
final class Expression {
    enum Kind {
        case literal(CELValue)
        case identifier(String)
        /// - Parameter isTest: `has(operand.field)`.
        case select(operand: Expression, field: String, isTest: Bool)
        /// Operators are calls under the names that cel-go gives them: `_+_`, `!_`, `_?_:_`, `_[_]`, `_?._`.
        case call(function: String, target: Expression?, arguments: [Expression])
        /// - Parameter optionals: positions of elements written with `?`.
        case list([Expression], optionals: Set<Int>)
        case map([Entry])
        case comprehension(Comprehension)
    }

    struct Entry {
        var key: Expression
        var value: Expression
        var isOptional: Bool
    }

    struct Comprehension {
        var range: Expression
        var variable: String
        /// The second one of the forms with two variables.
        var second: String?
        var accumulator: String
        var initial: Expression
        var condition: Expression
        var step: Expression
        var result: Expression
    }

    let kind: Kind
    /// Where an error in this node is shown, in scalars.
    let offset: Int
    /// How many levels the tree has from here.
    let height: Int
    /// Found by the checker.
    var type: CELType = .dyn
    /// The declarations that fit a call; more than one where types are only known at run time.
    var overloads: [Overload] = []
    /// The name under which a call is carried out, where a prefix belongs to it: `optional.of`; of a select, the
    /// variable that it names with a dot.
    var resolved: String?
    /// Of a select that in truth names a type or a variable with a dot: `net.IP`.
    var constant: CELValue?

    init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
        height = 1 + (Self.children(of: kind).map(\.height).max() ?? 0)
    }

    static func children(of kind: Kind) -> [Expression] {
        switch kind {
        case .literal, .identifier: []
        case .select(let operand, _, _): [operand]
        case .call(_, let target, let arguments): target.map { [$0] + arguments } ?? arguments
        case .list(let elements, _): elements
        case .map(let entries): entries.flatMap { [$0.key, $0.value] }
        case .comprehension(let fold): [fold.range, fold.initial, fold.condition, fold.step, fold.result]
        }
    }

    /// The name of an identifier.
    var name: String? {
        if case .identifier(let name) = kind { name } else { nil }
    }

    /// `a.b.c` as one name.
    var qualifiedName: String? {
        switch kind {
        case .identifier(let name): return name
        case .select(let operand, let field, false): return operand.qualifiedName.map { "\($0).\(field)" }
        default: return nil
        }
    }
}
