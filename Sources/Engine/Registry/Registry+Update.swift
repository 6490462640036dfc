package import Cluster
package import Kinds
import Model
import Store

extension Registry {
    /// Replaces an object or one of its subresources (C9–C13).
    ///
    /// - `status`, `approval`, `finalize`: the body is the object; only that part of it counts.
    /// - `scale`: the body is the workload, or anything of its kind and name, with `spec.replicas`.
    /// - `binding`: the body is a `v1` Binding, or a Pod with `spec.nodeName`.
    package func update(
        _ object: Object, subresource: Subresource?, options: WriteOptions
    ) async throws(APIError) -> Object {
        let isBinding = subresource == .binding && object.kindName == "Binding"
        let strategy = try strategy(of: isBinding ? Pod.kind : object.kind)
        let key = ObjectKey(
            kind: strategy.type.kind.groupKind, namespace: object.metadata.namespace, name: object.metadata.name)
        try check(subresource, of: strategy.type)
        let pipeline = pipeline(strategy, options)
        switch subresource {
        case .binding:
            guard let node = Binding.node(of: object.json) else {
                throw APIError(.badRequest, "target.name: Required value: the name of the node to bind to")
            }
            return try await bind(key, to: node, pipeline)
        case .scale:
            let metadata = object.metadata
            return try await modify(key, pipeline, subresource, expecting: metadata.resourceVersion) {
                (old, _) throws(APIError) in
                try Self.checkUID(metadata, of: old, key, strategy.type)
                return try Scale.scaled(old, by: object.json, paths: strategy.type.custom?.scale)
            }
        case nil, .status, .finalize, .approval:
            let known = store.get(Self.storeKey(key, strategy)).map { Object($0, as: strategy).json }
            let body = try pipeline.decoded(object.json, from: .body, knowing: known)
            return try await replace(key, with: body, pipeline, subresource)
        }
    }

    /// Who writes the object that it has read says so by its uid: another of that name is another object.
    private static func checkUID(
        _ metadata: ObjectMeta, of old: JSON, _ key: ObjectKey, _ type: ResourceType
    ) throws(APIError) {
        let uid = old[path: ["metadata", "uid"]]?.string ?? ""
        guard !metadata.uid.isEmpty, metadata.uid != uid else { return }
        throw .conflict(
            type.plural, group: type.kind.group, name: key.name,
            because: "Precondition failed: UID in precondition: \(metadata.uid), UID in object meta: \(uid)")
    }

    private func replace(
        _ key: ObjectKey, with body: JSON, _ pipeline: WritePipeline, _ subresource: Subresource?
    ) async throws(APIError) -> Object {
        let strategy = pipeline.strategy
        if store.get(Self.storeKey(key, strategy)) == nil, subresource == nil, strategy.allowsCreateOnUpdate {
            var fresh = body
            fresh[path: ["metadata", "resourceVersion"]] = nil
            return try await create(fresh, strategy, pipeline.options)
        }
        let metadata = ObjectMeta(viewing: body["metadata"] ?? [:])
        return try await modify(key, pipeline, subresource, expecting: metadata.resourceVersion) {
            (old, _) throws(APIError) in
            try Self.checkUID(metadata, of: old, key, strategy.type)
            guard subresource == .finalize else { return body }
            var finalized = old
            finalized[path: ["spec", "finalizers"]] = body[path: ["spec", "finalizers"]]
            finalized[path: ["metadata", "resourceVersion"]] = .string(metadata.resourceVersion)
            return finalized
        }
    }

    /// How often a write that names no version is tried anew when others come between (G5).
    private static let attempts = 16

