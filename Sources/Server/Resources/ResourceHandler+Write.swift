import Cluster
import Kinds
import Model

extension ResourceHandler {
    func create(_ call: Call) async throws(APIError) -> Answer {
        let representation = try call.representation()
        var options = try call.writeOptions()
        let body = try identified(try call.request.decodedBody(&options), for: call, name: nil)
        let created = try await cluster.create(Object(viewing: body), options: options)
        return try render(created, for: call, as: representation, code: 201)
    }

    /// A question about access, which is answered and not kept.
    func review(_ call: Call) async throws(APIError) -> Answer {
        let representation = try call.representation()
        var options = try call.request.writeOptions()
        let body = try identified(try call.request.decodedBody(&options), for: call, name: nil)
        guard let strategy = Catalog.builtIn.strategy(for: call.type.kind) else { return .pageNotFound }
        let question = try BodyDecoding(strategy: strategy, options: options).decoded(body, from: .body)
        let answer = try await reviews.answer(question, from: call.request.user, namespace: call.path.namespace ?? "")
        return try render(Object(viewing: answer), for: call, as: representation, code: 201)
    }

    func replace(_ call: Call, _ name: String, subresource: Subresource?) async throws(APIError) -> Answer {
        let representation = try call.representation()
        var options = try call.writeOptions()
        let body = try identified(try call.request.decodedBody(&options), for: call, name: name)
        // C9: of some kinds, replacing what is not there yet creates it, and says so.
        let strategy = subresource == nil ? Catalog.builtIn.strategy(for: call.type.kind) : nil
        let isCreation = strategy?.allowsCreateOnUpdate == true ? try await isAbsent(call.key(name)) : false
        let updated = try await cluster.update(Object(viewing: body), subresource: subresource, options: options)
        return try render(updated, for: call, as: representation, code: isCreation ? 201 : 200)
    }

    func patch(_ call: Call, _ name: String, subresource: Subresource?) async throws(APIError) -> Answer {
        let representation = try call.representation()
        var options = try call.writeOptions()
        let patch = try call.request.decodedPatch(&options, isCustom: call.isCustom)
        var isCreation = false
        if case .apply = patch {
            // H1: an apply of what is not there yet creates it, and says so.
            isCreation = subresource == nil ? try await isAbsent(call.key(name)) : false
        } else if call.query["force"] != nil {
            throw .invalidOptions(
                "PatchOptions", "force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch")
        }
        let patched = try await cluster.patch(call.key(name), patch, subresource: subresource, options: options)
        return try render(patched, for: call, as: representation, code: isCreation ? 201 : 200)
    }

    private func isAbsent(_ key: ObjectKey) async throws(APIError) -> Bool {
        do throws(APIError) {
            _ = try await cluster.get(key)
            return false
        } catch {
            return error.reason == .notFound
        }
    }

    /// The body with what its address says about it filled in.
    ///
    /// - Throws: `.badRequest` where the two differ (C4, C9).
    private func identified(_ body: JSON, for call: Call, name: String?) throws(APIError) -> JSON {
        guard body.object != nil else {
            throw APIError(.badRequest, "the body of the request is \(body.typeName), not an object")
        }
        let kind = call.type.kind
        if call.type.custom != nil { try Self.checkNamesItsKind(body) }
        var body = body
        if (body["kind"]?.string ?? "").isEmpty { body["kind"] = .string(kind.kind) }
        if (body["apiVersion"]?.string ?? "").isEmpty { body["apiVersion"] = .string(kind.apiVersion) }
        let found = GroupVersionKind(
            apiVersion: body["apiVersion"]?.string ?? "", kind: body["kind"]?.string ?? "")
        guard found == kind else {
            let message =
                found.apiVersion == kind.apiVersion
                ? "\(found.kind) in version \"\(kind.version)\" cannot be handled as a \(kind.kind): "
                    + "the kind in the data (\(found.kind)) does not match the expected kind (\(kind.kind))"
                : "the API version in the data (\(found.apiVersion)) does not match the expected API version "
                    + "(\(kind.apiVersion))"
            throw APIError(.badRequest, message)
        }
        if call.type.isNamespaced {
            let namespace = body[path: ["metadata", "namespace"]]?.string ?? ""
            let expected = call.path.namespace ?? ""
            guard !expected.isEmpty else { throw call.methodNotAllowed }
            if namespace.isEmpty {
                body[path: ["metadata", "namespace"]] = .string(expected)
            } else if namespace != expected {
                throw APIError(
                    .badRequest, "the namespace of the provided object does not match the namespace sent on the request"
                )
            }
        }
        if let name {
            let found = body[path: ["metadata", "name"]]?.string ?? ""
            if found.isEmpty {
                body[path: ["metadata", "name"]] = .string(name)
            } else if !found.hasSameBytes(as: name) {
                throw APIError(
                    .badRequest,
                    "the name of the object (\(found)) does not match the name on the URL (\(name))")
            }
        }
        return body
    }

