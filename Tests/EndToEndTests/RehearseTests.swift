import Cluster
import Engine
import Kinds
import Model
import Rehearsal
import Synchronization
import TestServers
import Testing

/// What was rehearsed is what then happens: the same steps in the same order, the same minima.
@Suite("A rehearsal and the real thing", .serialized, .blocking)
struct RehearseTests {
    /// Follows what really happens, in the order in which it was stored.
    private final class Follower: Sendable {
        struct Entry: Sendable {
            var version: UInt64
            var key: ObjectKey
            var object: Object?
        }

        static let kinds = [
            Pod.kind.groupKind, Deployment.kind.groupKind, ReplicaSet.kind.groupKind, ConfigMap.kind.groupKind,
            Service.kind.groupKind, Application.kind.groupKind,
        ]
        let start: [Object]
        private let entries = Mutex<[Entry]>([])

        init(_ cluster: any Cluster) async throws {
            var start: [Object] = []
            for kind in Self.kinds { start += try await cluster.list(ListQuery(kind)).items }
            self.start = start
        }

        /// Until the task is cancelled.
        func run(_ cluster: any Cluster, from version: String) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for kind in Self.kinds {
                    group.addTask {
                        for try await event in try await cluster.watch(ListQuery(kind), from: version) {
                            switch event {
                            case .added(let object), .modified(let object): self.note(object, isGone: false)
                            case .deleted(let object): self.note(object, isGone: true)
                            case .bookmark: continue
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }

        private func note(_ object: Object, isGone: Bool) {
            let version = UInt64(object.metadata.resourceVersion) ?? 0
            entries.withLock {
                $0.append(Entry(version: version, key: object.key, object: isGone ? nil : object))
            }
        }

        /// Whether what was told is what there is now.
        func isCurrent(with cluster: any Cluster) async throws -> Bool {
            var known = Dictionary(start.map { ($0.key, $0.metadata.resourceVersion) }) { first, _ in first }
            for entry in entries.withLock({ $0 }).sorted(by: { $0.version < $1.version }) {
                known[entry.key] = entry.object?.metadata.resourceVersion
            }
            var present: [ObjectKey: String] = [:]
            for kind in Self.kinds {
                for object in try await cluster.list(ListQuery(kind)).items {
                    present[object.key] = object.metadata.resourceVersion
                }
            }
            return known == present
        }

        /// What was seen, recorded as a rehearsal is.
        func recording(_ outcome: Outcome, keys: Set<ObjectKey>) -> Recording {
            let begin = Timestamp(seconds: 4_000_000_000)
            let scope = RecordedScope(application: Application.key("web", in: "martlet"), keys: keys)
            var recorder = Recorder(scope: scope, objects: start, at: begin)
            let ordered = entries.withLock { $0.sorted { $0.version < $1.version } }
            for (index, entry) in ordered.enumerated() {
                recorder.take(entry.key, entry.object, at: begin + .milliseconds(index + 1))
            }
            return recorder.finish(outcome, at: begin + .seconds(1000))
        }
    }

    /// The part of a recording that does not depend on how fast a machine is.
    private struct Course: Equatable, CustomStringConvertible {
        var steps: [String]
        /// Old and new replicas, whenever they change.
        var replicas: [[Int]]
        var lowest: Int?
        var promise: Int

        var description: String { "\(steps), \(replicas), at least \(lowest ?? -1) of \(promise)" }
    }

    private static let keys: Set<ObjectKey> = [
        Deployment.key("web", in: "default"), ConfigMap.key("web", in: "default"), ConfigMap.key("old", in: "default"),
        ConfigMap.key("new", in: "default"), Service.key("web", in: "default"),
    ]

    private static func course(_ recording: Recording) throws -> Course {
        let web = try #require(recording.workloads.first { $0.key == Deployment.key("web", in: "default") })
        let steps = recording.steps.map { step in
            switch step.kind {
            case .synced(let key, let change): "\(change.rawValue) \(key)"
            case .rolledOut(let key): "rolledOut \(key)"
            case .verdict(let phase, _, _): phase
            }
        }
        return Course(
            steps: steps, replicas: distinct(web.samples.map { [$0.counts.old, $0.counts.new] }), lowest: web.lowest,
            promise: web.promise)
    }

    private static func course(_ report: JSON) throws -> Course {
        let web = try #require(report["workloads"]?.array?.first { $0["name"] == "web" })
        let steps = (report["steps"]?.array ?? []).map { step -> String in
            let word = step["step"]?.string ?? ""
            guard let object = step["object"] else { return word }
            let kind = GroupKind(group: object["group"]?.string ?? "", kind: object["kind"]?.string ?? "")
            return
                "\(word) \(ObjectKey(kind: kind, namespace: object["namespace"]?.string ?? "", name: object["name"]?.string ?? ""))"
        }
        let replicas = (web["replicas"]?.array ?? []).map { sample in
            [Int(sample["old"]?.int ?? -1), Int(sample["new"]?.int ?? -1)]
        }
        return Course(
            steps: steps, replicas: distinct(replicas), lowest: web["lowestAvailable"]?.int.map { Int($0) },
            promise: Int(web["promisedAvailable"]?.int ?? -1))
    }

    private static func distinct(_ values: [[Int]]) -> [[Int]] {
        values.reduce(into: []) { if $0.last != $1 { $0.append($1) } }
    }

    private func begin(_ stage: Stage) async throws -> String {
        try stage.write("web/deployment.yaml", Manifests.deployment(["--version-text", "v1"], replicas: 3))
        try stage.write("web/service.yaml", Manifests.service)
        try stage.write("web/config.yaml", Manifests.configMap("web", "one"))
        try stage.write("web/old.yaml", Manifests.configMap("old", "one"))
        let good = try stage.push("v1")
        try await stage.start()
        try await stage.waitForHealthy(good)
        return good
    }

    private func rehearse(_ stage: Stage, _ options: String = "", code: Int32) throws -> JSON {
        let answer = try stage.shell("martlet rehearse web -o json \(options) 2>/dev/null")
        #expect(answer.code == code, "\(answer)")
        let again = try stage.shell("martlet rehearse web -o json \(options) 2>/dev/null")
        #expect(again.text == answer.text, "the same state and seed give the same bytes")
        return try JSON(decoding: [UInt8](answer.text.utf8))
    }

    /// Follows the real rollout of what is in the working copy, until it ended as told.
    private func follow(
        _ stage: Stage, _ outcome: Outcome, until isOver: @escaping @Sendable (String) async throws -> Void
    ) async throws -> Recording {
        let cluster = try #require(stage.cluster)
        let version = try await cluster.list(ListQuery(Namespace.kind.groupKind)).resourceVersion
        let follower = try await Follower(cluster)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await follower.run(cluster, from: version)
                return false
            }
            group.addTask {
                try await isOver(try stage.push("v2"))
                // The watches bring what came before this, too.
                try await stage.eventually("all of it was told") { try await follower.isCurrent(with: cluster) }
                return true
            }
            while try await group.next() == false {}
            group.cancelAll()
        }
        return follower.recording(outcome, keys: Self.keys)
    }