    /// Reads, changes and writes an object; again when somebody else was quicker, unless a version was expected.
    ///
    /// - Parameters:
    ///   - version: the one the object must have; empty for any.
    ///   - isApplied: the change comes from server-side apply, which has recorded who manages what.
    ///   - change: the object as the request wants it, given the one that is there.
    func modify(
        _ key: ObjectKey, _ pipeline: WritePipeline, _ subresource: Subresource?, expecting version: String = "",
        isApplied: Bool = false, _ change: (JSON, WritePipeline) throws(APIError) -> JSON
    ) async throws(APIError) -> Object {
        let strategy = pipeline.strategy
        let type = strategy.type
        let storeKey = Self.storeKey(key, strategy)
        var attempts = Self.attempts
        while true {
            guard let current = store.get(storeKey) else {
                throw .notFound(type.plural, group: type.kind.group, name: key.name)
            }
            if !version.isEmpty, version != Self.version(current.revision) { throw modified(key, type) }
            let old = Object(current, as: strategy)
            let asked = try change(old.json, pipeline)
            let wanted = try changedByPolicies(asked, from: old.json, subresource, pipeline) ?? asked
            let prepared = pipeline.updated(wanted, from: old.json, subresource: subresource, isApplied: isApplied)
            let (updated, taken) = try allocated(prepared, pipeline)
            var isKept = false
            defer { if !isKept { release(taken) } }
            try pipeline.validateUpdate(updated, from: old.json, subresource: subresource)
            try checkPolicies(updated, from: old.json, subresource, pipeline)
            if WritePipeline.isNoOp(updated, from: old.json) { return old }
            let isGone = Deletion.isCompleted(by: updated, from: old.json)
            let charges =
                isGone
                ? []
                : try await quotaWrites(
                    for: updated, from: old.json, subresource: subresource, in: key.namespace, pipeline)
            if pipeline.options.dryRun {
                var shown = updated
                shown[path: ["metadata", "resourceVersion"]] = .string(Self.version(current.revision))
                return Object(viewing: shown)
            }
            do throws(StoreError) {
                let operation = isGone ? Write.Operation.delete : .put(strategy.stored(updated))
                let stored = try await commit(operation, over: current, with: charges)
                isKept = !isGone
                releaseUnused(from: current.json, to: isGone ? nil : stored.json)
                return Object(stored, as: strategy)
            } catch {
                if let obstacle = error.key, obstacle != storeKey {
                    // A quota counts something else meanwhile.
                    try await settle(type)
                    continue
                }
                attempts -= 1
                guard case .conflict = error, version.isEmpty, attempts > 0 else {
                    throw APIError(error, type: type, name: key.name)
                }
                try await settle(type)
            }
        }
    }

    /// Judges an update, through `scale` as one of the Scale.
    private func checkPolicies(
        _ updated: JSON, from old: JSON, _ subresource: Subresource?, _ pipeline: WritePipeline
    ) throws(APIError) {
        let type = pipeline.strategy.type
        let options = pipeline.options
        try checkPolicies(type.kind.groupKind, warnings: options.warnings) {
            let isScale = subresource == .scale
            func shown(_ object: JSON) -> JSON {
                isScale ? ScaleSubresource.json(of: object, paths: type.custom?.scale) : object
            }
            var request = AdmissionRequest(
                .update, type, object: shown(updated), old: shown(old), dryRun: options.dryRun, by: options.requester,
                options: options.json(as: "UpdateOptions"))
            request.subresource = subresource?.rawValue ?? ""
            if isScale { request.kind = ScaleSubresource.kind }
            return request
        }
    }

    /// Writes over an object that is still as it was read.
    ///
    /// - Parameter others: what is written with it.
    func commit(
        _ operation: Write.Operation, over current: StoredObject, with others: [Write] = []
    ) async throws(StoreError) -> StoredObject {
        let write = Write(current.key, operation, if: .revision(current.revision))
        let stored = try await store.commit([write] + others)[0]
        follow(current.key)
        return stored
    }

    func modified(_ key: ObjectKey, _ type: ResourceType) -> APIError {
        .conflict(type.plural, group: type.kind.group, name: key.name, because: APIError.modified)
    }

    /// Lets go of the addresses and ports of a Service that its new state has no more.
    func releaseUnused(from old: JSON, to new: JSON?) {
        guard old["kind"]?.string == Service.kind.kind, old["apiVersion"]?.string == Service.kind.apiVersion else {
            return
        }
        let kept = new.map(ServiceAllocation.resources) ?? []
        release(ServiceAllocation.resources(of: old).subtracting(kept))
    }

    /// Assigns a pod to a node. What a pod's spec may change otherwise does not matter here.
    private func bind(
        _ key: ObjectKey, to node: String, _ pipeline: WritePipeline
    ) async throws(APIError) -> Object {
        let type = pipeline.strategy.type
        while true {
            guard let current = store.get(Self.storeKey(key, pipeline.strategy)) else {
                throw .notFound(type.plural, group: type.kind.group, name: key.name)
            }
            let bound = try Binding.bound(current.json, to: node, now: pipeline.now)
            let options = pipeline.options
            try checkPolicies(type.kind.groupKind, warnings: options.warnings) {
                var request = AdmissionRequest(
                    .create, type, object: Binding.json(of: key, to: node), old: nil, dryRun: options.dryRun,
                    by: options.requester, options: options.json(as: "CreateOptions"))
                request.kind = Binding.kind
                request.subresource = Subresource.binding.rawValue
                return request
            }
            if pipeline.options.dryRun { return Object(viewing: bound) }
            do throws(StoreError) {
                return Object(try await commit(.put(bound), over: current), as: pipeline.strategy)
            } catch {
                guard case .conflict = error else { throw APIError(error, type: type, name: key.name) }
                try await settle(type)
            }
        }
    }
}
