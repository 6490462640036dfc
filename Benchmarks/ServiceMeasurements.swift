import Cluster
import Foundation
import Kinds
import KubernetesClient
import Model

extension Measurement {
    /// What a user of the running service waits for, and what it costs a machine.
    static var service: [Measurement] {
        [
            Measurement(name: "service/start-with-1000-objects", unit: "ms", limit: .atMost(150)) {
                let service = ServiceUnderTest()
                try service.start()
                try await fill(service, objects: 1000)
                return try await median(of: 7) {
                    service.stop()
                    return try service.start().milliseconds
                }
            },
            Measurement(name: "service/idle-memory", unit: "MB", limit: .atMost(60)) {
                let service = ServiceUnderTest()
                try service.start()
                try await fill(service, objects: 1000)
                service.stop()
                try service.start()
                try await Task.sleep(for: .seconds(3))  // Idle is what is measured.
                return try service.memory()
            },
            Measurement(name: "service/idle-processor", unit: "% core", limit: .atMost(0.5)) {
                let service = ServiceUnderTest()
                try await deploy(web, to: service)
                try await Task.sleep(for: .seconds(2))  // What was begun comes to rest.
                let before = try service.processorTime()
                try await Task.sleep(for: .seconds(20))  // Idle is what is measured.
                return (try service.processorTime() - before) / .seconds(20) * 100
            },
            Measurement(name: "cli/diff-1000-unchanged", unit: "ms", limit: .atMost(500)) {
                let service = ServiceUnderTest()
                try service.start()
                for number in 0..<1000 { try service.directory.write("app/\(number).yaml", manifest(number)) }
                let synced = try service.martlet("sync", "app")
                guard synced.code == 0 else { throw BenchError("sync: \(synced.output)") }
                return try await median(of: 7) {
                    let diff = try service.martlet("diff", "app")
                    guard diff.code == 0 else { throw BenchError("diff: \(diff.code) \(diff.output)") }
                    return diff.elapsed.milliseconds
                }
            },
            Measurement(name: "service/commit-to-first-process", unit: "ms", limit: .atMost(100)) {
                try await commitToProcess()
            },
            Measurement(name: "proxy/share-of-direct-requests", unit: "×", limit: .atLeast(0.5)) {
                let service = ServiceUnderTest()
                try await deploy(web, to: service)
                return try await median(of: 3) { try await proxyRatio(service) }
            },
        ]
    }

    private static func fill(_ service: ServiceUnderTest, objects: Int) async throws {
        let client = try service.client()
        for number in 0..<objects {
            var map = ConfigMap(named: "object-\(number)", in: "default")
            map.data = ["text": String(repeating: "x", count: 890)]
            _ = try await client.create(Object(viewing: map.json), options: WriteOptions(fieldManager: "bench"))
        }
        try await client.shutdown()
    }

    /// A mix of what repositories hold.
    private static func manifest(_ number: Int) -> String {
        let name = "object-\(number)"
        switch number % 4 {
        case 0:
            return web.replacingOccurrences(of: "name: web", with: "name: \(name)").replacingOccurrences(
                of: "replicas: 1", with: "replicas: 0")
        case 1: return webService.replacingOccurrences(of: "name: web", with: "name: \(name)")
        default:
            return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: \(name)\ndata:\n  text: value of \(number)\n"
        }
    }

    static let web = """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 1
          selector:
            matchLabels: {app: web}
          template:
            metadata:
              labels: {app: web}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: web
                  image: martlet.dev/echo
                  ports: [{name: http, containerPort: 8080}]
                  readinessProbe:
                    httpGet: {path: /readyz, port: http}
                    periodSeconds: 1

        """

    static let webService = """
        apiVersion: v1
        kind: Service
        metadata:
          name: web
        spec:
          selector: {app: web}
          ports: [{port: 8080, targetPort: http}]

        """

