import Cluster
import Kinds
import Model
import Testing

@testable import Engine

/// How the node shows a pod the way to the API (J4, docs/decisions/016).
@Suite("Access to the API from within a pod") struct APIAccessTests {
    private static func pod(_ fields: JSON = [:]) -> Pod {
        var pod = Pod(named: "web", in: "shop")
        pod.metadata.uid = "u1"
        let name = "kube-api-access-abcde"
        pod.json["spec"] = [
            "serviceAccountName": "default", "volumes": [APIAccess.volume(named: name)],
            "containers": [["name": "web", "volumeMounts": [APIAccess.mount(of: name)]]],
        ]
        for member in fields.object ?? JSONObject() { pod.json[path: ["spec", member.key]] = member.value }
        return pod
    }

    private static func launch(_ pod: Pod, mounts: Bool) throws -> ContainerLaunch {
        try ContainerConfiguration.launch(
            pod.spec.containers[0], attempt: 0, of: pod, context: PodContext(podIP: "127.64.0.9"), entrypoint: ["x"],
            abilities: RuntimeAbilities(mounts: mounts, users: true)
        ) { "/pods/u1/volumes/\($0)" }
    }

    static let places: [(spec: JSON, mounts: Bool, place: String?)] = [
        ([:], true, nil), (["serviceAccountName": "robot"], true, APIAccess.mountPath),
        (["automountServiceAccountToken": true], true, APIAccess.mountPath),
        (["serviceAccountName": "robot"], false, "/pods/u1/volumes/kube-api-access-abcde"),
        (["securityContext": ["runAsUser": 1000]], true, nil),
    ]

    @Test("the files are made and mounted for who asks for them, and found by a variable", arguments: places)
    func place(spec: JSON, mounts: Bool, place: String?) throws {
        let pod = Self.pod(spec)
        let launch = try Self.launch(pod, mounts: mounts)
        let source = "/pods/u1/volumes/kube-api-access-abcde"
        let expected = ContainerLaunch.Mount(source: source, target: APIAccess.mountPath, readOnly: true)
        #expect(launch.mounts == (place == APIAccess.mountPath ? [expected] : []))
        let variables = launch.environment.filter { $0.hasPrefix("MARTLET_SERVICE_ACCOUNT=") }
        #expect(variables == (place.map { ["MARTLET_SERVICE_ACCOUNT=\($0)"] } ?? []))
        #expect(APIAccess.volumes(of: pod).isEmpty == (place == nil))
        #expect(PodTokens.wanted(by: pod).isEmpty == (place == nil))
        #expect(PodVolumes.references(of: pod).configMaps == (place == nil ? [] : ["kube-root-ca.crt"]))
    }

    @Test("a volume that is mounted elsewhere, too, is made in any case")
    func elsewhere() {
        var pod = Self.pod()
        pod.json[path: ["spec", "containers"]] = [
            ["name": "web", "volumeMounts": [["name": "kube-api-access-abcde", "mountPath": "/access"]]]
        ]
        #expect(APIAccess.volumes(of: pod).map(\.name) == ["kube-api-access-abcde"])
    }

    @Test("a container that gives the variable itself, or has no such mount, is left as it is")
    func variable() throws {
        var pod = Self.pod(["serviceAccountName": "robot"])
        pod.json[path: ["spec", "containers"]] = [["name": "web"]]
        #expect(try !Self.launch(pod, mounts: true).environment.contains { $0.hasPrefix("MARTLET_SERVICE") })
        pod = Self.pod(["serviceAccountName": "robot"])
        pod.spec.containers[0].json["env"] = [["name": "MARTLET_SERVICE_ACCOUNT", "value": "mine"]]
        let found = try Self.launch(pod, mounts: true).environment.filter { $0.hasPrefix("MARTLET_SERVICE") }
        #expect(found == ["MARTLET_SERVICE_ACCOUNT=mine"])
    }

    @Test("where nothing can be mounted, that is told to who asked for it, and to no one else")
    func unmounted() {
        let none = RuntimeAbilities(mounts: false, users: false)
        #expect(ContainerConfiguration.unenforced(Self.pod(), none) == [])
        let words =
            "volumeMounts at /var/run/secrets/kubernetes.io/serviceaccount (the files are where "
            + "$MARTLET_SERVICE_ACCOUNT says)"
        #expect(ContainerConfiguration.unenforced(Self.pod(["serviceAccountName": "robot"]), none) == [words])
    }

