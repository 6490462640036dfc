import Kinds
import Model
import Testing

@Suite("Objects in protobuf (A17)")
struct ProtobufTests {
    private static func decoded(_ message: ProtobufMessage, _ kind: String, in apiVersion: String = "v1") throws -> JSON
    {
        try ProtobufObject(decoding: message.body(apiVersion, kind)).json
    }

    @Test("metadata as Go writes it: what is zero and no pointer stands for nothing")
    func metadata() throws {
        let metadata = ProtobufMessage().text(1, "c").text(2, "").text(3, "ns").text(4, "").text(5, "").text(6, "")
            .number(7, 0).message(8, ProtobufMessage())
            .message(11, ProtobufMessage().text(1, "app").text(2, "web")).message(
                11, ProtobufMessage().text(1, "empty").text(2, "")
            )
            .text(14, "f1").text(14, "f2")
        let map = ProtobufMessage().message(1, metadata)
            .message(2, ProtobufMessage().text(1, "a").text(2, "b")).message(2, ProtobufMessage().text(1, "none"))
            .message(3, ProtobufMessage().text(1, "raw").bytes(2, [0, 0xFF, 0x10, 0x80]))
        #expect(
            try Self.decoded(map, "ConfigMap") == [
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": [
                    "name": "c", "namespace": "ns", "labels": ["app": "web", "empty": ""], "finalizers": ["f1", "f2"],
                ],
                "data": ["a": "b", "none": ""], "binaryData": ["raw": "AP8QgA=="],
            ])
    }

    @Test("pointers to zero are kept: no replicas are not one replica")
    func pointers() throws {
        let spec = ProtobufMessage().number(1, 0).message(2, ProtobufMessage()).number(5, 0).number(6, 0).number(7, 0)
        let json = try Self.decoded(ProtobufMessage().message(2, spec), "Deployment", in: "apps/v1")
        #expect(json["spec"] == ["replicas": 0, "selector": [:], "revisionHistoryLimit": 0])
    }

    @Test("what is inlined in Go is inlined in JSON; numbers or text, quantities, times and negative numbers")
    func values() throws {
        let port = ProtobufMessage().number(1, 1).number(2, 0).text(3, "http")
        let handler = ProtobufMessage().message(2, ProtobufMessage().text(1, "/readyz").message(2, port).text(3, ""))
        let limits = ProtobufMessage().text(1, "cpu").message(2, ProtobufMessage().text(1, "200m"))
        let container = ProtobufMessage().text(1, "web").message(8, ProtobufMessage().message(1, limits))
            .message(11, ProtobufMessage().message(1, handler).number(2, 0).number(4, 1))
        let volume = ProtobufMessage().text(1, "v").message(
            2, ProtobufMessage().message(2, ProtobufMessage().text(1, "").message(2, ProtobufMessage())))
        let toleration = ProtobufMessage().text(1, "k").number(5, -1)
        let spec = ProtobufMessage().message(1, volume).message(2, container).message(22, toleration)
        let metadata = ProtobufMessage().text(1, "p").message(
            8, ProtobufMessage().number(1, 1_800_000_000).number(2, 0))
        let json = try Self.decoded(ProtobufMessage().message(1, metadata).message(2, spec), "Pod")
        #expect(json["metadata"] == ["name": "p", "creationTimestamp": "2027-01-15T08:00:00Z"])
        #expect(
            json[path: ["spec"]] == [
                "volumes": [["name": "v", "emptyDir": ["sizeLimit": "0"]]],
                "containers": [
                    [
                        "name": "web", "resources": ["limits": ["cpu": "200m"]],
                        "readinessProbe": ["httpGet": ["path": "/readyz", "port": "http"], "periodSeconds": 1],
                    ]
                ],
                "tolerations": [["key": "k", "tolerationSeconds": -1]],
            ])
    }

    @Test(
        "times that JSON cannot write are read as the first or last that it can, and can be written again",
        arguments: [
            (Int64.min, "0000-01-01T00:00:00Z"), (-9_223_372_037, "1677-09-21T00:12:43Z"), (-1, "1969-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"), (.max, "9999-12-31T23:59:59Z"),
        ])
    func times(_ seconds: Int64, _ text: String) throws {
        let time = ProtobufMessage().number(1, seconds)
        let json = try Self.decoded(
            ProtobufMessage().message(1, ProtobufMessage().text(1, "p").message(8, time)), "ConfigMap")
        #expect(json[path: ["metadata", "creationTimestamp"]] == .string(text))
        #expect(try ProtobufObject(decoding: ProtobufEncoding.encoded(json)).json == json)
    }

    @Test("options of a deletion belong to every group")
    func deleteOptions() throws {
        let json = try Self.decoded(
            ProtobufMessage().number(1, 0).text(4, "Background"), "DeleteOptions", in: "apps/v1")
        #expect(json["gracePeriodSeconds"] == 0)
        #expect(json["propagationPolicy"] == "Background")
    }

    @Test("every kind of Kubernetes' own can come in protobuf")
    func kinds() throws {
        for type in Catalog.builtIn.types where type.kind.group != "argoproj.io" {
            #expect(try Self.decoded(ProtobufMessage(), type.kind.kind, in: type.kind.apiVersion)["metadata"] == nil)
        }
    }

    @Test("fields that are not known are told")
    func unknown() throws {
        let body = ProtobufMessage().number(99, 1).message(1, ProtobufMessage().text(77, "x")).body("v1", "ConfigMap")
        #expect(
            try ProtobufObject(decoding: body).unknownFields == [
                "unknown field 99 of core.v1.ConfigMap", "unknown field 77 of meta.v1.ObjectMeta",
            ])
    }

    private static let magic = Array("k8s\0".utf8)

    static let broken: [(name: String, bytes: [UInt8], message: String)] = [
        ("JSON", Array("{}".utf8), "does not begin with"),
        ("nothing", [], "does not begin with"),
        ("an unknown kind", ProtobufMessage().body("v1", "Gadget"), "no kind Gadget of v1"),
        ("an unknown group", ProtobufMessage().body("x.example/v1", "Pod"), "no kind Pod of x.example/v1"),
        ("no kind", magic, "no kind  of "),
        ("a length beyond the end", magic + [0x12, 0x7F, 0x00], "cut short"),
        ("a huge length", magic + [0x12] + [UInt8](repeating: 0xFF, count: 9) + [0x01], "cut short"),
        ("a number without an end", magic + [0x08] + [UInt8](repeating: 0x80, count: 20), "more than 64 bits"),
        ("a number cut short", magic + [0x08, 0x80], "cut short"),
        ("a field 0", magic + [0x00, 0x00], "number 0"),
        ("a group", magic + [0x0B], "wire type 3"),
        (
            "text that is no UTF-8", ProtobufMessage().message(1, ProtobufMessage().bytes(1, [0xFF])).body("v1", "Pod"),
            "not UTF-8"
        ),
        ("a number for a message", ProtobufMessage().number(1, 7).body("v1", "Pod"), "a number stands where"),
        ("text for a number", ProtobufMessage().message(2, ProtobufMessage().text(4, "30")).body("v1", "Pod"), "int64"),
    ]

    @Test("what is broken is refused with its reason", arguments: broken.indices)
    func refuses(index: Int) {
        let error = #expect(throws: ProtobufError.self) { try ProtobufObject(decoding: Self.broken[index].bytes) }
        #expect(
            error?.description.contains(Self.broken[index].message) == true,
            "\(Self.broken[index].name): \(error?.description ?? "")")
    }

    @Test("many entries cost as much each as few do")
    func many() throws {
        var bytes: [UInt8] = []
        for number in 0..<50_000 {
            bytes +=
                ProtobufMessage().text(14, "f").message(12, ProtobufMessage().text(1, "a\(number)").text(2, "")).bytes
        }
        let json = try Self.decoded(ProtobufMessage().bytes(1, bytes), "ConfigMap")
        #expect(json[path: ["metadata", "finalizers"]]?.array?.count == 50_000)
        #expect(json[path: ["metadata", "annotations"]]?.object?.count == 50_000)
    }

    @Test("no bytes make it trap: every prefix and many changed bytes of an object")
    func fuzz() {
        var random = SplitMix(state: 7)
        let pod = ProtobufMessage().message(
            1, ProtobufMessage().text(1, "p").message(8, ProtobufMessage().number(1, 5))
        )
        .message(
            2, ProtobufMessage().message(2, ProtobufMessage().text(1, "c").message(11, ProtobufMessage().number(4, 1)))
        )
        .body("v1", "Pod")
        for length in 0..<pod.count { _ = try? ProtobufObject(decoding: Array(pod[..<length])) }
        for _ in 0..<5000 {
            var bytes = pod
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 4..<bytes.count, using: &random)] = .random(in: .min ... .max, using: &random)
            }
            guard let object = try? ProtobufObject(decoding: bytes) else { continue }
            // What was read can be written, or is refused.
            _ = try? ProtobufEncoding.encoded(object.json)
        }
    }
}

/// Steele, Lea and Flood's generator, so that a failure comes back.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
