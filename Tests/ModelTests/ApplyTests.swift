import Model
import Testing

@Suite("Server-side apply")
struct ApplyTests {
    static let web: JSON = ["replicas": 3, "containers": [["name": "web", "image": "nginx"]]]

    @Test("H1: an undeclared field is refused with the object, its kind and the field's path")
    func undeclaredField() {
        #expect(
            throws: ApplyError.invalid(
                "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): "
                    + ".spec.foo: field not declared in schema")
        ) { try Fixture.apply(Fixture.object(["foo": 1]), onto: nil) }
    }

    @Test(
        "H1, H6: a configuration that does not fit its schema is refused at its path",
        arguments: [
            (["replicas": "three"], ".spec.replicas: expected numeric (int or float), got string"),
            (["paused": 1], ".spec.paused: expected boolean, got integer"),
            (["strategy": "Recreate"], ".spec.strategy: expected map, got string"),
            (["containers": ["name": "web"]], ".spec.containers: expected list, got object"),
            (
                ["containers": [["name": "a"], ["name": "a"]]],
                ".spec.containers: duplicate entries for key [name=\"a\"]"
            ),
            (
                ["containers": [["name": "a", "ports": [["containerPort": 80], ["containerPort": 80]]]]],
                ".spec.containers[name=\"a\"].ports: duplicate entries for key [containerPort=80,protocol=\"TCP\"]"
            ),
            (
                ["containers": [["image": "x"]]],
                ".spec.containers: element 0: associative list with keys has an element that omits all key fields "
                    + "[\"name\"] (and doesn't have default values for any key fields)"
            ),
        ] as [(JSON, String)])
    func misfit(spec: JSON, message: String) {
        let prefix = "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): "
        #expect(throws: ApplyError.invalid(prefix + message)) {
            try Fixture.apply(Fixture.object(spec), onto: nil)
        }
    }

    @Test("H1: a configuration that names managedFields is refused")
    func managedFieldsInConfiguration() {
        #expect(throws: ApplyError.invalid("metadata.managedFields must be nil")) {
            try Fixture.apply(Fixture.object([:], metadata: ["managedFields": []]), onto: nil)
        }
    }

    @Test("H2, H3: an entry names manager, operation, version, time and fields; list items own themselves")
    func entryShape() throws {
        let object = try Fixture.apply(Fixture.object(Self.web), onto: nil)
        #expect(
            object[path: ["metadata", "managedFields"]] == [
                [
                    "manager": "alice", "operation": "Apply", "apiVersion": "apps/v1",
                    "time": "1970-01-12T13:46:40Z", "fieldsType": "FieldsV1",
                    "fieldsV1": [
                        "f:spec": [
                            "f:containers": ["k:{\"name\":\"web\"}": [".": [:], "f:image": [:], "f:name": [:]]],
                            "f:replicas": [:],
                        ]
                    ],
                ]
            ])
    }

    @Test("H2: entries are sorted by operation, then time, then manager")
    func entryOrder() throws {
        var object = Fixture.update(nil, to: Fixture.object(["paused": true]), by: "zed", at: 1)
        object = try Fixture.apply(Fixture.object(["replicas": 1]), onto: object, by: "late", at: 9)
        object = try Fixture.apply(
            Fixture.object(nil, metadata: ["labels": ["a": "b"]]), onto: object, by: "early", at: 2)
        let managers = (object[path: ["metadata", "managedFields"]]?.array ?? []).map { $0["manager"] }
        #expect(managers == ["early", "late", "zed"])
    }

    @Test("H3: an empty map is owned itself, a filled one is not, an update owns new containers too")
    func containers() throws {
        let applied = try Fixture.apply(Fixture.object(["strategy": ["rollingUpdate": [:]]]), onto: nil)
        #expect(Fixture.owned(applied, by: "alice") == [".spec.strategy.rollingUpdate"])
        let updated = Fixture.update(nil, to: Fixture.object(["strategy": ["rollingUpdate": ["maxSurge": 1]]]))
        #expect(
            Fixture.owned(updated, by: "bob") == [
                ".spec", ".spec.strategy", ".spec.strategy.rollingUpdate", ".spec.strategy.rollingUpdate.maxSurge",
            ])
    }

    @Test("H4: what every object has is owned by nobody")
    func neverTracked() throws {
        let metadata: JSON = ["uid": "1", "resourceVersion": "5", "generation": 2, "labels": ["a": "b"]]
        let object = try Fixture.apply(Fixture.object(nil, metadata: metadata), onto: nil)
        #expect(Fixture.owned(object, by: "alice") == [".metadata.labels.a"])
    }

    @Test("H5: equal values are owned together and do not conflict")
    func coOwnership() throws {
        let first = try Fixture.apply(Fixture.object(["replicas": 3]), onto: nil, by: "alice")
        let second = try Fixture.apply(Fixture.object(["replicas": 3]), onto: first, by: "carol")
        #expect(Fixture.owned(second, by: "alice") == [".spec.replicas"])
        #expect(Fixture.owned(second, by: "carol") == [".spec.replicas"])
        let third = try Fixture.apply(Fixture.object([:]), onto: second, by: "alice")
        #expect(third[path: ["spec", "replicas"]] == 3)
        #expect(Fixture.owned(third, by: "carol") == [".spec.replicas"])
    }

    @Test("H5: force takes ownership away from the others")
    func force() throws {
        let first = try Fixture.apply(Fixture.object(["replicas": 3, "paused": true]), onto: nil, by: "alice")
        let second = try Fixture.apply(Fixture.object(["replicas": 5]), onto: first, by: "carol", force: true)
        #expect(second[path: ["spec", "replicas"]] == 5)
        #expect(Fixture.owned(second, by: "alice") == [".spec.paused"])
        #expect(Fixture.owned(second, by: "carol") == [".spec.replicas"])
    }

    @Test("H5: what a manager leaves out is removed, unless an applier or updater owns it too")
    func removalOnOmission() throws {
        var live = try Fixture.apply(
            Fixture.object(["replicas": 3, "paused": true], metadata: ["labels": ["a": "1", "b": "2"]]), onto: nil)
        var changed = live
        changed[path: ["spec", "replicas"]] = 4
        live = Fixture.update(live, to: changed, by: "scaler")
        live = try Fixture.apply(Fixture.object([:], metadata: ["labels": ["b": "2"]]), onto: live, by: "alice")
        #expect(live["spec"] == ["replicas": 4])
        #expect(live[path: ["metadata", "labels"]] == ["b": "2"])
    }

    @Test("H5: an omitted item goes with what nobody owns in it, but stays where another applier names it, too")
    func removalOfItems() throws {
        let config = Fixture.object(["containers": [["name": "a", "image": "x"], ["name": "b", "image": "y"]]])
        var live = try Fixture.apply(config, onto: nil)
        let env: JSON = [["name": "E", "value": "1"]]
        live = try Fixture.apply(
            Fixture.object(["containers": [["name": "b", "env": env]]]), onto: live, by: "injector")
        // As defaulting would: nobody comes to own it.
        live[path: ["spec", "containers"]] = [
            ["name": "a", "image": "x", "args": ["default"]],
            ["name": "b", "image": "y", "args": ["default"], "env": env],
        ]
        live = try Fixture.apply(Fixture.object(["replicas": 1]), onto: live)
        #expect(
            live["spec"] == [
                "replicas": 1, "containers": [["name": "b", "args": ["default"], "env": env]],
            ])
        #expect(Fixture.owned(live, by: "alice") == [".spec.replicas"])
    }

    @Test("H5: an apply that changes nothing is answered with the very object, old time included")
    func noOp() throws {
        let first = try Fixture.apply(Fixture.object(Self.web), onto: nil, at: 0)
        #expect(try Fixture.apply(Fixture.object(Self.web), onto: first, at: 99) == first)
    }

    @Test("H5: the time moves when the object or the set of owned fields changes")
    func timeOfApply() throws {
        let first = try Fixture.apply(Fixture.object(["replicas": 1]), onto: nil, at: 0)
        let moved = try Fixture.apply(Fixture.object(["replicas": 2]), onto: first, at: 1)
        #expect(Fixture.entry(moved, "alice")?["time"] == "1970-01-12T13:46:41Z")
        let other = try Fixture.apply(Fixture.object(["paused": true]), onto: moved, by: "carol", at: 2)
        #expect(Fixture.entry(other, "alice")?["time"] == "1970-01-12T13:46:41Z")
        #expect(Fixture.entry(other, "carol")?["time"] == "1970-01-12T13:46:42Z")
    }

    @Test("H5: a field stated as null is owned and absent")
    func statedNull() throws {
        let live = Fixture.object(["replicas": 1, "paused": true], metadata: ["uid": "1"])
        let config = Fixture.object(["replicas": .null])
        let result = try Fixture.apply(config, onto: live, force: true)
        #expect(result["spec"] == ["paused": true])
        #expect(Fixture.owned(result, by: "alice") == [".spec.replicas"])
        #expect(try Fixture.apply(config, onto: result, at: 9) == result)
    }

    @Test(
        "H6: applied items take the applied order, the others keep their places between them",
        arguments: [
            (["a", "b"], ["b", "a"], ["b", "a"]),
            (["a", "x", "b"], ["a", "b"], ["a", "x", "b"]),
            (["x", "a", "b"], ["b", "a"], ["x", "b", "a"]),
            (["a", "b"], ["c", "a"], ["c", "a", "b"]),
            (["a", "b"], ["c"], ["a", "b", "c"]),
            ([], ["b", "a"], ["b", "a"]),
        ] as [([String], [String], [String])])
    func listOrder(live: [String], applied: [String], result: [String]) throws {
        let containers = { (names: [String]) in JSON.array(names.map { ["name": .string($0)] }) }
        let old = Fixture.object(["containers": containers(live)], metadata: ["uid": "1"])
        let new = try Fixture.apply(Fixture.object(["containers": containers(applied)]), onto: old)
        #expect(new[path: ["spec", "containers"]] == containers(result))
    }

    @Test("H6: keys that items leave out take the schema's default")
    func defaultedKeys() throws {
        let ports = { (port: JSON) -> JSON in Fixture.object(["containers": [["name": "a", "ports": [port]]]]) }
        let first = try Fixture.apply(ports(["containerPort": 80, "protocol": "TCP"]), onto: nil, by: "carol")
        let second = try Fixture.apply(ports(["containerPort": 80, "name": "http"]), onto: first, by: "alice")
        let expected: JSON = [["containerPort": 80, "protocol": "TCP", "name": "http"]]
        #expect(second[path: ["spec", "containers"]]?[0]?["ports"] == expected)
        let third = try Fixture.apply(ports(["containerPort": 80, "protocol": "UDP"]), onto: second, by: "dora")
        #expect(third[path: ["spec", "containers"]]?[0]?["ports"]?.array?.count == 2)
    }

    @Test("H5: a map that loses all it had stays where it was, and so do those around it, with their owners")
    func emptiedMaps() throws {
        let config = { (strategy: JSON) in Fixture.object(["strategy": strategy]) }
        var live = try Fixture.apply(config([:]), onto: nil, by: "alice")
        live = try Fixture.apply(config(["rollingUpdate": ["maxSurge": 1]]), onto: live, by: "carol")
        #expect(live[path: ["spec", "strategy", "rollingUpdate", "maxSurge"]] == 1)
        live = try Fixture.apply(config(["rollingUpdate": [:]]), onto: live, by: "carol")
        #expect(live[path: ["spec", "strategy"]] == [:])
        #expect(Fixture.owned(live, by: "alice") == [".spec.strategy"])
        #expect(Fixture.owned(live, by: "carol") == [".spec.strategy.rollingUpdate"])
    }

    @Test("H6: a set merges by value, each value with its own owners")
    func sets() throws {
        let finalizers = { (values: JSON) in Fixture.object(nil, metadata: ["finalizers": values]) }
        var live = try Fixture.apply(finalizers(["a", "b"]), onto: nil, by: "alice")
        live = try Fixture.apply(finalizers(["b", "c"]), onto: live, by: "carol")
        #expect(live[path: ["metadata", "finalizers"]] == ["a", "b", "c"])
        #expect(Fixture.owned(live, by: "carol") == [".metadata.finalizers[=\"b\"]", ".metadata.finalizers[=\"c\"]"])
        live = try Fixture.apply(finalizers(["a"]), onto: live, by: "alice")
        #expect(live[path: ["metadata", "finalizers"]] == ["a", "b", "c"])
        live = try Fixture.apply(finalizers([]), onto: live, by: "carol")
        #expect(live[path: ["metadata", "finalizers"]] == ["a"])
    }

    @Test("H6: atomic lists and maps are one field: replaced whole, in conflict whole")
    func atomic() throws {
        let config = { (args: JSON, selector: JSON) in
            Fixture.object(["containers": [["name": "a", "args": args]], "selector": selector])
        }
        let live = try Fixture.apply(config(["-v"], ["matchLabels": ["a": "b"]]), onto: nil, by: "alice")
        #expect(
            throws: ApplyError.conflicts([
                try Self.conflict("alice", [.field("selector")]),
                try Self.conflict("alice", [.field("containers"), .item(["name": "a"]), .field("args")]),
            ])
        ) { try Fixture.apply(config(["-q"], ["matchLabels": ["c": "d"]]), onto: live, by: "carol") }
        let same = try Fixture.apply(config(["-q"], ["matchLabels": ["c": "d"]]), onto: live, by: "alice")
        #expect(same[path: ["spec", "selector"]] == ["matchLabels": ["c": "d"]])
    }

    @Test("H8: the first apply to an untracked object gives the rest to before-first-apply")
    func beforeFirstApply() throws {
        let live = Fixture.object(["replicas": 3, "paused": true], metadata: ["uid": "1"])
        #expect(throws: ApplyError.self) { try Fixture.apply(Fixture.object(["replicas": 5]), onto: live) }
        let result = try Fixture.apply(Fixture.object(["replicas": 3]), onto: live)
        #expect(Fixture.entry(result, "before-first-apply")?["operation"] == "Update")
        #expect(
            Fixture.owned(result, by: "before-first-apply") == [".spec", ".spec.paused", ".spec.replicas"])
    }

    @Test("H9: one conflict and several are worded as Kubernetes does")
    func conflictTexts() throws {
        var live = Fixture.update(nil, to: Fixture.object(["replicas": 3, "paused": true]), by: "m")
        #expect(
            Self.message { try Fixture.apply(Fixture.object(["replicas": 5]), onto: live) }
                == "Apply failed with 1 conflict: conflict with \"m\" using apps/v1: .spec.replicas")
        #expect(
            Self.message { try Fixture.apply(Fixture.object(["replicas": 5, "paused": false]), onto: live) } == """
                Apply failed with 2 conflicts: conflicts with "m" using apps/v1:
                - .spec.paused
                - .spec.replicas
                """)
        live = try Fixture.apply(Fixture.object(["replicas": 3]), onto: nil, by: "b", subresource: "scale")
        #expect(
            Self.message { try Fixture.apply(Fixture.object(["replicas": 5]), onto: live) }
                == "Apply failed with 1 conflict: conflict with \"b\" with subresource \"scale\": .spec.replicas")
        live = try Fixture.apply(
            Fixture.object(["containers": [["name": "x", "image": "a"]]]), onto: nil, by: "b")
        do throws(ApplyError) {
            _ = try Fixture.apply(Fixture.object(["containers": [["name": "x", "image": "b"]]]), onto: live)
            Issue.record("nothing conflicted")
        } catch {
            guard case .conflicts(let conflicts) = error else { throw error }
            #expect(conflicts.map(\.message) == ["conflict with \"b\""])
            #expect(conflicts.map(\.field) == [".spec.containers[name=\"x\"].image"])
        }
    }

    @Test("H10: the object's endpoint does not own status, the status endpoint does not own spec")
    func resetFields() throws {
        var config = Fixture.object(["replicas": 1])
        config["status"] = ["replicas": 9]
        let object = try Fixture.apply(config, onto: nil)
        #expect(object["status"] == nil)
        #expect(Fixture.owned(object, by: "alice") == [".spec.replicas"])
        config["spec"] = ["replicas": 7]
        let status = try Fixture.apply(config, onto: object, by: "carol", subresource: "status")
        #expect(status[path: ["spec", "replicas"]] == 1)
        #expect(status[path: ["status", "replicas"]] == 9)
        #expect(Fixture.owned(status, by: "carol") == [".status.replicas"])
        #expect(Fixture.entry(status, "carol")?["subresource"] == "status")
    }

    @Test("H11: kubectl takes over what client-side apply last set, and keeps its annotation current")
    func clientSideApply() throws {
        let key = "kubectl.kubernetes.io/last-applied-configuration"
        let old = Fixture.object(["replicas": 3])
        let text = JSON.string(old.text())
        let live = Fixture.update(
            nil, to: Fixture.object(["replicas": 3, "paused": true], metadata: ["annotations": [.init(key): text]]),
            by: "kubectl-client-side-apply")
        #expect(throws: ApplyError.self) {
            try Fixture.apply(Fixture.object(["replicas": 5]), onto: live, by: "alice")
        }
        #expect(throws: ApplyError.self) {
            try Fixture.apply(Fixture.object(["paused": false]), onto: live, by: "kubectl")
        }
        let result = try Fixture.apply(Fixture.object(["replicas": 5]), onto: live, by: "kubectl")
        #expect(result[path: ["spec", "replicas"]] == 5)
        let annotation = try #require(result[path: ["metadata", "annotations", key]]?.string)
        #expect(try JSON(decoding: Array(annotation.utf8)) == Fixture.object(["replicas": 5]))
    }

    private static func message(_ body: () throws -> JSON) -> String? {
        do {
            _ = try body()
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// A conflict over a field of spec, as an apply reports it.
    private static func conflict(_ manager: String, _ path: [PathElement]) throws -> ApplyConflict {
        ApplyConflict(path: PathElement.Path([.field("spec")] + path), manager: "\"\(manager)\"")
    }
}
