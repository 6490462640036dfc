import Kinds
import Model

/// The paths of a resource with their operations, as OpenAPI v3 has them (B3, B5, B6).
struct OpenAPIPaths {
    let type: ResourceType
    let schemas: OpenAPISchemas
    /// Kinds that are not Kubernetes' own have no messages, and take no strategic merge patch.
    private let isCustom: Bool

    init(_ type: ResourceType, schemas: OpenAPISchemas) {
        self.type = type
        self.schemas = schemas
        isCustom = !ProtobufEncoding.covers(type.kind)
    }

    /// `/api/v1` or `/apis/apps/v1`.
    static func base(_ kind: GroupVersionKind) -> String {
        kind.group.isEmpty ? "/api/\(kind.version)" : "/apis/\(kind.group)/\(kind.version)"
    }

    /// In the order in which they are told.
    func all() -> [(path: String, item: JSON)] {
        let base = Self.base(type.kind)
        let collection = base + (type.isNamespaced ? "/namespaces/{namespace}" : "") + "/\(type.plural)"
        var paths = [(collection, self.collection()), (collection + "/{name}", item())]
        for subresource in type.subresources {
            paths.append((collection + "/{name}/\(subresource.name)", self.subresource(subresource)))
        }
        if type.isNamespaced, type.verbs.contains("list") {
            var item: JSON = ["parameters": .array(parameters(list: true))]
            item["get"] = operation(.init("list", "list", suffix: "ForAllNamespaces", answers: .list))
            paths.append(("\(base)/\(type.plural)", item))
        }
        guard type.verbs.contains("watch"), !isCustom else { return paths }
        let watched = collection.replacing(base, with: base + "/watch", maxReplacements: 1)
        paths.append((watched, watch("watchlist", suffix: "List", namespaced: type.isNamespaced, named: false)))
        paths.append((watched + "/{name}", watch("watch", suffix: "", namespaced: type.isNamespaced, named: true)))
        if type.isNamespaced {
            paths.append(
                (
                    "\(base)/watch/\(type.plural)",
                    watch("watchlist", suffix: "ListForAllNamespaces", namespaced: false, named: false)
                ))
        }
        return paths
    }

    // MARK: Path items

    private func collection() -> JSON {
        var item: JSON = ["parameters": .array(parameters(namespaced: type.isNamespaced))]
        if type.verbs.contains("list") {
            item["get"] = operation(.init("list", "list", query: OpenAPIParameters.list, answers: .list))
        }
        if type.verbs.contains("create") {
            item["post"] = operation(
                .init("post", "create", query: OpenAPIParameters.write, body: .object, codes: [200, 201, 202]))
        }
        if type.verbs.contains("deletecollection") {
            item["delete"] = operation(
                .init(
                    "deletecollection", "delete", infix: "Collection", query: OpenAPIParameters.deleteCollection,
                    body: .deleteOptions, answers: .status))
        }
        return item
    }

    private func item() -> JSON {
        var item: JSON = ["parameters": .array(parameters(namespaced: type.isNamespaced, named: true))]
        addCommon(type.verbs, to: &item, subresource: "")
        if type.verbs.contains("delete") {
            item["delete"] = operation(
                .init(
                    "delete", "delete", query: OpenAPIParameters.delete, body: .deleteOptions, codes: [200, 202],
                    answers: .status))
        }
        return item
    }

    private func subresource(_ subresource: ResourceType.Subresource) -> JSON {
        var item: JSON = ["parameters": .array(parameters(namespaced: type.isNamespaced, named: true))]
        let suffix = subresource.name.prefix(1).uppercased() + subresource.name.dropFirst()
        if subresource.name == "log" {
            item["get"] = operation(
                .init("get", "read", suffix: suffix, query: OpenAPIParameters.log, answers: .text))
            return item
        }
        let other = DiscoveryDocuments.kind(of: subresource.name, in: type).map {
            GroupVersionKind(group: $0.group, version: $0.version, kind: $0.kind)
        }
        addCommon(subresource.verbs, to: &item, subresource: suffix, kind: other)
        if subresource.verbs.contains("create") {
            item["post"] = operation(
                .init(
                    "post", "create", suffix: suffix, query: OpenAPIParameters.write, body: .object,
                    codes: [200, 201, 202], kind: other))
        }
        return item
    }

    private func addCommon(
        _ verbs: [String], to item: inout JSON, subresource suffix: String, kind: GroupVersionKind? = nil
    ) {
        if verbs.contains("get") { item["get"] = operation(.init("get", "read", suffix: suffix, kind: kind)) }
        if verbs.contains("update") {
            item["put"] = operation(
                .init(
                    "put", "replace", suffix: suffix, query: OpenAPIParameters.write, body: .object,
                    codes: [200, 201], kind: kind))
        }
        if verbs.contains("patch") {
            item["patch"] = operation(
                .init(
                    "patch", "patch", suffix: suffix, query: OpenAPIParameters.patch, body: .patch,
                    codes: [200, 201], kind: kind))
        }
    }

    private func watch(_ action: String, suffix: String, namespaced: Bool, named: Bool) -> JSON {
        var item: JSON = ["parameters": .array(parameters(list: true, namespaced: namespaced, named: named))]
        item["get"] = operation(.init(action, "watch", suffix: suffix, answers: .event))
        return item
    }

