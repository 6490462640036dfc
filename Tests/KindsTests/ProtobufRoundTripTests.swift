import Kinds
import Model
import Testing

@Suite("Objects written in protobuf (A17)")
struct ProtobufRoundTripTests {
    static let kinds = Catalog.builtIn.types.map(\.kind).filter { ProtobufEncoding.covers($0) }

    @Test("every kind of Kubernetes' own is covered, and no other")
    func coverage() {
        let others = Catalog.builtIn.types.map(\.kind).filter { !ProtobufEncoding.covers($0) }
        #expect(Set(others.map(\.group)) == ["argoproj.io"])
        for kind in [
            GroupVersionKind(group: "apps.example.com", version: "v1", kind: "Deployment"),
            GroupVersionKind(group: "apps.example.k8s.io", version: "v1", kind: "Deployment"),
            GroupVersionKind(group: "core", version: "v1", kind: "Pod"),
        ] {
            #expect(!ProtobufEncoding.covers(kind), "\(kind)")
        }
    }

    @Test("what is written reads back as it was, with every field that the schema has", arguments: kinds)
    func roundTrip(kind: GroupVersionKind) throws {
        var samples = SchemaSamples()
        for round in 0..<3 {
            let object = samples.object(kind, round: round)
            let first = try ProtobufObject(decoding: try ProtobufEncoding.encoded(object))
            #expect(first.unknownFields == [])
            let missing = Self.missing(from: first.json, of: object, at: kind.kind)
            #expect(missing == [])
            let second = try ProtobufObject(decoding: try ProtobufEncoding.encoded(first.json))
            #expect(second.json == first.json)
        }
    }

    /// The paths of members that came back differently, or not at all.
    private static func missing(from found: JSON?, of wanted: JSON, at path: String) -> [String] {
        switch (wanted, found) {
        case (.object(let members), .object(let present)?):
            return members.flatMap { missing(from: present[$0.key], of: $0.value, at: "\(path).\($0.key)") }
        case (.array(let items), .array(let present)?) where items.count == present.count:
            return zip(items, present).enumerated().flatMap {
                missing(from: $0.element.1, of: $0.element.0, at: "\(path)[\($0.offset)]")
            }
        default: return wanted == found ? [] : ["\(path): \(wanted.text()) became \(found?.text() ?? "nothing")"]
        }
    }

    @Test("what is no pointer in Go is written even when it is zero, in the order of its number; maps by key")
    func bytes() throws {
        let map: JSON = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": ["name": "c", "creationTimestamp": "2027-01-15T08:00:00Z"], "data": ["b": "2", "a": ""],
        ]
        let time = ProtobufMessage().number(1, 1_800_000_000).number(2, 0)
        let metadata = ProtobufMessage().text(1, "c").text(2, "").text(3, "").text(4, "").text(5, "").text(6, "")
            .number(7, 0).message(8, time)
        let entries = [ProtobufMessage().text(1, "a").text(2, ""), ProtobufMessage().text(1, "b").text(2, "2")]
        let message = ProtobufMessage().message(1, metadata).message(2, entries[0]).message(2, entries[1])
        #expect(try ProtobufEncoding.encoded(map) == message.body("v1", "ConfigMap"))
    }

    @Test("a list has its items without their kinds; statuses, options and discovery have messages of their own")
    func others() throws {
        let pod: JSON = ["apiVersion": "v1", "kind": "Pod", "metadata": ["name": "p"]]
        let list: JSON = [
            "apiVersion": "v1", "kind": "PodList", "metadata": ["resourceVersion": "7", "remainingItemCount": 0],
            "items": [pod],
        ]
        let bytes = try ProtobufEncoding.encoded(list)
        let header = ProtobufMessage().text(1, "v1").text(2, "PodList")
        let meta = ProtobufMessage().text(1, "").text(2, "7").text(3, "").number(4, 0)
        let start = Array("k8s\0".utf8) + ProtobufMessage().message(1, header).bytes
        #expect(bytes.starts(with: start))
        #expect(Array(bytes.suffix(4)) == [0x1A, 0, 0x22, 0])
        #expect(bytes.dropFirst(start.count + 2).starts(with: ProtobufMessage().message(1, meta).bytes))
        let status: JSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": "no",
            "reason": "NotFound", "details": ["name": "p", "kind": "pods", "retryAfterSeconds": 1], "code": 404,
        ]
        #expect(try ProtobufObject(decoding: try ProtobufEncoding.encoded(status)).json == status)
        let resources: JSON = [
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1",
            "resources": [
                ["name": "pods", "namespaced": true, "kind": "Pod", "verbs": ["get", "list"], "singularName": "pod"]
            ],
        ]
        #expect(try ProtobufObject(decoding: try ProtobufEncoding.encoded(resources)).json == resources)
    }

    @Test("an event of a watch begins with its length")
    func frame() {
        let frame = ProtobufEncoding.watchFrame("ADDED", [1, 2, 3])
        let event = ProtobufMessage().text(1, "ADDED").message(2, ProtobufMessage().bytes(1, [1, 2, 3]))
        #expect(frame == [0, 0, 0, UInt8(event.bytes.count)] + event.bytes)
        let long = ProtobufEncoding.watchFrame("ADDED", [UInt8](repeating: 7, count: 70_000))
        let body = ProtobufMessage().text(1, "ADDED").message(
            2, ProtobufMessage().bytes(1, [UInt8](repeating: 7, count: 70_000)))
        #expect(long == [0, 1, 0x11, UInt8(body.bytes.count & 0xFF)] + body.bytes)
    }

    static let misfits: [(JSON, String)] = [
        (["kind": "Gadget", "apiVersion": "v1"], "no kind Gadget of v1"),
        (["kind": "Application", "apiVersion": "argoproj.io/v1alpha1"], "no kind Application"),
        (["kind": "Pod", "apiVersion": "v1", "spec": ["nodeName": 7]], "stands where string belongs"),
        (["kind": "Pod", "apiVersion": "v1", "spec": ["containers": [:]]], "a list of core.v1.Container belongs"),
        (["kind": "Secret", "apiVersion": "v1", "data": ["a": "?"]], "not base64"),
        (["kind": "Pod", "apiVersion": "v1", "spec": ["overhead": ["cpu": true]]], "stands where Quantity belongs"),
        (["kind": "Pod", "apiVersion": "v1", "metadata": ["creationTimestamp": "today"]], "today is no time"),
    ]

    @Test("what does not fit is refused with its reason", arguments: misfits.indices)
    func refuses(index: Int) {
        let error = #expect(throws: ProtobufError.self) { try ProtobufEncoding.encoded(Self.misfits[index].0) }
        #expect(error?.description.contains(Self.misfits[index].1) == true, "\(error?.description ?? "")")
    }
}

