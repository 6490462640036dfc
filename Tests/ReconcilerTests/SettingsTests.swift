import Kinds
import Model
import Testing

@testable import Reconciler

@Suite("Settings of an Application")
struct SettingsTests {
    private static func application(_ spec: JSON, annotations: [String: String] = [:]) -> Application {
        var application = Application(named: "shop", in: "martlet")
        application.metadata.annotations = annotations
        application.json["spec"] = ["source": ["repoURL": "https://git.example.com/shop.git"], "destination": [:]]
        for member in spec.object ?? JSONObject() { application.json[path: ["spec", member.key]] = member.value }
        return application
    }

    @Test("what is not said has Argo CD's defaults; what is said counts")
    func reads() throws {
        let plain = try ApplicationSettings(Self.application([:]))
        #expect(plain == ApplicationSettings())
        let settings = try ApplicationSettings(
            Self.application(
                [
                    "destination": ["namespace": "shop", "server": "https://kubernetes.default.svc"],
                    "syncPolicy": [
                        "automated": ["prune": true, "selfHeal": true, "allowEmpty": true],
                        "syncOptions": ["ServerSideApply=true", "CreateNamespace=true"],
                        "retry": ["limit": 2, "backoff": ["duration": "1s", "factor": 3, "maxDuration": "5s"]],
                    ],
                ],
                annotations: [
                    "martlet.dev/bake-time": "3s", "martlet.dev/health-timeout": "1m",
                    "martlet.dev/rollback": "workload", "martlet.dev/suspend": "true",
                ]))
        #expect(settings.isAutomated && settings.prunes && settings.selfHeals && settings.allowsEmpty)
        #expect(settings.namespace == "shop" && settings.createsNamespace && settings.isSuspended)
        #expect(settings.bakeTime == .seconds(3) && settings.healthTimeout == .seconds(60))
        #expect(settings.rollback == .workload && settings.retryLimit == 2)
        #expect([1, 2, 3, 4].map(settings.retryDelay(beforeAttempt:)) == [1, 3, 5, 5].map { .seconds($0) })
    }

    static let refused: [(spec: JSON, annotations: [String: String], field: String)] = [
        (["syncPolicy": ["syncOptions": ["Replace=true"]]], [:], "spec.syncPolicy.syncOptions[0]"),
        (
            ["syncPolicy": ["managedNamespaceMetadata": ["labels": ["a": "b"]]]], [:],
            "spec.syncPolicy.managedNamespaceMetadata"
        ),
        (["destination": ["server": "https://192.0.2.1"]], [:], "spec.destination.server"),
        (["destination": ["name": "production"]], [:], "spec.destination.name"),
        (["source": [:]], [:], "spec.source.repoURL"),
        (
            ["ignoreDifferences": [["kind": "*", "jqPathExpressions": [".x"]]]], [:],
            "spec.ignoreDifferences[0].jqPathExpressions"
        ),
        ([:], ["martlet.dev/bake-time": "soon"], "metadata.annotations[martlet.dev/bake-time]"),
        ([:], ["martlet.dev/rollback": "never"], "metadata.annotations[martlet.dev/rollback]"),
    ]

    @Test("what cannot be done as said is refused, naming the field", arguments: refused)
    func refuses(spec: JSON, annotations: [String: String], field: String) throws {
        let error = #expect(throws: SettingsError.self) {
            try ApplicationSettings(Self.application(spec, annotations: annotations))
        }
        #expect(error?.field == field)
    }

    @Test("drift that keeps coming back is healed after 0, 2, 6, 18, 54, 162, 300, 300 … seconds")
    func selfHealBackOff() {
        var now = Timestamp(seconds: 1_000_000)
        var heal = SelfHeal()
        for delay in [0, 2, 6, 18, 54, 162] {
            #expect(heal.dueAt(now) == now + .seconds(delay))
            now = heal.dueAt(now)
            heal.attempted(at: now)
        }
        #expect(heal.dueAt(now + .seconds(1)) == now + .seconds(300))
        #expect(heal.dueAt(now + .seconds(299)) == now + .seconds(300))
    }

    @Test("after five quiet minutes drift is healed at once again")
    func selfHealForgets() {
        let now = Timestamp(seconds: 1_000_000)
        var heal = SelfHeal()
        for second in 0..<3 { heal.attempted(at: now + .seconds(second)) }
        let later = now + .seconds(600)
        #expect(heal.dueAt(later) == later)
        heal.attempted(at: later)
        #expect(heal.dueAt(later) == later + .seconds(2))
    }

    @Test("conditions keep their time while they say the same, and a held revision is one")
    func conditions() {
        let start = Timestamp(seconds: 1_000_000)
        var report = StatusReport(rollout: Rollout(), history: [])
        report.conditions = ["SyncError": "refused"]
        var status = report.status(after: ApplicationStatus(), at: start)
        #expect(status.conditions.map(\.type) == ["SyncError"])
        #expect(status.conditions[0].message == "refused" && status.conditions[0].lastTransitionTime == start)
        status = report.status(after: status, at: start + .seconds(60))
        #expect(status.conditions[0].lastTransitionTime == start)
        report.conditions = ["SyncError": "another reason", "ComparisonError": "no repository"]
        status = report.status(after: status, at: start + .seconds(90))
        #expect(status.conditions.map(\.type) == ["ComparisonError", "SyncError"])
        #expect(status.conditions[1].lastTransitionTime == start + .seconds(90))
        report.conditions = [:]
        #expect(report.status(after: status, at: start + .seconds(99)).conditions.isEmpty)
    }
}
