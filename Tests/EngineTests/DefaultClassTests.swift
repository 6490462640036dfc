import Cluster
import Kinds
import Model
import Testing

@testable import Engine

/// The classes of claims and Ingresses that name none (semantics-api J10).
@Suite("Default classes") struct DefaultClassTests {
    private static func storageClass(_ name: String, _ annotation: String?) -> JSON {
        var json: JSON = [
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": ["name": .string(name)],
            "provisioner": "example.com/disk",
        ]
        if let annotation { json[path: ["metadata", "annotations", annotation]] = "true" }
        return json
    }

    private static func ingressClass(_ name: String, isDefault: Bool = true) -> JSON {
        var json: JSON = [
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": ["name": .string(name)],
            "spec": ["controller": "example.com/ingress"],
        ]
        json[path: ["metadata", "annotations", "ingressclass.kubernetes.io/is-default-class"]] =
            isDefault ? "true" : "false"
        return json
    }

    private static func claim(_ name: String) -> JSON {
        [
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": ["name": .string(name), "namespace": "default"],
            "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]],
        ]
    }

    private static func ingress(_ name: String) -> JSON {
        [
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
            "metadata": ["name": .string(name), "namespace": "default"],
            "spec": ["defaultBackend": ["service": ["name": "web", "port": ["number": 80]]]],
        ]
    }

    private static let storageMark = "storageclass.kubernetes.io/is-default-class"

    @Test(
        "a claim gets the newest default class, of two as old the first by name, by either annotation",
        arguments: [storageMark, "storageclass.beta.kubernetes.io/is-default-class"])
    func claims(mark: String) async throws {
        let test = try await TestRegistry()
        func `class`(of name: String) async throws -> JSON? {
            try await test.create(Self.claim(name)).json[path: ["spec", "storageClassName"]]
        }
        try await test.create(Self.storageClass("plain", nil))
        #expect(try await `class`(of: "c0") == nil)
        try await test.create(Self.storageClass("old", mark))
        #expect(try await `class`(of: "c1") == "old")
        test.clock.advance(by: .seconds(5))
        try await test.create(Self.storageClass("b", mark))
        let first = try await test.create(Self.storageClass("a", mark))
        #expect(try await `class`(of: "c2") == "a")
        try await test.delete(first.key)
        #expect(try await `class`(of: "c3") == "b")
    }

    @Test("a claim that names a class, or the empty one, keeps it")
    func ownClass() async throws {
        let test = try await TestRegistry()
        try await test.create(Self.storageClass("usual", Self.storageMark))
        for (name, value) in [("other", "other"), ("none", "")] as [(String, JSON)] {
            let made = try await test.create(Self.claim(name).with(["spec", "storageClassName"], value))
            #expect(made.json[path: ["spec", "storageClassName"]] == value)
        }
        let annotated = Self.claim("annotated").with(
            ["metadata", "annotations"], ["volume.beta.kubernetes.io/storage-class": "other"])
        #expect(try await test.create(annotated).json[path: ["spec", "storageClassName"]] == nil)
    }

    @Test("an Ingress gets the default class unless it names one, in its spec or by the annotation of old")
    func ingresses() async throws {
        let test = try await TestRegistry()
        func `class`(_ ingress: JSON) async throws -> JSON? {
            try await test.create(ingress).json[path: ["spec", "ingressClassName"]]
        }
        try await test.create(Self.ingressClass("not", isDefault: false))
        #expect(try await `class`(Self.ingress("i0")) == nil)
        try await test.create(Self.ingressClass("b"))
        try await test.create(Self.ingressClass("a"))
        #expect(try await `class`(Self.ingress("i1")) == "a")
        #expect(try await `class`(Self.ingress("i2").with(["spec", "ingressClassName"], "own")) == "own")
        let annotated = Self.ingress("i3").with(["metadata", "annotations"], ["kubernetes.io/ingress.class": "own"])
        #expect(try await `class`(annotated) == nil)
    }
}
