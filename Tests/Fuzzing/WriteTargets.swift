import Kinds
import Model

/// The kind that patches and applies are tried on.
private let deployment: Schema = {
    guard let schema = Catalog.builtIn.schema(for: GroupKind(group: "apps", kind: "Deployment")) else {
        preconditionFailure("there is no Deployment")
    }
    return schema
}()

let fuzzTime = Timestamp(seconds: 1_790_000_000)

/// The part as JSON; `nil` when it is none, which is no failure.
func decoded(_ parts: [ArraySlice<UInt8>], _ index: Int) -> JSON? {
    guard index < parts.count else { return nil }
    return try? JSON(decoding: Array(parts[index]))  // What is no JSON is no input of these targets.
}

extension FuzzTarget {
    /// A target and a patch, tried as each kind of patch.
    static let patches = FuzzTarget("patches") { input throws(FuzzFailure) in
        let parts = parts(input)
        guard let target = decoded(parts, 0), let patch = decoded(parts, 1) else { return }
        let merged = MergePatch.apply(patch, to: target)
        try expectSame(merged, merged.encoded())
        try expect(MergePatch.apply(patch, to: merged) == merged, "a merge patch changes something twice")
        let difference = MergePatch.diff(from: target, to: merged)
        if !hasNulls(merged) {
            try expect(
                MergePatch.apply(difference, to: target) == merged,
                "the difference \(difference.text()) does not lead to \(merged.text())")
        }
        do {
            let patched = try JSONPatch.apply(patch, to: target)
            try expectSame(patched, patched.encoded())
        } catch {
            try expectExplained(error)
        }
        do {
            let patched = try StrategicMergePatch.apply(patch, to: target, schema: deployment)
            try expectSame(patched, patched.encoded())
        } catch {
            try expectExplained(error)
        }
    }

    private static func expectExplained(_ error: any Error) throws(FuzzFailure) {
        if let failure = error as? FuzzFailure { throw failure }
        try expect(!"\(error)".isEmpty, "a patch is refused without a reason")
    }

    private static func hasNulls(_ value: JSON) -> Bool {
        switch value {
        case .null: true
        case .object(let object): object.contains { hasNulls($0.value) }
        case .array(let items): items.contains { hasNulls($0) }
        default: false
        }
    }

    /// A set of fields, or an object, a configuration and who applies it.
    static let fieldsV1 = FuzzTarget("fieldsV1") { input throws(FuzzFailure) in
        let parts = parts(input)
        guard let first = decoded(parts, 0) else { return }
        guard let config = decoded(parts, 1) else {
            guard let set = FieldSet(fieldsV1: first) else { return }
            let written = set.fieldsV1
            try expectSame(written, written.encoded())
            try expect(FieldSet(fieldsV1: written) == set, "\(written.text()) is read as another set")
            try expect(FieldSet(set.paths.map(\.elements)) == set, "the paths are of another set: \(written.text())")
            return
        }
        let manager = parts.count > 2 ? String(decoding: parts[2].prefix(16), as: UTF8.self) : "fuzz"
        for force in [false, true] {
            for subresource in [nil, "status"] {
                try apply(config, onto: first, manager, force: force, subresource)
            }
        }
        let updated = ServerSideApply.recordUpdate(
            from: first, to: config, schema: deployment, manager: manager, subresource: nil, now: fuzzTime)
        try expectSame(updated, updated.encoded())
    }

    private static func apply(
        _ config: JSON, onto live: JSON, _ manager: String, force: Bool, _ subresource: String?
    ) throws(FuzzFailure) {
        let applied: JSON
        do {
            applied = try ServerSideApply.apply(
                config, onto: live, schema: deployment, manager: manager, force: force, subresource: subresource,
                now: fuzzTime)
        } catch {
            try expect(!"\(error)".isEmpty, "an apply is refused without a reason")
            return
        }
        try expectSame(applied, applied.encoded())
        do {
            let again = try ServerSideApply.apply(
                config, onto: applied, schema: deployment, manager: manager, force: force, subresource: subresource,
                now: fuzzTime)
            try expect(again == applied, "the second apply changes \(applied.text()) to \(again.text())")
        } catch {
            throw FuzzFailure("the second apply is refused: \(error)")
        }
    }
}
