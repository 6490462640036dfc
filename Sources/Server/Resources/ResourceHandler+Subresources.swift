import Cluster
import Kinds
import Model

extension ResourceHandler {
    // MARK: Scale

    func scale(_ call: Call, _ name: String) async throws(APIError) -> Answer {
        let representation = try call.representation()
        let object = try await cluster.get(call.key(name), version: call.type.kind.version)
        let paths = call.type.custom?.scale
        if let path = paths?.specReplicas, JSONPath(path)?.values(in: object.json).isEmpty != false {
            throw APIError(.internalError, "the spec replicas field \"\(path)\" does not exist", isCallersFault: true)
        }
        return try render(scaleOf: object, for: call, as: representation)
    }

    private func render(
        scaleOf workload: Object, for call: Call, as representation: Representation
    ) throws(APIError) -> Answer {
        let scale = ScaleSubresource.json(of: workload.json, paths: call.type.custom?.scale)
        guard case .table(let version) = representation.form else {
            return try .encoded(scale, as: representation.encoding)
        }
        let table = TablePrinter.table(
            for: ScaleSubresource.kind.groupKind, objects: [Object(viewing: scale)], now: clock.now,
            includedObject: try call.includedObject())
        let json = table.json(resourceVersion: workload.metadata.resourceVersion)
        return try .encoded(Self.versioned(json, version), as: representation.encoding)
    }

    func replaceScale(_ call: Call, _ name: String) async throws(APIError) -> Answer {
        let representation = try call.representation()
        let options = try call.writeOptions()
        let body = try call.request.decodedBody()
        let named = body[path: ["metadata", "name"]]?.string ?? name
        guard named.hasSameBytes(as: name) else {
            throw APIError(
                .badRequest, "the name of the object (\(named)) does not match the name on the URL (\(name))")
        }
        var workload = Object(
            viewing: [
                "apiVersion": .string(call.type.kind.apiVersion), "kind": .string(call.type.kind.kind),
                "metadata": ["name": .string(name), "namespace": .string(call.path.namespace ?? "")],
            ])
        workload.json[path: ["metadata", "resourceVersion"]] = body[path: ["metadata", "resourceVersion"]]
        workload.json["spec"] = body["spec"]
        let scaled = try await cluster.update(workload, subresource: .scale, options: options)
        return try render(scaleOf: scaled, for: call, as: representation)
    }

    func patchScale(_ call: Call, _ name: String) async throws(APIError) -> Answer {
        let representation = try call.representation()
        var options = try call.writeOptions()
        let patch = try call.request.decodedPatch(&options, isCustom: call.isCustom)
        let scaled = try await cluster.patch(call.key(name), patch, subresource: .scale, options: options)
        return try render(scaleOf: scaled, for: call, as: representation)
    }

    // MARK: Binding

    /// L5: assigns a pod to a node.
    func bind(_ call: Call, _ name: String) async throws(APIError) -> Answer {
        let encoding = try call.representation().encoding
        let options = try call.writeOptions()
        var body = try call.request.decodedBody()
        body["kind"] = "Binding"
        body["apiVersion"] = "v1"
        body[path: ["metadata", "name"]] = .string(name)
        body[path: ["metadata", "namespace"]] = .string(call.path.namespace ?? "")
        _ = try await cluster.update(Object(viewing: body), subresource: .binding, options: options)
        return try .encoded(Self.created, as: encoding, code: 201)
    }

    private static let created: JSON = [
        "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201,
    ]

    // MARK: Eviction

    /// Semantics-workloads K8.
    func evict(_ call: Call, _ name: String) async throws(APIError) -> Answer {
        let encoding = try call.representation().encoding
        let body = try call.request.decodedBody()
        let named = body[path: ["metadata", "name"]]?.string ?? ""
        guard named.isEmpty || named == name else {
            throw APIError(.badRequest, "name in URL does not match name in Eviction object")
        }
        let options = try deleteOptions(call, body["deleteOptions"] ?? [:])
        try await cluster.evict(call.key(name), options: options)
        return try .encoded(Self.created, as: encoding, code: 201)
    }

    // MARK: Token

    /// J3: a token of a ServiceAccount. A dry run issues one, too, as in Kubernetes: nothing is kept of it in any case.
    func token(_ call: Call, _ name: String) async throws(APIError) -> Answer {
        let representation = try call.representation(hasTables: false)
        var options = try call.writeOptions()
        guard let strategy = Catalog.builtIn.definedStrategy(for: .tokenRequest) else { return .pageNotFound }
        let namespace = call.path.namespace ?? ""
        let body = try call.request.decodedBody(&options)
        var request = try BodyDecoding(strategy: strategy, options: options).decoded(body, from: .body)
        let (ownName, ownNamespace) = (
            request[path: ["metadata", "name"]]?.string ?? "", request[path: ["metadata", "namespace"]]?.string ?? ""
        )
        guard ownNamespace.isEmpty || ownNamespace == namespace else {
            throw APIError(
                .badRequest, "the namespace of the provided object does not match the namespace sent on the request")
        }
        guard ownName.isEmpty || ownName.hasSameBytes(as: name) else {
            let fault = FieldError(
                .invalid, at: FieldPath("metadata", "name"), value: .string(ownName),
                detail: "must match the service account name if specified")
            throw APIError(invalid: [fault], of: .tokenRequest, name: name)
        }
        let wanted = TokenRequest(spec: request["spec"] ?? [:])
        let issued = try await reviews.access.serviceAccounts.issue(wanted, for: call.key(name))
        request["metadata"] = ["name": .string(name), "namespace": .string(namespace)]
        if wanted.audiences.isEmpty {
            request[path: ["spec", "audiences"]] = [.string(ServiceAccountTokens.issuer)]
        }
        request["status"] = ["expirationTimestamp": issued.expiration.json, "token": .string(issued.secret)]
        return try render(Object(viewing: request), for: call, as: representation, code: 201)
    }
}

extension TokenRequest {
    /// - Parameter spec: of a TokenRequest, with its defaults.
    fileprivate init(spec: JSON) {
        let text = { (name: String) in spec[path: ["boundObjectRef", name]]?.string ?? "" }
        self.init(
            audiences: (spec["audiences"]?.array ?? []).compactMap(\.string),
            expirationSeconds: Int(spec["expirationSeconds"]?.int ?? Int64(Self.defaultExpirationSeconds)))
        guard spec["boundObjectRef"]?.object != nil else { return }
        boundObject = BoundObject(
            apiVersion: text("apiVersion"), kind: text("kind"), name: text("name"), uid: text("uid"))
    }
}
