import FoundationEssentials
import Glibc
import TestServers
import Testing

/// ServiceAccounts and their tokens, as `kubectl` and programs in pods use them.
@Suite(
    "kubectl and ServiceAccounts", .serialized, .blocking,
    .enabled(if: Kubectl.isInstalled, "there is no kubectl on PATH"))
struct KubectlAccountTests {
    private static let path = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// A pod of the account `robot` that says where its files are, and asks who it is.
    private static let pod = """
        apiVersion: v1
        kind: Pod
        metadata: {name: asker}
        spec:
          serviceAccountName: robot
          restartPolicy: Never
          containers:
          - name: c
            image: any
            command: [sh, -c]
            args:
            - |
              cd "$MARTLET_SERVICE_ACCOUNT"
              echo "in $(cat namespace)"
              HOME=$(mktemp -d) && export HOME
              kubectl --server="https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT" \\
                --certificate-authority=ca.crt --token="$(cat token)" auth whoami
              # As a client library does; where nothing can be mounted there is nothing at that place.
              if [ "$PWD" = \(path) ]; then kubectl auth whoami; else echo "not mounted"; fi
              rm -r "$HOME"
        """

    @Test("a pod of an account finds the API and is known there; its token ends with it")
    func pod() async throws {
        try await KubectlTests.with { kubectl, _ in
            try kubectl("create", "serviceaccount", "robot")
            try kubectl("apply", "-f", "input.yaml", input: Self.pod)
            try kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/asker", "--timeout=40s")
            let log = try kubectl("logs", "asker")
            #expect(log.hasPrefix("in default\n"), "\(log)")
            let names = log.components(separatedBy: "system:serviceaccount:default:robot").count - 1
            #expect(names == 2 || (names == 1 && log.contains("not mounted")), "\(log)")
            #expect(log.contains("authentication.kubernetes.io/pod-name"), "\(log)")
            #expect(try kubectl("diff", "-f", "input.yaml").isEmpty, "what admission added is no difference")
            #expect(try kubectl("apply", "-f", "input.yaml").contains("pod/asker unchanged"))
            let events = try kubectl("get", "events", "--field-selector=type=Warning", "-o", "name")
            #expect(!events.contains("asker"), "\(events)")
        }
    }

    @Test("tokens are created, bound, used and ended")
    func tokens() async throws {
        try await KubectlTests.with { kubectl, _ in
            try kubectl("create", "serviceaccount", "robot")
            try kubectl("create", "secret", "generic", "box")
            let token = try kubectl(
                "create", "token", "robot", "--duration=20m", "--bound-object-kind=Secret", "--bound-object-name=box")
            #expect(token.split(separator: ".").count == 3)
            var robot = kubectl
            robot.options = ["--token=" + String(token.split(separator: "\n").first ?? "")]
            // The administrator's own token is in the kubeconfig: without its user it is not sent.
            robot.options.append("--user=")
            let whoami = try robot("auth", "whoami")
            #expect(whoami.contains("system:serviceaccount:default:robot"), "\(whoami)")
            #expect(try robot.failing("get", "pods").output.contains("cannot list resource \"pods\""))
            #expect(try robot("get", "--raw", "/openid/v1/jwks").contains("ES256"))
            try kubectl("delete", "secret", "box")
            let ended = try robot.failing("auth", "whoami").output
            #expect(ended.contains("Unauthorized") || ended.contains("logged in"), "\(ended)")
            let short = try kubectl.failing("create", "token", "robot", "--duration=1m").output
            #expect(short.contains("may not specify a duration less than 10 minutes"), "\(short)")
        }
    }
}
