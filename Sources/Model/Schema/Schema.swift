/// A structural schema: OpenAPI v3 as Kubernetes restricts it, with the `x-kubernetes-*` extensions.
///
/// The one description of a kind (DESIGN: *One schema*): defaulting, validation, pruning, strategic merge, server-side
/// apply and the typed views all read it. Nodes are shared and immutable; references are resolved when the schema is
/// made, so a schema may be recursive.
package final class Schema: Sendable {
    package enum ValueType: String, Sendable {
        case object, array, string, integer, number, boolean
    }

    /// How a list merges (`x-kubernetes-list-type`).
    package enum ListType: Hashable, Sendable {
        case atomic
        case set
        /// Items are told apart by these keys.
        case map(keys: [String])
    }

    /// `nil` for int-or-string and quantities, and where anything goes.
    package let type: ValueType?
    /// `int32`, `int64`, `date-time`, `micro-time`, `byte`, `quantity`, `ip` …
    package let format: String?
    package let defaultValue: JSON?
    package let allowed: [JSON]
    package let minimum: Int64?
    package let maximum: Int64?
    package let minLength: Int?
    package let maxLength: Int?
    package let minItems: Int?
    package let maxItems: Int?
    package let maxProperties: Int?
    package let pattern: String?
    package let isNullable: Bool
    package let isIntOrString: Bool
    /// Whether zero, the empty text and `false` are the same as nothing: of fields that are no pointers in Kubernetes'
    /// Go, which leaves them out (`omitempty`).
    package let omitsZero: Bool
    package let preservesUnknownFields: Bool
    /// `x-kubernetes-embedded-resource`: a whole object with `apiVersion`, `kind` and `metadata`.
    package let isEmbeddedResource: Bool
    package let listType: ListType
    /// `x-kubernetes-map-type: atomic`: the object is replaced whole.
    package let isAtomicMap: Bool
    /// Words of `x-kubernetes-patch-strategy`: `merge`, `replace`, `retainKeys`.
    package let patchStrategies: [String]
    package let patchMergeKey: String?
    package let required: [String]

    private let link: Link

    /// The children, filled after construction so that definitions can refer to each other.
    private final class Link: @unchecked Sendable {
        // Written only while the schemas of one document are being made, before any of them is shared: reading them,
        // which every walk over an object does for every field, needs no check for writers.
        @exclusivity(unchecked) var properties: [(name: String, schema: Schema)] = []
        @exclusivity(unchecked) var index: [String: Schema] = [:]
        @exclusivity(unchecked) var defaulted: [(name: String, schema: Schema)] = []
        @exclusivity(unchecked) var isConstrained = true
        @exclusivity(unchecked) var items: Schema?
        @exclusivity(unchecked) var additionalProperties: Schema?
        @exclusivity(unchecked) var constraints: Constraints?
    }

    /// What only the schema of a custom resource says; `nil` where it says nothing of the kind.
    package var constraints: Constraints? { link.constraints }
    /// In the order of the document.
    package var properties: [(name: String, schema: Schema)] { link.properties }
    /// Those of the properties that have a default.
    package var defaultedProperties: [(name: String, schema: Schema)] { link.defaulted }
    /// Whether a value of the right type can still be wrong: whether this schema or one within it has an enum, a range,
    /// a length, a pattern or a required field. Where none has, a walk over values may stop.
    package var isConstrained: Bool { hasOwnConstraint || link.isConstrained }

    private var hasOwnConstraint: Bool {
        !(allowed.isEmpty && required.isEmpty && pattern == nil) || link.constraints != nil || minimum != nil
            || maximum != nil
            || minLength != nil || maxLength != nil || minItems != nil || maxItems != nil || listType != .atomic
    }

    package var items: Schema? { link.items }
    /// What the values of a map look like.
    package var additionalProperties: Schema? { link.additionalProperties }

    /// The schema of the member `name`, be it a property or a map's value.
    package func child(_ name: String) -> Schema? { property(name) ?? link.additionalProperties }

    /// - Complexity: constant; few properties are scanned, which costs less than a hash.
    package func property(_ name: String) -> Schema? {
        let properties = link.properties
        if properties.count > JSONObject.indexThreshold { return link.index[name] }
        // A plain loop: no pair is copied to be looked at.
        var position = 0
        while position < properties.count {
            if properties[position].name.hasSameBytes(as: name) { return properties[position].schema }
            position += 1
        }
        return nil
    }

    /// - Parameter target: the definition whose children this field shares.
    fileprivate init(fields node: JSON, sharing target: Schema? = nil) {
        type = node["type"]?.string.flatMap(ValueType.init(rawValue:))
        format = node["format"]?.string
        defaultValue = node["default"]
        allowed = node["enum"]?.array ?? []
        minimum = node["minimum"]?.int
        maximum = node["maximum"]?.int
        minLength = (node["minLength"]?.int).map { Int($0) }
        maxLength = (node["maxLength"]?.int).map { Int($0) }
        minItems = (node["minItems"]?.int).map { Int($0) }
        maxItems = (node["maxItems"]?.int).map { Int($0) }
        maxProperties = (node["maxProperties"]?.int).map { Int($0) }
        pattern = node["pattern"]?.string
        isNullable = node["nullable"]?.bool ?? false
        isIntOrString = node["x-kubernetes-int-or-string"]?.bool ?? false
        omitsZero = node["x-martlet-omits-zero"]?.bool ?? false
        preservesUnknownFields = node["x-kubernetes-preserve-unknown-fields"]?.bool ?? false
        isEmbeddedResource = node["x-kubernetes-embedded-resource"]?.bool ?? false
        isAtomicMap = node["x-kubernetes-map-type"]?.string == "atomic"
        patchStrategies = (node["x-kubernetes-patch-strategy"]?.string ?? "").split(separator: ",").map(String.init)
        patchMergeKey = node["x-kubernetes-patch-merge-key"]?.string
        required = (node["required"]?.array ?? []).compactMap(\.string)
        listType = Self.listType(of: node)
        link = target?.link ?? Link()
    }

    /// semantics-api B8: list-type wins, else patch strategy `merge` means keyed list or set, else atomic.
    private static func listType(of node: JSON) -> ListType {
        switch node["x-kubernetes-list-type"]?.string {
        case "map": return .map(keys: (node["x-kubernetes-list-map-keys"]?.array ?? []).compactMap(\.string))
        case "set": return .set
        case "atomic": return .atomic
        default: break
        }
        guard node["x-kubernetes-patch-strategy"]?.string?.contains("merge") == true else { return .atomic }
        return node["x-kubernetes-patch-merge-key"]?.string.map { .map(keys: [$0]) } ?? .set
    }
}

