import Cluster
import FoundationEssentials
import Kinds
import Model
import TestServers
import Testing

/// The command line, as a person uses it: words, exit codes and formats of every verb that talks to a service.
@Suite("The command line, with a service", .serialized, .blocking, .runningService)
struct CommandLineTests {
    /// A line of shell, how it ends, and words that it says and does not say.
    struct Case: Sendable, CustomTestStringConvertible {
        var line: String
        var code: Int32
        var says: [String]
        var hides: [String]

        init(_ line: String, _ code: Int32, _ says: String..., hides: [String] = []) {
            self.line = line
            self.code = code
            self.says = says
            self.hides = hides
        }

        var testDescription: String { line }

        func check(_ stage: Stage) throws {
            let answer = try stage.shell(line)
            #expect(answer.code == code, "\(answer)")
            for word in says { #expect(answer.text.contains(word), "\(answer)") }
            for word in hides { #expect(!answer.text.contains(word), "\(answer)") }
        }
    }

    static let looking = [
        Case("martlet get pods", 0, "NAME ", "READY", "Running", hides: ["NODE"]),
        Case("martlet get pods -o wide", 0, "NODE", "127."),
        Case("martlet get po --no-headers", 0, "1/1", hides: ["NAME"]),
        Case("martlet get pods -o name", 0, "pod/web-"),
        Case("martlet get all", 0, "pod/web-", "service/web", "deployment.apps/web", "replicaset.apps/web-"),
        Case("martlet get deploy/web svc/web -o name", 0, "deployment.apps/web\nservice/web\n"),
        Case("martlet get deploy web nosuch", 2, "web  ", "error: deployments.apps \"nosuch\" not found"),
        Case("martlet get pods -A", 0, "NAMESPACE", "default"),
        Case("martlet get pods -l app=web -o name", 0, "pod/web-"),
        Case("martlet get pods -l app=other", 0, "no such objects in namespace default"),
        Case("martlet get pods -l 'app in ('", 2, "error: unable to parse"),
        Case("martlet get pods --field-selector status.phase=Running -o name", 0, "pod/web-"),
        Case("martlet get pods --field-selector foo=bar", 2, "field label not supported: foo"),
        Case("martlet get podz", 2, "no resource type \"podz\"; did you mean \"pods\"?"),
        Case("martlet get bogus", 2, "there are: apiservices, applications, "),
        Case("martlet get", 2, "Usage: martlet get"),
        Case("martlet get pods -o xml", 2, "'json'", "'wide'"),
        Case("martlet get secret web -o yaml", 0, "********", hides: ["aHVudGVyMg", "hunter2"]),
        Case("martlet get secret web -o yaml --show-secrets", 0, "aHVudGVyMg=="),
        Case("martlet describe secret web", 0, "password: ********", hides: ["aHVudGVyMg", "hunter2"]),
        Case("martlet describe deploy/web", 0, "Name:         web", "  Match Labels:\n      app: web", "Events:"),
        Case("martlet describe service web", 0, "  Selector:\n    app: web\n"),
        Case("martlet describe pod web", 0, "Name:         web-", "AGE", "Successfully assigned"),
        Case("martlet describe app web", 2, "in namespace default; it is in namespace martlet: add -n martlet"),
        Case("martlet get deploy web -o yaml", 0, "kind: Deployment", hides: ["managedFields"]),
        Case("martlet get deploy web -o yaml --show-managed-fields", 0, "managedFields"),
        Case("martlet app get web -o json", 0, "rollout", hides: ["managedFields"]),
        Case("martlet describe deploy nosuch", 2, "deployments.apps \"nosuch\" not found"),
        Case("martlet logs deployment/web --tail 1", 0, "[web-", "] echo v1 listens on 127."),
        Case("martlet logs deployment/web --since 1h --timestamps", 0, "Z echo v1 listens"),
        Case("martlet logs deployment/web", 0, "the log of container web; there are also, for -c: prepare (init)"),
        Case("martlet logs -f deployment/web | head -1", 0, "echo v1 listens", hides: ["must be specified"]),
        Case("martlet logs deployment/web -c prepare", 0, "[web-", "] all is prepared"),
        Case("martlet logs nosuch", 2, "pods \"nosuch\" not found", hides: ["deployment/"]),
        Case("martlet logs web", 2, "pods \"web\" not found; for the pods of the Deployment write deployment/web"),
        Case("martlet logs cm/web", 2, "cm/web selects no pods"),
        Case("martlet logs deployment/web -c nosuch", 2, "container nosuch is not valid for pod"),
        Case("martlet logs web --since soon", 2, "--since: \"soon\" is no duration; try 5m"),
        Case("martlet events -n default", 0, "TIME", "AGE", "ScalingReplicaSet", hides: ["NAMESPACE"]),
        Case("martlet events -A", 0, "NAMESPACE", "martlet"),
        Case("martlet events --for deploy/web", 0, "deployment/web", hides: ["pod/"]),
        Case("martlet events --for web", 2, "--for web: write TYPE/NAME"),
        Case("martlet app list", 0, "NAMESPACE   NAME   SYNC     HEALTH", "Synced"),
        Case("martlet app list -n nosuch", 0, "no Applications in namespace nosuch"),
        Case("martlet app get web", 0, "Rollout:     Healthy, last healthy", "KIND"),
        Case("martlet app get nosuch", 2, "no Application martlet/nosuch; there are: martlet/web"),
        Case("martlet app history web", 0, "ID   REVISION", "s ago)", "last healthy"),
        Case("martlet app diff web", 0, hides: ["+++"]),
        Case("martlet app retry web", 2, "no revision of web is held"),
        Case("martlet app rollback web", 2, "no earlier revision of web"),
        Case("martlet app rollback web 7", 2, "the history of web has no ID 7; it has: 0"),
        Case("martlet app refresh web", 0, "web refreshed"),
        Case("martlet app lst", 2, "martlet app has no verb \"lst\"; did you mean \"list\"?"),
        Case("martlet rollout status deploy/web", 0, "successfully rolled out"),
        Case("martlet rollout status nosuch", 2, "\"nosuch\" not found in namespace default"),
        Case("martlet rollout status web -n martlet", 2, "it is in namespace default: add -n default"),
        Case("martlet rollout status pod/web", 2, "only Deployments have rollouts, not pods"),
        Case("martlet rollout history web", 0, "deployment.apps/web\nREVISION   CHANGE-CAUSE\n1          <none>\n"),
        Case("martlet rollout history web --revision 1", 0, "--version-text"),
        Case("martlet rollout history web --revision 9", 2, "revision 9; there are: 1"),
        Case("martlet rollout undo web", 2, "no rollout history found"),
        Case("martlet rollout resume web", 2, "is not paused"),
        Case("martlet sync web", 2, "ConfigMap default/web (web/config.yaml:1) already belongs to the application"),
        Case("martlet sync web --prune", 2, "--prune needs --set NAME"),
        Case("martlet sync web --set web", 2, "use 'martlet app sync web'"),
        Case("martlet diff nosuch", 2, "no such file or folder"),
        Case("martlet diff --app nosuch", 2, "no Application martlet/nosuch"),
        Case("martlet diff --bogus", 2, "Unknown option '--bogus'"),
    ]

    @Test("verbs that look say what there is, and what would be right", arguments: Self.looking)
    func looks(_ example: Case) throws {
        try example.check(try CommandLineStage.current())
    }

    @Test("a pod that has no log yet keeps nobody from reading the others'")
    func logsOfSome() async throws {
        let stage = try CommandLineStage.current()
        func pod(_ name: String, _ command: String) -> String {
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name), labels: {app: mixed}}
            spec: {restartPolicy: Never, containers: [{name: main, image: "nowhere.invalid/x:1"\(command)}]}
            """
        }
        try stage.write("mixed/a.yaml", pod("mixed-a", ""))
        try stage.write("mixed/b.yaml", pod("mixed-b", ", command: [echo, \"here I am\"]"))
        try stage.write(
            "mixed/c.yaml", Manifests.service.replacing("web", with: "mixed").replacing("http", with: "80"))
        try Case("martlet sync mixed; rm -r mixed", 0, "Pod default/mixed-b created").check(stage)
        try await stage.eventually("the pod has said something") {
            try stage.shell("martlet logs mixed-b").text.contains("here I am")
        }
        try Case("martlet logs svc/mixed", 0, "[mixed-a] ", "[mixed-b] here I am").check(stage)
        try Case("martlet logs svc/mixed -c nosuch", 2, "none of svc/mixed's pods has such a log").check(stage)
    }

    static let kubeconfigs = [
        Case(
            "martlet kubeconfig --user ann --group system:masters --days 1 -o $ROOT/ann; stat -c %a $ROOT/ann; "
                + "martlet get namespaces -o name --kubeconfig $ROOT/ann", 0,
            "/ann: a kubeconfig for ann, good for 1 day\n600\n", "namespace/default"),
        Case(
            "martlet kubeconfig --user bob --group dev >$ROOT/bob && martlet get pods --kubeconfig $ROOT/bob", 2,
            "pods is forbidden: User \"bob\" cannot list resource \"pods\""),
        Case("martlet kubeconfig --user bob --days 0", 2, "--days must be between 1 and 3650"),
        Case("martlet kubeconfig --user bob --group ''", 2, "--group must not be empty: leave it out for none"),
        Case(
            "touch $ROOT/taken; martlet kubeconfig --user bob -o $ROOT/taken", 2,
            "/taken: there is such a file already; --replace replaces it"),
        Case("touch $ROOT/taken; martlet kubeconfig --user bob -o $ROOT/taken --replace", 0, "a kubeconfig for bob"),
        Case("martlet kubeconfig --user bob --replace", 2, "--replace goes with --output"),
        Case("martlet kubeconfig", 2, "Missing expected argument '--user <name>'"),
        Case("martlet kubeconfig --user bob --data-dir $ROOT/nosuch", 2, "start 'martlet serve' once first"),
        Case("martlet kubeconfig --user bob -o $ROOT/no/such/file", 2, "No such file or directory"),
    ]

    @Test("a kubeconfig for somebody else leads as far as its groups do", arguments: Self.kubeconfigs)
    func kubeconfig(_ example: Case) throws {
        try example.check(try CommandLineStage.current())
    }

    static let connections = [
        Case("martlet get pods --data-dir $ROOT/nosuch", 2, "no readable kubeconfig at", "--data-dir"),
        Case("MARTLET_DATA_DIR= martlet get pods", 2, "/home/.local/share/martlet/kubeconfig"),
        Case("MARTLET_DATA_DIR= XDG_DATA_HOME=/x martlet get pods", 2, "/x/martlet/kubeconfig"),
        Case("MARTLET_DATA_DIR= KUBECONFIG=$ROOT/data/kubeconfig martlet get pods -o name", 0, "pod/web-"),
        Case("martlet get pods --context nosuch", 2, "there are: martlet"),
        Case("martlet get pods --kubeconfig /etc/hostname", 2, "/etc/hostname"),
        Case(
            "sed 's/token: .*/token: wrong/' $ROOT/data/kubeconfig >$ROOT/wrong; martlet get pods --kubeconfig $ROOT/wrong",
            2, "does not accept the token"),
        Case(
            "sed 's/127.0.0.1:[0-9]*/127.0.0.1:1/' $ROOT/data/kubeconfig >$ROOT/away; "
                + "martlet get pods --kubeconfig $ROOT/away", 2, "Connection refused", "martlet serve",
            hides: ["errno"]),
    ]

    @Test("a service that cannot be talked to is explained", arguments: Self.connections)
    func connects(_ example: Case) throws {
        try example.check(try CommandLineStage.current())
    }

    static let outputs = [
        Case("martlet get pods -w | head -1; echo ${PIPESTATUS[0]}", 0, "NAME", "141"),
        Case("martlet get pods -w -o json | head -1; echo ${PIPESTATUS[0]}", 0, "{\n141"),
        Case("martlet logs -f deployment/web | head -1; echo ${PIPESTATUS[0]}", 0, "echo v1 listens", "141"),
        Case("martlet events -w | head -1; echo ${PIPESTATUS[0]}", 0, "NAMESPACE", "141"),
        Case("martlet app list -w | head -1; echo ${PIPESTATUS[0]}", 0, "NAMESPACE", "141"),
        Case("martlet app get web -w -o json | head -1; echo ${PIPESTATUS[0]}", 0, "{\n141"),
        Case("martlet get deploy -o name >/dev/full", 2, "error: cannot write to standard output: No space left"),
        Case("martlet get deploy -o name >&-", 2, "error: cannot write to standard output"),
        Case(
            "env --default-signal=INT martlet get pods -w >$ROOT/watched & until grep -q NAME $ROOT/watched; do :; done; "
                + "kill -INT $!; wait $!; echo $?", 0, "130\n"),
        Case(
            "env --default-signal=INT martlet app get web -w >$ROOT/seen & until grep -q KIND $ROOT/seen; do :; done; "
                + "kill -INT $!; wait $!; echo $?", 0, "130\n", hides: ["error"]),
    ]

    @Test("a verb ends with its reader, and says when its result could not be written", arguments: Self.outputs)
    func ends(_ example: Case) throws {
        try example.check(try CommandLineStage.current())
    }

    @Test(
        "where there is a table there are JSON and YAML, which say the same",
        arguments: [
            "get deploy web", "get cm,svc", "app list", "app get web", "app history web", "rollout history web",
            "events --for deploy/web", "version", "validate web", "render web",
            "sync other --dry-run",
        ])
    func formats(verb: String) throws {
        let stage = try CommandLineStage.current()
        try stage.write("other/config.yaml", Manifests.configMap("other", "one"))
        let (json, yaml) = (try stage.shell("martlet \(verb) -o json"), try stage.shell("martlet \(verb) -o yaml"))
        #expect(json.code == 0, "\(json)")
        #expect(yaml.code == 0, "\(yaml)")
        let documents = try YAML.documents([UInt8](yaml.text.utf8), file: "output").map(\.value)
        var value = try JSON(decoding: [UInt8](json.text.utf8))
        // A stream of documents is YAML's own list.
        if verb.hasPrefix("render"), let items = value["items"]?.array { value = .array(items) }
        let other = verb.hasPrefix("render") ? JSON.array(documents) : documents.first
        #expect(value == other)
    }
}