    static let owners: [(spec: JSON, mode: Int, owner: Int?)] = [
        ([:], 0o644, nil), (["securityContext": ["runAsUser": 1000]], 0o600, 1000),
        (["securityContext": ["fsGroup": 10000]], 0o600, nil),
        (["securityContext": ["runAsUser": 1000, "fsGroup": 10000]], 0o600, 1000),
        (
            [
                "securityContext": ["runAsUser": 1000],
                "containers": [["name": "a"], ["name": "b", "securityContext": ["runAsUser": 1001]]],
            ], 0o644, nil
        ),
    ]

    @Test(
        "a token is its user's alone where all containers run as one; the other files are everybody's",
        arguments: owners)
    func ownership(spec: JSON, mode: Int, owner: Int?) throws {
        var pod = Self.pod(spec)
        pod.json[path: ["spec", "automountServiceAccountToken"]] = true
        var map = ConfigMap(named: "kube-root-ca.crt", in: "shop")
        map.data = ["ca.crt": "trust me"]
        var context = PodContext(podIP: "127.64.0.9", configMaps: ["kube-root-ca.crt": map])
        for token in PodTokens.wanted(by: pod) { context.tokens[token] = .secret("abc") }
        let contents = try PodVolumes.contents(of: pod, context)
        guard case .files(let files) = contents[0].source else { return #expect(Bool(false), "no files") }
        #expect(files.map(\.path) == ["ca.crt", "namespace", "token"])
        #expect(files.map { String(decoding: $0.bytes, as: UTF8.self) } == ["trust me", "shop", "abc"])
        #expect(files.map(\.mode) == [0o644, 0o644, mode])
        #expect(files.map(\.owner) == [nil, nil, owner])
    }

    @Test("a token that cannot be had is told with its volume")
    func fault() {
        let pod = Self.pod(["serviceAccountName": "robot"])
        var context = PodContext(podIP: "127.64.0.9")
        for token in PodTokens.wanted(by: pod) {
            context.tokens[token] = .fault("failed to fetch token: serviceaccounts \"default\" not found")
        }
        let message =
            "for volume \"kube-api-access-abcde\" : failed to fetch token: serviceaccounts \"default\" not found"
        #expect(throws: ConfigurationFault(message)) { try PodVolumes.contents(of: pod, context) }
    }

    // MARK: Renewal

    private static let now = Timestamp(seconds: 1_000_000)

    private static func wanted(_ seconds: Int) throws -> ProjectedToken {
        let source: JSON = ["path": "token", "audience": "vault", "expirationSeconds": .int(Int64(seconds))]
        return ProjectedToken(ServiceAccountTokenProjection(viewing: source))
    }

    @Test(
        "a token is replaced after 80 % of its life, after a day at the latest",
        arguments: [
            (600, 480), (3607, 2885), (86400, 69120), (200_000, 86400),
        ])
    func renewal(life: Int, renewal: Int) throws {
        let wanted = try Self.wanted(life)
        var tokens = PodTokens()
        tokens.keep(IssuedToken(secret: "a", expiration: Self.now + .seconds(life)), for: wanted)
        let due = try #require(tokens.nextRenewal)
        #expect(due >= Self.now + .seconds(renewal) && due < Self.now + .seconds(renewal + 1))
        #expect(tokens.fresh(wanted, at: due - .seconds(1))?.secret == "a")
        #expect(tokens.fresh(wanted, at: due) == nil)
    }

    @Test("where no other can be had, a token is kept while it is good, and asked for again in a minute")
    func failedRenewal() throws {
        let wanted = try Self.wanted(600)
        var tokens = PodTokens()
        tokens.keep(IssuedToken(secret: "a", expiration: Self.now + .seconds(600)), for: wanted)
        let later = Self.now + .seconds(500)
        #expect(tokens.keepOld(wanted, at: later)?.secret == "a")
        #expect(tokens.nextRenewal == later + .seconds(60))
        #expect(tokens.keepOld(wanted, at: Self.now + .seconds(600)) == nil)
        #expect(tokens.nextRenewal == nil)
    }

    @Test("what is on its way is waited for without a word; what ages is made anew only once it stands")
    func lifecycle() {
        var driver = LifecycleDriver(["containers": [["name": "web"]]])
        _ = driver.step()
        driver.apply(.sandboxOpened)
        #expect(driver.step() == [.prepareVolumes])
        driver.lifecycle.volumesAged()
        driver.apply(.volumesAwaited)
        #expect(driver.step() == [] && driver.events.isEmpty)
        driver.now = driver.wakeAt ?? driver.now
        #expect(driver.step() == [.prepareVolumes])
        driver.apply(.volumesReady)
        _ = driver.settle()
        driver.lifecycle.volumesAged()
        #expect(driver.step() == [.prepareVolumes])
    }
}
