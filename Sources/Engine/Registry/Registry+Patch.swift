package import Cluster
package import Kinds
package import Model
import Store

extension Registry {
    /// Changes an object by a patch (G) or server-side apply (H).
    ///
    /// Tried anew when somebody else was quicker, unless the patch itself names a version (G5).
    package func patch(
        _ key: ObjectKey, _ patch: Patch, subresource: Subresource?, options: WriteOptions
    ) async throws(APIError) -> Object {
        let strategy = try strategy(of: key.kind, version: options.version ?? patch.version(of: subresource))
        try check(subresource, of: strategy.type)
        let pipeline = pipeline(strategy, options)
        let plural = strategy.type.plural
        if subresource == .binding || subresource == .finalize {
            throw APIError(
                .methodNotAllowed, "patch is not supported on resources of kind \"\(plural)/\(subresource!.rawValue)\"")
        }
        if case .apply(let config, let force) = patch {
            return try await apply(config, to: key, force: force, pipeline, subresource)
        }
        return try await modify(key, pipeline, subresource) { (old, pipeline) throws(APIError) in
            if subresource == .scale {
                let paths = strategy.type.custom?.scale
                let scale = try Self.patched(ScaleSubresource.json(of: old, paths: paths), by: patch, pipeline)
                try Self.checkIdentity(scale, key: key, old: old, pipeline)
                return try Scale.scaled(old, by: scale, paths: paths)
            }
            let patched = try Self.patched(old, by: patch, pipeline)
            try Self.checkIdentity(patched, key: key, old: old, pipeline)
            return try pipeline.decoded(patched, from: .patch(patch.document), knowing: old)
        }
    }

    /// G1.
    private static let strategicMergeRefusal = PatchError(
        kind: .unsupported,
        message: "the body of the request was in an unknown format - accepted media types include: "
            + "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml")

    /// - Throws: 400 for a malformed patch, 413 for one of too many operations, 422 for one that does not fit, 415 for
    ///   one the kind refuses (G1–G3), 500 as Kubernetes does.
    private static func patched(_ object: JSON, by patch: Patch, _ pipeline: WritePipeline) throws(APIError) -> JSON {
        do throws(PatchError) {
            switch patch {
            case .json(let operations): return try JSONPatch.apply(operations, to: object)
            case .merge(let change): return MergePatch.apply(change, to: object)
            case .strategicMerge(let change):
                guard pipeline.strategy.allowsStrategicMerge else { throw strategicMergeRefusal }
                return try StrategicMergePatch.apply(change, to: object, schema: pipeline.strategy.schema)
            case .apply: preconditionFailure("apply is no patch of this form")
            }
        } catch {
            switch error.kind {
            case .malformed: throw APIError(.badRequest, error.message)
            case .tooLarge: throw APIError(.tooLarge, "Request entity too large: \(error.message)")
            case .unsupported: throw APIError(.unsupportedMediaType, error.message)
            case .unexpected: throw APIError(.internalError, error.message)
            case .failed, .untrue:
                let type = pipeline.strategy.type
                let name = object[path: ["metadata", "name"]]?.string ?? ""
                // Without a cause, kubectl would say of an object with a name no more than that it is invalid.
                throw APIError(
                    .invalid, "\(type.kind.groupKind) \"\(name)\" is invalid: \(error.message)",
                    details: APIError.Details(
                        name: name, group: type.kind.group, kind: type.kind.kind,
                        causes: [APIError.Cause(reason: "FieldValueInvalid", message: error.message, field: "patch")]))
            }
        }
    }

    /// A patch changes neither name nor namespace (400), and one that names a version is bound to it (G5).
    private static func checkIdentity(
        _ patched: JSON, key: ObjectKey, old: JSON, _ pipeline: WritePipeline
    ) throws(APIError) {
        let type = pipeline.strategy.type
        let metadata = ObjectMeta(viewing: patched["metadata"] ?? [:])
        if !metadata.name.hasSameBytes(as: key.name) {
            throw APIError(
                .badRequest,
                "the name of the object (\(metadata.name)) does not match the name on the URL (\(key.name))")
        }
        if metadata.namespace != key.namespace {
            throw APIError(
                .badRequest,
                "the namespace of the object (\(metadata.namespace)) does not match the namespace on the URL "
                    + "(\(key.namespace))")
        }
        let version = old[path: ["metadata", "resourceVersion"]]?.string
        if metadata.resourceVersion != version, !metadata.resourceVersion.isEmpty {
            throw .conflict(type.plural, group: type.kind.group, name: key.name, because: APIError.modified)
        }
    }

    // MARK: Server-side apply

    private func apply(
        _ config: JSON, to key: ObjectKey, force: Bool, _ pipeline: WritePipeline, _ subresource: Subresource?
    ) async throws(APIError) -> Object {
        guard !pipeline.options.fieldManager.isEmpty else {
            let message = "fieldManager: Required value: is required for apply patch"
            throw APIError(
                .invalid, "PatchOptions.meta.k8s.io \"\" is invalid: \(message)",
                details: APIError.Details(
                    group: "meta.k8s.io", kind: "PatchOptions",
                    causes: [
                        APIError.Cause(
                            reason: "FieldValueRequired", message: "Required value: is required for apply patch",
                            field: "fieldManager")
                    ]))
        }
        let config = try Self.identified(config, key, pipeline, subresource)
        let pipeline = try Self.withoutRepeats(pipeline)
        while true {
            guard store.get(Self.storeKey(key, pipeline.strategy)) == nil else { break }
            if let created = try await create(applying: config, force: force, key, pipeline, subresource) {
                return created
            }
        }
        let version = config[path: ["metadata", "resourceVersion"]]?.string ?? ""
        return try await modify(key, pipeline, subresource, expecting: version, isApplied: true) {
            (old, pipeline) throws(APIError) in
            let merged = try Self.merged(config, onto: old, force: force, pipeline, subresource)
            if subresource == .scale { try Scale.check(merged, pipeline.strategy.type.custom?.scale) }
            return try pipeline.decoded(merged, from: .patch(config), knowing: old)
        }
    }