/// Objects with every field that their schema has; none is zero.
struct SchemaSamples {
    private let document = SchemaDocument()
    private var count: Int64 = 0

    mutating func object(_ kind: GroupVersionKind, round: Int) -> JSON {
        count = Int64(round) * 1000
        var object = value(of: ["$ref": .string(document.kinds[kind] ?? "")], depth: 0, within: [])
        object["apiVersion"] = .string(kind.apiVersion)
        object["kind"] = .string(kind.kind)
        return object
    }

    private mutating func value(of schema: JSON, depth: Int, within names: [String]) -> JSON {
        count += 1
        if let name = schema["$ref"]?.string {
            // A schema may hold itself: once is enough.
            let isNested = names.contains(name)
            return value(
                of: isNested ? [:] : document.definitions[name] ?? [:], depth: depth + 1, within: names + [name])
        }
        if schema["x-kubernetes-int-or-string"]?.bool == true, schema["format"] == nil {
            return count % 2 == 0 ? .int(count) : .string("text\(count)")
        }
        switch (schema["type"]?.string, schema["format"]?.string) {
        // An odd number of thousandths is in canonical form.
        case (_, "quantity"): return .string("\(count * 2 + 1)m")
        case ("boolean", _): return true
        case ("integer", _), ("number", _): return .int(count)
        case ("string", let format): return .string(text(format, schema))
        case ("array", _): return [value(of: schema["items"] ?? [:], depth: depth, within: names)]
        case ("object", _), (nil, _):
            var object = JSON.emptyObject
            for property in schema["properties"]?.object ?? JSONObject() where !Self.isUntold(property.key) {
                object[property.key] = value(of: property.value, depth: depth, within: names)
            }
            if let values = schema["additionalProperties"], values.object != nil {
                object["b"] = value(of: values, depth: depth, within: names)
                object["a"] = value(of: values, depth: depth, within: names)
            }
            return object
        default: return "text"
        }
    }

    /// Envelopes carry kind and version; `stringData` is only read.
    private static func isUntold(_ name: String) -> Bool { ["apiVersion", "kind"].contains(name) }

    private func text(_ format: String?, _ schema: JSON) -> String {
        switch format {
        case "date-time": "2027-01-15T08:00:\(10 + count % 50)Z"
        case "micro-time": "2027-01-15T08:00:\(10 + count % 50).123456Z"
        case "byte": Base64.encode("bytes \(count)".utf8)
        default: schema["enum"]?[0]?.string ?? "text\(count)"
        }
    }
}
