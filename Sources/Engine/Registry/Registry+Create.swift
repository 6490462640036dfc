package import Cluster
package import Kinds
import Model
import Store
import Synchronization

extension Registry {
    /// C4–C7: checks, completes and stores a new object.
    package func create(_ object: Object, options: WriteOptions) async throws(APIError) -> Object {
        let strategy = try strategy(of: object.kind)
        return try await create(object.json, strategy, options)
    }

    /// - Parameter isApplied: it comes from server-side apply, which has recorded who manages what.
    func create(
        _ object: JSON, _ strategy: KindStrategy, _ options: WriteOptions, isApplied: Bool = false
    ) async throws(APIError) -> Object {
        let type = strategy.type
        guard type.verbs.contains("get") else {
            throw APIError(
                .methodNotAllowed,
                "\(type.qualifiedPlural) are questions to the API server, which knows who asks; nothing stores them")
        }
        let pipeline = pipeline(strategy, options)
        let decoded = try pipeline.decoded(object, from: .body)
        try checkIdentity(decoded, type)
        let metadata = ObjectMeta(viewing: decoded["metadata"] ?? [:])
        let isGenerated = metadata.name.isEmpty && !metadata.generateName.isEmpty
        var attempts = isGenerated ? Identifiers.nameAttempts : 1
        while true {
            attempts -= 1
            var named = decoded
            let uid = random.withLock { random in
                if isGenerated {
                    named[path: ["metadata", "name"]] = .string(
                        Identifiers.name(from: metadata.generateName, random: &random))
                }
                return Identifiers.uid(random: &random)
            }
            let created = try pipeline.created(named, uid: uid, isApplied: isApplied) { (object) throws(APIError) in
                try changedByPolicies(object, from: nil, nil, pipeline)
            }
            do {
                return try await store(created, pipeline)
            } catch  where error.reason == .alreadyExists && isGenerated {
                if attempts == 0 { throw error.exhaustedNames }
            }
        }
    }

    /// What a body may not say about a new object (C4, C5).
    private func checkIdentity(_ object: JSON, _ type: ResourceType) throws(APIError) {
        let metadata = ObjectMeta(viewing: object["metadata"] ?? [:])
        if !metadata.resourceVersion.isEmpty {
            throw APIError(
                .internalError, "resourceVersion should not be set on objects to be created", isCallersFault: true)
        }
        if type.isNamespaced, metadata.namespace.isEmpty {
            throw APIError(
                .badRequest,
                "an empty namespace may not be set during creation: \(type.kind.kind) needs metadata.namespace")
        }
        if !type.isNamespaced, !metadata.namespace.isEmpty {
            throw APIError(
                .badRequest,
                "the namespace of the provided object does not match the namespace sent on the request: "
                    + "\(type.kind.kind) has none, but metadata.namespace is \"\(metadata.namespace)\"")
        }
    }

    /// Admits, validates and commits a prepared object; again if its namespace changed meanwhile.
    private func store(_ created: JSON, _ pipeline: WritePipeline) async throws(APIError) -> Object {
        let type = pipeline.strategy.type
        let metadata = ObjectMeta(viewing: created["metadata"] ?? [:])
        let strategy = pipeline.strategy
        let key = StoreKey(
            kind: strategy.storeKind, namespace: metadata.namespace, name: metadata.name)
        while true {
            var writes: [Write] = []
            if type.isNamespaced {
                let namespace = StoreKey(
                    kind: Self.namespaces, namespace: "", name: metadata.namespace)
                let found = store.get(namespace)
                try Admission.checkNamespace(found?.json, named: metadata.namespace, for: type, object: metadata.name)
                // Nothing may appear in a namespace that is being emptied: it must be as it was looked at.
                if let found { writes.append(Write(namespace, .require, if: .revision(found.revision))) }
            }
            if let condition = try definitionCondition(type) { writes.append(condition) }
            let (object, taken) = try allocated(created, pipeline)
            var isKept = false
            defer { if !isKept { release(taken) } }
            try pipeline.validateCreate(object)
            let options = pipeline.options
            try checkPolicies(type.kind.groupKind, warnings: options.warnings) {
                AdmissionRequest(
                    .create, type, object: object, old: nil, dryRun: options.dryRun, by: options.requester,
                    options: options.json(as: "CreateOptions"))
            }
            let charges = try await quotaWrites(for: object, in: metadata.namespace, pipeline)
            if pipeline.options.dryRun {
                if let found = store.get(key) { throw alreadyExists(found, type) }
                return Object(viewing: object)
            }
            do throws(StoreError) {
                writes.append(Write(key, .put(strategy.stored(object)), if: .absent))
                writes += charges
                let stored = try await store.commit(writes)
                isKept = true
                follow(key)
                return Object(stored[0], as: strategy)
            } catch {
                if let obstacle = error.key, obstacle != key {
                    // The namespace, its quotas, or the kind's definition: look at it again once that is durable.
                    try await settle(type)
                    continue
                }
                if case .alreadyExists = error, let found = store.get(key) {
                    throw alreadyExists(found, type)
                }
                throw APIError(error, type: type, name: metadata.name)
            }
        }
    }

    /// C1; the text tells when what is in the way is about to go.
    private func alreadyExists(_ found: StoredObject, _ type: ResourceType) -> APIError {
        var error = APIError.alreadyExists(type.plural, group: type.kind.group, name: found.key.name)
        if found.json[path: ["metadata", "deletionTimestamp"]] != nil {
            error.message = "object is being deleted: " + error.message
        }
        return error
    }

    /// Waits until the writes that are under way are durable, so that a second attempt sees them.
    func settle(_ type: ResourceType) async throws(APIError) {
        do throws(StoreError) {
            try await store.settle()
        } catch {
            throw APIError(error, type: type, name: "")
        }
    }

    // MARK: Allocation

    /// A Service with the address and ports it lacks (J2), and what was newly taken for it.
    func allocated(
        _ object: JSON, _ pipeline: WritePipeline
    ) throws(APIError) -> (object: JSON, taken: [ServiceAllocation.Resource]) {
        guard pipeline.strategy.type.kind == Service.kind else { return (object, []) }
        do throws(ServiceAllocation.Fault) {
            return try allocation.withLock { (allocation) throws(ServiceAllocation.Fault) in
                try random.withLock { (random) throws(ServiceAllocation.Fault) in
                    let (service, taken) = try allocation.allocate(object, random: &random)
                    return (service, taken)
                }
            }
        } catch {
            switch error {
            case .invalid(let fault):
                try pipeline.refuse([fault], object)
                return (object, [])
            case .exhausted(let message): throw APIError(.internalError, "Internal error occurred: \(message)")
            }
        }
    }

    func release(_ resources: some Sequence<ServiceAllocation.Resource>) {
        allocation.withLock { $0.release(resources) }
    }
}

extension StoreError {
    /// The object that stood in the way.
    var key: StoreKey? {
        switch self {
        case .conflict(let key, _), .alreadyExists(let key, _), .notFound(let key): key
        default: nil
        }
    }
}

extension APIError {
    /// C1: a generated name was taken eight times in a row.
    fileprivate var exhaustedNames: APIError {
        var error = self
        error.message += ", the server was not able to generate a unique name for the object"
        error.details.retryAfterSeconds = 1
        return error
    }
}