    @Test("a good commit: rehearsed from the live state, then pushed")
    func good() async throws {
        try await Stage.with { stage in
            _ = try await begin(stage)
            try stage.write("web/deployment.yaml", Manifests.deployment(["--version-text", "v2"], replicas: 3))
            try stage.write("web/config.yaml", Manifests.configMap("web", "two"))
            try stage.write("web/new.yaml", Manifests.configMap("new", "one"))
            try stage.git("rm", "-q", "web/old.yaml")
            let rehearsed = try Self.course(rehearse(stage, code: 0))
            let real = try await follow(stage, .healthy) { commit in try await stage.waitForHealthy(commit) }
            let happened = try Self.course(real)
            #expect(happened == rehearsed)
            #expect(rehearsed.lowest == 3 && rehearsed.steps.last == "Healthy")
            #expect(rehearsed.replicas == [[3, 0], [3, 1], [2, 1], [2, 2], [1, 2], [1, 3], [0, 3]])
        }
    }

    @Test(
        "a commit that fails: rehearsed with --fail, then pushed",
        arguments: [
            ("crash", ["--crash-after", "100ms", "--exit-code", "7", "--ready-after", "30s"], "crashed 3 times"),
            ("probe", ["--ready", "false"], "has failed its readiness probe"),
        ])
    func failing(mode: String, arguments: [String], why: String) async throws {
        try await Stage.with { stage in
            let good = try await begin(stage)
            try stage.write("web/config.yaml", Manifests.configMap("web", "two"))
            try stage.write("web/deployment.yaml", Manifests.deployment(arguments, replicas: 3))
            let report = try rehearse(stage, "--fail web=\(mode)", code: 1)
            #expect(report["outcome"] == "RolledBack")
            #expect(report[path: ["failure", "message"]]?.string?.contains(why) == true)
            let real = try await follow(stage, .rolledBack("")) { _ in
                try await stage.eventually("the bad commit is rolled back") {
                    let rollout = try await stage.rollout()
                    return rollout.phase == "RolledBack" && rollout.revision == good
                }
            }
            #expect(try await stage.rollout().held.first?.message?.contains(why) == true)
            let (happened, rehearsed) = (try Self.course(real), try Self.course(report))
            #expect(happened == rehearsed)
        }
    }
}
