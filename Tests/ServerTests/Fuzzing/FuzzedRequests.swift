import Cluster
import Model

/// HTTP requests as they stand in the corpus: method and target, headers, an empty line, the body.
struct FuzzedRequest: Sendable {
    var method: String
    var target: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    /// Stands between two requests of a sequence.
    private static let separator = Array("\n%%\n".utf8)

    /// - Returns: the requests of one input, in the order in which they are sent.
    static func sequence(_ input: [UInt8]) -> [FuzzedRequest] {
        var requests: [FuzzedRequest] = []
        var rest = input[...]
        while let end = rest.indices.first(where: { rest[$0...].starts(with: separator) }) {
            requests.append(FuzzedRequest(rest[..<end]))
            rest = rest[(end + separator.count)...]
        }
        return requests + [FuzzedRequest(rest)]
    }

    static func bytes(_ sequence: [FuzzedRequest]) -> [UInt8] {
        Array(sequence.map(\.bytes).joined(separator: separator))
    }

    private init(_ bytes: ArraySlice<UInt8>) {
        let end = bytes.indices.first { bytes[$0...].starts(with: [10, 10]) } ?? bytes.endIndex
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n").map(String.init)
        let first = (lines.first ?? "").split(separator: " ", maxSplits: 1).map(String.init)
        method = first.first ?? "GET"
        target = first.count > 1 ? first[1] : "/"
        headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            return (parts.first ?? "", parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
        }
        body = Array(bytes[min(end + 2, bytes.endIndex)...])
    }

    var bytes: [UInt8] {
        let head = ["\(method) \(target)"] + headers.map { "\($0.name): \($0.value)" }
        return Array((head.joined(separator: "\n") + "\n\n").utf8) + body
    }
}

/// Makes new requests of known ones: by their grammar, since few random changes of bytes get past the first reader.
struct RequestMutator {
    var random: SplitMix64

    /// One to three requests of the corpus, most of them changed.
    mutating func sequence(from corpus: [[FuzzedRequest]]) -> [FuzzedRequest] {
        var requests = corpus.randomElement(using: &random) ?? []
        if chance(3) { requests += corpus.randomElement(using: &random) ?? [] }
        let others = corpus.flatMap { $0 }
        for index in requests.indices {
            for _ in 0..<Int.random(in: 0...3, using: &random) { change(&requests[index], others) }
        }
        return Array(requests.prefix(4))
    }

    private mutating func chance(_ of: Int) -> Bool { Int.random(in: 0..<of, using: &random) == 0 }

    private mutating func change(_ request: inout FuzzedRequest, _ others: [FuzzedRequest]) {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: request.method = pick(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
        case 1: changePath(&request)
        case 2: addParameter(&request)
        case 3: setHeader(&request, "Accept", pick(Self.accepted))
        case 4: setHeader(&request, "Content-Type", pick(Self.contentTypes))
        case 5: request.body = others.randomElement(using: &random)?.body ?? []
        case 6: damage(&request.body)
        default:
            // What is no JSON is damaged as bytes.
            guard var json = try? JSON(decoding: request.body) else { return damage(&request.body) }
            change(&json, depth: 0)
            request.body = json.encoded()
        }
    }

    private mutating func pick(_ choices: [String]) -> String { choices.randomElement(using: &random) ?? "" }

    private mutating func setHeader(_ request: inout FuzzedRequest, _ name: String, _ value: String) {
        request.headers.removeAll { $0.name == name }
        request.headers.append((name, value))
    }

    private mutating func changePath(_ request: inout FuzzedRequest) {
        let target = request.target.split(separator: "?", maxSplits: 1).map(String.init)
        var segments = (target.first ?? "").split(separator: "/").map(String.init)
        let position = Int.random(in: 0...segments.count, using: &random)
        if position == segments.count || chance(4) {
            segments.insert(pick(Self.segments), at: position)
        } else if chance(4) {
            segments.remove(at: position)
        } else {
            segments[position] = pick(Self.segments)
        }
        request.target = "/" + segments.joined(separator: "/") + (target.count > 1 ? "?\(target[1])" : "")
    }