    /// One replica behind a Service, ready.
    private static func deploy(_ manifest: String, to service: ServiceUnderTest) async throws {
        try service.start()
        try service.directory.write("app/web.yaml", manifest)
        try service.directory.write("app/service.yaml", webService)
        let synced = try service.martlet("sync", "app")
        guard synced.code == 0 else { throw BenchError("sync: \(synced.output)") }
        let client = try service.client()
        try await service.eventually("the pod is ready") {
            let deployment: Deployment = try await client.get(Deployment.key("web", in: "default")).view()
            return deployment.status.availableReplicas ?? 0 > 0
        }
        try await client.shutdown()
    }

    private static func proxyRatio(_ service: ServiceUnderTest) async throws -> Double {
        let client = try service.client()
        let pods = try await client.list(ListQuery(Pod.kind.groupKind, namespace: "default"))
        let found: Service = try await client.get(Service.key("web", in: "default")).view()
        try await client.shutdown()
        guard let pod = pods.items.first?.view(as: Pod.self) else { throw BenchError("there is no pod") }
        let (address, clusterIP) = (pod.status.podIP, found.spec.clusterIP)
        let direct = try await RequestLoad(host: address, port: 8080).run(connections: 64, for: .seconds(2))
        let proxied = try await RequestLoad(host: clusterIP, port: 8080).run(connections: 64, for: .seconds(2))
        print("  \(Int(direct)) requests/s direct, \(Int(proxied)) through the proxy")
        return proxied / direct
    }

    /// From the moment in which a branch of a local repository moves to that in which the new pod's process runs,
    /// fetch included.
    private static func commitToProcess() async throws -> Double {
        let service = ServiceUnderTest()
        let directory = service.directory
        let starts = "\(directory.path)/starts"
        let repository = "\(directory.path)/repository.git"
        try directory.git("init", "-q", "--bare", "-b", "main", repository)
        try directory.git("init", "-q", "-b", "main", "copy")
        func commit(_ number: Int) throws -> String {
            var manifest = web.replacingOccurrences(of: "martlet.dev/echo", with: "bench/stamp")
            manifest = String(manifest[..<(manifest.range(of: "          ports:")?.lowerBound ?? manifest.endIndex)])
            manifest += "          env: [{name: COMMIT, value: \"\(number)\"}]\n"
            try directory.write("copy/app/web.yaml", manifest)
            try directory.git("-C", "copy", "add", "-A")
            try directory.git("-C", "copy", "commit", "-q", "-m", "commit \(number)")
            // To another branch first: what is measured starts with the branch's move.
            try directory.git("-C", "copy", "push", "-q", repository, "HEAD:refs/heads/next")
            return try directory.git("-C", "copy", "rev-parse", "HEAD")
        }
        try directory.write("stamp.sh", "echo $COMMIT $(date +%s%N) >> \(starts); exec sleep 1000")
        try directory.git("-C", repository, "update-ref", "refs/heads/main", try commit(0))
        try service.start([
            "--repo", repository, "--path", "app", "--revision", "main", "--image",
            "bench/stamp=/bin/sh \(directory.path)/stamp.sh",
        ])
        func started(_ number: Int) async throws -> Double {
            var result = 0.0
            try await service.eventually("commit \(number) runs") {
                guard let text = FileManager.default.contents(atPath: starts) else { return false }
                let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").map {
                    $0.split(separator: " ")
                }
                guard let line = lines.first(where: { $0.first == "\(number)" }), line.count == 2 else { return false }
                result = (Double(line[1]) ?? 0) / 1e6
                return true
            }
            return result
        }
        _ = try await started(0)
        var number = 0
        return try await median(of: 7) {
            number += 1
            let revision = try commit(number)
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            try directory.git("-C", repository, "update-ref", "refs/heads/main", revision)
            return try await started(number) - (Double(now.tv_sec) * 1e3 + Double(now.tv_nsec) / 1e6)
        }
    }
}
