import Cluster
import Kinds
import Model

/// Answers requests about objects: the verbs of the Kubernetes API, in terms of a `Cluster`.
struct ResourceHandler: Sendable {
    let cluster: any Cluster
    let clock: any WallClock
    let reviews: Reviews

    /// - Parameter types: what the cluster serves.
    func answer(_ request: APIRequest, _ path: ResourcePath, types: [ResourceType]) async throws(APIError) -> Answer {
        let found = types.first {
            $0.kind.group == path.group && $0.kind.version == path.version && $0.plural == path.plural
        }
        // A16; a path with a namespace to what has none names nothing either.
        guard let type = found, path.namespace == nil || type.isNamespaced else { return .pageNotFound }
        guard path.name == nil || path.namespace != nil || !type.isNamespaced else { return .pageNotFound }
        let call = Call(request: request, path: path, type: type)
        if let warning = type.custom?.deprecationWarning { request.warnings.add(warning) }
        if let subresource = path.subresource { return try await answer(call, subresource: subresource) }
        guard type.verbs.contains(call.verb) else { throw call.methodNotAllowed }
        switch (request.method, path.name) {
        case ("GET", let name):
            if path.isLegacyWatch || request.query.flag("watch") { return try await watch(call) }
            guard let name else { return try await list(call) }
            return try await get(call, name)
        case ("POST", nil) where Reviews.contains(type): return try review(call)
        case ("POST", nil): return try await create(call)
        case ("PUT", let name?): return try await replace(call, name, subresource: nil)
        case ("PATCH", let name?): return try await patch(call, name, subresource: nil)
        case ("DELETE", let name?): return try await delete(call, name)
        case ("DELETE", nil): return try await deleteCollection(call)
        default: throw call.methodNotAllowed
        }
    }

    /// Subresources of pods that a person would ask for, and should not take for a mistake of theirs.
    private static let interactive: Set<String> = [
        "attach", "ephemeralcontainers", "exec", "portforward", "proxy", "resize",
    ]

    private func answer(_ call: Call, subresource: String) async throws(APIError) -> Answer {
        let known = call.type.subresources.contains { $0.name == subresource }
        guard known, let name = call.path.name else {
            guard call.type.kind == Pod.kind, Self.interactive.contains(subresource) else { return .pageNotFound }
            throw APIError(
                .methodNotAllowed, "pods/\(subresource) is not served: there is no way into a running pod yet")
        }
        switch (call.request.method, subresource) {
        case ("GET", "log"): return try await log(call, name)
        case ("GET", "scale"): return try await scale(call, name)
        case ("PUT", "scale"): return try await replaceScale(call, name)
        case ("PATCH", "scale"): return try await patchScale(call, name)
        case ("POST", "binding"): return try await bind(call, name)
        case ("POST", "eviction"): return try await evict(call, name)
        case ("GET", "status"), ("GET", "approval"): return try await get(call, name)
        case ("PUT", "status"): return try await replace(call, name, subresource: .status)
        case ("PATCH", "status"): return try await patch(call, name, subresource: .status)
        case ("PUT", "approval"): return try await replace(call, name, subresource: .approval)
        case ("PATCH", "approval"): return try await patch(call, name, subresource: .approval)
        case ("PUT", "finalize"): return try await replace(call, name, subresource: .finalize)
        default: throw call.methodNotAllowed
        }
    }
}

/// One request, with the kind that its path names.
struct Call: Sendable {
    var request: APIRequest
    var path: ResourcePath
    var type: ResourceType

    var query: QueryParameters { request.query }

    /// Kinds that are not Kubernetes' own have no messages, and say nothing of how to merge.
    var isCustom: Bool { !ProtobufEncoding.covers(type.kind) }

    func key(_ name: String) -> ObjectKey {
        ObjectKey(kind: type.kind.groupKind, namespace: path.namespace ?? "", name: name)
    }

    func writeOptions() throws(APIError) -> WriteOptions {
        var options = try request.writeOptions()
        options.version = type.kind.version
        return options
    }

    /// The form in which the client wants the answer (A12). Kinds without messages, such as custom ones, have only
    /// their metadata in protobuf.
    ///
    /// - Throws: `.notAcceptable` (406) when it wants what there is not.
    func representation(ofStream isStream: Bool = false) throws(APIError) -> Representation {
        let offer = Representation.Offer(
            hasProtobuf: !isCustom, hasTransforms: true, hasTables: !Reviews.contains(type),
            isStream: isStream)
        return try Representation(accepting: request.accept, of: offer)
    }

    /// J7.
    var verb: String {
        RequestAttributes.verb(
            request.method, isCollection: path.name == nil, isWatch: path.isLegacyWatch || query.flag("watch"))
    }

    /// C1: what no route of a built-in kind leads to, and what is not served of a custom one.
    var methodNotAllowed: APIError {
        guard isCustom else {
            return APIError(.methodNotAllowed, "the server does not allow this method on the requested resource")
        }
        let resource = path.subresource.map { "\(type.plural)/\($0)" } ?? type.plural
        return APIError(
            .methodNotAllowed, "\(verb) is not supported on resources of kind \"\(resource).\(type.kind.group)\"",
            details: APIError.Details(group: type.kind.group, kind: resource))
    }

    /// How much of each object comes with a table's rows (D11).
    func includedObject() throws(APIError) -> Table.IncludedObject {
        guard let text = query["includeObject"] else { return .metadata }
        guard let included = Table.IncludedObject(rawValue: text) else {
            throw APIError(.badRequest, "unrecognized includeObject value: \"\(text)\"")
        }
        return included
    }
}
