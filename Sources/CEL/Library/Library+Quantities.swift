internal import Model

/// Kubernetes' quantities.
extension Library {
    static let quantities: [Overload] =
        function("quantity", ["string_to_quantity": "(string) -> kubernetes.Quantity"]) { arguments in
            guard case .string(let text) = arguments[0] else { return .noOverload }
            return Quantity(text).map { .quantity($0) }
                ?? .error(
                    "quantities must match the regular expression "
                        + "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
        }
        + function("isQuantity", ["is_quantity_string": "(string) -> bool"]) { arguments in
            guard case .string(let text) = arguments[0] else { return .noOverload }
            return .bool(Quantity(text) != nil)
        }
        + unary("sign", "quantity_sign", "int") { .int($0.nanos < 0 ? -1 : $0.nanos > 0 ? 1 : 0) }
        // Kubernetes documents it as a member, but declares it as a function.
        + function("sign", ["quantity_sign_function": "(kubernetes.Quantity) -> int"]) { arguments in
            guard case .quantity(let quantity) = arguments[0] else { return .noOverload }
            return .int(quantity.nanos < 0 ? -1 : quantity.nanos > 0 ? 1 : 0)
        }
        + unary("asApproximateFloat", "quantity_get_float", "double") { .double(Double($0.nanos) / 1e9) }
        + unary("isInteger", "quantity_is_integer", "bool") { .bool(whole($0) != nil) }
        + unary("asInteger", "quantity_get_int", "int") {
            whole($0).map { .int($0) } ?? .error("cannot convert value to integer")
        }
        + order("isGreaterThan", "quantity_is_greater_than", "bool") { .bool($0 > $1) }
        + order("isLessThan", "quantity_is_less_than", "bool") { .bool($0 < $1) }
        + order("compareTo", "quantity_compare_to", "int") { .int($0 == $1 ? 0 : $0 < $1 ? -1 : 1) }
        + sum("add", "quantity_add") { $0 + $1 } + sum("sub", "quantity_sub") { $0 - $1 }

    private static func whole(_ quantity: Quantity) -> Int64? {
        let (units, rest) = quantity.nanos.quotientAndRemainder(dividingBy: 1_000_000_000)
        return rest == 0 ? Int64(exactly: units) : nil
    }

    private static func unary(
        _ name: String, _ id: String, _ result: String, _ body: @escaping @Sendable (Quantity) -> CELValue
    ) -> [Overload] {
        [
            Overload(name, id: id, "kubernetes.Quantity.() -> \(result)") { arguments in
                if case .quantity(let quantity) = arguments[0] { body(quantity) } else { .noOverload }
            }
        ]
    }

    private static func order(
        _ name: String, _ id: String, _ result: String,
        _ body: @escaping @Sendable (Quantity, Quantity) -> CELValue
    ) -> [Overload] {
        [
            Overload(name, id: id, "kubernetes.Quantity.(kubernetes.Quantity) -> \(result)") { arguments in
                guard case .quantity(let left) = arguments[0], case .quantity(let right) = arguments[1] else {
                    return .noOverload
                }
                return body(left, right)
            }
        ]
    }

    private static func sum(
        _ name: String, _ id: String, _ body: @escaping @Sendable (Quantity, Quantity) -> Quantity
    ) -> [Overload] {
        function(
            name,
            [
                id: "kubernetes.Quantity.(kubernetes.Quantity) -> kubernetes.Quantity",
                "\(id)_int": "kubernetes.Quantity.(int) -> kubernetes.Quantity",
            ]
        ) { arguments in
            switch (arguments[0], arguments[1]) {
            case (.quantity(let left), .quantity(let right)): .quantity(body(left, right))
            case (.quantity(let left), .int(let units)):
                .quantity(body(left, Quantity(units, format: .decimalExponent)))
            default: .noOverload
            }
        }
    }
}
