import Cluster
import GitSource
import Glibc
import Kinds
import Model
import Reconciler
import Rendering

/// Comparing revisions and Applications with each other instead of with what is live.
extension Diff {
    /// Two revisions, both with defaults filled in, so that spelling a default out is no difference.
    func revisions(_ other: String) async throws -> DiffReport {
        if app == nil || manifests.location != nil, let local = try manifests.local() {
            return try await report(local, since: other)
        }
        let (old, new) = try await remoteSides(other)
        try new.requireSound(at: manifests.revision)
        try old.requireSound(at: other)
        return Self.report(old, new, unchanged: 0)
    }

    /// The files of a clone at two revisions; only those that differ are read, where that is enough.
    private func report(_ local: LocalManifests, since other: String) async throws -> DiffReport {
        var options = RenderingOptions(
            path: local.path, recurse: manifests.recurse, namespace: manifests.namespace ?? "default")
        options.passesOverOthers = isWholeRepository
        let (before, after) = (try local.tree(at: other), try local.tree(at: manifests.revision))
        let renderer = Renderer()
        if let before = before as? Snapshot, let after = after as? Snapshot,
            let changed = try renderer.render(changesFrom: before, to: after, options)
        {
            return Self.report([changed.before], of: before, [changed.after], of: after, unchanged: nil)
        }
        // Bases in other repositories are taken as they are now, on both sides.
        let loader = ManifestLoader()
        if isWholeRepository {
            func parts(_ tree: any FileTree) async throws -> [Manifests] {
                try await loader.fetchingBases { try renderer.renderRepository(tree, options, remotes: $0) }
            }
            let (old, new) = (try await parts(before), try await parts(after))
            try requireSound(old, new, since: other)
            return Self.report(old, of: before, new, of: after, unchanged: 0)
        }
        func state(_ tree: any FileTree) async throws -> DesiredState {
            let rendered = try await loader.fetchingBases { [try renderer.render(tree, options, remotes: $0)] }
            return DesiredState(rendered[0], revision: "")
        }
        let new = try await state(after)
        try new.requireSound(at: manifests.revision)
        let old: DesiredState
        do {
            old = try await state(before)
        } catch let error as GitError where error.kind == .pathNotFound {
            // At the earlier revision there may have been nothing.
            old = DesiredState(revision: "", objects: [])
        }
        try old.requireSound(at: other)
        if new.objects.isEmpty, old.objects.isEmpty {
            // Says what to do.
            _ = try await loader.load(manifests, namespace: options.namespace, revision: manifests.revision)
        }
        return Self.report(old, new, unchanged: 0)
    }

    /// What is wrong at the same place of both sides is no difference, and only told.
    ///
    /// - Throws: the other faults, and at which revision they are. The same object in two folders is none.
    private func requireSound(_ old: [Manifests], _ new: [Manifests], since other: String) throws {
        func faults(_ parts: [Manifests]) -> [RenderingError] {
            parts.flatMap(\.errors).filter { ![.duplicate, .notRendered].contains($0.reason) }
        }
        // Not by the message, which may name the commit.
        func place(_ fault: RenderingError) -> String { fault.mark.map { "\(fault.file):\($0)" } ?? fault.file }
        func others(_ faults: [RenderingError], than known: [RenderingError]) -> [String] {
            let places = Set(known.map(place))
            return faults.filter { !places.contains(place($0)) }.map(\.description)
        }
        let (before, after) = (faults(old), faults(new))
        let (fresh, mended) = (others(after, than: before), others(before, than: after))
        if !fresh.isEmpty { throw CommandError(faults: fresh, at: manifests.revision) }
        if !mended.isEmpty { throw CommandError(faults: mended, at: other) }
        for fault in after { printError("note: not compared, since it is wrong on both sides: \(fault)") }
    }

    /// Each folder, and each directory that is built, compared with what it was: an object may be in several.
    private static func report(
        _ before: [Manifests], of oldTree: any FileTree, _ after: [Manifests], of newTree: any FileTree, unchanged: Int?
    ) -> DiffReport {
        func folders(_ parts: [Manifests], _ tree: any FileTree) -> [String: [DesiredObject]] {
            var folders: [String: [DesiredObject]] = [:]
            for part in parts {
                for manifest in part.allManifests {
                    folders[part.folder(of: manifest), default: []].append(DesiredObject(manifest, of: tree))
                }
            }
            return folders
        }
        let (old, new) = (folders(before, oldTree), folders(after, newTree))
        let earlier = OfflineValidation(old.values.flatMap { $0.map(\.object) })
        let later = OfflineValidation(new.values.flatMap { $0.map(\.object) })
        let differences = Set(old.keys).union(new.keys).sorted().flatMap { folder in
            Self.differences(
                DesiredState(revision: "", objects: old[folder] ?? []), earlier,
                DesiredState(revision: "", objects: new[folder] ?? []), later)
        }
        return DiffReport(differences, unchanged: unchanged)
    }

