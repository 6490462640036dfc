import Foundation

extension Measurement {
    /// What a person waits for who validates or compares a large repository, the program's start included.
    static var commandLine: [Measurement] {
        [
            Measurement(name: "validate/10000-objects", unit: "ms", limit: .atMost(2000)) {
                let repository = try LargeRepository(objects: 10_000)
                return try await median(of: 3) { try repository.martlet(0, "validate", "site").milliseconds }
            },
            Measurement(name: "diff/10-of-10000-objects", unit: "ms", limit: .atMost(300)) {
                let repository = try LargeRepository(objects: 10_000)
                try repository.change(10)
                return try await median(of: 5) {
                    try repository.martlet(1, "diff", "main~1..main", "-o", "summary").milliseconds
                }
            },
            Measurement(name: "kustomize/overlay-of-120-objects", unit: "of kubectl", limit: .atMost(0.1)) {
                let overlays = try Overlays(objects: 120, count: 1)
                let own = try await median(of: 5) { try overlays.martlet("overlays/0").milliseconds }
                let peer = try await median(of: 5) { try overlays.kubectl("overlays/0").milliseconds }
                return own / peer
            },
            Measurement(name: "kustomize/memory-of-an-overlay", unit: "of kubectl", limit: .atMost(0.5)) {
                let overlays = try Overlays(objects: 120, count: 1)
                return try overlays.memory()
            },
            Measurement(name: "kustomize/200-overlays", unit: "of kubectl", limit: .atMost(0.05)) {
                let overlays = try Overlays(objects: 12, count: 200)
                let own = try await median(of: 3) { try overlays.martlet("overlays", "--recurse").milliseconds }
                // One process for each, which is how it is used.
                var peer = 0.0
                for number in 0..<200 { peer += try overlays.kubectl("overlays/\(number)").milliseconds }
                return own / peer
            },
            // A rollout of all workloads, alone and with an hour of baking, begun from what runs.
            Measurement(name: "rehearsal/rollout-of-100-workloads", unit: "s", limit: .atMost(1)) {
                let site = try RehearsedSite(workloads: 100, bakeTime: "10s")
                var seed: UInt64 = 0
                return try await median(of: 3) {
                    seed += 1
                    return try ContinuousClock().measure { try site.play(seed: seed) } / .seconds(1)
                }
            },
            Measurement(name: "rehearsal/hour-of-100-workloads", unit: "s", limit: .atMost(1)) {
                let site = try RehearsedSite(workloads: 100, bakeTime: "1h")
                var seed: UInt64 = 0
                return try await median(of: 3) {
                    seed += 1
                    return try ContinuousClock().measure { try site.play(seed: seed) } / .seconds(1)
                }
            },
        ]
    }
}

/// A base, and overlays that each rename, label and patch it.
private final class Overlays {
    private let directory = BenchDirectory()

    init(objects: Int, count: Int) throws {
        let names = (0..<objects).map { "web-\($0).yaml" }
        for (number, name) in names.enumerated() {
            try directory.write(
                "base/\(name)",
                """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: web-\(number), labels: {app: web-\(number)}}
                spec:
                  replicas: 3
                  selector: {matchLabels: {app: web-\(number)}}
                  template:
                    metadata: {labels: {app: web-\(number)}}
                    spec:
                      containers:
                        - name: web
                          image: registry.example.com/web:1.2.3
                          envFrom: [{configMapRef: {name: settings}}]

                """)
        }
        try directory.write(
            "base/kustomization.yaml",
            "resources: [\(names.joined(separator: ", "))]\n"
                + "configMapGenerator: [{name: settings, literals: [colour=red]}]\n")
        for number in 0..<count {
            try directory.write(
                "overlays/\(number)/kustomization.yaml",
                """
                resources: [../../base]
                namespace: team-\(number)
                namePrefix: team-\(number)-
                labels: [{pairs: {team: team-\(number)}}]
                images: [{name: registry.example.com/web, newTag: 1.2.\(number)}]
                patches:
                  - target: {kind: Deployment, name: web-1}
                    patch: '[{"op": "replace", "path": "/spec/replicas", "value": \(number)}]'

                """)
        }
    }

    func martlet(_ arguments: String...) throws -> Duration {
        try run([ServiceUnderTest.martlet, "render"] + arguments)
    }

    func kubectl(_ folder: String) throws -> Duration { try run(["kubectl", "kustomize", folder]) }

    /// Ours for the first overlay, as a share of the peer's.
    func memory() throws -> Double {
        try directory.memory([ServiceUnderTest.martlet, "render", "overlays/0"])
            / directory.memory(["kubectl", "kustomize", "overlays/0"])
    }

    private func run(_ arguments: [String]) throws -> Duration {
        let result = try directory.run(arguments)
        guard result.code == 0 else { throw BenchError("\(arguments): \(result.output.prefix(500))") }
        return result.elapsed
    }
}

/// A clone with many manifests: Deployments with their Services and ConfigMaps.
private final class LargeRepository {
    private let directory = BenchDirectory()

    init(objects: Int) throws {
        try directory.git("init", "-q", "-b", "main", "site")
        for number in 0..<(objects / 3) { try write(number, "one") }
        try write(objects / 3, "one", kinds: objects % 3)
        try commit("one")
    }

    func change(_ count: Int) throws {
        for number in 0..<count { try write(number * 7, "two") }
        try commit("two")
    }

    private func commit(_ message: String) throws {
        try directory.git("-C", "site", "add", "-A")
        try directory.git("-C", "site", "commit", "-q", "-m", message)
    }

    private func write(_ number: Int, _ value: String, kinds: Int = 3) throws {
        let documents = [
            """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: web-\(number)}
            data: {greeting: \(value)}

            """,
            """
            apiVersion: v1
            kind: Service
            metadata: {name: web-\(number)}
            spec:
              selector: {app: web-\(number)}
              ports: [{port: 80, targetPort: http}]

            """,
            """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web-\(number), labels: {app: web-\(number)}}
            spec:
              replicas: 3
              selector: {matchLabels: {app: web-\(number)}}
              template:
                metadata: {labels: {app: web-\(number)}}
                spec:
                  containers:
                    - name: web
                      image: registry.example.com/web:1.2.3
                      ports: [{name: http, containerPort: 8080}]
                      envFrom: [{configMapRef: {name: web-\(number)}}]
                      readinessProbe: {httpGet: {path: /ready, port: http}}
                      resources: {requests: {cpu: 100m, memory: 64Mi}}

            """,
        ]
        for (kind, text) in zip(["config", "service", "deployment"], documents.prefix(kinds)) {
            try directory.write("site/apps/\(number % 100)/\(number)/\(kind).yaml", text)
        }
    }

    /// Runs the program, which must end with that code; answers how long that took.
    func martlet(_ code: Int32, _ arguments: String...) throws -> Duration {
        let result = try directory.run(
            ["env", "-C", "site", ServiceUnderTest.martlet]
                + arguments.map {
                    $0 == "site" ? "." : $0
                })
        guard result.code == code else { throw BenchError("martlet \(arguments): \(result.output.prefix(500))") }
        return result.elapsed
    }
}