/// A fault in a schema document; for the built-in kinds it is a bug.
package struct SchemaError: Error, Hashable, CustomStringConvertible {
    package var path: String
    package var message: String
    package var description: String { "\(path): \(message)" }
}

extension Schema {
    /// Makes the schemas of a document: `definitions` by name, in which `$ref` names another definition.
    ///
    /// Members beside a `$ref` (such as `default` or a list type) belong to the field and override the definition's.
    package static func definitions(_ document: JSON) throws(SchemaError) -> [String: Schema] {
        var maker = Maker(definitions: document.object ?? JSONObject())
        for member in document.object ?? JSONObject() { _ = try maker.definition(member.key, path: member.key) }
        markConstrained(Array(maker.made.values))
        return maker.made
    }

    /// A single schema without references, as a CustomResourceDefinition holds it.
    ///
    /// - Parameter metadata: with it, the schema is that of a whole resource: it and all embedded resources have
    ///   `apiVersion`, `kind` and this `metadata`, whatever is written of these (I2).
    package static func standalone(_ node: JSON, metadata: Schema? = nil) throws(SchemaError) -> Schema {
        var maker = Maker(definitions: JSONObject(), isStandalone: true, metadata: metadata)
        let schema = try maker.schema(node, path: "", isResource: metadata != nil)
        markConstrained([schema])
        return schema
    }