    /// Two Applications, each as it would be synced.
    func applications(_ other: String) async throws -> DiffReport {
        let cluster = try connection.connect()
        let loader = ManifestLoader(cluster: cluster)
        var states: [DesiredState] = []
        for name in [other, app ?? ""] {
            let application = try await DiffSubject.application(name, in: appNamespace, cluster)
            var source = application.spec.source ?? ApplicationSource()
            source.targetRevision = application.status.rollout?.revision ?? source.targetRevision
            let state = try await loader.load(source, try ApplicationSettings(application).namespace)
            try state.requireSound()
            states.append(state)
        }
        return Self.report(states[0], states[1], unchanged: 0)
    }

    private static func report(_ old: DesiredState, _ new: DesiredState, unchanged: Int?) -> DiffReport {
        let earlier = OfflineValidation(old.objects.map(\.object))
        let later = OfflineValidation(new.objects.map(\.object))
        return DiffReport(differences(old, earlier, new, later), unchanged: unchanged)
    }

    /// - Parameters earlier, later: know the kinds of each side, and so their defaults.
    private static func differences(
        _ old: DesiredState, _ earlier: OfflineValidation, _ new: DesiredState, _ later: OfflineValidation
    ) -> [ObjectDifference] {
        let before = Dictionary(old.objects.map { ($0.key, $0) }) { first, _ in first }
        let after = Set(new.objects.map(\.key))
        let changes = new.objects.map { desired in
            ObjectDifference(
                key: desired.key, old: before[desired.key].map { earlier.defaulted($0.object) },
                new: later.defaulted(desired.object), origin: desired.origin)
        }
        let removals = old.objects.filter { !after.contains($0.key) }.map {
            ObjectDifference(key: $0.key, old: earlier.defaulted($0.object), new: nil, origin: "")
        }
        return changes + removals
    }

    /// A remote repository, or an Application's, at two revisions.
    private func remoteSides(_ other: String) async throws -> (old: DesiredState, new: DesiredState) {
        guard let app, manifests.location == nil else {
            let loader = ManifestLoader()
            let namespace = manifests.namespace ?? "default"
            return (
                try await loader.loadEarlier(manifests, namespace: namespace, revision: other),
                try await loader.load(manifests, namespace: namespace, revision: manifests.revision)
            )
        }
        let cluster = try connection.connect()
        let application = try await DiffSubject.application(app, in: appNamespace, cluster)
        let namespace = try ApplicationSettings(application).namespace
        let loader = ManifestLoader(cluster: cluster)
        var source = application.spec.source ?? ApplicationSource()
        source.targetRevision =
            manifests.revision ?? application.status.rollout?.revision ?? source.targetRevision
        let new = try await loader.load(source, namespace)
        source.targetRevision = try other == Self.lastHealthy ? Self.lastHealthyRevision(application) : other
        return (try await loader.load(source, namespace), new)
    }

    private static func lastHealthyRevision(_ application: Application) throws -> String {
        guard let revision = application.status.rollout?.lastHealthyRevision else {
            throw CommandError("Application \(application.metadata.name) has not been healthy yet")
        }
        return revision
    }
}

/// `main..feature`: what changes from one revision to the other. A side that is left out is HEAD, or the files as they
/// are.
struct RevisionRange: Hashable {
    var old: String
    /// `nil`: the files.
    var new: String?

    /// `nil` for what is a file, a URL, or no range.
    init?(_ text: String) {
        guard let dots = text.firstRange(of: ".."), !text.contains("/."), !text.hasPrefix("."), !text.contains("://"),
            access(text, F_OK) != 0
        else { return nil }
        let (old, new) = (String(text[..<dots.lowerBound]), String(text[dots.upperBound...]))
        guard !new.hasPrefix(".") else { return nil }
        self.old = old.isEmpty ? "HEAD" : old
        self.new = new.isEmpty ? nil : new
    }
}
