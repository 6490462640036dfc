package import CEL

/// What the expressions of an admission policy may speak of (Kubernetes' `admission/plugin/cel`).
package struct PolicyEnvironment: Sendable {
    /// Of `object` and `oldObject`; nothing is known of them when `nil`.
    private let object: SchemaType?
    private let params: Params
    /// What `variables` has so far; `nil` where there is no such name.
    private var fields: [String: SchemaType]?

    package enum Params: Sendable {
        /// The policy has no parameters, and `params` is no name.
        case none
        case dynamic
        case typed(SchemaType)
    }

    /// - Parameters:
    ///   - hasVariables: whether expressions may speak of `variables`.
    ///   - object: its type, where it is known; the types of policies that are in force are not.
    package init(params: Params, hasVariables: Bool, object: SchemaType? = nil) {
        self.params = params
        self.object = object
        fields = hasVariables ? [:] : nil
    }

    /// Lets the expressions after it speak of a variable.
    ///
    /// - Parameter type: of its expression; `nil` where that does not compile.
    package mutating func declare(_ name: String, as type: CELType?) {
        fields?[name] = type.map(SchemaType.declared) ?? .any
    }

    /// Reads and checks an expression.
    ///
    /// - Parameters:
    ///   - types: those that it may have; any when empty.
    ///   - knowsAuthorizer: whether it may ask who may do what.
    ///   - buildsPatches: whether it may build objects and patches.
    package func compile(
        _ text: String, as types: [CELType] = [], knowsAuthorizer: Bool = true, buildsPatches: Bool = false
    ) throws(PolicyExpressionFault) -> Program {
        let program: Program
        do throws(CELError) {
            program = try Program(
                compiling: text, variables: variables(knowsAuthorizer: knowsAuthorizer), buildsPatches: buildsPatches)
        } catch {
            throw .refused(error)
        }
        guard types.isEmpty || types.contains(program.type) else {
            throw .wrongType(program.type, expected: types)
        }
        return program
    }

    private func variables(knowsAuthorizer: Bool) -> [Program.Variable] {
        var variables = ["object", "oldObject"].map { name in
            object.map { Program.Variable(name, $0) } ?? Program.Variable(name, .dyn)
        }
        variables.append(Program.Variable("namespaceObject", Self.namespace))
        variables.append(Program.Variable("request", Self.request))
        switch params {
        case .none: break
        case .dynamic: variables.append(Program.Variable("params", .dyn))
        case .typed(let type): variables.append(Program.Variable("params", type))
        }
        if knowsAuthorizer {
            variables.append(Program.Variable("authorizer", .authorizer))
            variables.append(Program.Variable("authorizer.requestResource", .resourceCheck))
        }
        if let fields {
            variables.append(Program.Variable("variables", .object(named: "kubernetes.variables", fields)))
        }
        return variables
    }

    // MARK: Types

    /// A request, without the objects, which have names of their own.
    package static let request: SchemaType = {
        let kind = SchemaType.object(
            named: "kubernetes.GroupVersionKind", ["group": .string, "version": .string, "kind": .string])
        let resource = SchemaType.object(
            named: "kubernetes.GroupVersionResource", ["group": .string, "version": .string, "resource": .string])
        let user = SchemaType.object(
            named: "kubernetes.UserInfo",
            [
                "username": .string, "uid": .string, "groups": .list(of: .string),
                "extra": .map(of: .list(of: .string)),
            ])
        return .object(
            named: "kubernetes.AdmissionRequest",
            [
                "kind": kind, "resource": resource, "subResource": .string, "requestKind": kind,
                "requestResource": resource, "requestSubResource": .string, "name": .string, "namespace": .string,
                "operation": .string, "userInfo": user, "dryRun": .bool, "options": .any,
            ])
    }()

    /// A Namespace, as far as it is shown.
    package static let namespace: SchemaType = {
        let condition = SchemaType.object(
            named: "kubernetes.NamespaceCondition",
            [
                "status": .string, "type": .string, "lastTransitionTime": .timestamp, "message": .string,
                "reason": .string,
            ])
        let metadata = SchemaType.object(
            named: "kubernetes.NamespaceMetadata",
            [
                "name": .string, "generateName": .string, "namespace": .string, "labels": .map(of: .string),
                "annotations": .map(of: .string), "UID": .string, "creationTimestamp": .timestamp,
                "deletionGracePeriodSeconds": .int, "deletionTimestamp": .timestamp, "generation": .int,
                "resourceVersion": .string, "finalizers": .list(of: .string),
            ])
        return .object(
            named: "kubernetes.Namespace",
            [
                "metadata": metadata,
                "spec": .object(named: "kubernetes.NamespaceSpec", ["finalizers": .list(of: .string)]),
                "status": .object(
                    named: "kubernetes.NamespaceStatus", ["conditions": .list(of: condition), "phase": .string]),
            ])
    }()
}

/// Why an expression of a policy cannot be evaluated, in Kubernetes' words.
package enum PolicyExpressionFault: Error, CustomStringConvertible {
    case refused(CELError)
    case wrongType(CELType, expected: [CELType])

    package var description: String {
        switch self {
        case .refused(let error): return "compilation failed: \(error)"
        case .wrongType(let found, let expected):
            let wanted = expected.map(\.text)
            let list = wanted.count == 1 ? wanted[0] : "one of [\(wanted.joined(separator: " "))]"
            return "must evaluate to \(list) but got \(found.text)"
        }
    }
}

extension StringProtocol {
    /// Without white space at its ends.
    package var trimmed: String {
        let start = drop(while: \.isWhitespace)
        guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...end])
    }
}
