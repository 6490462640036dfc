import Kinds
import Model
import Testing

@testable import Reconciler

@Suite("An Application's settings")
struct ApplicationSettingsTests {
    struct Refused: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var edit: @Sendable (inout Application) -> Void
        var says: String
    }

    static func application(_ edit: (inout Application) -> Void = { _ in }) -> Application {
        var application = Application(named: "web", in: "martlet")
        var source = ApplicationSource()
        source.repoURL = "https://example.com/web.git"
        application.spec.source = source
        edit(&application)
        return application
    }

    static let refused = [
        Refused(
            testDescription: "a misspelt annotation",
            edit: { $0.metadata.annotations["martlet.dev/bake-tme"] = "1s" },
            says: "did you mean \"martlet.dev/bake-time\"?"),
        Refused(
            testDescription: "an annotation that there is not",
            edit: { $0.metadata.annotations["martlet.dev/moon-phase"] = "full" },
            says: "there are: martlet.dev/rollback, "),
        Refused(
            testDescription: "a time that is none",
            edit: { $0.metadata.annotations["martlet.dev/bake-time"] = "soon" },
            says: "\"soon\" is no duration"),
        Refused(
            testDescription: "another cluster by its address",
            edit: { $0.spec.destination.server = "https://192.0.2.1:6443" },
            says: "spec.destination.server: https://192.0.2.1:6443 is another cluster; leave it out"),
        Refused(
            testDescription: "another cluster by its name", edit: { $0.spec.destination.name = "production" },
            says: "spec.destination.name: \"production\" is another cluster"),
    ]

    @Test("what cannot be done as said is refused, with what would be right", arguments: refused)
    func refuses(_ example: Refused) {
        let error = #expect(throws: SettingsError.self) {
            try ApplicationSettings(Self.application(example.edit))
        }
        #expect(error?.description.contains(example.says) == true, "\(error?.description ?? "")")
    }

    @Test(
        "this cluster may be named as Argo CD names it",
        arguments: [("https://kubernetes.default.svc", nil), (nil, "in-cluster"), ("", ""), (nil, nil)])
    func namesThisCluster(_ server: String?, _ name: String?) throws {
        let settings = try ApplicationSettings(
            Self.application {
                $0.spec.destination.server = server
                $0.spec.destination.name = name
                $0.metadata.annotations["example.com/note"] = "of no concern"
            })
        #expect(settings.namespace == "default")
    }

    @Test("an Application of which nothing was synced is out of sync as soon as its target is known")
    func idleIsOutOfSync() {
        var report = StatusReport(rollout: Rollout(), history: [])
        #expect(report.syncStatus == "Unknown")
        report.target = "3f9c2a71d0be"
        #expect(report.syncStatus == "OutOfSync")
        report.conditions["ComparisonError"] = "cannot reach it"
        #expect(report.syncStatus == "Unknown")
    }

    @Test("a revision that was refused is out of sync, though the cluster shows the one before as it should")
    func refusedIsOutOfSync() {
        let now = Timestamp(seconds: 1_000_000)
        var rollout = Rollout()
        var trial = Rollout.Trial("bad", at: now)
        rollout.phase = .degraded(trial, Rollout.Failure(reason: "InvalidManifests", message: "no such kind"))
        var report = StatusReport(rollout: rollout, history: [])
        (report.target, report.isCompared) = ("bad", true)
        #expect(report.syncStatus == "OutOfSync")
        trial.isSynced = true
        report.rollout.phase = .judging(trial)
        #expect(report.syncStatus == "Synced")
    }
}