    private mutating func addParameter(_ request: inout FuzzedRequest) {
        let name = pick(Self.parameters)
        let value = chance(3) ? pick(Self.values) : pick(Self.wellFormed[name] ?? Self.values)
        request.target += (request.target.contains("?") ? "&" : "?") + "\(name)=\(value)"
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let position = Int.random(in: 0...bytes.count, using: &random)
            if position == bytes.count || chance(3) {
                bytes.insert(.random(in: 0...255, using: &random), at: position)
            } else if chance(2) {
                bytes[position] = .random(in: 0...255, using: &random)
            } else {
                bytes.removeSubrange(position..<min(bytes.count, position + Int.random(in: 1...8, using: &random)))
            }
        }
    }

    private mutating func change(_ json: inout JSON, depth: Int) {
        switch json {
        case .object(var object) where !object.isEmpty && !chance(depth + 6):
            let key = Array(object.keys).randomElement(using: &random) ?? ""
            if chance(8) {
                object[key] = nil
            } else if chance(10) {
                object[pick(Self.keys)] = object[key]
            } else {
                var value = object[key] ?? .null
                change(&value, depth: depth + 1)
                object[key] = value
            }
            json = .object(object)
        case .array(var items) where !items.isEmpty && !chance(depth + 6):
            let position = items.indices.randomElement(using: &random) ?? 0
            if chance(8) {
                items.remove(at: position)
            } else if chance(8) {
                items.append(items[position])
            } else {
                change(&items[position], depth: depth + 1)
            }
            json = .array(items)
        default: json = Self.interesting.randomElement(using: &random) ?? .null
        }
    }
}

extension RequestMutator {
    private static let segments = [
        "api", "apis", "v1", "apps", "batch", "autoscaling", "v2", "namespaces", "default", "pods", "web",
        "deployments", "configmaps", "services", "events", "status", "scale", "log", "binding", "eviction", "finalize",
        "watch", "openapi", "v3", "healthz", "nodes", "secrets", "jobs", "customresourcedefinitions",
        "apiextensions.k8s.io", "%00", "%", "%ff", "..", "é", "a%2Fb", "selfsubjectreviews", "authentication.k8s.io",
    ]
    private static let parameters = [
        "watch", "limit", "continue", "resourceVersion", "resourceVersionMatch", "labelSelector", "fieldSelector",
        "timeoutSeconds", "sendInitialEvents", "allowWatchBookmarks", "dryRun", "fieldManager", "fieldValidation",
        "force", "gracePeriodSeconds", "propagationPolicy", "pretty", "includeObject", "tailLines", "sinceSeconds",
        "sinceTime", "limitBytes", "follow", "container", "orphanDependents",
    ]
    private static let values = [
        "", "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "99999999999999999999", "true", "false",
        "All", "%00", "%zz", "a%2Cb", "é", "1e3", "default", String(repeating: "x", count: 300),
    ]
    private static let wellFormed = [
        "resourceVersion": ["0", "1", "3", "1000000"], "resourceVersionMatch": ["Exact", "NotOlderThan"],
        "labelSelector": ["app%3Dweb", "app+in+(web,a)", "!app", "a!%3Db"],
        "fieldSelector": ["metadata.name%3Dweb", "status.phase!%3DRunning", "spec.nodeName%3D"],
        "dryRun": ["All"], "fieldValidation": ["Strict", "Warn", "Ignore"], "fieldManager": ["a", "kubectl"],
        "propagationPolicy": ["Orphan", "Foreground", "Background"], "includeObject": ["None", "Object", "Metadata"],
        "sinceTime": ["2026-11-22T10:00:00Z", "1677-09-21T00:12:44Z"], "limit": ["1", "2"],
        "continue": [
            "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Mywic3RhcnQiOiJkZWZhdWx0L2FcdTAwMDAifQ",
            "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiL1x1MDAwMCJ9",
            "eyJydiI6OTIyMzM3MjAzNjg1NDc3NTgwNywic3RhcnQiOiIvXHUwMDAwIn0", "e30", "____",
        ],
    ]
    private static let accepted = [
        "*/*", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf",
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        "application/yaml;as=Table;v=v1beta1;g=meta.k8s.io",
        "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
        "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
        "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io", "text/html", ";q=nan,*/*;q=-1", ",;=,",
    ]
    private static let contentTypes = [
        "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/json-patch+json",
        "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml",
        "text/plain", ";;", "application/json; charset=utf-8",
    ]
    private static let keys = [
        "metadata", "spec", "status", "name", "namespace", "labels", "kind", "apiVersion", "$patch", "$retainKeys",
        "$setElementOrder/containers", "finalizers", "ownerReferences", "managedFields", "é", "",
    ]
    private static let interesting: [JSON] = [
        .null, true, false, 0, -1, 1, 65536, 2_147_483_647, 2_147_483_648, .int(.max), .int(.min), .number("1e400"),
        .number("0.1"), .number("99999999999999999999"), "", "a", "é", "\u{0}", "100%", "-1%", "1Ki", "1e999999",
        "9223372036854775807", "10.0.0.1", "::1", "10.0.0.0/8", "2026-11-22T10:00:00Z", "*/5 * * * *", "default", "web",
        [], [:], [[:]], [.null], ["a": .null], ["name": "a"], .string(String(repeating: "x", count: 300)),
    ]
}