    /// The configuration with what its address says about it filled in; that of a Scale as one of the workload (H10).
    ///
    /// - Throws: `.badRequest` for what is no object, and where the two differ.
    private static func identified(
        _ config: JSON, _ key: ObjectKey, _ pipeline: WritePipeline, _ subresource: Subresource?
    ) throws(APIError) -> JSON {
        guard config.object != nil else {
            throw APIError(
                .badRequest, "error decoding YAML: an applied configuration is an object, not \(config.typeName)")
        }
        let type = pipeline.strategy.type
        let kind = subresource == .scale ? ScaleSubresource.kind : type.kind
        let version = config["apiVersion"]?.string ?? ""
        guard version == kind.apiVersion else {
            throw APIError(
                .badRequest,
                "Incorrect version specified in apply patch. Specified patch version: \(version), "
                    + "expected: \(kind.apiVersion)")
        }
        let name = config["kind"]?.string ?? ""
        guard name == kind.kind else {
            throw APIError(
                .badRequest, "the kind in the data (\(name)) does not match the expected kind (\(kind.kind))")
        }
        try checkName(of: config, key)
        let paths = type.custom?.scale
        var config = subresource == .scale ? try Scale.workload(config, of: type.kind, paths: paths) : config
        config[path: ["metadata", "name"]] = .string(key.name)
        if type.isNamespaced { config[path: ["metadata", "namespace"]] = .string(key.namespace) }
        return config
    }

    /// - Throws: `.badRequest` for a configuration that names another object than its address does.
    private static func checkName(of config: JSON, _ key: ObjectKey) throws(APIError) {
        let metadata = ObjectMeta(viewing: config["metadata"] ?? [:])
        guard metadata.name.isEmpty || metadata.name.hasSameBytes(as: key.name) else {
            throw APIError(
                .badRequest,
                "the name of the object (\(metadata.name)) does not match the name on the URL (\(key.name))")
        }
        guard metadata.namespace.isEmpty || metadata.namespace == key.namespace else {
            throw APIError(
                .badRequest,
                "the namespace of the object (\(metadata.namespace)) does not match the namespace on the URL "
                    + "(\(key.namespace))")
        }
    }

    /// C21: what an applied configuration says twice is told here, in words of its own.
    private static func withoutRepeats(_ pipeline: WritePipeline) throws(APIError) -> WritePipeline {
        var options = pipeline.options
        guard !options.repeatedFields.isEmpty else { return pipeline }
        let message =
            "error converting YAML to JSON: yaml: unmarshal errors:\n  "
            + options.repeatedFields.joined(separator: "\n  ")
        switch options.fieldValidation {
        case .strict: throw APIError(.badRequest, "error strict decoding YAML: \(message)")
        case .warn: options.warnings?.add(message)
        case .ignore: break
        }
        options.repeatedFields = []
        return WritePipeline(
            strategy: pipeline.strategy, options: options, now: pipeline.now, versions: pipeline.versions,
            policies: pipeline.policies)
    }

    /// Creates what an apply names but is not there (H1); `nil` when somebody else just did.
    private func create(
        applying config: JSON, force: Bool, _ key: ObjectKey, _ pipeline: WritePipeline, _ subresource: Subresource?
    ) async throws(APIError) -> Object? {
        let type = pipeline.strategy.type
        guard subresource == nil else { throw .notFound(type.plural, group: type.kind.group, name: key.name) }
        if let uid = config[path: ["metadata", "uid"]]?.string, !uid.isEmpty {
            throw .conflict(
                type.plural, group: type.kind.group, name: key.name,
                because: "uid mismatch: the provided object specified uid \(uid), and no existing object was found")
        }
        let merged = try Self.merged(config, onto: nil, force: force, pipeline, subresource)
        do {
            return try await create(merged, pipeline.strategy, pipeline.options, isApplied: true)
        } catch  where error.reason == .alreadyExists && !pipeline.options.dryRun {
            try await settle(type)
            return nil
        }
    }

    private static func merged(
        _ config: JSON, onto live: JSON?, force: Bool, _ pipeline: WritePipeline, _ subresource: Subresource?
    ) throws(APIError) -> JSON {
        let strategy = pipeline.strategy
        do throws(ApplyError) {
            return try ServerSideApply.apply(
                config, onto: live, schema: strategy.schema, manager: pipeline.options.fieldManager, force: force,
                subresource: subresource?.rawValue, now: pipeline.now,
                resetFields: strategy.resetFields(of: subresource?.rawValue), versions: pipeline.versions)
        } catch {
            switch error {
            case .conflicts(let conflicts):
                // H9.
                throw APIError(
                    .conflict, error.description,
                    details: APIError.Details(
                        causes: conflicts.map {
                            APIError.Cause(reason: "FieldManagerConflict", message: $0.message, field: $0.field)
                        }))
            case .invalid(let message):
                // H1: what does not fit the schema is a 500, the rest a 400.
                let isUntyped = message.hasPrefix("failed to create typed patch object")
                let faults = isUntyped ? strategy.decodingFaults(config).compactMap(\.suggestion) : []
                throw APIError(
                    isUntyped ? .internalError : .badRequest, ([message] + faults).joined(separator: "; "),
                    isCallersFault: true)
            }
        }
    }
}

extension Patch {
    /// What the client sent.
    var document: JSON {
        switch self {
        case .json(let document), .merge(let document), .strategicMerge(let document), .apply(let document, _): document
        }
    }
}
