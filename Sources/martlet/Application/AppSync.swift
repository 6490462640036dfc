import ArgumentParser
import Cluster
import Kinds
import Model
import Reconciler

/// A sync that is asked for through Argo CD's `operation` field, and how it went.
struct SyncRequest {
    var application: ApplicationOptions
    var revision: String?

    /// Names the request in `operation.info`, so that its result can be told from another's.
    private static let infoName = "martlet.dev/request"
    /// What happens when nobody takes the request.
    static let patience = Duration.seconds(60)

    /// Asks for the sync and waits until it was carried out.
    ///
    /// - Throws: `CommandError` when it was refused or failed, or when nobody took it in time.
    func carryOut(_ cluster: any Cluster) async throws -> OperationState {
        let number = String(UInt64.random(in: 0 ... .max), radix: 16)
        try await send(number, cluster)
        return try await withThrowingTaskGroup(of: OperationState.self) { group in
            group.addTask { try await result(of: number, cluster) }
            group.addTask {
                // The bound on waiting for a service that does not answer; the watch above decides otherwise.
                try await Task.sleep(for: Self.patience)
                throw CommandError(
                    "the sync was asked for, but no service carried it out within \(DurationText.text(Self.patience)); it "
                        + "will be when one can: see 'martlet app get \(application.name)'")
            }
            defer { group.cancelAll() }
            guard let state = try await group.next() else { throw CancellationError() }
            return state
        }
    }

    /// Asks for the sync and does not wait.
    func send(_ number: String? = nil, _ cluster: any Cluster) async throws {
        var sync: JSON = [:]
        if let revision { sync["revision"] = .string(revision) }
        var operation: JSON = ["initiatedBy": ["username": "martlet"], "sync": sync]
        if let number { operation["info"] = [["name": .string(Self.infoName), "value": .string(number)]] }
        // Whole, in the place of what somebody may have asked for before and still waits for Git.
        _ = try await cluster.patch(
            application.key, .json([["op": "add", "path": "/operation", "value": operation]]), subresource: nil,
            options: WriteOptions(fieldManager: "martlet-cli"))
    }

    private func result(of number: String, _ cluster: any Cluster) async throws -> OperationState {
        while true {
            for try await event in try await cluster.watch(application.query, from: nil) {
                switch event {
                case .added(let object), .modified(let object):
                    let state = object.view(as: Application.self).status.operationState
                    guard let state, state.isAnswer(to: number, Self.infoName) else { continue }
                    guard state.phase == "Succeeded" else { throw CommandError(state.message ?? state.phase) }
                    return state
                case .deleted: throw CommandError("Application \(application.name) was deleted")
                case .bookmark: continue
                }
            }
        }
    }
}

extension OperationState {
    fileprivate func isAnswer(to number: String, _ name: String) -> Bool {
        finishedAt != nil
            && operation.info.contains { $0.name == name && $0.value == number }
    }
}

struct AppSync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "Sync an Application now, to its target or to a revision you name.",
        usage: "martlet app sync [<options>] <name>",
        discussion: """
            A revision that is not the target holds the target, until 'martlet app retry' or a new commit.

            Exit codes: 0 synced (with --wait: healthy), 1 with --wait: not healthy, 2 an error.
            """)

    @OptionGroup var options: ApplicationOptions
    @Option(help: ArgumentHelp("The revision to sync instead of the target.", valueName: "rev"))
    var revision: String?
    @Flag(help: "Only show what would change, prunes included.")
    var dryRun = false
    @Flag(name: .customLong("async"), help: "Do not wait until the sync is carried out.")
    var isAsynchronous = false
    @Flag(help: "Wait for the verdict: healthy, or rolled back.")
    var wait = false

    func validate() throws {
        if isAsynchronous, wait || dryRun {
            throw ValidationError("--async goes with neither --wait nor --dry-run")
        }
    }

    func run() async throws {
        let cluster = try options.connection.connect()
        let application = try await options.getActive(cluster)
        if dryRun {
            let target = revision ?? application.spec.source?.targetRevision ?? "HEAD"
            try await options.preview(target)
            return
        }
        let request = SyncRequest(application: options, revision: revision)
        if isAsynchronous {
            try await request.send(nil, cluster)
            print("\(options.name): sync of \(revision ?? "the target revision") requested")
            return
        }
        let state = try await request.carryOut(cluster)
        for result in state.syncResult?.resources ?? [] {
            let word = result.message ?? (result.status ?? "").lowercased()
            let kind = GroupKind(group: result.group ?? "", kind: result.kind)
            print("\(ObjectKey(kind: kind, namespace: result.namespace ?? "", name: result.name)) \(word)")
        }
        let synced = state.syncResult?.revision ?? ""
        print("\(options.name): synced \(PinnedRevision.short(synced))")
        if let held = application.status.rollout?.held.first(where: { $0.revision == synced }) {
            printError("note: \(PinnedRevision.short(synced)) was held for \(held.reason); it is judged once more")
        }
        if wait { try await AppVerdict(options: options).follow(synced, cluster) }
    }
}

/// Waits for what becomes of a revision.
struct AppVerdict {
    var options: ApplicationOptions

    /// - Throws: `ExitCode(1)` when it is not kept.
    func follow(_ revision: String, _ cluster: any Cluster) async throws {
        let shown = PinnedRevision.short(revision)
        while true {
            for try await event in try await cluster.watch(options.query, from: nil) {
                switch event {
                case .added(let object), .modified(let object):
                    guard let rollout = object.view(as: Application.self).status.rollout else { continue }
                    if let held = rollout.held.first(where: { $0.revision == revision }) {
                        print("\(options.name): \(shown) is held: \(held.reason): \(held.message ?? "")")
                        throw ExitCode(1)
                    }
                    guard rollout.revision == revision else {
                        guard let other = rollout.revision else { continue }
                        print("\(options.name): \(PinnedRevision.short(other)) took the place of \(shown)")
                        throw ExitCode(1)
                    }
                    if rollout.phase == "Healthy" || rollout.phase == "RolledBack" {
                        print("\(options.name): \(shown) is healthy")
                        return
                    }
                    if rollout.phase == "Degraded" {
                        print(
                            "\(options.name): \(shown) is degraded: \(rollout.message ?? "")")
                        throw ExitCode(1)
                    }
                case .deleted: throw CommandError("Application \(options.name) was deleted")
                case .bookmark: continue
                }
            }
        }
    }
}