    /// C4: a custom object says itself what it is.
    private static func checkNamesItsKind(_ body: JSON) throws(APIError) {
        for (member, name) in [("kind", "Kind"), ("apiVersion", "apiVersion")]
        where (body[member]?.string ?? "").isEmpty {
            throw APIError(.badRequest, "Object '\(name)' is missing in '\(body.text().prefix(1000))'")
        }
    }

    // MARK: Delete

    /// Kinds whose deletion answers the object even when it is gone (C15).
    private static let answeringKinds: Set<String> = [
        "namespaces", "pods", "services", "serviceaccounts", "persistentvolumeclaims", "persistentvolumes",
        "podtemplates", "resourcequotas",
    ]

    func delete(_ call: Call, _ name: String) async throws(APIError) -> Answer {
        let representation = try call.representation()
        let options = try deleteOptions(call, call.request.body.isEmpty ? [:] : try call.request.decodedBody())
        let deleted = try await cluster.delete(call.key(name), options: options)
        let metadata = deleted.metadata
        let isGone = metadata.finalizers.isEmpty
        guard isGone, !(call.type.kind.group.isEmpty && Self.answeringKinds.contains(call.type.plural)) else {
            return try render(deleted, for: call, as: representation)
        }
        var details: JSON = ["name": .string(name)]
        if !call.type.kind.group.isEmpty { details["group"] = .string(call.type.kind.group) }
        details["kind"] = .string(call.type.plural)
        details["uid"] = .string(metadata.uid)
        let status: JSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details,
        ]
        return try .encoded(status, as: representation.encoding)
    }

    /// C18: each object by itself; answers what was deleted.
    func deleteCollection(_ call: Call) async throws(APIError) -> Answer {
        guard call.path.namespace != nil || !call.type.isNamespaced else { throw call.methodNotAllowed }
        let representation = try call.representation()
        let options = try deleteOptions(call, call.request.body.isEmpty ? [:] : try call.request.decodedBody())
        var list = try await cluster.list(try query(call))
        var deleted: [Object] = []
        for object in list.items {
            do throws(APIError) {
                deleted.append(try await cluster.delete(object.key, options: options))
            } catch {
                // Gone already is what was asked for.
                guard error.reason == .notFound else { throw error }
            }
        }
        list.items = deleted
        return try render(list, for: call, as: representation)
    }

    /// From the body, and the query where that says more (C15, C16, C20).
    ///
    /// - Throws: `.badRequest` for a body that is something else, `.invalid` for values that mean nothing.
    func deleteOptions(_ call: Call, _ body: JSON) throws(APIError) -> DeleteOptions {
        guard ["", "DeleteOptions"].contains(body["kind"]?.string ?? "") else {
            throw APIError(.badRequest, "the kind in the data is \(body["kind"]?.text() ?? ""), not DeleteOptions")
        }
        var options = DeleteOptions(dryRun: try call.query.isDryRun, version: call.type.kind.version)
        options.warnings = call.request.warnings
        options.requester = call.request.requester
        let grace = try Self.member(["gracePeriodSeconds"], of: body, "an integer") { $0.int }
        options.gracePeriodSeconds = try call.query.integer("gracePeriodSeconds") ?? grace.map { Int($0) }
        for value in body["dryRun"]?.array ?? [] {
            guard value == "All" else { throw QueryParameters.unsupportedDryRun(value.string ?? value.text()) }
            options.dryRun = true
        }
        let policy = try Self.member(["propagationPolicy"], of: body, "a string") { $0.string }
        let orphans = try Self.member(["orphanDependents"], of: body, "true or false") { $0.bool }
        options.propagation = try Self.propagation(
            call.query["propagationPolicy"] ?? policy,
            orphans: call.query["orphanDependents"] == nil ? orphans : call.query.flag("orphanDependents"))
        options.uid = try Self.member(["preconditions", "uid"], of: body, "a string") { $0.string }
        options.resourceVersion = try Self.member(["preconditions", "resourceVersion"], of: body, "a string") {
            $0.string
        }
        return options
    }

    private static func propagation(_ policy: String?, orphans: Bool?) throws(APIError) -> PropagationPolicy? {
        guard let policy else { return orphans.map { $0 ? .orphan : .background } }
        let value = JSON.string(policy).text()
        guard orphans == nil else {
            throw .invalidOptions(
                "DeleteOptions", "propagationPolicy", "FieldValueInvalid",
                "Invalid value: \(value): orphanDependents and deletionPropagation cannot be both set")
        }
        guard let known = PropagationPolicy(rawValue: policy) else {
            throw .invalidOptions(
                "DeleteOptions", "propagationPolicy", "FieldValueNotSupported",
                "Unsupported value: \(value): supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"")
        }
        return known
    }

    /// A field of DeleteOptions, of the type that it has in Kubernetes.
    private static func member<Value>(
        _ path: [String], of body: JSON, _ type: String, _ read: (JSON) -> Value?
    ) throws(APIError) -> Value? {
        guard let json = body[path: path], !json.isNull else { return nil }
        guard let value = read(json) else {
            throw APIError(
                .badRequest,
                "DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions: \(path.joined(separator: ".")): "
                    + "expected \(type), found \(json.text())")
        }
        return value
    }
}