    /// Finds the schemas without any constraint below them. Those of a cycle count as constrained.
    private static func markConstrained(_ roots: [Schema]) {
        var visited: Set<ObjectIdentifier> = []
        func visit(_ schema: Schema) -> Bool {
            guard visited.insert(ObjectIdentifier(schema.link)).inserted else { return schema.isConstrained }
            var isConstrained = false
            for (_, child) in schema.link.properties where visit(child) { isConstrained = true }
            for child in [schema.link.items, schema.link.additionalProperties] {
                if let child, visit(child) { isConstrained = true }
            }
            schema.link.isConstrained = isConstrained
            return schema.isConstrained
        }
        for root in roots { _ = visit(root) }
    }

    private struct Maker {
        let definitions: JSONObject
        var isStandalone = false
        var metadata: Schema?
        var made: [String: Schema] = [:]

        mutating func definition(_ name: String, path: String) throws(SchemaError) -> Schema {
            if let schema = made[name] { return schema }
            guard let node = definitions[name] else {
                throw SchemaError(path: path, message: "no definition is named \(name)")
            }
            let schema = Schema(fields: node)
            // Known before its children are made, which may refer back to it.
            made[name] = schema
            try fill(schema, from: node, path: name)
            return schema
        }

        mutating func schema(_ node: JSON, path: String, isResource: Bool = false) throws(SchemaError) -> Schema {
            guard let reference = node["$ref"]?.string else {
                let schema = Schema(fields: node)
                try fill(schema, from: node, path: path)
                if let metadata, isResource || schema.isEmbeddedResource { complete(schema, metadata) }
                return schema
            }
            let target = try definition(reference, path: path)
            guard let overrides = node.object, overrides.count > 1, let definition = definitions[reference] else {
                return target
            }
            var merged = definition
            for member in overrides where member.key != "$ref" { merged[member.key] = member.value }
            return Schema(fields: merged, sharing: target)
        }

        mutating func fill(_ schema: Schema, from node: JSON, path: String) throws(SchemaError) {
            for member in node["properties"]?.object ?? JSONObject() {
                let child = try self.schema(member.value, path: "\(path).\(member.key)")
                schema.link.properties.append((member.key, child))
                schema.link.index[member.key] = child
                if child.defaultValue != nil { schema.link.defaulted.append((member.key, child)) }
            }
            if let items = node["items"] { schema.link.items = try self.schema(items, path: "\(path)[]") }
            if let values = node["additionalProperties"], values.object != nil {
                schema.link.additionalProperties = try self.schema(values, path: "\(path){}")
            }
            guard isStandalone else { return }
            if node["additionalProperties"] == true {
                schema.link.additionalProperties = try self.schema([:], path: "\(path){}")
            }
            var constraints = Constraints(node)
            for junctor in [\Constraints.allOf, \.anyOf, \.oneOf] {
                for part in node[Constraints.name(of: junctor)]?.array ?? [] {
                    constraints[keyPath: junctor].append(try self.schema(part, path: path))
                }
            }
            if let part = node["not"] { constraints.not = try self.schema(part, path: path) }
            if !constraints.isEmpty { schema.link.constraints = constraints }
        }

        /// Gives the schema of a resource what all resources have.
        private func complete(_ schema: Schema, _ metadata: Schema) {
            let text = Schema(fields: ["type": "string"])
            let common = [("apiVersion", text), ("kind", text), ("metadata", metadata)]
            for (name, child) in common where name == "metadata" || schema.link.index[name] == nil {
                schema.link.properties.removeAll { $0.name == name }
                schema.link.defaulted.removeAll { $0.name == name }
                schema.link.properties.append((name, child))
                schema.link.index[name] = child
            }
        }
    }
}