    private func parameters(list: Bool = false, namespaced: Bool = false, named: Bool = false) -> [JSON] {
        var parameters: [JSON] = []
        if named { parameters.append(OpenAPIParameters.path("name", "The name of the \(type.kind.kind).")) }
        if namespaced { parameters.append(OpenAPIParameters.path("namespace", "The namespace that it is in.")) }
        return parameters + OpenAPIParameters.query(list ? OpenAPIParameters.list + ["pretty"] : ["pretty"])
    }

    // MARK: Operations

    private struct Operation {
        enum Body { case object, deleteOptions, patch }
        enum Answer { case object, list, status, event, text }

        /// `x-kubernetes-action`.
        var action: String
        /// Begins the operation's name: `read`, `replace`.
        var verb: String
        var infix: String
        var suffix: String
        var query: [String]
        var body: Body?
        var codes: [Int]
        var answers: Answer
        /// Of a subresource that speaks another kind.
        var kind: GroupVersionKind?

        init(
            _ action: String, _ verb: String, infix: String = "", suffix: String = "", query: [String] = [],
            body: Body? = nil, codes: [Int] = [200], answers: Answer = .object, kind: GroupVersionKind? = nil
        ) {
            (self.action, self.verb, self.infix, self.suffix) = (action, verb, infix, suffix)
            (self.query, self.body, self.codes, self.answers, self.kind) = (query, body, codes, answers, kind)
        }
    }

    private func operation(_ operation: Operation) -> JSON {
        let (lower, upper) = Self.groupName(type.kind)
        let isEverywhere = operation.suffix.hasSuffix("ForAllNamespaces")
        let scope = type.isNamespaced && !isEverywhere ? "Namespaced" : ""
        let name = "\(upper)\(operation.infix)\(scope)\(type.kind.kind)\(operation.suffix)"
        var result: JSON = [
            "tags": [.string(lower)], "operationId": .string(operation.verb + name),
            "description": .string(description(operation)),
            "x-kubernetes-action": .string(operation.action),
            "x-kubernetes-group-version-kind": OpenAPISchemas.gvk(operation.kind ?? type.kind),
        ]
        if !operation.query.isEmpty { result["parameters"] = .array(OpenAPIParameters.query(operation.query)) }
        if let body = operation.body { result["requestBody"] = requestBody(body, operation.kind ?? type.kind) }
        let content = content(operation)
        var responses: JSON = [:]
        for code in operation.codes {
            let text = [200: "OK", 201: "Created", 202: "Accepted"][code] ?? ""
            responses["\(code)"] = ["description": .string(text), "content": content]
        }
        responses["401"] = ["description": "Unauthorized"]
        result["responses"] = responses
        return result
    }

    private func description(_ operation: Operation) -> String {
        let kind = type.kind.kind
        let isPart = operation.answers != .list && operation.answers != .event && !operation.suffix.isEmpty
        let part = isPart ? "\(operation.suffix.lowercased()) of " : ""
        return switch operation.action {
        case "list": "list or watch objects of kind \(kind)"
        case "watch", "watchlist": "watch changes to objects of kind \(kind)"
        case "deletecollection": "delete collection of \(kind)"
        case "patch": "partially update \(part)the \(kind)"
        default: "\(operation.verb) \(part)the \(kind)"
        }
    }

    private func requestBody(_ body: Operation.Body, _ kind: GroupVersionKind) -> JSON {
        let schema: JSON
        var media = isCustom ? ["application/json", "application/yaml"] : ["*/*"]
        switch body {
        case .object: schema = reference(to: kind)
        case .deleteOptions:
            schema = schemas.reference(to: "DeleteOptions")
            media = ["*/*"]
        case .patch:
            schema = schemas.reference(to: "Patch")
            media = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"]
            if !isCustom { media.append("application/strategic-merge-patch+json") }
        }
        var content: JSON = [:]
        for type in media { content[type] = ["schema": schema] }
        var result: JSON = ["content": content]
        if body != .deleteOptions { result["required"] = true }
        return result
    }

    private func content(_ operation: Operation) -> JSON {
        var media = ["application/json", "application/yaml"]
        if !isCustom { media.append("application/vnd.kubernetes.protobuf") }
        let schema: JSON
        switch operation.answers {
        case .object: schema = reference(to: operation.kind ?? type.kind)
        case .status: schema = schemas.reference(to: "Status")
        case .text:
            schema = ["type": "string"]
            media = ["text/plain"]
        case .list, .event:
            schema =
                operation.answers == .event
                ? schemas.reference(to: "WatchEvent") : schemas.reference(toListOf: type.kind)
            if !isCustom {
                media += ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"]
            }
        }
        var content: JSON = [:]
        for type in media.sorted() { content[type] = ["schema": schema] }
        return content
    }

    private func reference(to kind: GroupVersionKind) -> JSON {
        switch kind {
        case .scale, .binding, .eviction: schemas.reference(to: kind.kind)
        default: schemas.reference(to: kind)
        }
    }

    /// As tags and names of operations have it: `rbacAuthorization_v1`, `RbacAuthorizationV1`.
    static func groupName(_ kind: GroupVersionKind) -> (tag: String, prefix: String) {
        var group = kind.group.isEmpty ? "core" : kind.group
        if group.hasSuffix(".k8s.io") { group.removeLast(".k8s.io".count) }
        let words = group.split { $0 == "." || $0 == "-" }.map { $0.prefix(1).uppercased() + $0.dropFirst() }
        let upper = words.joined()
        let version = kind.version.prefix(1).uppercased() + kind.version.dropFirst()
        return ("\(upper.prefix(1).lowercased())\(upper.dropFirst())_\(kind.version)", upper + version)
    }
}
