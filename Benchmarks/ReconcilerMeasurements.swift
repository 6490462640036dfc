import Foundation
import GitSource
import Kinds
import Logging
import Model
import Reconciler

extension Measurement {
    /// From a fetched commit to the plan that it asks for: what an Application of 10,000 objects pays for a small
    /// commit.
    static var reconciler: [Measurement] {
        [
            Measurement(name: "reconciler/replan-1-of-10000", unit: "ms", limit: .atMost(20)) {
                let plans = try await ReplanFixture(objects: 10_000)
                return try await median(of: 15) { try await plans.next() }
            }
        ]
    }
}

/// A repository with many manifests, mirrored, and two of its commits that differ in one file.
private final class ReplanFixture {
    private let directory = BenchDirectory()
    private let source: GitRevisionSource
    private let application: ApplicationSource
    private var commits: [String] = []
    private var states = DesiredStateCache(application: "bench")
    private var round = 0
    private let live: FixedObjects
    private var synced = SyncedObjects()
    private let inventory: Set<ObjectKey>

    init(objects: Int) async throws {
        let directory = directory
        let repository = "\(directory.path)/repository.git"
        try directory.git("init", "-q", "--bare", "-b", "main", repository)
        for change in 0..<2 {
            try directory.git(
                "-C", repository, "fast-import", "--quiet", "--force", input: Self.stream(objects, change: change))
            commits.append(try directory.git("-C", repository, "rev-parse", "main"))
            try directory.git("-C", repository, "branch", "commit-\(change)", "main")
        }
        var application = ApplicationSource()
        application.repoURL = repository
        application.path = "app"
        var folders = ApplicationSourceDirectory()
        folders.recurse = true
        application.directory = folders
        let source = GitRevisionSource(
            mirrors: Mirrors(dataDirectory: "\(directory.path)/data", logger: Logger(label: "bench")),
            logger: Logger(label: "bench"), credentials: { _ in .none })
        for branch in ["commit-0", "commit-1"] {
            application.targetRevision = branch
            _ = try await source.resolve(application)
        }
        self.source = source
        self.application = application
        // What the first commit makes, applied.
        let rendered = try await source.render(application, revision: commits[0], namespace: "default")
        guard rendered.objects.count == objects else { throw BenchError("\(rendered.faults)") }
        let state = states.insert(rendered, as: commits[0])
        live = FixedObjects(state.objects)
        inventory = Set(state.objects.map(\.key))
        for object in state.objects { synced.insert(object, live: object.object) }
    }

    /// Milliseconds from a commit that is here to the plan.
    func next() async throws -> Double {
        round += 1
        let commit = commits[round % 2]
        let start = ContinuousClock().now
        let rendered = try await source.render(application, revision: commit, namespace: "default")
        let state = states.insert(rendered, as: "\(commit)/\(round)")
        let plan = SyncPlan(
            application: "bench", desired: state, live: live, inventory: inventory, settings: ApplicationSettings(),
            synced: synced)
        let elapsed = ContinuousClock().now - start
        guard plan.steps.count == (round % 2), plan.objections.isEmpty else {
            throw BenchError("expected \(round % 2) steps, not \(plan.steps.count)")
        }
        return elapsed.milliseconds
    }

    private static func stream(_ objects: Int, change: Int) -> String {
        var text = "commit refs/heads/main\ncommitter bench <bench@martlet.invalid> 0 +0000\ndata 0\n"
        if change > 0 { text += "from refs/heads/main^0\n" }
        for number in change == 0 ? 0..<objects : 0..<1 {
            let manifest = """
                apiVersion: v1
                kind: ConfigMap
                metadata:
                  name: object-\(number)
                data:
                  text: value \(change)

                """
            text += "M 644 inline app/folder-\(number % 100)/object-\(number).yaml\n"
            text += "data \(manifest.utf8.count)\n\(manifest)\n"
        }
        return text
    }
}

private struct FixedObjects: LiveState {
    private let byKey: [ObjectKey: Object]

    init(_ desired: [DesiredObject]) {
        byKey = Dictionary(
            uniqueKeysWithValues: desired.map { desired in
                var object = desired.object
                var metadata = object.metadata
                metadata.resourceVersion = "1"
                object.metadata = metadata
                return (desired.key, object)
            })
    }

    func object(_ key: ObjectKey) -> Object? { byKey[key] }
    func objects(of kind: GroupKind) -> [Object] { byKey.values.filter { $0.kind.groupKind == kind } }
}
