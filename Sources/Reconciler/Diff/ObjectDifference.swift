package import Kinds
package import Model

/// What a dry run found about one object: how it is, and how it would be.
package struct ObjectDifference: Sendable {
    package enum Change: String, Sendable {
        case created
        case modified
        case deleted
        /// It goes on under another name or in another namespace.
        case renamed
    }

    package var key: ObjectKey
    /// What it was called before, where that is another name.
    package private(set) var previousKey: ObjectKey?
    /// Normalised and masked; `nil` when the object does not exist before or after.
    package var old: JSON?
    package var new: JSON?
    /// Where the object stands in the repository, for what is not deleted.
    package var origin: String
    /// The same two trees before they were masked: what belongs together is found by them.
    let unmasked: (old: JSON?, new: JSON?)

    /// - Parameters are whole objects; what no manifest decides is left out and Secrets are masked here, once.
    package init(
        key: ObjectKey, old: Object?, new: Object?, origin: String, ignoring rules: [ResourceIgnoreDifferences] = []
    ) {
        self.key = key
        self.origin = origin
        let oldTree = old.map { Difference.normalized($0, rules, owners: old) }
        let newTree = new.map { Difference.normalized($0, rules, owners: old) }
        unmasked = (oldTree, newTree)
        (self.old, self.new) = SecretMask.masked(oldTree, newTree)
    }

    /// One object that was deleted under one name and created under another.
    init(from deleted: ObjectDifference, to created: ObjectDifference) {
        key = created.key
        previousKey = deleted.key
        origin = created.origin
        unmasked = (deleted.unmasked.old, created.unmasked.new)
        (old, new) = SecretMask.masked(unmasked.old, unmasked.new)
    }

    package var change: Change {
        switch (old, new) {
        case (nil, _): .created
        case (_, nil): .deleted
        default: previousKey == nil ? .modified : .renamed
        }
    }

    package var exists: Bool { old != new }

    /// The differences of the two YAML texts.
    package var text: TextDiff {
        TextDiff(from: old.map(YAML.text) ?? "", to: new.map(YAML.text) ?? "")
    }
}

/// Hides the values of Secrets from diffs, while showing which ones change.
package enum SecretMask {
    package static func masked(_ old: JSON?, _ new: JSON?) -> (JSON?, JSON?) {
        guard (old ?? new)?["kind"]?.string == "Secret", (old ?? new)?["apiVersion"]?.string == "v1" else {
            return (old, new)
        }
        var (old, new) = (old, new)
        for field in ["data", "stringData"] {
            let before = old?[field]?.object
            let after = new?[field]?.object
            old?[field] = before.map { mask($0, against: after, mark: "before") }
            new?[field] = after.map { mask($0, against: before, mark: "after") }
        }
        return (old, new)
    }

    /// An object alone, as `get` and `render` show it on request.
    ///
    /// What `kubectl apply` noted of it holds the values again; differences leave that note out anyway.
    package static func masked(_ object: JSON) -> JSON {
        guard var masked = masked(object, nil).0, masked != object else { return object }
        let note = ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]
        if masked[path: note] != nil { masked[path: note] = "********" }
        return masked
    }

    private static func mask(_ values: JSONObject, against other: JSONObject?, mark: String) -> JSON {
        .object(
            JSONObject(
                values.map { member in
                    let differs = other != nil && other?[member.key] != nil && other?[member.key] != member.value
                    return JSONObject.Member(
                        key: member.key, value: .string(differs ? "******** (\(mark))" : "********"))
                }))
    }
}
